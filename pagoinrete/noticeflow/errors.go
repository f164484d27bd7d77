package noticeflow

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
	"github.com/flussi-go/flussi/mailmerge"
)

// Why something is refused, besides what packages pagoinrete and flow have.
var (
	// ErrNoPayer: the notice has no payer to write to.
	ErrNoPayer = sentinel.New("notice without a payer", "All'avviso non è associato un versante a cui scrivere.", flussi.ErrInvalid)
	// ErrTemplate: package mailmerge does not accept a text, or the text uses an unknown field.
	ErrTemplate = mailmerge.ErrTemplate
)

// NoticeError says why there is no message about a notice. It holds no personal data.
type NoticeError struct {
	NoticeID   uuid.UUID // which one
	Reference  string    // the school's own; "" if it has none
	Instalment int       // of the event
	Err        error     // why: an [ErrNoPayer], a [pagoinrete.ErrDiscrepancy] or an [ErrTemplate]
	Reason     string    // why, in Italian, as the end of a sentence that begins with the notice
}

// Error describes the refusal for programs and logs.
func (e *NoticeError) Error() string {
	return fmt.Sprintf("noticeflow: notice %s: %v", e.NoticeID, e.Err)
}

// Unwrap returns why.
func (e *NoticeError) Unwrap() error { return e.Err }

// Italian describes the refusal for the operator.
func (e *NoticeError) Italian() string {
	return "L'" + italian.NoticeOf(e.Reference, e.Instalment, e.NoticeID.String()) + " " + e.Reason
}

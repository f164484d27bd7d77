package noticeflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/mailmerge"
	"github.com/flussi-go/flussi/pagoinrete"
)

// NoticeService is the part of a [*pagoinrete.Service] that [Messages] use.
type NoticeService interface {
	// Event returns an event.
	Event(ctx context.Context, by flussi.Actor, id uuid.UUID) (pagoinrete.Event, error)
	// AllNotices returns all notices that match the filter, the oldest first.
	AllNotices(ctx context.Context, by flussi.Actor, filter pagoinrete.NoticeFilter) iter.Seq2[pagoinrete.Notice, error]
}

// FlowService is the part of a [*flow.Service] that [Messages] use.
type FlowService interface {
	// AllNotifications returns all notifications that match the filter.
	AllNotifications(ctx context.Context, by flussi.Actor, filter flow.NotificationFilter) iter.Seq2[flow.Notification, error]
	// ImportFlow creates a flow with its notifications.
	ImportFlow(ctx context.Context, by flussi.Actor, service string, d flow.Details, rows iter.Seq2[flow.Row, error], c flow.AddConfig) (flow.Flow, flow.AddReport, error)
}

// Config says which notices are written about, and what. Every field may be left out.
type Config struct {
	// Subject is the template of the subject (oggetto). White space in it becomes single
	// spaces. Defaults to [DefaultSubject].
	Subject string
	// Content is the template of the content (contenuto), in Markdown. Defaults to
	// [DefaultContent].
	Content string
	// Limits of the texts. Give those of the [flow.ServiceConfig]. Defaults to
	// [flow.GuideLimits].
	Limits flow.Limits
	// School is the school's name as families know it, of up to 100 characters. Defaults to
	// the codice meccanografico.
	School string
	// Payee (ente creditore) is the fiscal code of the school, if the App IO service is of
	// another body. Defaults to the service's own body.
	Payee flussi.OrganizationCode
	// Instalment is the one instalment (rata) that is written about. Defaults to all.
	Instalment int
	// NotNotified writes also about notices that are Non pagato (Non notificato): those whose
	// payer has not logged in to Pago In Rete yet. Defaults to false: Non pagato (Notificato)
	// only.
	NotNotified bool
	// Occasion names a reminder, such as "sollecito marzo". With an occasion, a notice is left out
	// only if the service has a message about it with the same occasion, by [flow.SameOccasion]; so
	// a reminder that is run twice writes to no payer twice. Without one, a notice is left out if
	// the service has any message about it. Up to [flow.MaxKey] characters, without personal data;
	// see [flow.Draft]. Defaults to none.
	Occasion string
}

// Messages writes to the payers of notices. It is made by [New], never changes, and is safe
// for concurrent use.
type Messages struct {
	notices NoticeService
	service FlowService
	config  Config
	text    *mailmerge.Text
}

// New returns messages of a configuration. The error lists everything that is wrong with it; it is
// a [flussi.ErrConfig], and explains itself: an [ErrTemplate] for a text that is no template or
// uses a field or a function that does not exist, [flussi.ErrLength] for one that cannot come
// within the limits whatever the notice, and what the other fields can have.
func New(notices NoticeService, service FlowService, c Config) (*Messages, error) {
	c.Subject, c.Content = cmp.Or(c.Subject, DefaultSubject), cmp.Or(c.Content, DefaultContent)
	if c.Limits == (flow.Limits{}) {
		c.Limits = flow.GuideLimits()
	}
	wrongOccasion := checkOccasion(c.Occasion)
	c.Occasion = flow.NormalizeText(c.Occasion)
	m := &Messages{notices: notices, service: service, config: c}
	var faults []error
	if notices == nil || service == nil {
		faults = append(faults, errors.New("notices and service are needed"))
	}
	if c.Instalment < 0 || c.Instalment > pagoinrete.MaxInstalments {
		faults = append(faults, &flussi.ValueError{Type: "Instalment", Err: flussi.ErrRange,
			Reason: fmt.Sprintf("Il numero della rata deve essere da 1 a %d, o 0 per tutte.", pagoinrete.MaxInstalments)})
	}
	faults = append(faults, checkSchool(c.School), wrongOccasion)
	var err error
	if m.text, err = mailmerge.Parse(c.Subject, c.Content, mailmerge.Config{Fields: fields()}); err == nil {
		err = m.try()
	}
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("noticeflow: new: %w: %w", flussi.ErrConfig, err)
	}
	return m, nil
}

// AppContext is the application context (contesto applicativo) of flows that [Messages.Import] makes;
// the key (chiave applicativo) is the event's UUID. A [flow.FlowFilter] finds flows by both.
const AppContext = "Pago In Rete"

// Import makes a flow of a service out of the notices of an event that are to be paid, with a
// message for each: see [Messages.Rows] for which, and [flow.Service.ImportFlow], which stores it,
// for the configuration. If the details leave them out, the context is [AppContext], the key the
// event's UUID, the note its name.
//
// Calling it twice writes to no payer twice. Notices that the service has a message about, in any
// flow and state, are left out; with an occasion, only those that have a message with the same
// occasion. If no notice is left, the error is a [flow.ErrNothingToSend]. The occasion is
// [Config.Occasion], or, if that is empty, the one of the [flow.AddConfig]. Of two concurrent
// calls, one returns the flow of the other, or stores its messages disabled, as duplicates
// ([flow.AddReport]). Activate and send the flow soon: the platform informs payers who paid in the
// meantime that there is nothing to pay.
//
// The error is the [*flussi.Error] of this package or of the service that failed. With a
// [flussi.ErrRows], some notices cannot be written about, such as those without a payer, and
// nothing was stored: the report says which, and SkipInvalid writes to the others.
func (m *Messages) Import(ctx context.Context, by flussi.Actor, eventID uuid.UUID, service string, d flow.Details, c flow.AddConfig) (flow.Flow, Report, error) {
	report := Report{Occasion: cmp.Or(m.config.Occasion, flow.NormalizeText(c.Occasion))}
	e, owed, err := m.read(ctx, by, eventID, service, &report)
	if err != nil {
		return flow.Flow{}, report, err
	}
	if len(owed) == 0 {
		return flow.Flow{}, report, &flussi.Error{Package: "noticeflow", Operation: "import flow", Err: flow.ErrNothingToSend, Reason: "Non ci sono messaggi da preparare. " + report.leftOut()}
	}
	d.AppContext, d.AppKey = cmp.Or(d.AppContext, AppContext), cmp.Or(d.AppKey, e.ID.String())
	if d.Note.IsZero() {
		d.Note = flussi.NewText("Avvisi di pagamento: " + e.Name)
	}
	f, added, err := m.service.ImportFlow(ctx, by, service, d, m.rows(e, owed, report.Occasion), c)
	report.Added = added
	return f, report, err
}

package mailmerge

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// Why a text, or the values for it, are refused.
var (
	// ErrTemplate: a text is no template of this package, or gives a result that it must not give.
	ErrTemplate = sentinel.New("template not valid", "Il modello del messaggio non è valido.", flussi.ErrInvalid)
	// ErrMissing: a field that the text needs has no value.
	ErrMissing = sentinel.New("value missing", "Manca il valore di un campo del testo.", flussi.ErrInvalid)
	// ErrUnknown: there is a value for a field that the text does not have, or of another kind.
	ErrUnknown = sentinel.New("value without a field", "C'è un valore per un campo che il testo non ha, o di un altro tipo.", flussi.ErrInvalid)
)

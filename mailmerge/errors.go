package mailmerge

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// The reasons why a text or its values are refused.
var (
	// ErrTemplate: [Parse] does not accept the text, or [Text.Execute] does not accept its result.
	ErrTemplate = sentinel.New("template not valid", "Il modello del messaggio non è valido.", flussi.ErrInvalid)
	// ErrMissing: a field that the text needs has no value.
	ErrMissing = sentinel.New("value missing", "Manca il valore di un campo del testo.", flussi.ErrInvalid)
	// ErrUnknown: a value is for a field that the text does not have, or is of the wrong kind.
	ErrUnknown = sentinel.New("value without a field, or of the wrong kind", "Un valore è di tipo sbagliato, o è per un campo che il testo non ha.", flussi.ErrInvalid)
)

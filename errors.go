package flussi

import (
	"errors"
	"strings"

	"github.com/flussi-go/flussi/internal/sentinel"
)

// Why a call of this module failed: [errors.Is] finds these in the errors of packages flow,
// pagoinrete, fsm, excel, and of the packages that use them. [HTTPStatus] maps them for a web
// service. The kinds of [RemoteError] distinguish a platform's own answers.
var (
	// ErrInvalid: the caller's data are not valid. Every [*ValueError] and [*InvalidError] is one.
	ErrInvalid = sentinel.New("not valid", "I dati non sono validi: correggerli.", nil)
	// ErrNotFound: the entity does not exist, or the actor is not enabled for its service or
	// school; the error does not say which. Stores return it for the first.
	ErrNotFound = sentinel.New("not found", "Dato inesistente, oppure utente non abilitato.", nil)
	// ErrConflict: another user changed the entity in the meantime. Read it again.
	ErrConflict = sentinel.New("changed in the meantime", "Un altro utente ha modificato i dati nel frattempo: rileggerli e riprovare.", nil)
	// ErrForbidden: the actor is not enabled for the service or the school, or the actor's role
	// may not take the action.
	ErrForbidden = sentinel.New("forbidden", "L'utente non è abilitato a questa operazione.", nil)
	// ErrState: the state of the entity, or of the one it belongs to, does not permit the action.
	ErrState = sentinel.New("not permitted in this state", "Lo stato attuale non permette l'operazione.", nil)
	// ErrDuplicate: the same message or the same notice exists already.
	ErrDuplicate = sentinel.New("duplicate", "Esiste già un elemento uguale.", nil)
	// ErrExists: an entity with the ID exists already.
	ErrExists = sentinel.New("exists already", "Un elemento con lo stesso identificativo esiste già.", nil)
	// ErrRows: some rows of an import are not valid. The report lists them. It is an [ErrInvalid].
	ErrRows = sentinel.New("rows not valid", "Alcune righe non sono valide: correggerle e importare di nuovo il file.", ErrInvalid)
	// ErrConfig: a configuration contradicts itself, or lacks what is required.
	ErrConfig = errors.New("configuration not valid")
	// ErrStoreUnavailable: the database of a store cannot be used now: it is busy or full, cannot
	// be reached, accepts no writes, or was restored from a copy. Errors of sqlstore such as
	// postgres.ErrBusy wrap it. The same call can succeed later.
	ErrStoreUnavailable = sentinel.New("store not available", "L'archivio non è disponibile in questo momento: riprovare più tardi.", nil)
	// ErrCommitUnknown: a write may be stored or not, because the connection to the database was
	// lost during the write, or the commit of an embedded database failed and may be on disk.
	// Stores return it in no other case. Read the current state, or call again.
	ErrCommitUnknown = sentinel.New("perhaps stored", "La connessione con l'archivio si è interrotta durante la registrazione, e non si sa se l'operazione sia riuscita: controllare e, se serve, ripeterla.", nil)
	// ErrNotStored: a platform may have done what was asked, and the outcome could not be stored.
	// Do not simply repeat the call. The error of the store is among those that it wraps.
	ErrNotStored = sentinel.New("outcome not stored", "Non è stato possibile registrare l'esito dell'operazione, che potrebbe essere riuscita: controllare prima di ripeterla.", nil)
)

// Explainer is an error that says to the operator, in Italian, what is wrong and what can be done.
// The text is whole sentences and holds no personal data.
type Explainer interface {
	error
	// Italian returns the text for the operator.
	Italian() string
}

// Explain returns the Italian text for the operator of the first [Explainer] that
// err is or wraps. Errors joined by [errors.Join] give their texts one after the
// other. It returns "" for nil, and a general text for an error that explains
// nothing, whose Error text is for programmers and may not be fit to show. An [ErrConfig] that
// explains nothing has a general text of its own.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	switch texts := explanations(err); {
	case len(texts) > 0:
		return strings.Join(texts, " ")
	case errors.Is(err, ErrConfig):
		return wrongConfiguration
	}
	return "Errore imprevisto: rivolgersi all'assistenza."
}

// wrongConfiguration is the text of an [ErrConfig] that explains nothing itself.
const wrongConfiguration = "Il programma non è configurato correttamente: rivolgersi a chi lo gestisce."

func explanations(err error) []string {
	switch e := err.(type) {
	case nil:
		return nil
	case Explainer:
		return []string{e.Italian()}
	case interface{ Unwrap() error }:
		return explanations(e.Unwrap())
	case interface{ Unwrap() []error }:
		var texts []string
		for _, sub := range e.Unwrap() {
			texts = append(texts, explanations(sub)...)
		}
		return texts
	}
	return nil
}

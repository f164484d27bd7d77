package pagoinrete

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
)

// Outcome (esito) is what an error means for what Pago In Rete was asked to do.
type Outcome string

// The outcomes of a call that changes something.
const (
	// Done: Pago In Rete did it.
	Done Outcome = "done"
	// Refused: it was not done, and will not be until something is corrected.
	Refused Outcome = "refused"
	// NotDone: it surely was not done, and may be tried again as it is.
	NotDone Outcome = "not_done"
	// Unknown: it may have been done, or not. Reading it back tells.
	Unknown Outcome = "unknown"
)

// What the caller can do next about an error of a [Gateway]. A [*RemoteError] is one of
// these, by [errors.Is].
var (
	// ErrRemoteInvalid: correct the data.
	ErrRemoteInvalid = errors.New("not valid for Pago In Rete")
	// ErrUnauthorized: stop, and mend the school's credentials; nothing is wrong with the
	// data.
	ErrUnauthorized = errors.New("credentials not accepted")
	// ErrRemoteForbidden: the actor's SIDI role, or the school, may not do this there.
	ErrRemoteForbidden = errors.New("not permitted by Pago In Rete")
	// ErrRemoteNotFound: there is no such thing.
	ErrRemoteNotFound = errors.New("not found in Pago In Rete")
	// ErrRemoteState: its state there does not permit it. Verify it.
	ErrRemoteState = errors.New("not in this state in Pago In Rete")
	// ErrRateLimited: try again later.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: Pago In Rete cannot be reached or does not work; try again later.
	ErrUnavailable = errors.New("platform not available")
	// ErrInterrupted: the caller's context ended before anything was asked.
	ErrInterrupted = errors.New("interrupted")
	// ErrUnknown: nobody knows yet whether it was done. Do it again, which is recognised, or
	// verify it.
	ErrUnknown = errors.New("outcome unknown")
)

// RemoteError is a call to Pago In Rete that did not succeed. It shows no credentials and no
// personal data, and can be logged.
type RemoteError struct {
	Operation  string        // such as "transmit event"
	Kind       error         // one of the Err… values above
	Outcome    Outcome       // of a call that changes something; "" for one that reads
	Status     int           // of HTTP; 0 if there was no reply
	Problem    flussi.Text   // what Pago In Rete said, which masks itself since it may quote the data; "" if nothing
	RetryAfter time.Duration // for ErrRateLimited: how long it asked to be left alone; 0 if it did not say
	Attempts   int           // how many there were
	Reason     string        // in words, from the client itself
	Err        error         // the cause if there was no reply; its own text is only found by unwrapping it
}

// Error describes the failure for programs and logs.
func (e *RemoteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pagoinrete: %s: %v", e.Operation, e.Kind)
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %v", e.RetryAfter)
	}
	var details []string
	if e.Status != 0 {
		details = append(details, fmt.Sprintf("status %d", e.Status))
	}
	if e.Attempts > 1 {
		details = append(details, fmt.Sprintf("%d attempts", e.Attempts))
	}
	if len(details) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(details, ", "))
	}
	return b.String()
}

// Unwrap returns the kind, and the cause if there is one.
func (e *RemoteError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Italian describes the failure for the operator.
func (e *RemoteError) Italian() string {
	switch e.Kind {
	case ErrRemoteInvalid:
		return "Pago In Rete ha rifiutato i dati: correggerli e riprovare."
	case ErrUnauthorized:
		return "Pago In Rete non accetta le credenziali della scuola: verificarle."
	case ErrRemoteForbidden:
		return "Pago In Rete non permette l'operazione a questo utente."
	case ErrRemoteNotFound:
		return "Non risulta su Pago In Rete."
	case ErrRemoteState:
		return "Lo stato su Pago In Rete non permette l'operazione: verificare lo stato."
	case ErrRateLimited:
		return "Pago In Rete ha ricevuto troppe richieste: riprovare più tardi."
	case ErrInterrupted:
		return "L'operazione è stata interrotta prima di iniziare."
	case ErrUnknown:
		return "Esito sconosciuto: verificare lo stato, oppure ripetere l'operazione, che Pago In Rete riconosce."
	}
	return "Pago In Rete non è raggiungibile o non funziona: riprovare più tardi."
}

// OutcomeOf says what the error of a [Gateway]'s method that changes something means: [Done]
// for nil, and [Unknown] for an error that does not say.
func OutcomeOf(err error) Outcome {
	var failed *RemoteError
	switch {
	case err == nil:
		return Done
	case errors.As(err, &failed) && failed.Outcome != "":
		return failed.Outcome
	}
	return Unknown
}

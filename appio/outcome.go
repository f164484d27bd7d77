package appio

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// Outcome (esito) is what a submission means for the message.
type Outcome string

// The outcomes of a submission.
const (
	// Accepted: the platform has the message and gave it an ID.
	Accepted Outcome = "accepted"
	// Refused: the message was not sent, and will not be until something is corrected:
	// the message, or with [ErrUnauthorized] and [ErrForbidden] the service, after which
	// the message can be sent as it is.
	Refused Outcome = "refused"
	// NotSent: the message surely was not sent, and may be sent later as it is.
	NotSent Outcome = "not_sent"
	// Unknown: the message may have been delivered, or not, and nobody can find out:
	// the platform has no way to list what was sent. Never send it again without asking
	// a person.
	Unknown Outcome = "unknown"
)

// What the caller can do next about an error. Every error of a [Client]'s calls is one
// of these, by [errors.Is].
var (
	// ErrInvalid: correct the message or the arguments; an [*InvalidError] says what, if
	// the client itself found it.
	ErrInvalid = errors.New("not valid")
	// ErrUnauthorized: stop, and mend the key of the service; nothing is wrong with the
	// message.
	ErrUnauthorized = errors.New("key not accepted")
	// ErrForbidden: stop, and have the service enabled for this by the platform; nothing
	// is wrong with the message, unless it names a Payee that the service may not name.
	ErrForbidden = errors.New("not permitted to the service")
	// ErrNotFound: there is no such thing. For a profile: the citizen is not on App IO,
	// or does not take messages. For a message: there is none with the ID. For a feed:
	// the day is not over yet. For a submission: check the BaseURL.
	ErrNotFound = errors.New("not found")
	// ErrRateLimited: try again later; the [Pace] holds the next call back by itself. The
	// error's RetryAfter is what the platform asked for, 0 if it did not say.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: the platform cannot be reached or does not work; try again later.
	ErrUnavailable = errors.New("platform not available")
	// ErrInterrupted: the caller's context ended; a message was surely not sent.
	ErrInterrupted = errors.New("interrupted")
	// ErrUnknown: ask a person; the message may have been delivered. Only for
	// submissions.
	ErrUnknown = errors.New("outcome unknown")
)

// Error is a call that did not succeed. It never shows a key, a fiscal code or the
// text of a message, and it can be logged.
type Error struct {
	Operation  string        // such as "submit message"
	Kind       error         // one of the Err… values of this package: what can be done next
	Outcome    Outcome       // of a submission; "" for everything else
	Status     int           // of HTTP; 0 if there was no reply
	Problem    *Problem      // what the platform said; nil if nothing
	RetryAfter time.Duration // for ErrRateLimited: how long the platform asked to be left alone; 0 if it did not say
	Attempts   int           // how many there were
	Reason     string        // in words, from the client itself
	Err        error         // the cause if there was no reply, such as the context's error; its own text is only found by unwrapping it
}

// Problem is what the platform or its gateway says about a refusal. Its texts may
// quote the request, so they mask themselves: Reveal them for a person, not for a log.
type Problem struct {
	Status int         // as in the body
	Type   flussi.Text // a URI that identifies the kind of problem
	Title  flussi.Text // a summary in English
	Detail flussi.Text // about this occurrence
}

// Error describes the failure for programs and logs.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "appio: %s: %v", e.Operation, e.Kind)
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
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Italian describes the failure for the operator.
func (e *Error) Italian() string {
	switch e.Kind {
	case ErrInvalid:
		return "App IO ha rifiutato i dati: correggerli e riprovare."
	case ErrNotFound:
		return e.notFound()
	case ErrUnauthorized:
		return "App IO non accetta la chiave del servizio: verificarla."
	case ErrForbidden:
		return "Il servizio non è abilitato a questa operazione su App IO."
	case ErrRateLimited:
		return "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi."
	case ErrInterrupted:
		return "L'operazione è stata interrotta prima dell'invio."
	case ErrUnknown:
		return "Esito sconosciuto: il messaggio potrebbe essere arrivato. Non inviarlo di nuovo senza verificare."
	}
	return "App IO non è raggiungibile o non funziona: riprovare più tardi."
}

func (e *Error) notFound() string {
	switch e.Operation {
	case opProfile:
		return "Il cittadino non è su App IO o non riceve messaggi."
	case opMessage:
		return "App IO non trova il messaggio."
	case opFeed:
		return "L'elenco delle iscrizioni del giorno non è ancora disponibile su App IO."
	}
	return "App IO non trova il servizio all'indirizzo configurato."
}

// OutcomeOf says what the error of [Client.Submit] means for the message: [Accepted]
// for nil, and [Unknown] for an error that is not one of Submit's.
func OutcomeOf(err error) Outcome {
	var (
		invalid *InvalidError
		failed  *Error
	)
	switch {
	case err == nil:
		return Accepted
	case errors.As(err, &failed) && failed.Outcome != "":
		return failed.Outcome
	case errors.As(err, &invalid):
		return Refused
	}
	return Unknown
}

// The operations, as errors and logs name them.
const (
	opSubmit  = "submit message"
	opMessage = "get message"
	opProfile = "get profile"
	opFeed    = "get feed"
)

// submission judges what came of submitting a message: the ID if it was accepted, or
// the error. The table is the platform's; what it does not name is unknown, and so is every
// 500: the platform can store and queue a message, and then answer 500 with a problem.
func submission(operation string, reply *restcall.Reply, err error) (MessageID, error) {
	if reply != nil && reply.Status >= 200 && reply.Status < 300 {
		if id := idOf(reply); id != "" {
			return id, nil
		}
	}
	e := failed(operation, reply, err)
	if reply == nil {
		e.Outcome = NotSent
		var failure *restcall.Failure
		if !errors.As(err, &failure) || failure.Sent {
			e.Kind, e.Outcome = ErrUnknown, Unknown
		}
		return "", e
	}
	switch status := reply.Status; {
	case status >= 200 && status < 300:
		e.Kind, e.Outcome, e.Reason = ErrUnknown, Unknown, "no message ID in the reply"
	case status == http.StatusTooManyRequests:
		e.Outcome = NotSent
	case status == http.StatusRequestTimeout, status == 499, status < 400, status >= 500:
		e.Kind, e.Outcome = ErrUnknown, Unknown
	default:
		e.Outcome = Refused
	}
	return "", e
}

// failed describes a call that did not succeed, for any operation.
func failed(operation string, reply *restcall.Reply, err error) *Error {
	e := &Error{Operation: operation}
	if reply == nil {
		e.Kind, e.Err = ErrUnavailable, err
		var failure *restcall.Failure
		if errors.As(err, &failure) {
			e.Err, e.Attempts, e.Reason = failure.Err, len(failure.Attempts), restcall.Describe(failure.Err)
		}
		if failure != nil && failure.Ended {
			e.Kind = ErrInterrupted
		}
		return e
	}
	e.Status, e.Attempts = reply.Status, len(reply.Attempts)
	if said := reply.Said(); said != nil {
		e.Problem = &Problem{Status: said.Status, Type: flussi.NewText(said.Type), Title: flussi.NewText(said.Title), Detail: flussi.NewText(said.Detail)}
	}
	switch status := reply.Status; {
	case status == http.StatusUnauthorized:
		e.Kind = ErrUnauthorized
	case status == http.StatusForbidden:
		e.Kind = ErrForbidden
	case status == http.StatusNotFound && operation != opSubmit && !reply.FromService():
		// A wrong address must not read as a citizen who is not there.
		e.Kind, e.Reason = ErrUnavailable, "nothing at this address; check the BaseURL"
	case status == http.StatusNotFound:
		e.Kind = ErrNotFound
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = ErrRateLimited, restcall.RetryAfter(reply.Header, time.Now())
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != 499:
		e.Kind = ErrInvalid
	default:
		e.Kind = ErrUnavailable
	}
	return e
}

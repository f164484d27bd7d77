package flussi

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// Outcome (esito) says what a call to a platform did to the message, the event or the notice that
// it was about.
type Outcome string

// The outcomes of a call.
const (
	// OutcomeDone: the platform did it.
	OutcomeDone Outcome = "done"
	// OutcomeRefused: the platform did not do it, and will not until something is corrected.
	OutcomeRefused Outcome = "refused"
	// OutcomeNotDone: the platform certainly did not do it; the same call may be made again.
	OutcomeNotDone Outcome = "not_done"
	// OutcomeUnknown: the platform did it, or it did not. Read it back, or ask the recipient.
	OutcomeUnknown Outcome = "unknown"
)

// OutcomeOf returns what the error of a call to a platform means for what was asked:
// [OutcomeDone] for nil, the Outcome of a [*RemoteError], [OutcomeRefused] for an
// [*InvalidError], since such a call is never made, and [OutcomeUnknown] for any other error.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeDone
	}
	var remote *RemoteError
	if errors.As(err, &remote) && remote.Outcome != "" {
		return remote.Outcome
	}
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		return OutcomeRefused
	}
	return OutcomeUnknown
}

// The kinds of a [*RemoteError]: what the caller can do next. A RemoteError is one of these, by
// [errors.Is].
var (
	// ErrRemoteInvalid: the platform refuses the data. Correct them. It is an [ErrInvalid].
	ErrRemoteInvalid = sentinel.New("refused by the platform", "La piattaforma ha rifiutato i dati: correggerli e riprovare.", ErrInvalid)
	// ErrUnauthorized: the platform does not accept the key or the credentials. Stop and correct
	// them; the data are not at fault.
	ErrUnauthorized = errors.New("credentials not accepted")
	// ErrRemoteForbidden: the service, the school or the actor may not do this on the platform.
	ErrRemoteForbidden = errors.New("not permitted by the platform")
	// ErrRemoteNotFound: the platform does not have it.
	ErrRemoteNotFound = errors.New("not found on the platform")
	// ErrRemoteState: its state on the platform does not permit it. Verify the state.
	ErrRemoteState = errors.New("not in this state on the platform")
	// ErrRateLimited: the platform received too many calls. Try again later.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: the platform cannot be reached or does not work. Try again later.
	ErrUnavailable = errors.New("platform not available")
	// ErrInterrupted: the caller's context ended before the call was made.
	ErrInterrupted = errors.New("interrupted")
	// ErrOutcomeUnknown: it is unknown whether the platform did it. See [OutcomeUnknown].
	ErrOutcomeUnknown = errors.New("outcome unknown")
)

// RemoteError is a call to a platform that did not succeed. It never shows a key, personal data
// or the text of a message, and can be logged.
type RemoteError struct {
	Package   string   // whose client made the call, such as "appio"
	Platform  string   // its name for operators, such as "App IO"
	Operation string   // such as "submit message"
	Kind      error    // one of the kinds, such as [ErrRateLimited]
	Outcome   Outcome  // of a call that changes something; "" for one that reads
	Status    int      // of HTTP; 0 if there was no reply
	Problem   *Problem // what the platform said; nil if nothing
	// FromService reports that the service behind the platform's gateway answered, with a problem
	// of its own. If it is false, the gateway answered, or there was no reply. A refusal of the
	// gateway does not depend on the content of the request, unless it has no Problem: a firewall in
	// front of the platform may have refused the content.
	FromService bool
	// Answer is what the platform said, for operators: [Problem.Answer] without the texts of the
	// request. It is zero if the platform said nothing, or if the client does not set it.
	Answer     Text
	RetryAfter time.Duration // for [ErrRateLimited]: how long the platform asked to wait; 0 if it did not say
	RetryAt    time.Time     // when RetryAfter ends; zero if RetryAfter is 0
	Attempts   int           // how many requests were made
	Detail     string        // the cause in English words, from the client itself; "" if Kind says all
	Reason     string        // the cause in Italian, in whole sentences; "" for the text of Kind
	Err        error         // the cause if there was no reply, such as the context's error; its text is only found by unwrapping it
}

// Error describes the failure for programs and logs. It quotes nothing that the platform said.
func (e *RemoteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Package, e.Operation, e.Kind)
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
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

// Italian describes the failure for the operator. A refusal of the service is followed by its
// Answer.
func (e *RemoteError) Italian() string {
	text := e.italianCause()
	if !e.FromService || !e.isRefusal() || e.Answer.IsZero() {
		return text
	}
	return italian.WithAnswer(text, e.Answer.Reveal())
}

// isRefusal reports whether the platform refused the request. If it does not have what a call
// reads, that is an answer, not a refusal.
func (e *RemoteError) isRefusal() bool {
	switch e.Kind {
	case ErrRemoteInvalid, ErrRemoteForbidden, ErrRemoteState:
		return true
	}
	return e.Outcome == OutcomeRefused
}

// italianCause describes the failure by the Reason or the Kind.
func (e *RemoteError) italianCause() string {
	platform, on := e.Platform, "su "+e.Platform
	if platform == "" {
		platform, on = "La piattaforma", "sulla piattaforma"
	}
	switch {
	case e.Reason != "":
		return e.Reason
	case e.Kind == ErrRemoteInvalid:
		return platform + " ha rifiutato i dati: correggerli e riprovare."
	case e.Kind == ErrUnauthorized:
		return platform + " non accetta le credenziali: verificare le credenziali."
	case e.Kind == ErrRemoteForbidden:
		return platform + " non permette l'operazione a questo utente: verificare le sue abilitazioni."
	case e.Kind == ErrRemoteNotFound:
		return "Quanto richiesto non risulta " + on + ": verificare lo stato."
	case e.Kind == ErrRemoteState:
		return "Lo stato " + on + " non permette l'operazione: eseguire «Verifica stato»."
	case e.Kind == ErrRateLimited:
		return platform + " ha ricevuto troppe richieste: riprovare più tardi."
	case e.Kind == ErrInterrupted:
		return "L'operazione è stata interrotta prima di iniziare: ripeterla."
	case e.Kind == ErrOutcomeUnknown:
		return "Esito sconosciuto: verificare lo stato " + on + " prima di ripetere l'operazione."
	}
	return platform + " non è raggiungibile o non funziona: riprovare più tardi."
}

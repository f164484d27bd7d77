package restcall

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// RemoteError describes a call that did not succeed, by what [Engine.Do] returned. Its Kind is
// [flussi.ErrInterrupted] if the caller's context ended before there was a reply,
// [flussi.ErrRateLimited] if the call was not made since an earlier one was told to wait for longer
// than Engine.MaxWait, and [flussi.ErrUnavailable] otherwise: what the status of a reply means is up
// to the client. The Kind is also ErrUnavailable if no call was made because the source of a shared
// Pace failed.
func RemoteError(pkg, platform, operation string, reply *Reply, err error) *flussi.RemoteError {
	e := &flussi.RemoteError{Package: pkg, Platform: platform, Operation: operation, Kind: flussi.ErrUnavailable}
	if reply != nil {
		e.Status, e.Attempts, e.Problem = reply.Status, len(reply.Attempts), reply.Problem()
		e.FromService = reply.FromService()
		if e.Problem != nil && e.Problem.Status == 0 {
			e.Problem.Status = reply.Status
		}
		if reply.Status == http.StatusTooManyRequests {
			now := time.Now()
			if e.RetryAfter = RetryAfter(reply.Header, now); e.RetryAfter > 0 {
				e.RetryAt = now.Add(e.RetryAfter).UTC()
			}
		}
		return e
	}
	e.Err = err
	var failure *Failure
	if !errors.As(err, &failure) {
		return e
	}
	e.Err, e.Attempts, e.Detail = failure.Err, len(failure.Attempts), Describe(failure.Err)
	var paused *pace.PausedError
	var asked *pace.AskError
	switch {
	case failure.Ended:
		e.Kind = flussi.ErrInterrupted
	case errors.As(failure.Err, &paused):
		e.Kind, e.Err, e.Detail = flussi.ErrRateLimited, nil, ""
		e.RetryAfter, e.RetryAt = time.Until(paused.Until), paused.Until.UTC()
	case errors.As(failure.Err, &asked):
		e.Err, e.Detail = asked, asked.Error()
	}
	return e
}

// SetAnswer sets the Answer of the error of a call to what the platform said, without the key and the
// texts of the request to hide.
func (e *Engine) SetAnswer(failed *flussi.RemoteError, hide ...string) {
	if failed.Problem == nil {
		return
	}
	header := http.Header{}
	e.Authorize(header)
	for _, values := range header {
		for _, value := range values {
			hide = append(hide, strings.Fields(value)...) // a scheme and the key
		}
	}
	failed.Answer = flussi.NewText(failed.Problem.Answer(hide...))
}

// SetOutcome sets the Outcome of the error of a call that changes something: by its Kind, or
// without a reply by err, the error of [Engine.Do]. Where that leaves it open whether the platform
// did it, Kind becomes [flussi.ErrOutcomeUnknown].
func SetOutcome(e *flussi.RemoteError, err error) {
	switch e.Kind {
	case flussi.ErrRemoteInvalid, flussi.ErrUnauthorized, flussi.ErrRemoteForbidden, flussi.ErrRemoteNotFound, flussi.ErrRemoteState:
		e.Outcome = flussi.OutcomeRefused
		return
	case flussi.ErrRateLimited:
		e.Outcome = flussi.OutcomeNotDone
		return
	}
	var failure *Failure
	if errors.As(err, &failure) && !failure.Sent {
		e.Outcome = flussi.OutcomeNotDone
		return
	}
	e.Kind, e.Outcome = flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown
}

package flussi

import (
	"context"
	"errors"
	"net/http"
)

// statuses maps errors to statuses of HTTP, in this order: the first match decides. ErrNotStored is
// first: it wraps the store's error, whose status could make the caller repeat the call. ErrConfig
// is before ErrInvalid: a wrong configuration can wrap a *ValueError, which is an ErrInvalid, but
// it is the program's fault, not the caller's.
var statuses = []struct {
	err    error
	status int
}{
	{ErrNotStored, http.StatusInternalServerError},
	{ErrCommitUnknown, http.StatusInternalServerError},
	{ErrConfig, http.StatusInternalServerError},
	{ErrRemoteNotFound, http.StatusNotFound},
	{ErrRemoteState, http.StatusConflict},
	{ErrRateLimited, http.StatusServiceUnavailable},
	{ErrUnavailable, http.StatusServiceUnavailable},
	{ErrStoreUnavailable, http.StatusServiceUnavailable},
	{ErrUnauthorized, http.StatusBadGateway},
	{ErrRemoteForbidden, http.StatusBadGateway},
	{ErrOutcomeUnknown, http.StatusBadGateway},
	{ErrNotFound, http.StatusNotFound},
	{ErrForbidden, http.StatusForbidden},
	{ErrConflict, http.StatusConflict},
	{ErrDuplicate, http.StatusConflict},
	{ErrExists, http.StatusConflict},
	{ErrState, http.StatusConflict},
	{ErrInvalid, http.StatusUnprocessableEntity},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
	{ErrInterrupted, http.StatusServiceUnavailable},
	{context.Canceled, http.StatusServiceUnavailable},
}

// HTTPStatus returns the status with which a web service answers an error of this module; the
// body can be the text of [Explain]. It returns
//
//   - 200 for nil,
//   - 404 for [ErrNotFound] and [ErrRemoteNotFound], 403 for [ErrForbidden],
//   - 409 for [ErrConflict], [ErrDuplicate], [ErrExists], [ErrState] and [ErrRemoteState],
//   - 422 for [ErrInvalid] with [ErrRemoteInvalid],
//   - 502 for [ErrUnauthorized], [ErrRemoteForbidden] and [ErrOutcomeUnknown],
//   - 503 for [ErrRateLimited], [ErrUnavailable], [ErrStoreUnavailable] and a context that was
//     cancelled, 504 for one whose deadline passed,
//   - 500 for [ErrConfig], [ErrNotStored], [ErrCommitUnknown] and everything else, such as a
//     database that a program may not open.
func HTTPStatus(err error) int {
	if err == nil {
		return http.StatusOK
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

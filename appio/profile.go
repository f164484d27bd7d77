package appio

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// Profile (profilo) is what a service may know about a citizen who is on App IO.
type Profile struct {
	SenderAllowed bool     // the service may send messages to the citizen
	Languages     []string // preferred ones, best first, such as it_IT; may be empty
}

// Profile returns whether the service may send messages to a citizen. The error is a
// [*flussi.InvalidError] for the zero code, or a [*flussi.RemoteError]:
// [flussi.ErrRemoteNotFound] if the citizen is not on App IO, or turned the inbox off.
func (c *Client) Profile(ctx context.Context, citizen flussi.FiscalCode) (Profile, error) {
	if citizen.IsZero() {
		v := &validation{}
		v.Add("fiscal_code", flussi.ErrEmpty, "Manca il codice fiscale del cittadino.")
		return Profile{}, v.OrNil()
	}
	body, err := json.Marshal(struct {
		FiscalCode flussi.FiscalCode `json:"fiscal_code"`
	}{citizen})
	if err != nil {
		e := newError(opProfile, flussi.ErrRemoteInvalid)
		e.Err = err
		return Profile{}, e
	}
	// A POST that changes nothing: URLs are logged, and must not hold the fiscal code.
	wire, err := read[struct {
		SenderAllowed bool     `json:"sender_allowed"`
		Languages     []string `json:"preferred_languages"`
	}](ctx, &c.engine, restcall.Operation{Name: opProfile, Method: http.MethodPost, Path: "/profiles", Body: body}, citizen.Reveal())
	if err != nil {
		return Profile{}, err
	}
	return Profile{SenderAllowed: wire.SenderAllowed, Languages: wire.Languages}, nil
}

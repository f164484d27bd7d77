package appio_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// instrumented records all that an instrumentation can see of a request and its reply.
func instrumented(seen *[]string) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			*seen = append(*seen, r.Method+" "+r.URL.String())
			resp, err := base.RoundTrip(r)
			if err != nil {
				*seen = append(*seen, err.Error())
				return resp, err
			}
			*seen = append(*seen, resp.Request.URL.String(), resp.Request.URL.Path, resp.Request.URL.RawPath, resp.Request.URL.RequestURI())
			return resp, nil
		})
	}
}

func TestInstrumentationSeesNoFiscalCodeInURLs(t *testing.T) {
	transport, end := pipenet.Serve(func() http.Handler {
		s := appiotest.New(appiotest.Config{})
		s.AddService(appiotest.Service{ID: "tributi", Key: secretKey})
		return s
	}())
	defer end()
	var seen []string
	client := must.Get(appio.New(key(t, secretKey), appio.Config{
		BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: appio.MaskedTransport(transport, instrumented(&seen))},
	}))(t)
	m := message(t, 1)
	receipt := must.Get(client.Submit(t.Context(), m))(t)
	state := must.Get(client.Message(t.Context(), m.To, receipt.ID))(t)
	assert.Equal(t, appio.StatusProcessed, state.Status, "the platform got the real path")
	must.Get(client.Profile(t.Context(), m.To))(t)
	assert.Contains(t, seen, "POST http://localhost/api/v1/messages")
	assert.Contains(t, seen, "GET http://localhost/api/v1/messages/:fiscal_code/:id")
	for _, text := range seen {
		assert.NotContains(t, strings.ToUpper(text), secretCode)
	}
}

func TestInstrumentationSeesNoFiscalCodeInErrors(t *testing.T) {
	var seen []string
	failing := roundTrip(func(r *http.Request) (*http.Response, error) {
		assert.Contains(t, r.URL.Path, secretCode)
		return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("broken")}
	})
	client := &http.Client{Transport: appio.MaskedTransport(failing, instrumented(&seen))}
	_, err := client.Get("https://platform.test/api/v1/messages/" + secretCode + "/1?x=1") //nolint:bodyclose // there is none
	require.Error(t, err)
	assert.Equal(t, []string{"GET https://platform.test/api/v1/messages/:fiscal_code/:id?x=1", "broken"}, seen)
}

func TestMaskedTransportMasksEveryFormOfACode(t *testing.T) {
	for path, want := range map[string]string{
		"/messages":                                    "/messages",
		"/messages/" + secretCode + "/01":              "/messages/:fiscal_code/:id",
		"/messages/" + strings.ToLower(secretCode):     "/messages/:fiscal_code",
		"/messages/%52SSMRA80A01H501U/01%2F02":         "/messages/:fiscal_code/:id",
		"/profiles/" + flussi.TestRecipient().Reveal(): "/profiles/:fiscal_code",
		"/a%20b/c": "/a%20b/c",
	} {
		var got, sent string
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = r.URL.EscapedPath()
			return answer(200, "", nil), nil
		})
		transport := appio.MaskedTransport(base, func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				got = r.URL.EscapedPath()
				return next.RoundTrip(r)
			})
		})
		r := must.Get(http.NewRequest(http.MethodGet, "https://platform.test"+path, nil))(t)
		resp := must.Get(transport.RoundTrip(r))(t)
		assert.Equal(t, want, got)
		assert.Equal(t, path, sent)
		assert.Equal(t, path, r.URL.EscapedPath(), "the request is not changed")
		if want != path {
			assert.Same(t, r, resp.Request)
		}
	}
	assert.NotNil(t, appio.MaskedTransport(nil, func(base http.RoundTripper) http.RoundTripper { return base }))
}

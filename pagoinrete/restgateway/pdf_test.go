package restgateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/restgateway"
)

// pdfOf returns a client of a server that answers with a PDF, as it says, and whether the
// client closed it.
func pdfOf(t *testing.T, kind string, body io.Reader, closed *bool) *restgateway.Client {
	return clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Contains(t, r.Header.Get("Accept"), "application/pdf")
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, ContentLength: -1, Body: closing{body, closed}}, nil
	})
}

type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error { *c.closed = true; return nil }

func TestAPDFIsPassedOnAndKnownToBeWhole(t *testing.T) {
	const small = "%PDF-1.4\nx\n%%EOF\n"
	large := "%PDF-1.4\n" + strings.Repeat("0123456789", 100_000) + "\n%%EOF"
	for name, test := range map[string]struct {
		kind, text string
		atOnce     bool // it is refused before anything is read
		reason     string
		cause      error
	}{
		"a small one":                      {"application/pdf", small, false, "", nil},
		"a large one":                      {"application/pdf", large, false, "", nil},
		"with parameters":                  {"application/pdf; x=y", small, false, "", nil},
		"with something behind":            {"application/pdf", small + strings.Repeat("\x00", 1000), false, "", nil},
		"with too much behind":             {"application/pdf", small + strings.Repeat("\x00", 1024), false, "the PDF is cut off", io.ErrUnexpectedEOF},
		"cut off":                          {"application/pdf", large[:500_000], false, "the PDF is cut off", io.ErrUnexpectedEOF},
		"cut off in its last mark":         {"application/pdf", large[:len(large)-1], false, "the PDF is cut off", io.ErrUnexpectedEOF},
		"cut off in its first mark":        {"application/pdf", "%PD", true, "the PDF is cut off", io.ErrUnexpectedEOF},
		"nothing":                          {"application/pdf", "", true, "the PDF is cut off", io.ErrUnexpectedEOF},
		"a page, said to be a PDF":         {"application/pdf", "<html></html>", true, "the reply is not a PDF", nil},
		"a short page, said to be a PDF":   {"application/pdf", "<x>", true, "the reply is not a PDF", nil},
		"a PDF, said to be something else": {"text/html", small, true, "the reply is not declared as a PDF", nil},
		"too large":                        {"application/pdf", "%PDF-" + strings.Repeat("x", 8<<20), false, "the PDF is cut off: reply is too large", nil},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"": func(r io.Reader) io.Reader { return r }, ", in halves": iotest.HalfReader, ", with its end": iotest.DataErrReader,
		} {
			t.Run(name+how, func(t *testing.T) {
				closed := false
				pdf, err := pdfOf(t, test.kind, wrap(strings.NewReader(test.text)), &closed).NoticePDF(t.Context(), uuid.New())
				assert.Equal(t, test.atOnce, err != nil)
				if err == nil {
					var text []byte
					text, err = io.ReadAll(pdf)
					assert.True(t, strings.HasPrefix(test.text, string(text)))
					if err == nil {
						assert.Len(t, text, len(test.text))
					}
					_, again := pdf.Read(make([]byte, 1))
					assert.Error(t, again)
					assert.False(t, closed)
					require.NoError(t, pdf.Close())
				}
				assert.True(t, closed)
				if test.reason == "" {
					require.NoError(t, err)
					return
				}
				failed := remoteError(t, err)
				assert.Equal(t, test.reason, failed.Detail)
				assert.Equal(t, flussi.ErrUnavailable, failed.Kind)
				assert.Empty(t, failed.Outcome)
				if test.cause != nil {
					assert.ErrorIs(t, err, test.cause)
					assert.Equal(t, "Il PDF dell'avviso è arrivato incompleto: scaricarlo di nuovo.", flussi.Explain(err))
				}
			})
		}
	}
}

func TestAPDFThatBreaksOffInTheMiddle(t *testing.T) {
	for _, cause := range []error{io.ErrUnexpectedEOF, errors.New(secretName), context.DeadlineExceeded} {
		closed := false
		body := io.MultiReader(strings.NewReader("%PDF-1.4\n%%EOF\nmore"), iotest.ErrReader(cause))
		pdf := must.Get(pdfOf(t, "application/pdf", body, &closed).NoticePDF(t.Context(), uuid.New()))(t)
		text, err := io.ReadAll(pdf)
		assert.Equal(t, "%PDF-1.4\n%%EOF\nmore", string(text))
		assert.ErrorIs(t, err, cause)
		assert.ErrorIs(t, err, flussi.ErrUnavailable)
		assert.NotContains(t, err.Error(), secretName)
	}
}

func TestAPDFEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	closed := false
	body := io.MultiReader(strings.NewReader("%PDF-1.4\n"), reader(func([]byte) (int, error) { cancel(); return 0, ctx.Err() }))
	pdf := must.Get(pdfOf(t, "application/pdf", body, &closed).NoticePDF(ctx, uuid.New()))(t)
	_, err := io.ReadAll(pdf)
	assert.ErrorIs(t, err, flussi.ErrInterrupted)
	assert.ErrorIs(t, err, context.Canceled)
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

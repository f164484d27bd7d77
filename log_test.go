package flussi_test

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestAMaskWriterShowsNothingThatWasReceived(t *testing.T) {
	for name, test := range map[string]struct{ record, want string }{
		"an unsolicited response": {
			`Unsolicited response received on idle HTTP channel starting with "HTTP/1.1 200 OK\r\n\r\n{\"content\":\"La prima rata\"}"; err=<nil>`,
			`Unsolicited response received on idle HTTP channel starting with "***"; err=<nil>`},
		"a quote that does not end":   {"invalid value \"La prima\nsecond line", "invalid value \"***\"\nsecond line"},
		"back quotes":                 {"cannot parse `La prima rata`: no", `cannot parse "***": no`},
		"a panic":                     {"http: panic serving 127.0.0.1:80: La prima\nrata\ngoroutine 7 [running]:\nmain.f()", "http: panic serving 127.0.0.1:80: ***\ngoroutine 7 [running]:\nmain.f()"},
		"a panic without a stack":     {"http2: panic serving [::1]:80: La prima rata", "http2: panic serving [::1]:80: ***"},
		"a fiscal code":               {"GET /messages/RSSMRA85T10A562S/01J", "GET /messages/***/01J"},
		"an e-mail address":           {"to mario.rossi@example.com failed", "to *** failed"},
		"a row":                       {"ERROR: duplicate key: Key (a, b)=(La prima, rata) already exists.", "ERROR: duplicate key: Key (a, b)=(***) already exists."},
		"a URL with a password":       {"cannot reach postgres://u:p%40q@h:5432/d", "cannot reach postgres:***:5432/d"},
		"a parameter with a password": {"postgres://h/d?user=u&password=segreta&sslmode=x", "postgres://h/d?user=u&password=***&sslmode=x"},
		"keywords with a password":    {`host=h password='se\'gr eta' sslpassword = x dbname=d`, `host=h password=*** sslpassword = *** dbname=d`},
		"control characters":          {"a\x1b[2J\u202eb\x9b", "a�[2J�b�"},
		"nothing to mask":             {"2026/11/30 21:45:43 http: Server closed\n", "2026/11/30 21:45:43 http: Server closed\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			n := must.Get(flussi.MaskWriter(&out).Write([]byte(test.record)))(t)
			assert.Equal(t, len(test.record), n)
			assert.Equal(t, test.want, out.String())
		})
	}
	_, err := flussi.MaskWriter(closedWriter{}).Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// The real log of a server: net/http prints the value of a panic.
func TestTheLogOfAServerShowsNoPanic(t *testing.T) {
	var out bytes.Buffer
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(errors.New("La prima rata scade: RSSMRA85T10A562S"))
	}))
	server.Config.ErrorLog = log.New(flussi.MaskWriter(&out), "", 0)
	server.Start()
	_, err := server.Client().Get(server.URL)
	require.Error(t, err)
	server.Close() // waits for the log
	must.Contain(t, out.String(), "panic serving 127.0.0.1:", "goroutine", "log_test.go")
	must.NotContain(t, out.String(), "prima rata", "RSSMRA85T10A562S")
}

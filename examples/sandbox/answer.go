package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
)

// call is a call to App IO.
type call struct {
	began     time.Time
	operation appiotest.Operation // "" for a path that the platform does not have
	service   string              // "" for an unknown key
	messageID string              // at the end of the path, whatever the client wrote
	body      []byte
}

// operationOf returns the operation of a request.
func operationOf(r *http.Request) appiotest.Operation {
	path := strings.TrimPrefix(r.URL.Path, appiotest.BasePath+"/")
	switch first, _, more := strings.Cut(path, "/"); {
	case r.Method == http.MethodPost && path == "messages":
		return appiotest.SubmitMessage
	case r.Method == http.MethodGet && first == "messages" && more:
		return appiotest.GetMessage
	case r.Method == http.MethodPost && path == "profiles":
		return appiotest.GetProfile
	case r.Method == http.MethodGet && first == "subscriptions-feed" && more:
		return appiotest.GetFeed
	}
	return ""
}

// answer is the answer to a client.
type answer struct {
	Status int  // of HTTP; 0 without a complete answer
	HasID  bool // it has the ID of the stored message
	broken bool // the connection was broken
}

// italian describes the answer.
func (a answer) italian() string {
	switch {
	case a.broken:
		return "connessione interrotta"
	case a.Status == 0:
		return "nessuna"
	case a.Status == http.StatusCreated && !a.HasID:
		return "201 senza ID"
	}
	return fmt.Sprintf("%d %s", a.Status, meaning(a.Status))
}

func meaning(status int) string {
	switch status {
	case http.StatusOK:
		return "trovato"
	case http.StatusCreated:
		return "accettato"
	case http.StatusBadRequest:
		return "richiesta non valida"
	case http.StatusUnauthorized:
		return "chiave non valida"
	case http.StatusForbidden:
		return "non permesso"
	case http.StatusNotFound:
		return "non trovato"
	case http.StatusConflict:
		return "stato che non lo permette"
	case http.StatusUnprocessableEntity:
		return "dati non validi"
	case http.StatusTemporaryRedirect:
		return "altrove"
	case http.StatusTooManyRequests:
		return "troppe chiamate"
	case http.StatusInternalServerError:
		return "errore interno"
	case http.StatusGatewayTimeout:
		return "tempo scaduto"
	}
	return "piattaforma non disponibile"
}

// answerWriter records the answer to a client.
type answerWriter struct {
	http.ResponseWriter
	status int
	broken bool
}

// WriteHeader records the status.
func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write records that there is an answer.
func (w *answerWriter) Write(text []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(text)
}

// Hijack records that the connection is about to be broken.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.broken = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// messageID returns the ID of the new message in the answer, or "".
func (w *answerWriter) messageID() string {
	if w.status >= 300 { // the Location of a redirect is another address
		return ""
	}
	location := w.Header().Get("Location")
	return location[strings.LastIndexByte(location, '/')+1:]
}

func (w *answerWriter) answer() answer {
	return answer{Status: w.status, HasID: w.messageID() != "", broken: w.broken}
}

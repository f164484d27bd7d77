package flow

import (
	"errors"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// withAnswer adds to a text for operators what the platform said.
func withAnswer(text string, answer flussi.Text) string {
	return italian.WithAnswer(text, answer.Reveal())
}

// withoutAnswer removes from a text what withAnswer added to it.
func withoutAnswer(text string, answer flussi.Text) string {
	return italian.WithoutAnswer(text, answer.Reveal())
}

// causeOf returns in Italian why a call failed, without what the platform said.
func causeOf(err error) string {
	var e flussi.Explainer
	if errors.As(err, &e) {
		if remote, ok := e.(*flussi.RemoteError); ok {
			silent := *remote
			silent.Answer = flussi.Text{}
			return silent.Italian()
		}
	}
	return (&flussi.Error{Package: "flow", Err: err}).Italian()
}

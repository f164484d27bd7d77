package restgateway

import (
	"github.com/flussi-go/flussi/pagoinrete"
)

// EncodeEvent is the transmission of an event, valid or not.
func EncodeEvent(e pagoinrete.Event) ([]byte, error) { return encodeEvent(e) }

// EncodeNotice is the transmission of a notice, valid or not.
func EncodeNotice(n pagoinrete.Notice) ([]byte, error) { return encodeNotice(n) }

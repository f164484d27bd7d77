package pagoinrete

// EncodeEvent is the transmission of an event, valid or not.
func EncodeEvent(e Event) ([]byte, error) { return encodeEvent(e) }

// EncodeNotice is the transmission of a notice, valid or not.
func EncodeNotice(n Notice) ([]byte, error) { return encodeNotice(n) }

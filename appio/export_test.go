package appio

// Encode is the request of a message, valid or not.
func (m Message) Encode() ([]byte, error) { return m.encode() }

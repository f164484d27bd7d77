package restcall

import (
	"errors"
	"io"
)

// stream is the body of a reply that the caller reads: bounded, and without a word of what
// comes from elsewhere in its errors.
type stream struct {
	body io.ReadCloser
	left int64 // bytes that may be read
	err  error // the end of it, whatever is asked afterwards
}

// Read reads on; whatever ended it once, ends it for good.
func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	// One byte more than is left tells whether there is more.
	if int64(len(p)) > s.left+1 {
		p = p[:s.left+1]
	}
	n, err := s.body.Read(p)
	switch {
	case int64(n) > s.left:
		n, s.err = int(s.left), ErrTooLarge
	case errors.Is(err, io.EOF):
		s.err = io.EOF
	case err != nil:
		s.err = conceal(err)
	}
	s.left -= int64(n)
	return n, s.err
}

// Close ends the reply; nothing can be read any more.
func (s *stream) Close() error {
	if s.err == nil {
		s.err = conceal(errClosed)
	}
	return s.body.Close()
}

var errClosed = errors.New("closed")

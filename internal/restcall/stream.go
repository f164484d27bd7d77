package restcall

import (
	"errors"
	"io"
)

// stream is the body of a reply that the caller reads, up to a limit. Its errors do not show the
// text of a transport's errors.
type stream struct {
	body io.ReadCloser
	left int64 // bytes that may be read
	err  error // of the read that ended it, and of all later ones
}

// Read reads the next bytes. After an error, it returns the same error.
func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	// Reading one byte too many shows whether the body is too long.
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

// Close closes the body; later reads fail.
func (s *stream) Close() error {
	if s.err == nil {
		s.err = conceal(errClosed)
	}
	return s.body.Close()
}

var errClosed = errors.New("closed")

package restgateway

import (
	"bytes"
	"errors"
	"io"
	"mime"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// pdf is a notice's PDF on its way. It is passed on as it comes, and at its end it is known
// whether it was all of it: a connection that is closed in the middle is an end like any other
// to some servers, but a PDF ends with a mark of its own.
type pdf struct {
	reply *restcall.Reply
	head  []byte       // read ahead, not yet passed on
	tail  []byte       // the last bytes that were passed on
	err   error        // the end of it
	gone  func() error // why the caller's context ended, nil if it did not
}

const (
	pdfHead = "%PDF-"
	pdfEnd  = "%%EOF"
	// Readers of PDF look for the mark of the end in so many bytes, since some programs
	// write something behind it.
	pdfTail = 1024
)

// newPDF takes the reply if it is the beginning of a PDF.
func newPDF(reply *restcall.Reply, gone func() error) (*pdf, error) {
	p := &pdf{reply: reply, gone: gone}
	if kind, _, _ := mime.ParseMediaType(reply.Header.Get("Content-Type")); kind != typePDF {
		return nil, p.failed("the reply is not declared as a PDF", nil)
	}
	p.head = make([]byte, len(pdfHead))
	switch n, err := io.ReadFull(reply.Stream, p.head); {
	case err != nil && bytes.HasPrefix([]byte(pdfHead), p.head[:n]):
		return nil, p.ended(err)
	case string(p.head) != pdfHead:
		return nil, p.failed("the reply is not a PDF", nil)
	}
	return p, nil
}

// Read reads on.
func (p *pdf) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.reply.Stream.Read(b)
	p.keep(b[:n])
	switch {
	case errors.Is(err, io.EOF) && bytes.Contains(p.tail, []byte(pdfEnd)):
		p.err = io.EOF
	case err != nil:
		p.err = p.ended(err)
	}
	return n, p.err
}

// keep remembers the last bytes.
func (p *pdf) keep(read []byte) {
	if len(read) >= pdfTail {
		p.tail = append(p.tail[:0], read[len(read)-pdfTail:]...)
		return
	}
	p.tail = append(p.tail, read...)
	p.tail = p.tail[max(len(p.tail)-pdfTail, 0):]
}

// Close ends the reading.
func (p *pdf) Close() error { return p.reply.Stream.Close() }

// ended is the error of a stream that ended before the PDF did.
func (p *pdf) ended(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	reason := "the PDF is cut off"
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		reason += ": " + restcall.Describe(err)
	}
	return p.failed(reason, err)
}

func (p *pdf) failed(reason string, err error) error {
	e := restcall.RemoteError(pkg, platform, routePDF.name, p.reply, nil)
	e.Detail, e.Err = reason, err
	if p.gone() != nil {
		e.Kind = flussi.ErrInterrupted
	}
	return e
}

package restgateway

import (
	"bytes"
	"errors"
	"io"
	"mime"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// pdf reads a notice's PDF from the connection. At the end it checks that the file is complete:
// HTTP does not show it if the server gave no length and the connection was closed early, but a PDF
// ends with a mark.
type pdf struct {
	reply  *restcall.Reply
	head   []byte       // that was read to check it, and is not returned yet
	tail   []byte       // the last bytes that were returned
	err    error        // of the read that ended it, and of all later ones
	ctxErr func() error // Err of the caller's context
}

const (
	pdfHead = "%PDF-"
	pdfEnd  = "%%EOF"
	pdfTail = 1024 // bytes in which the mark is: some programs write more after it
)

// newPDF returns the PDF of a reply, if it begins like one.
func newPDF(reply *restcall.Reply, ctxErr func() error) (*pdf, error) {
	p := &pdf{reply: reply, ctxErr: ctxErr}
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

// Read reads the next bytes.
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
	p.appendTail(b[:n])
	switch {
	case errors.Is(err, io.EOF) && bytes.Contains(p.tail, []byte(pdfEnd)):
		p.err = io.EOF
	case err != nil:
		p.err = p.ended(err)
	}
	return n, p.err
}

// appendTail adds bytes to the tail.
func (p *pdf) appendTail(read []byte) {
	if len(read) >= pdfTail {
		p.tail = append(p.tail[:0], read[len(read)-pdfTail:]...)
		return
	}
	p.tail = append(p.tail, read...)
	p.tail = p.tail[max(len(p.tail)-pdfTail, 0):]
}

// Close closes the connection.
func (p *pdf) Close() error { return p.reply.Stream.Close() }

// ended returns the error of a stream that ended before the PDF did.
func (p *pdf) ended(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	reason := "the PDF is cut off"
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		reason += ": " + restcall.Describe(err)
	}
	failed := p.failed(reason, err)
	if failed.Kind != flussi.ErrInterrupted && !errors.Is(err, restcall.ErrTooLarge) {
		failed.Reason = "Il PDF dell'avviso è arrivato incompleto: scaricarlo di nuovo."
	}
	return failed
}

func (p *pdf) failed(reason string, err error) *flussi.RemoteError {
	e := restcall.RemoteError(pkg, platform, routePDF.name, p.reply, nil)
	e.Detail, e.Err = reason, err
	if p.ctxErr() != nil {
		e.Kind = flussi.ErrInterrupted
	}
	return e
}

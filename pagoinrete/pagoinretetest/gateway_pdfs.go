package pagoinretetest

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/flussi-go/flussi/pagoinrete"
)

var gatewayPDFRules = []gatewayRule{
	{"the PDF of a notice is whole", pdfsAreWhole},
	{"different notices have different PDFs", pdfsAreTheirOwn},
	{"a PDF that is cut off ends with an error of reading", cutPDFsAreErrors},
	{"a PDF that is closed is released, read to its end or not", pdfsAreReleased},
	{"a call that is over has released its reply", repliesAreReleased},
}

func pdfsAreWhole(p *gatewayProbe) {
	_, n := p.ready(pagoinrete.EventNotified)
	first, err := readPDF(p.Ctx, p.gateway, n.ID)
	p.Must(err, "NoticePDF")
	switch tail := first[max(len(first)-1024, 0):]; {
	case !bytes.HasPrefix(first, []byte("%PDF")):
		p.Fail("NoticePDF: the file does not start with %%PDF, but with %q", first[:min(len(first), 8)])
	case !bytes.Contains(tail, []byte("%%EOF")):
		p.Fail("NoticePDF: the file of %d bytes has no end mark, %%%%EOF", len(first))
	}
	body, err := p.gateway.NoticePDF(p.Ctx, n.ID)
	p.Must(err, "NoticePDF")
	defer func() { _ = body.Close() }()
	var second []byte
	for one := make([]byte, 1); err == nil; { // as slow readers do
		var n int
		n, err = body.Read(one)
		second = append(second, one[:n]...)
	}
	if !errors.Is(err, io.EOF) {
		p.Fail("reading a PDF byte by byte: %w", err)
	}
	if len(second) != len(first) {
		p.Fail("reading a PDF byte by byte: want %d bytes, got %d", len(first), len(second))
	}
}

// pdfsAreTheirOwn compares the PDFs of different notices. It does not compare two of the same
// notice, since a PDF may say when it was made.
func pdfsAreTheirOwn(p *gatewayProbe) {
	e, n := p.ready(pagoinrete.EventSimulated)
	ofSame := p.newNotice(e)
	p.putNotice(ofSame)
	_, ofOther := p.ready(pagoinrete.EventSimulated)
	var files [][]byte
	for _, n := range []pagoinrete.Notice{n, ofSame, ofOther} {
		file, err := readPDF(p.Ctx, p.gateway, n.ID)
		p.Must(err, "NoticePDF")
		if slices.ContainsFunc(files, func(other []byte) bool { return bytes.Equal(file, other) }) {
			p.Fail("NoticePDF of a notice is that of another one")
		}
		files = append(files, file)
	}
}

func cutPDFsAreErrors(p *gatewayProbe) {
	p.needs("CutPDFs")
	_, n := p.ready(pagoinrete.EventNotified)
	whole, err := readPDF(p.Ctx, p.gateway, n.ID)
	p.Must(err, "NoticePDF")
	for range 2 { // the platform may cut off in more than one way
		var cut []byte
		if err := during(p.env.CutPDFs, func() (err error) { cut, err = readPDF(p.Ctx, p.gateway, n.ID); return err }); err == nil {
			p.Fail("reading a PDF that is cut off: %d of %d bytes, and no error", len(cut), len(whole))
		}
	}
	_, err = readPDF(p.Ctx, p.gateway, n.ID)
	p.Must(err, "NoticePDF after one that was cut off")
}

func pdfsAreReleased(p *gatewayProbe) {
	p.needs("OpenReplies")
	_, n := p.ready(pagoinrete.EventNotified)
	before := p.env.OpenReplies()
	for _, count := range []int{0, 1, 1 << 20} {
		body, err := p.gateway.NoticePDF(p.Ctx, n.ID)
		p.Must(err, "NoticePDF")
		_, err = io.ReadFull(body, make([]byte, count))
		if count <= 1 {
			p.Must(err, "reading a PDF")
		}
		p.Must(body.Close(), "Close of a PDF")
		if open := p.env.OpenReplies(); open > before {
			p.Fail("a PDF of which at most %d bytes were read is closed, and %d replies are open, not %d", count, open, before)
		}
	}
}

func repliesAreReleased(p *gatewayProbe) {
	p.needs("OpenReplies")
	calls := p.calls()
	before := p.env.OpenReplies()
	for _, c := range calls {
		for range 2 { // the second time some are refused
			_ = c.call(p.Ctx, p.gateway)
			if open := p.env.OpenReplies(); open > before {
				p.Fail("%s has returned, and %d replies are open, not %d", c.method, open, before)
				before = open
			}
		}
	}
}

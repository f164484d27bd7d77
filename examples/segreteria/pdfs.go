package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/outfile"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
)

// download is the eighth operation: the notices as PDFs, each written as it comes. One breaks
// off on the way, and is fetched again.
func (d *demo) download(ctx context.Context) error {
	folder := d.path("avvisi")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	d.pagoInRete.Fail(restgatewaytest.GetPDF, restgatewaytest.Fault{}, restgatewaytest.Fault{}, restgatewaytest.Fault{Kind: restgatewaytest.CutBody})
	files, size := 0, int64(0)
	var broken []pagoinrete.Notice
	for pdf, err := range d.EventPDFs(ctx, assistant, d.trip) {
		if err == nil {
			var written int64
			written, err = keepPDF(folder, pdf.Notice.ID, pdf.Body)
			size += written
		}
		var remote *flussi.RemoteError
		switch {
		case err == nil:
			files++
		case pdf.Notice.ID != uuid.Nil && errors.As(err, &remote): // of this file only
			broken = append(broken, pdf.Notice)
		default:
			return err
		}
	}
	for _, n := range broken {
		body, err := d.NoticePDF(ctx, assistant, n.ID)
		if err != nil {
			return err
		}
		written, err := keepPDF(folder, n.ID, body)
		if err := errors.Join(err, body.Close()); err != nil {
			return err
		}
		files, size = files+1, size+written
	}
	return d.say("    File nella cartella «avvisi»: %d, in tutto %d kB. File interrotti a metà e scaricati di nuovo: %d.\n", files, (size+999)/1000, len(broken))
}

// keepPDF writes a notice into a folder, whole or not at all, and returns its size. The name
// tells nothing of the family.
func keepPDF(folder string, id uuid.UUID, body io.Reader) (size int64, err error) {
	err = outfile.Write(filepath.Join(folder, "avviso-"+id.String()+".pdf"), false, func(w io.Writer) (err error) {
		size, err = io.Copy(w, body)
		return err
	})
	return size, err
}

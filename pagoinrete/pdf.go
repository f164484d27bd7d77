package pagoinrete

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// PDF is a notice to be printed.
type PDF struct {
	Notice Notice    // whose it is
	Body   io.Reader // the file, until the next step of the sequence; an error of reading: cut off
}

// NoticePDF (Scarico file .pdf; the eighth operation) returns a notice of an event that is
// Notificato as a PDF, as it comes from the [Gateway]. The caller closes it. The Gateway checks
// that the file is whole, not this method: restgateway.Client returns an error of reading if the
// file is cut off.
func (s *Service) NoticePDF(ctx context.Context, by flussi.Actor, id uuid.UUID) (io.ReadCloser, error) {
	const op = "download notice"
	n, e, err := s.noticeAndEvent(ctx, by, id)
	if err == nil {
		err = e.take(ctx, EventDownload, by)
	}
	if err == nil && n.State == NoticeCancelled {
		err = refuse(ErrNotices, "L'avviso è annullato: il file .pdf non si può scaricare.")
	}
	if err != nil {
		return nil, noticeFailure(op, id, err)
	}
	g, err := s.gateway(ctx, n.School)
	if err != nil {
		return nil, noticeFailure(op, id, err)
	}
	body, err := g.NoticePDF(ctx, id)
	return body, noticeFailure(op, id, err)
}

// EventPDFs (Scarico file .pdf degli avvisi di pagamento; the eighth operation) returns the notices
// of an event that is Notificato, except cancelled ones, as PDFs, one after the other, as they come
// from the [Gateway]. An error with the Notice of a PDF is of that notice only; an error without a
// Notice ends the sequence.
func (s *Service) EventPDFs(ctx context.Context, by flussi.Actor, id uuid.UUID) iter.Seq2[PDF, error] {
	return func(yield func(PDF, error) bool) {
		const op = "download notices"
		e, err := s.fee(ctx, by, id, EventDownload)
		var g Gateway
		if err == nil {
			g, err = s.gateway(ctx, e.School)
		}
		if err != nil {
			yield(PDF{}, eventFailure(op, id, err))
			return
		}
		for n, err := range s.all(ctx, NoticeFilter{Event: id, States: linkedStates()}) {
			if err != nil {
				yield(PDF{}, eventFailure(op, id, err))
				return
			}
			if n.State != NoticeCancelled && !s.onePDF(ctx, g, n, yield) {
				return
			}
		}
	}
}

// onePDF yields a notice as a PDF, and reports whether more are wanted.
func (s *Service) onePDF(ctx context.Context, g Gateway, n Notice, yield func(PDF, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield(PDF{}, eventFailure("download notices", n.EventID, err))
		return false
	}
	body, err := g.NoticePDF(ctx, n.ID)
	if err != nil {
		return yield(PDF{Notice: n}, noticeFailure("download notice", n.ID, err))
	}
	defer func() { _ = body.Close() }()
	return yield(PDF{Notice: n, Body: body}, nil)
}

// Receipt returns the receipt (RT) of the payment of a notice, as it comes from the [Gateway].
func (s *Service) Receipt(ctx context.Context, by flussi.Actor, id uuid.UUID) (Receipt, error) {
	const op = "get receipt"
	n, err := s.notice(ctx, by, id)
	if err != nil {
		return Receipt{}, noticeFailure(op, id, err)
	}
	g, err := s.gateway(ctx, n.School)
	if err != nil {
		return Receipt{}, noticeFailure(op, id, err)
	}
	receipt, err := g.Receipt(ctx, id)
	if errors.Is(err, flussi.ErrRemoteNotFound) && !paid(n.State) {
		err = refuse(err, "L'avviso non ha ancora una ricevuta: non risulta pagato. Eseguire «Verifica stato».")
	}
	return receipt, noticeFailure(op, id, err)
}

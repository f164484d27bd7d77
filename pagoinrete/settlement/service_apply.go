package settlement

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// ApplyResult says what a file changed.
type ApplyResult struct {
	Settlement Settlement    // of a settlement: as it is stored now
	Unchanged  bool          // of a settlement: nothing changed, since this file or a later one was applied before
	Journal    JournalReport // of a page of a journal
}

// Apply applies a file that [paymentfile.Open] returned: a settlement as [Service.ApplySettlement]
// does, a page of a journal as [Service.ApplyJournal] does. A settlement in JSON has several files:
// pass its header as file, and all pages of its payments as pages, in any order.
//
// The error is an [ErrNotApplicable] for a receipt, for a header in JSON without pages, for a page as
// file, and for pages with any other file.
func (s *Service) Apply(ctx context.Context, by flussi.Actor, file paymentfile.File, pages ...*paymentfile.SettlementFile) (ApplyResult, error) {
	reason := "Il file non è un flusso di rendicontazione né un giornale di cassa."
	if file != nil && file.Format() != paymentfile.FormatSettlementHeader && len(pages) > 0 {
		file, reason = nil, "Solo l'intestazione di un flusso in JSON si applica insieme alle pagine dei pagamenti."
	}
	switch file := file.(type) {
	case *paymentfile.JournalFile:
		report, err := s.ApplyJournal(ctx, by, file.Journal(), file.Movements())
		return ApplyResult{Journal: report}, err
	case *paymentfile.SettlementFile:
		switch format := file.Format(); {
		case format == paymentfile.FormatSettlement, format == paymentfile.FormatSettlementHeader && len(pages) > 0:
			return s.ApplySettlement(ctx, by, FileOf(file, pages...))
		default:
			reason = "Il file è solo una parte di un flusso in JSON: applicare insieme l'intestazione e tutte le pagine dei pagamenti."
		}
	case *paymentfile.ReceiptFile:
		reason = "Il file è una ricevuta telematica: gli abbinamenti si fanno con i flussi di rendicontazione e con il giornale di cassa."
	}
	return ApplyResult{}, failed("apply file", "", uuid.Nil, refuse(ErrNotApplicable, "%s", reason))
}

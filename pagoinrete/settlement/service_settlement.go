package settlement

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// File is the content of a settlement's file: its header, its rows and its faults.
type File struct {
	Header   paymentfile.Settlement                // the header of the settlement
	Payments iter.Seq2[paymentfile.Payment, error] // its rows; an error of a file ends them
	Faults   func() (faults []*paymentfile.Fault)  // of the whole file; called after the rows were read; nil: none
}

// FileOf returns a settlement as a [File]: one in XML, or the header of one in JSON with all pages of
// its payments in any order. If a page is missing or does not belong to it, Faults says so.
func FileOf(file *paymentfile.SettlementFile, pages ...*paymentfile.SettlementFile) File {
	if file.Format() == paymentfile.FormatSettlement && len(pages) == 0 {
		return File{file.Settlement(), file.Payments(), func() []*paymentfile.Fault { return file.Report().Faults }}
	}
	var joined paymentfile.SettlementPages
	return File{
		Header: file.Settlement(),
		Payments: func(yield func(paymentfile.Payment, error) bool) {
			for _, page := range append([]*paymentfile.SettlementFile{file}, pages...) {
				for p, err := range page.Payments() {
					if !yield(p, err) || err != nil {
						return
					}
				}
				joined.Add(page)
			}
		},
		Faults: func() []*paymentfile.Fault {
			if !joined.Complete() {
				reason := cmp.Or(joined.Italian(), "Mancano le pagine dei pagamenti.")
				return []*paymentfile.Fault{{Kind: paymentfile.FaultPages, Blocking: true, Reason: reason}}
			}
			return joined.Faults()
		},
	}
}

// ApplySettlement stores a settlement and matches it. A later file of a stored settlement replaces
// it, and undoes what it drops or changes; an earlier file changes nothing. A settlement whose rows
// contradict its count or total is stored as Inconsistent, and a row with a blocking fault as Unusable.
//
// A settlement is stored in one write, so its rows are in memory until then: about 150 bytes for a
// row that is new, and the whole payment for a stored one that changes.
func (s *Service) ApplySettlement(ctx context.Context, by flussi.Actor, file File) (ApplyResult, error) {
	applied, err := s.applySettlement(ctx, by, file)
	return applied, failed("apply settlement", entitySettlement, applied.Settlement.ID, err)
}

func (s *Service) applySettlement(ctx context.Context, by flussi.Actor, file File) (ApplyResult, error) {
	head := file.Header
	if head.ID == "" {
		return ApplyResult{}, refuse(flussi.ErrInvalid, "Il flusso non ha un identificativo.")
	}
	if err := s.admit(ctx, by, head.Body); err != nil {
		return ApplyResult{}, err
	}
	next := newSettlement(head)
	rows, err := readRows(ctx, &next, file)
	if err != nil {
		return ApplyResult{}, err
	}
	var applied ApplyResult
	step := step{ActionApply, by, "Flusso " + head.ID + "."}
	err = s.write(ctx, head.Body, step, func(w *work) error {
		applied.Unchanged, err = w.replace(ctx, next, rows)
		return err
	})
	if err != nil {
		return ApplyResult{Settlement: Settlement{ID: next.ID}}, err
	}
	if err := s.tell(ctx, by, head.Body); err != nil {
		return ApplyResult{Settlement: Settlement{ID: next.ID}}, err
	}
	applied.Settlement, err = s.store.Settlement(ctx, next.ID)
	return applied, err
}

// newSettlement returns a settlement as its file has it.
func newSettlement(head paymentfile.Settlement) Settlement {
	s := Settlement{
		Body: head.Body, PSP: head.PSP.Code, PSPName: head.PSP.Name, FlowID: head.ID, Revision: head.Revision, FileAt: core.Stored(head.CreatedAt),
		TransferID: head.TransferID, Date: head.Date.Time(), Total: head.Total,
	}
	if s.PSP == "" {
		s.PSP = head.PSPID
	}
	s.ID = SettlementID(s.Body, s.PSP, s.FlowID)
	return s
}

// maxRowAmount is the largest amount that the formats allow in a row. The sum of as many rows as a
// file can have does not overflow.
const maxRowAmount flussi.Cents = 99_999_999_999

// readRows reads the rows of a file, and sets what the whole file says.
func readRows(ctx context.Context, s *Settlement, file File) (*fileRows, error) {
	rows := &fileRows{of: Payment{Settlement: s.ID, Body: s.Body}}
	digest := sha256.New()
	var sum, written flussi.Cents
	for row, err := range file.Payments {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if max(row.Amount, -row.Amount, row.SignedAmount, -row.SignedAmount) > maxRowAmount {
			return nil, refuse(flussi.ErrInvalid, "Il pagamento %s supera l'importo massimo di pagoPA.", italian.Number(row.Number))
		}
		rows.add(row)
		sum, written = sum+row.Net(), written+row.SignedAmount
		_, _ = fmt.Fprintf(digest, "%q|%q|%d|%d|%d|%s|%t\n", row.Reference.Reveal(), row.IUR, row.Index, row.Amount, row.Outcome, row.Date.Time(), !row.Usable())
	}
	rows.sort()
	s.Inconsistent = s.Total != sum && s.Total != written
	if file.Faults != nil {
		for _, fault := range file.Faults() {
			s.Inconsistent = s.Inconsistent || fault.Blocking && fault.Row == 0
		}
	}
	_, _ = fmt.Fprintf(digest, "%s|%s|%d|%t|%s", s.TransferID, s.Date, s.Total, s.Inconsistent, s.PSPName)
	s.Digest = hex.EncodeToString(digest.Sum(nil))
	return rows, nil
}

// replace puts a file of a settlement in the place of the stored one, unless that is the same or a
// later one.
func (w *work) replace(ctx context.Context, next Settlement, rows *fileRows) (known bool, err error) {
	if err := w.readSettlements(ctx, SettlementFilter{IDs: []uuid.UUID{next.ID}}); err != nil {
		return false, err
	}
	old, stored := w.storedSettlements[next.ID]
	if stored {
		if !next.replaces(&old) {
			return true, nil
		}
		next.Covered, next.State, next.Counts = old.Covered, old.State, old.Counts
		next.Version, next.CreatedAt, next.UpdatedAt, next.UpdatedBy = old.Version, old.CreatedAt, old.UpdatedAt, old.UpdatedBy
	}
	w.facts.settlements[next.ID], w.done[next.ID], w.rows = next, true, rows
	w.markUnreported(next.ID)
	if err := w.classifyRows(ctx, stored); err != nil {
		return false, err
	}
	return false, w.rematch(ctx, touched{settlements: map[uuid.UUID]bool{next.ID: true}, movements: map[uuid.UUID]bool{}})
}

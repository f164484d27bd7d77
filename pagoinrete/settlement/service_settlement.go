package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Applied says what became of a settlement that was applied.
type Applied struct {
	Settlement Settlement // as it is stored now
	Known      bool       // the same file was applied before, or a later one: nothing changed
}

// File is a settlement as files have it: what it says about itself, its rows, and what is wrong with
// it once they were read.
type File struct {
	Head     paymentfile.Settlement                // what the settlement says about itself
	Payments iter.Seq2[paymentfile.Payment, error] // its rows, each file's own error ends them
	Faults   func() (faults []*paymentfile.Fault)  // of the whole, called once the rows were read; nil: none
}

// FileOf returns a settlement in XML as a [File].
func FileOf(file *paymentfile.SettlementFile) File {
	return File{file.Settlement(), file.Payments(), func() []*paymentfile.Fault { return file.Report().Faults }}
}

// FileOfPages returns a settlement in JSON as a [File]: its identity, and all pages of its payments in
// any order.
func FileOfPages(head *paymentfile.SettlementFile, pages ...*paymentfile.SettlementFile) File {
	var joined paymentfile.SettlementPages
	return File{
		Head: head.Settlement(),
		Payments: func(yield func(paymentfile.Payment, error) bool) {
			for _, page := range append([]*paymentfile.SettlementFile{head}, pages...) {
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
				return append(joined.Faults(), &paymentfile.Fault{Kind: paymentfile.FaultPages, Blocking: true})
			}
			return joined.Faults()
		},
	}
}

// ApplySettlement stores a settlement and matches it. A file that replaces the stored one undoes what
// it drops or changes; an earlier one changes nothing. A settlement whose rows contradict its count
// or total is stored as Unsure, and rows at fault as Unusable.
//
// All rows of one settlement are in memory until it is stored.
func (s *Service) ApplySettlement(ctx context.Context, by flussi.Actor, file File) (Applied, error) {
	applied, err := s.applySettlement(ctx, by, file)
	return applied, failed("apply settlement", entitySettlement, applied.Settlement.ID, err)
}

func (s *Service) applySettlement(ctx context.Context, by flussi.Actor, file File) (Applied, error) {
	head := file.Head
	if head.ID == "" {
		return Applied{}, refuse(flussi.ErrInvalid, "Il flusso non ha un identificativo.")
	}
	if err := s.admit(ctx, by, head.Body); err != nil {
		return Applied{}, err
	}
	next := newSettlement(head)
	rows, err := readRows(ctx, &next, file)
	if err != nil {
		return Applied{}, err
	}
	var applied Applied
	step := step{ActionApply, by, "Flusso " + head.ID + "."}
	err = s.write(ctx, head.Body, step, func(w *work) error {
		applied.Known, err = w.replace(ctx, next, rows)
		return err
	})
	if err != nil {
		return Applied{Settlement: Settlement{ID: next.ID}}, err
	}
	if err := s.tell(ctx, by, head.Body); err != nil {
		return Applied{Settlement: Settlement{ID: next.ID}}, err
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

// readRows returns the rows of a file as payments, and sets what the whole file says.
func readRows(ctx context.Context, s *Settlement, file File) ([]Payment, error) {
	var rows []Payment
	repeats := map[uuid.UUID]int{}
	digest := sha256.New()
	var sum, written flussi.Cents
	for row, err := range file.Payments {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		p := Payment{
			Settlement: s.ID, Body: s.Body, Reference: row.Reference, Target: row.Reference, IUR: row.IUR, Index: row.Index, Row: row.Number,
			Amount: row.Amount, Outcome: row.Outcome, Date: row.Date.Time(), Unusable: !row.Usable(),
		}
		first := paymentID(p)
		p.Repeat = repeats[first]
		repeats[first]++
		p.ID = paymentID(p)
		rows = append(rows, p)
		sum, written = sum+p.Net(), written+row.Written
		p.digest(digest)
	}
	s.Unsure = s.Total != sum && s.Total != written
	if file.Faults != nil {
		for _, fault := range file.Faults() {
			s.Unsure = s.Unsure || fault.Blocking && fault.Row == 0
		}
	}
	_, _ = fmt.Fprintf(digest, "%s|%s|%d|%t|%s", s.TransferID, s.Date, s.Total, s.Unsure, s.PSPName)
	s.Digest = hex.EncodeToString(digest.Sum(nil))
	return rows, nil
}

// digest writes what the file says about a payment.
func (p Payment) digest(to hash.Hash) {
	_, _ = fmt.Fprintf(to, "%q|%q|%d|%d|%d|%s|%t\n", p.Reference.Reveal(), p.IUR, p.Index, p.Amount, p.Outcome, p.Date, p.Unusable)
}

// replace puts a file of a settlement in the place of the stored one, unless that is the same or a
// later one.
func (w *work) replace(ctx context.Context, next Settlement, rows []Payment) (known bool, err error) {
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
		if err := w.readPayments(ctx, PaymentFilter{Settlement: next.ID}); err != nil {
			return false, err
		}
	}
	next.Untold = true
	w.facts.settlements[next.ID], w.done[next.ID] = next, true
	for _, p := range w.payments {
		p.Dropped = true
	}
	for i := range rows {
		p := &rows[i]
		row := *p // the rows are applied again after a conflict
		if before, is := w.payments[row.ID]; is {
			row.Version, row.CreatedAt, row.UpdatedAt, row.UpdatedBy = before.Version, before.CreatedAt, before.UpdatedAt, before.UpdatedBy
			row.Hand, row.Target, row.Before, row.State = before.Hand, before.Target, before.Before, before.State
		}
		w.payments[row.ID], w.done[row.ID] = &row, true
	}
	var references []paymentfile.Reference
	for id, p := range w.payments {
		references = append(references, p.Reference, p.Target)
		w.done[id] = true
	}
	if err := w.classify(ctx, references); err != nil {
		return false, err
	}
	return false, w.rematch(ctx, touched{settlements: map[uuid.UUID]bool{next.ID: true}, movements: map[uuid.UUID]bool{}})
}

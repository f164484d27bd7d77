package pagoinrete

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// source is where rows come from.
type source struct {
	action NoticeAction           // what they make of a notice
	to     NoticeState            // and the state that it comes to
	proof  func(*Evidence) *Proof // where they are noted
}

var (
	settlementSource = source{NoticeConfirm, NoticeConfirmed, func(e *Evidence) *Proof { return &e.Settlement }}
	journalSource    = source{NoticeReconcile, NoticeReconciled, func(e *Evidence) *Proof { return &e.Movement }}
)

// proof is what a row proves.
func (r PaymentRow) proof() Proof {
	return Proof{Reference: r.Reference, Amount: r.Amount, Date: r.Date}
}

// check refuses a row without the required data, one with an unknown outcome, and one that
// reverses a payment.
func (r PaymentRow) check() error {
	if !r.Outcome.known() {
		return refuse(ErrUnknownPaymentOutcome, "Il codice di esito %d non è previsto: verificare il pagamento con la banca o con il PSP.", r.Outcome)
	}
	e := &invalid{}
	e.text("Reference", "il riferimento", r.Reference, MaxReference, true)
	if amount := r.absolute(); amount <= 0 || amount > flussi.MaxPayable {
		e.Fail("Amount", flussi.ErrRange, "L'importo della riga non è valido.")
	}
	e.date("la data", r.Date)
	switch err := e.OrNil(); {
	case err != nil:
		return err
	case r.Outcome == PaymentReversed:
		return refuse(ErrReversed, "Il pagamento è stato revocato: verificare con la banca o con il PSP.")
	}
	return nil
}

// absolute returns the amount that was paid or reversed, as a positive number. For reversals, the
// specification requires a negative amount and the schema a positive one, so both occur.
func (r PaymentRow) absolute() flussi.Cents {
	if r.Outcome == PaymentReversed && r.Amount < 0 {
		return -r.Amount
	}
	return r.Amount
}

// matching is a match under way.
type matching struct {
	*Service
	by       flussi.Actor
	school   string
	source   source
	read     int
	waiting  []PaymentRow
	notified map[uuid.UUID]bool // whether events are Notificato
	report   MatchReport
}

// page matches the waiting rows together. If another user changes one of the notices at the same
// moment, it begins again.
func (m *matching) page(ctx context.Context) error {
	rows := m.waiting
	m.waiting = m.waiting[:0]
	if len(rows) == 0 {
		return nil
	}
	for tries := (core.Tries{}); ; {
		found, err := m.find(ctx, rows)
		if err != nil {
			return err
		}
		var report MatchReport
		changes := map[uuid.UUID]NoticeChange{}
		var order []uuid.UUID
		for _, row := range rows {
			n, is := found[row.IUV]
			switch {
			case !row.Outcome.known(): // changes no notice, even if one has its IUV
				report.count(row, row.check(), n.ID, false)
				continue
			case !is:
				report.count(row, refuse(flussi.ErrNotFound, "Nessun avviso della scuola ha questo IUV: verificare a chi è destinato il pagamento."), uuid.Nil, false)
				continue
			case n.ID == uuid.Nil:
				report.count(row, refuse(ErrDiscrepancy, "Più avvisi della scuola hanno questo IUV: abbinare il pagamento a mano."), uuid.Nil, false)
				continue
			}
			change, known, err := m.source.match(n, row, m.notified[n.EventID], m.by, "")
			report.count(row, err, n.ID, known)
			if change.Notice.ID == uuid.Nil {
				continue
			}
			if earlier, twice := changes[n.ID]; twice { // two rows of a page about one notice: one change
				change.Record = together(earlier.Record, change.Record)
			} else {
				order = append(order, n.ID)
			}
			changes[n.ID] = change
			found[row.IUV] = change.Notice
		}
		all := make([]NoticeChange, len(order))
		for i, id := range order {
			all[i] = changes[id]
		}
		if len(all) > 0 {
			err = m.store.SaveNotices(ctx, all...)
		}
		if err == nil {
			m.report.add(report)
			return nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return err
		}
	}
}

// together joins two records that are stored with one change. If one of them is a discrepancy, the
// record has the other one's step and both reasons.
func together(earlier, later NoticeRecord) NoticeRecord {
	later.From = earlier.From
	if later.Action == earlier.Action {
		return later
	}
	if later.Action == NoticeRecordDiscrepancy {
		later.Action = earlier.Action
	}
	before, after := earlier.Reason.Reveal(), later.Reason.Reveal()
	if later.Reason = earlier.Reason; !strings.Contains(before, after) {
		later.Reason = flussi.NewText(before + " " + after)
	}
	return later
}

// find returns the notices of the rows, by their IUV, and reads which of their events are
// Notificato. Each notice of a school should have its own IUV. An IUV of several notices is found
// as the zero Notice, since it is not known which one was paid.
func (m *matching) find(ctx context.Context, rows []PaymentRow) (map[flussi.IUV]Notice, error) {
	wanted := make([]flussi.IUV, 0, len(rows))
	for _, row := range rows {
		if !row.IUV.IsZero() {
			wanted = append(wanted, row.IUV)
		}
	}
	found := make(map[flussi.IUV]Notice, len(wanted))
	if len(wanted) == 0 {
		return found, nil
	}
	for n, err := range m.all(ctx, NoticeFilter{Schools: []string{m.school}, IUVs: wanted}) {
		if err != nil {
			return nil, err
		}
		if _, shared := found[n.IUV()]; shared {
			found[n.IUV()] = Notice{}
			continue
		}
		found[n.IUV()] = n
		if _, known := m.notified[n.EventID]; !known {
			e, err := m.readEvent(ctx, n.EventID)
			if err != nil {
				return nil, err
			}
			m.notified[n.EventID] = e.State == EventNotified
		}
	}
	return found, nil
}

// match returns what a notice becomes by a row, and whether the row is known since before. If it
// does not match, the error says why, and the notice gets a discrepancy unless it has it. hand is
// the ID of the user who matches it; "" when automatic.
func (s source) match(n Notice, row PaymentRow, notified bool, by flussi.Actor, hand string) (change NoticeChange, known bool, err error) {
	differs := func(kind DiscrepancyKind) NoticeChange {
		before := n
		change, news := n.differs(before, Discrepancy{Kind: kind, Amount: row.absolute()}, by)
		if !news {
			return NoticeChange{}
		}
		return change
	}
	switch err := row.check(); {
	case row.Outcome == PaymentReversed && errors.Is(err, ErrReversed) && paid(n.State):
		return differs(DiscrepancyReversed), false, err
	case err != nil:
		return NoticeChange{}, false, err
	}
	own := s.proof(&n.Evidence)
	same := own.Reference == row.Reference && own.Amount == row.Amount
	switch {
	case same:
		return NoticeChange{}, true, nil
	case !own.IsZero():
		return differs(DiscrepancyPaidTwice), false, refuse(ErrPaidTwice, "L'avviso risulta già pagato con un altro riferimento: verificare con la banca o con il PSP e, se è stato pagato due volte, disporre il rimborso.")
	case n.State == NoticePaidManually, n.State == NoticeReconciledManually:
		return differs(DiscrepancyPaidTwice), false, refuse(ErrPaidTwice, "L'avviso risulta già pagato al di fuori di Pago In Rete: verificare con la banca o con il PSP e, se è stato pagato due volte, disporre il rimborso.")
	case n.State == NoticeCancelled, n.State == NoticeRefunded:
		return differs(DiscrepancyPaid), false, refuse(ErrNotPayable, "L'avviso è nello stato «%s»: verificare il pagamento.", n.State.Label())
	case !notified:
		return NoticeChange{}, false, refuse(ErrNotPayable, "L'evento dell'avviso non è nello stato «%s»: eseguire «Verifica stato» e riscontrare di nuovo la riga.", EventNotified.Label())
	case row.Amount != n.Due() && hand == "":
		return differs(DiscrepancyAmount), false, refuse(ErrAmount, "L'importo è %s, quello dovuto è %s: verificare con la banca o con il PSP, poi riscontrare la riga a mano o archiviare la discrepanza.", row.Amount.Euro(), n.Due().Euro())
	}
	from, path := n.State, []NoticeAction{s.action}
	to, err := NoticeMachine().Next(from, s.action)
	switch {
	case from == s.to: // Pago In Rete reported it before, without the proof
		to = from
	case err != nil:
		if path, err = forward(from, s.to); err != nil {
			return NoticeChange{}, false, err
		}
		to = s.to
	}
	n.State = to
	*s.proof(&n.Evidence) = row.proof().normal(hand)
	other := Discrepancy{Kind: DiscrepancyAmount, Amount: row.Amount, At: now(), Resolved: true}
	if row.Amount != n.Due() && (!n.Discrepancy.Open() || n.Discrepancy.same(other)) { // a user looked at it, and at nothing else
		n.Discrepancy = other
	}
	return n.change(path[len(path)-1], from, by.ID, steps("Riferimento "+row.Reference, path, NoticeAction.Label)), false, nil
}

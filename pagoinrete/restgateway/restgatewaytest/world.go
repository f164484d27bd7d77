package restgatewaytest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// What families, payment providers and the bank do, and where the platform contradicts its earlier
// answers. Each method reports false, and changes nothing, if there is no such event or notice or
// its state does not permit it.

// ProofKind is a kind of evidence that a notice was paid.
type ProofKind string

// The kinds of evidence.
const (
	ReceiptProof ProofKind = "receipt"    // RT
	Settlement   ProofKind = "settlement" // flusso di riversamento
	Movement     ProofKind = "movement"   // of the treasury journal (OIL)
	Manual       ProofKind = "manual"     // of the school
	Refund       ProofKind = "refund"     // mandato di rimborso
)

// Proof is a piece of evidence.
type Proof struct {
	Reference string       // of the receipt, the settlement, the movement
	Amount    flussi.Cents // that was found
	Date      time.Time    // when
	By        string       // who recorded it; "" if the platform did
}

// receipt is the receipt of a payment.
type receipt struct {
	reference string
	outcome   int
	amount    flussi.Cents
	date      time.Time
}

// RegisterPayer registers a payer with the platform.
func (s *Simulator) RegisterPayer(code flussi.FiscalCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payers[code] = payer{registered: true, loggedIn: s.payers[code].loggedIn}
}

// LogIn lets a payer log in, and registers the payer if necessary. From then on, the payer's
// notices are Notificato once their event is, including later notices.
func (s *Simulator) LogIn(code flussi.FiscalCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payers[code] = payer{registered: true, loggedIn: true}
}

// advance sets a notice to Notificato once its event is, if its payer has logged in.
func (s *Simulator) advance(n *notice) {
	if !n.pinned && n.State == NoticeNotNotified && n.event.State == EventNotified && s.payers[n.Payer].loggedIn {
		n.State = NoticeNotified
	}
}

// change changes a notice if its state is one of those given, or any if none is given.
func (s *Simulator) change(id uuid.UUID, set func(*notice), in ...NoticeState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.notices[id]
	if n == nil {
		return false
	}
	s.advance(n)
	permitted := len(in) == 0
	for _, state := range in {
		permitted = permitted || n.State == state
	}
	if permitted {
		set(n)
	}
	return permitted
}

// StartPayment sends the payment request (RPT) of a notice that is Notificato, which becomes RPT
// inviata. It reports whether the state permitted it.
func (s *Simulator) StartPayment(id uuid.UUID) bool {
	return s.change(id, func(n *notice) { n.State = NoticeAwaitingReceipt }, NoticeNotified)
}

// FailPayment fails a payment that is under way: the notice becomes Notificato again, and its
// receipt has the outcome "not paid". It reports whether a payment was under way.
func (s *Simulator) FailPayment(id uuid.UUID) bool {
	return s.change(id, func(n *notice) {
		n.State, n.receipt = NoticeNotified, &receipt{reference("RT"), 1, 0, now()}
	}, NoticeAwaitingReceipt)
}

// Pay pays a notice online: it becomes Pagato online, and has a receipt. The amount is usually
// what is due. It reports whether the state permitted it: the notice must be Notificato, so its
// payer must have logged in, or its payment must be under way.
func (s *Simulator) Pay(id uuid.UUID, amount flussi.Cents) bool {
	return s.change(id, func(n *notice) {
		n.State, n.receipt = NoticePaidOnline, &receipt{reference("RT"), 0, amount, now()}
		n.proofs[ReceiptProof] = Proof{Reference: n.receipt.reference, Amount: amount, Date: n.receipt.date}
	}, NoticeNotified, NoticeAwaitingReceipt)
}

// Settle settles an online payment: the notice becomes Pagamento confermato, with a settlement
// of the amount. It reports whether there was such a payment.
func (s *Simulator) Settle(id uuid.UUID, amount flussi.Cents) bool {
	return s.change(id, func(n *notice) {
		if n.State == NoticePaidOnline {
			n.State = NoticeConfirmed
		}
		n.proofs[Settlement] = Proof{Reference: reference("FR"), Amount: amount, Date: now()}
	}, NoticePaidOnline, NoticeReconciled)
}

// Reconcile finds a payment in the treasury journal, as a movement of the amount: the notice
// becomes Riscontrato automaticamente if it was paid online, and Riscontrato manualmente if by
// hand. It reports whether there was such a payment.
func (s *Simulator) Reconcile(id uuid.UUID, amount flussi.Cents) bool {
	return s.change(id, func(n *notice) {
		to := NoticeReconciled
		if n.State == NoticePaidManually {
			to = NoticeReconciledManually
		}
		n.State = to
		n.proofs[Movement] = Proof{Reference: reference("MOV"), Amount: amount, Date: now()}
	}, NoticePaidOnline, NoticeConfirmed, NoticePaidManually)
}

// SetEventState sets the state of an event, from any state, even to one that does not exist. It
// reports whether there is such an event.
func (s *Simulator) SetEventState(id uuid.UUID, state EventState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.events[id]
	if e == nil {
		return false
	}
	e.State = state
	return true
}

// SetNoticeState sets the state of a notice, from any state, even to one that does not exist. Its
// proofs stay, and its state no longer follows its event and its payer. It reports whether there is
// such a notice.
func (s *Simulator) SetNoticeState(id uuid.UUID, state NoticeState) bool {
	return s.change(id, func(n *notice) { n.State, n.pinned = state, true })
}

// SetProof sets a piece of evidence of a notice in any state, or removes it if it is the zero
// Proof. It reports whether there is such a notice.
func (s *Simulator) SetProof(id uuid.UUID, kind ProofKind, proof Proof) bool {
	return s.change(id, func(n *notice) {
		n.proofs[kind] = proof
		if proof == (Proof{}) {
			delete(n.proofs, kind)
		}
	})
}

// SetNumber changes the number of a notice. It reports whether there is such a notice.
func (s *Simulator) SetNumber(id uuid.UUID, number flussi.NoticeNumber) bool {
	return s.change(id, func(n *notice) { n.Number = number })
}

// Forget removes an event with all its notices, or a notice, as if the platform had lost it. It
// reports whether there was one.
func (s *Simulator) Forget(id uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.events[id]; e != nil {
		for _, n := range e.notices {
			delete(s.notices, n.ID)
		}
		delete(s.events, id)
		return true
	}
	n := s.notices[id]
	if n == nil {
		return false
	}
	delete(s.notices, id)
	kept := n.event.notices[:0]
	for _, other := range n.event.notices {
		if other != n {
			kept = append(kept, other)
		}
	}
	n.event.notices = kept
	return true
}

// number returns the next notice number of a school: auxiliary digit 3, the segregation code, 13
// digits, and the first 16 modulo 93.
func (s *Simulator) number(school School) flussi.NoticeNumber {
	s.serial++
	digits := fmt.Sprintf("3%s%013d", school.Segregation, s.serial)
	check := 0
	for _, d := range digits {
		check = (check*10 + int(d-'0')) % 93
	}
	number, err := flussi.ParseNoticeNumber(fmt.Sprintf("%s%02d", digits, check))
	if err != nil {
		panic("restgatewaytest: the segregation code of the school must be two digits")
	}
	return number
}

// remoteID returns a new ID of the platform.
func (s *Simulator) remoteID(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s-%d", prefix, s.serial)
}

// reference returns a new reference of a document.
func reference(prefix string) string { return prefix + "-" + uuid.NewString() }

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

package restgatewaytest

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// What happens outside the school: families, payment providers, the bank, and the platform
// itself where it contradicts what it said. Each method reports whether it happened; if not,
// because there is no such notice or its state does not permit it, nothing did.

// ProofKind is a kind of evidence that a notice was paid.
type ProofKind string

// The kinds of evidence.
const (
	ReceiptProof ProofKind = "receipt"    // RT
	Settlement   ProofKind = "settlement" // flusso di riversamento
	Movement     ProofKind = "movement"   // of the treasury journal (OIL)
	Manual       ProofKind = "manual"     // what the school says
	Refund       ProofKind = "refund"     // mandato di rimborso
)

// Proof is a piece of evidence.
type Proof struct {
	Reference string       // of the receipt, the settlement, the movement
	Amount    flussi.Cents // that was found
	Date      time.Time    // when
	By        string       // who said so; "" if nobody did
}

// receipt is what came of a payment.
type receipt struct {
	reference string
	outcome   int
	amount    flussi.Cents
	date      time.Time
}

// RegisterPayer registers somebody with the platform.
func (s *Simulator) RegisterPayer(code flussi.FiscalCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payers[code] = payer{registered: true, loggedIn: s.payers[code].loggedIn}
}

// LogIn lets somebody log in, who is registered afterwards if they were not. Notices of theirs
// whose event is Notificato are Notificato from then on, and so are those that follow.
func (s *Simulator) LogIn(code flussi.FiscalCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payers[code] = payer{registered: true, loggedIn: true}
}

// advance brings a notice's state up to date.
func (s *Simulator) advance(n *notice) {
	if !n.pinned && n.State == NoticeNotNotified && n.event.State == EventNotified && s.payers[n.Payer].loggedIn {
		n.State = NoticeNotified
	}
}

// happen changes a notice if there is one and its state is among those given; none stand for
// all.
func (s *Simulator) happen(id uuid.UUID, change func(*notice), in ...NoticeState) bool {
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
		change(n)
	}
	return permitted
}

// StartPayment sends the payment request (RPT) of a notice that is Notificato: RPT inviata. It
// reports whether the notice was.
func (s *Simulator) StartPayment(id uuid.UUID) bool {
	return s.happen(id, func(n *notice) { n.State = NoticeAwaitingReceipt }, NoticeNotified)
}

// FailPayment lets a payment come to nothing: the notice is Notificato again, and the receipt
// says so. It reports whether a payment was under way.
func (s *Simulator) FailPayment(id uuid.UUID) bool {
	return s.happen(id, func(n *notice) {
		n.State, n.receipt = NoticeNotified, &receipt{reference("RT"), 1, 0, now()}
	}, NoticeAwaitingReceipt)
}

// Pay pays a notice online, whose payment is under way or begins with it: its receipt is there,
// and it is Pagato online. The amount is what was paid, usually what is due. It reports whether
// the notice could be paid: it is Notificato, so its payer has to have logged in before, or its
// payment is under way.
func (s *Simulator) Pay(id uuid.UUID, amount flussi.Cents) bool {
	return s.happen(id, func(n *notice) {
		n.State, n.receipt = NoticePaidOnline, &receipt{reference("RT"), 0, amount, now()}
		n.proofs[ReceiptProof] = Proof{Reference: n.receipt.reference, Amount: amount, Date: n.receipt.date}
	}, NoticeNotified, NoticeAwaitingReceipt)
}

// Settle lets the provider settle an online payment: Pagamento confermato, with a settlement of
// the amount. It reports whether there was such a payment.
func (s *Simulator) Settle(id uuid.UUID, amount flussi.Cents) bool {
	return s.happen(id, func(n *notice) {
		if n.State == NoticePaidOnline {
			n.State = NoticeConfirmed
		}
		n.proofs[Settlement] = Proof{Reference: reference("FR"), Amount: amount, Date: now()}
	}, NoticePaidOnline, NoticeReconciled)
}

// Reconcile finds a payment in the treasury journal, as a movement of the amount: Riscontrato,
// automaticamente if it was paid online, and manualmente if by hand. It reports whether there
// was such a payment.
func (s *Simulator) Reconcile(id uuid.UUID, amount flussi.Cents) bool {
	return s.happen(id, func(n *notice) {
		to := NoticeReconciled
		if n.State == NoticePaidManually {
			to = NoticeReconciledManually
		}
		n.State = to
		n.proofs[Movement] = Proof{Reference: reference("MOV"), Amount: amount, Date: now()}
	}, NoticePaidOnline, NoticeConfirmed, NoticePaidManually)
}

// SetEventState sets the state of an event, whatever it was, also to one that does not exist. It
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

// SetNoticeState sets the state of a notice, whatever it was, also to one that does not exist;
// its proofs stay as they are, and it does not follow its event and its payer any more. It
// reports whether there is such a notice.
func (s *Simulator) SetNoticeState(id uuid.UUID, state NoticeState) bool {
	return s.happen(id, func(n *notice) { n.State, n.pinned = state, true })
}

// SetProof sets a piece of evidence of a notice, whatever its state, or takes it away if it is
// the zero Proof. It reports whether there is such a notice.
func (s *Simulator) SetProof(id uuid.UUID, kind ProofKind, proof Proof) bool {
	return s.happen(id, func(n *notice) {
		n.proofs[kind] = proof
		if proof == (Proof{}) {
			delete(n.proofs, kind)
		}
	})
}

// SetNumber gives a notice another number. It reports whether there is such a notice.
func (s *Simulator) SetNumber(id uuid.UUID, number flussi.NoticeNumber) bool {
	return s.happen(id, func(n *notice) { n.Number = number })
}

// Forget lets the platform lose an event with all its notices, or a notice. It reports whether
// there was one.
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

// number makes the next notice number of a school: auxiliary digit 3, the segregation code, 13
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

// remoteID makes an ID of the platform's own.
func (s *Simulator) remoteID(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s-%d", prefix, s.serial)
}

// reference names a document.
func reference(prefix string) string { return prefix + "-" + uuid.NewString() }

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

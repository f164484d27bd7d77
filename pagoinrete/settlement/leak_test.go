package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// The texts that no error and no log may show: payers, texts of journals and of operators, IBANs,
// references.
const (
	leakPayer     = "Zqxpagante"
	leakCode      = "ZQXJKW80A01H501U"
	leakCausale   = "Zqxcausale"
	leakIBAN      = "IT60X0542811101000000654321"
	leakReason    = "Zqxmotivo"
	leakReference = "31777777777777777"
	leakForeign   = "ZQX-RIFERIMENTO-77"
	leakSingle    = "31888888888888888"
)

var leaks = []string{leakPayer, leakCode, leakCausale, leakIBAN, leakReason, leakReference, leakForeign, leakSingle}

// failing is a store in which one call fails.
type failing struct {
	settlement.Store
	left *int
	err  error
}

func (f failing) next() error {
	if *f.left--; *f.left == 0 {
		return f.err
	}
	return nil
}

func (f failing) BodyVersion(ctx context.Context, body flussi.OrganizationCode) (int64, error) {
	if err := f.next(); err != nil {
		return 0, err
	}
	return f.Store.BodyVersion(ctx, body)
}

func (f failing) Save(ctx context.Context, changes settlement.Changes) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.Store.Save(ctx, changes)
}

func (f failing) Settlements(ctx context.Context, filter settlement.SettlementFilter, page settlement.Page) ([]settlement.Settlement, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.Store.Settlements(ctx, filter, page)
}

func (f failing) Payments(ctx context.Context, filter settlement.PaymentFilter, page settlement.Page) ([]settlement.Payment, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.Store.Payments(ctx, filter, page)
}

func (f failing) Movements(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.Store.Movements(ctx, filter, page)
}

func (f failing) Settlement(ctx context.Context, id uuid.UUID) (settlement.Settlement, error) {
	if err := f.next(); err != nil {
		return settlement.Settlement{}, err
	}
	return f.Store.Settlement(ctx, id)
}

func (f failing) Payment(ctx context.Context, id uuid.UUID) (settlement.Payment, error) {
	if err := f.next(); err != nil {
		return settlement.Payment{}, err
	}
	return f.Store.Payment(ctx, id)
}

func (f failing) Movement(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
	if err := f.next(); err != nil {
		return settlement.Movement{}, err
	}
	return f.Store.Movement(ctx, id)
}

// leaky makes calls with secrets in all arguments, in an order in which each can succeed.
func leaky(ctx context.Context, s *settlement.Service) []error {
	var errs []error
	note := func(values ...any) {
		for _, v := range values {
			if err, is := v.(error); is {
				errs = append(errs, err)
			}
		}
	}
	both := func(_ any, err error) { note(err) }
	references := []string{leakReference, leakForeign, "rf18 5390 0754 7034"}
	var lines []line
	for i, r := range references {
		lines = append(lines, line{iuv: r, iur: fmt.Sprint("A", i), amount: "10.00"})
	}
	file := must2(paymentfile.Open(strings.NewReader(settlementXML(school, flowID, 1, lines...)), paymentfile.Config{})).(*paymentfile.SettlementFile)
	both(s.ApplySettlement(ctx, clerk, settlement.FileOf(file)))
	texts := fmt.Sprintf(" ORD %s %s %s %s", leakPayer, leakCode, leakIBAN, leakCausale)
	journal := must2(paymentfile.Open(strings.NewReader(journalXML("G1",
		transfer{number: "7", amount: "30.00", causale: uri(flowID) + texts},
		transfer{number: "8", amount: "10.00", causale: "/RFB/" + leakSingle + "/10.00/TXT/" + texts},
		transfer{number: "9", amount: "10.00", causale: "/PUR/LGPE-RIVERSAMENTO/URI/2026-03-01 " + leakPayer},
		transfer{number: "10", amount: "10.00", causale: texts, operation: "STORNATO"})), paymentfile.Config{})).(*paymentfile.JournalFile)
	both(s.ApplyJournal(ctx, clerk, journal.Journal(), journal.Movements()))

	id := settlement.SettlementID(school, "BANKITXX", flowID)
	movement := settlement.MovementID(school, "01234", 2026, "1", "7")
	both(s.MatchMovement(ctx, clerk, movement, []settlement.ManualMatch{{Settlement: id}}, leakReason))
	both(s.ReleaseMovement(ctx, clerk, movement, leakReason))
	page, err := s.Payments(ctx, clerk, settlement.PaymentFilter{Settlement: id, References: []paymentfile.Reference{paymentfile.NewReference(leakReference)}}, settlement.Page{})
	note(err)
	for _, p := range page.Payments {
		both(s.MatchPayment(ctx, clerk, p.ID, paymentfile.NewReference(leakSingle), leakReason))
		both(s.ReleasePayment(ctx, clerk, p.ID, leakReason))
		both(s.SetPaymentAside(ctx, clerk, p.ID, leakReason))
	}
	note(s.Review(ctx, clerk, school, paymentfile.NewReference(leakReference)), s.UpdateDue(ctx, clerk, school))
	both(s.Anonymise(ctx, clerk, school, day(5).Time()))
	return errs
}

func must2[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Each call of the store and of the Due fails once, in the middle of calls with secrets.
func TestNothingPersonalIsInErrors(t *testing.T) {
	r := leaktest.New()
	failures := 0
	for call := 1; ; call++ {
		left := call
		store := memstore.New()
		due := newTable()
		for _, reference := range []string{leakReference, leakSingle} {
			due.due[paymentfile.NewReference(reference)] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 1000}
		}
		s := must.Get(settlement.NewService(failing{store, &left, errors.New("disk full")}, settlement.Permissions{clerk.ID: {school}}, due))(t)
		errs := leaky(t.Context(), s)
		for _, err := range errs {
			_ = r.PrintError(err)
			failures++
		}
		if left > 0 {
			require.Empty(t, errs, "no call failed")
			break
		}
	}
	assert.Greater(t, failures, 50)
	for n := range 30 {
		due := newTable()
		left := n
		due.fail = func() error {
			if left--; left < 0 {
				return errors.New("table is locked")
			}
			return nil
		}
		s := must.Get(settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {school}}, due))(t)
		for _, err := range leaky(t.Context(), s) {
			_ = r.PrintError(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s := must.Get(settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {school}}, newTable()))(t)
	for _, err := range leaky(ended, s) {
		_ = r.PrintError(err)
	}
	stranger := must.Get(settlement.NewService(memstore.New(), settlement.Permissions{}, newTable()))(t)
	for _, err := range leaky(t.Context(), stranger) {
		_ = r.PrintError(err)
	}
	r.Check(t, leaks...)
}

// Errors do not quote refused arguments, and entities, reports and histories mask secrets.
func TestNothingPersonalIsInRefusalsAndEntities(t *testing.T) {
	o := newOffice(t)
	o.Service = must.Get(settlement.NewService(o.store, settlement.Permissions{clerk.ID: {school}}, o.due))(t)
	require.Empty(t, leaky(t.Context(), o.Service))
	r := leaktest.New()
	ctx := t.Context()
	refused := func(values ...any) {
		t.Helper()
		err, _ := values[len(values)-1].(error)
		require.Error(t, err)
		_ = r.PrintError(err)
	}
	movement, id := o.movement("7"), o.payments(flowID)[0].ID
	secret := paymentfile.NewReference(leakReference)
	for _, reason := range []string{"", strings.Repeat(leakReason, 100), leakReason + "\x00", leakReason + "\u202e\xff"} {
		refused(o.MatchMovement(ctx, clerk, movement.ID, []settlement.ManualMatch{{}}, reason))
		refused(o.MatchPayment(ctx, clerk, id, secret, reason))
		refused(o.SetPaymentAside(ctx, clerk, id, reason))
	}
	refused(o.MatchMovement(ctx, clerk, movement.ID, nil, leakReason))
	refused(o.MatchMovement(ctx, clerk, movement.ID, []settlement.ManualMatch{{Amount: 99999}}, leakReason))
	refused(o.MatchMovement(ctx, clerk, movement.ID, []settlement.ManualMatch{{Settlement: uuid.New()}}, leakReason))
	refused(o.ReleaseMovement(ctx, clerk, movement.ID, leakReason))
	refused(o.MatchPayment(ctx, clerk, id, paymentfile.Reference{}, leakReason))
	refused(o.MatchPayment(ctx, clerk, uuid.New(), secret, leakReason))
	refused(o.Settlements(ctx, clerk, settlement.SettlementFilter{FlowPrefix: leakPayer + "\x00"}, settlement.Page{}))
	refused(o.Payments(ctx, clerk, settlement.PaymentFilter{States: []settlement.PaymentState{leakPayer}}, settlement.Page{}))
	refused(o.Movements(ctx, clerk, settlement.MovementFilter{States: []settlement.MovementState{leakPayer}}, settlement.Page{}))
	tooMuch := row(secret, leakPayer, 1<<60)
	refused(o.ApplySettlement(ctx, clerk, settlement.File{Header: paymentfile.Settlement{ID: flowID, Body: school}, Payments: sequence([]paymentfile.Payment{tooMuch})}))
	refused(o.ApplySettlement(ctx, clerk, settlement.File{Header: paymentfile.Settlement{Body: school}, Payments: sequence([]paymentfile.Payment{tooMuch})}))
	broken := func(yield func(paymentfile.Payment, error) bool) {
		for p, err := range must2(paymentfile.OpenSettlement(strings.NewReader(settlementXML(school, flowID, 1, line{iuv: leakReference, iur: "A", amount: "10.00"})[:1300]), paymentfile.Config{})).Payments() {
			if !yield(p, err) {
				return
			}
		}
	}
	refused(o.ApplySettlement(ctx, clerk, settlement.File{Header: paymentfile.Settlement{ID: flowID, Body: school}, Payments: broken}))

	for _, number := range []string{"7", "8", "9", "10"} {
		m := o.movement(number)
		r.Print(m, must.Get(o.MovementHistory(ctx, clerk, m.ID))(t), settlement.MovementFilter{References: []paymentfile.Reference{m.Reference}})
	}
	for _, p := range o.payments(flowID) {
		r.Print(p, p.Decision, must.Get(o.PaymentHistory(ctx, clerk, p.ID))(t))
	}
	r.Print(o.stored(flowID), o.due.told)
	r.Check(t, leaks...)
}

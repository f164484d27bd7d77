package settlement_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

var (
	clerk  = flussi.Actor{ID: "m.verdi", Roles: []flussi.Role{flussi.AdminAssistant}}
	school = parsed(flussi.ParseOrganizationCode("80185250588"))
	town   = parsed(flussi.ParseOrganizationCode("15376371009"))
)

func parsed[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// table is a Due that keeps the latest state of each reference.
type table struct {
	due    map[paymentfile.Reference]settlement.Expectation // of the school
	told   map[paymentfile.Reference][]settlement.Paid      // of the school
	others map[paymentfile.Reference][]settlement.Paid      // of the town
	fail   func() error
}

func newTable() *table {
	return &table{map[paymentfile.Reference]settlement.Expectation{}, map[paymentfile.Reference][]settlement.Paid{},
		map[paymentfile.Reference][]settlement.Paid{}, nil}
}

func (d *table) Expected(_ context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if e, is := d.due[r]; is && body == school {
			found[r] = e
		}
	}
	return found, nil
}

func (d *table) Update(_ context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	if d.fail != nil {
		if err := d.fail(); err != nil {
			return err
		}
	}
	told := d.told
	if body != school {
		told = d.others
	}
	for _, s := range states {
		if told[s.Reference] = s.Payments; len(s.Payments) == 0 {
			delete(told, s.Reference)
		}
	}
	return nil
}

// lines returns what was told as sorted lines.
func (d *table) lines() []string {
	var all []string
	for body, told := range map[string]map[paymentfile.Reference][]settlement.Paid{"school": d.told, "town": d.others} {
		for r, paid := range told {
			for _, p := range paid {
				all = append(all, fmt.Sprint(body, " ", r.Reveal(), " ", p))
			}
		}
	}
	slices.Sort(all)
	return all
}

// world has the files of two bodies, in no order.
type world struct {
	*rand.Rand
	references []paymentfile.Reference
	due        map[paymentfile.Reference]settlement.Expectation
	most       int                                                // rows of a settlement, less one; few make many totals equal
	files      []func(*testing.T, *settlement.Service)            // each applies one file
	raw        []func(context.Context, *settlement.Service) error // the same, with the error
	rows       map[uuid.UUID]flussi.Cents                         // what the latest file of each settlement adds up to
	moved      map[flussi.OrganizationCode]flussi.Cents           // what all distinct rows of journals add up to
}

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 7)), due: map[paymentfile.Reference]settlement.Expectation{}, rows: map[uuid.UUID]flussi.Cents{},
		moved: map[flussi.OrganizationCode]flussi.Cents{school: 0, town: 0}}
	w.most = 1 + w.IntN(4)
	for i := range 12 {
		r := paymentfile.NewReference(fmt.Sprintf("%017d", 31000000000000000+i))
		w.references = append(w.references, r)
		e := settlement.Expectation{Owner: settlement.OwnerBody, Amount: w.amount()}
		switch w.IntN(6) {
		case 0:
			e = settlement.Expectation{Owner: settlement.OwnerForeign}
		case 1:
			e.Transfers = map[int]flussi.Cents{1: w.amount(), 2: w.amount()}
		case 2:
			continue
		}
		w.due[r] = e
	}
	w.addSettlements()
	return w
}

// amount returns one of few amounts, so that many are equal.
func (w *world) amount() flussi.Cents { return flussi.Cents(1+w.IntN(3)) * 500 }

func day(n int) paymentfile.Day {
	return paymentfile.Day{Year: 2026, Month: time.March, Day: 1 + n}
}

// addSettlements makes settlements with similar identifiers and equal totals, with revisions, and
// the movements that pay them.
func (w *world) addSettlements() {
	rows := map[flussi.OrganizationCode][]paymentfile.Movement{school: nil, town: nil}
	ids := []string{"2026-03-01BANKIT-1", "2026-03-01BANKIT-10", "2026-03-01BANKIT-11", "2026-03-01OTHER-1", "2026-03-02BANKIT-1", "2026-03-02BANKIT-12"}
	for _, id := range ids[:2+w.IntN(len(ids)-1)] {
		for _, body := range []flussi.OrganizationCode{school, town}[:1+w.IntN(2)] {
			var total flussi.Cents
			for revision := range 1 + w.IntN(3) {
				total = w.addSettlement(body, id, revision)
			}
			rows[body] = append(rows[body], w.movements(id, total)...)
		}
	}
	for range w.IntN(3) {
		rows[school] = append(rows[school], w.sospeso("CONTRIBUTO VOLONTARIO", w.amount()), w.sospeso("/RFB/"+w.references[0].Reveal()+"/5.00/TXT/PAGAMENTO", 500))
	}
	for _, body := range []flussi.OrganizationCode{school, town} {
		for _, m := range slices.Clone(rows[body]) {
			for _, operation := range []paymentfile.Operation{paymentfile.OperationReversed, paymentfile.OperationRegularised, paymentfile.OperationRestored} {
				if w.IntN(5) == 0 {
					m.Operation, m.Date = operation, day(20+w.IntN(5))
					if w.IntN(3) == 0 {
						m.Amount = 100 // a part of it
					}
					rows[body] = append(rows[body], m)
				}
			}
		}
		for _, row := range rows[body] {
			w.moved[body] += row.Net()
		}
		w.addJournals(body, rows[body])
	}
	for _, apply := range w.raw {
		w.files = append(w.files, func(t *testing.T, s *settlement.Service) { assert.NoError(t, apply(t.Context(), s)) })
	}
}

// addSettlement makes a revision of a settlement.
func (w *world) addSettlement(body flussi.OrganizationCode, id string, revision int) flussi.Cents {
	head := paymentfile.Settlement{ID: id, Body: body, PSP: paymentfile.Party{Type: "B", Code: "BANKITXX"},
		CreatedAt: time.Date(2026, time.March, 3+revision/2, 10, 0, 0, 0, time.UTC), Revision: revision, Date: day(2)}
	same := w.IntN(10) == 0 // two files of one time that differ
	if same {
		head.CreatedAt, head.Revision = time.Date(2026, time.March, 9, 10, 0, 0, 0, time.UTC), 0
	}
	var rows []paymentfile.Payment
	for i := range 1 + w.IntN(1+w.most) {
		if w.IntN(6) == 0 {
			continue
		}
		p := paymentfile.Payment{Number: i + 1, Reference: w.references[w.IntN(len(w.references))], IUR: fmt.Sprint("R", w.IntN(3)), Index: w.IntN(3),
			Amount: w.amount(), Date: day(w.IntN(2))}
		switch w.IntN(8) {
		case 0:
			p.Outcome = paymentfile.OutcomeRevoked
		case 1:
			p.Outcome = paymentfile.OutcomeStandInNoRequest
		case 2:
			p.Faults = []*paymentfile.Fault{{Kind: paymentfile.FaultOutcome, Blocking: true, Row: i + 1}}
		}
		p.SignedAmount = p.Net()
		rows = append(rows, p)
		head.Total += p.Net()
	}
	sum := head.Total
	if w.IntN(8) == 0 {
		head.Total += 100
	}
	w.raw = append(w.raw, func(ctx context.Context, s *settlement.Service) error {
		_, err := s.ApplySettlement(ctx, clerk, settlement.File{Header: head, Payments: sequence(rows)})
		return err
	})
	switch key := settlement.SettlementID(body, "BANKITXX", id); {
	case same:
		w.rows[key] = -1 // one of two
	case w.rows[key] != -1:
		w.rows[key] = sum // revisions come in their order
	}
	return head.Total
}

// movements pay a settlement, in one sum or in several, with a causale that is whole or cut.
func (w *world) movements(id string, total flussi.Cents) []paymentfile.Movement {
	if total <= 0 || w.IntN(5) == 0 {
		return nil
	}
	causale := "/PUR/LGPE-RIVERSAMENTO/URI/" + id
	switch w.IntN(6) {
	case 0:
		causale = causale[:len(causale)-1-w.IntN(4)]
	case 1:
		causale = causale[:len("/PUR/LGPE-RIVERSAMENTO/URI/2026-03-")]
	case 2:
		causale += "/TXT/ALTRO"
	case 3:
		causale = causale[:len("/PUR/LGPE-RIVERSAMENTO/URI/")]
	}
	if w.IntN(6) == 0 { // one that names it, besides one of its amount
		return []paymentfile.Movement{w.sospeso(causale, total), w.sospeso("/PUR/LGPE-RIVERSAMENTO/URI/"+id+"/TXT", 500)}
	}
	if w.IntN(3) == 0 && total > 500 {
		return []paymentfile.Movement{w.sospeso(causale, 500), w.sospeso(causale, total-500)}
	}
	all := []paymentfile.Movement{w.sospeso(causale, total)}
	if w.IntN(6) == 0 {
		all = append(all, w.sospeso(causale, total))
	}
	return all
}

func (w *world) sospeso(causale string, amount flussi.Cents) paymentfile.Movement {
	return paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
		Operation: paymentfile.OperationExecuted, DocumentNumber: fmt.Sprint(w.IntN(1 << 30)), Amount: amount, Date: day(5), Causale: flussi.NewText(causale)}
}

// addJournals spreads rows over journals, of which some repeat rows of others.
func (w *world) addJournals(body flussi.OrganizationCode, rows []paymentfile.Movement) {
	journals := make([][]paymentfile.Movement, 1+w.IntN(4))
	for _, row := range rows {
		i := w.IntN(len(journals))
		journals[i] = append(journals[i], row)
		if j := w.IntN(len(journals)); w.IntN(4) == 0 && j != i {
			journals[j] = append(journals[j], row)
		}
	}
	for i, rows := range journals {
		head := paymentfile.Journal{ID: fmt.Sprint("GDC", i), BankABI: "01234", Body: body, Year: 2026, From: day(i), To: day(9)}
		w.raw = append(w.raw, func(ctx context.Context, s *settlement.Service) error {
			report, err := s.ApplyJournal(ctx, clerk, head, sequence(rows))
			if err == nil && len(rows) != report.Entered.Number+report.Known.Number {
				err = fmt.Errorf("of %d rows %d are reported", len(rows), report.Entered.Number+report.Known.Number)
			}
			return err
		})
	}
}

func sequence[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// state is the content of a store, without what depends on when it was stored.
type state struct {
	settlements []settlement.Settlement
	payments    []settlement.Payment
	movements   []settlement.Movement
}

func read(t *testing.T, store settlement.Store) state {
	page := settlement.Page{Limit: flussi.MaxPage}
	s := state{must.Get(store.Settlements(t.Context(), settlement.SettlementFilter{}, page))(t),
		must.Get(store.Payments(t.Context(), settlement.PaymentFilter{}, page))(t),
		must.Get(store.Movements(t.Context(), settlement.MovementFilter{}, page))(t)}
	for i := range s.settlements {
		e := &s.settlements[i]
		assert.False(t, e.Unreported)
		e.Version, e.CreatedAt, e.UpdatedAt, e.Counts.Dropped = 0, time.Time{}, time.Time{}, settlement.Tally{}
	}
	s.payments = slices.DeleteFunc(s.payments, func(p settlement.Payment) bool { return p.Dropped }) // depends on the order of the files
	for i := range s.payments {
		p := &s.payments[i]
		p.Version, p.CreatedAt, p.UpdatedAt = 0, time.Time{}, time.Time{}
	}
	for i := range s.movements {
		m := &s.movements[i]
		assert.False(t, m.Unreported)
		m.Version, m.CreatedAt, m.UpdatedAt = 0, time.Time{}, time.Time{}
	}
	byID := func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(s.settlements, func(a, b settlement.Settlement) int { return byID(a.ID, b.ID) })
	slices.SortFunc(s.payments, func(a, b settlement.Payment) int { return byID(a.ID, b.ID) })
	slices.SortFunc(s.movements, func(a, b settlement.Movement) int { return byID(a.ID, b.ID) })
	return s
}

// apply applies the files in a random order, some twice.
func (w *world) apply(t *testing.T, order *rand.Rand) (state, *table, settlement.Store) {
	due, store := newTable(), memstore.New()
	due.due = w.due
	service := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school, town}}, due))(t)
	files := slices.Concat(w.files, w.files[:order.IntN(len(w.files))])
	order.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for _, apply := range files {
		apply(t, service)
	}
	return read(t, store), due, store
}

func TestResultDoesNotDependOnOrderOfFiles(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(150) {
		w := newWorld(seed)
		first, due, store := w.apply(t, rand.New(rand.NewPCG(seed, 0)))
		service, _ := w.serviceFor(t, store)
		for again := range uint64(3) {
			other, otherDue, _ := w.apply(t, rand.New(rand.NewPCG(seed, 1+again)))
			require.Equal(t, first, other, "seed %d, order %d", seed, again)
			require.Equal(t, due.lines(), otherDue.lines(), "seed %d, order %d", seed, again)
		}
		w.adds(t, first)
		w.agrees(t, seed, first)
		for _, p := range first.payments {
			seen["payment "+string(p.State)]++
		}
		for _, m := range first.movements {
			seen["movement "+string(m.State)]++
			if len(m.Parts) == 1 && m.Parts[0].ByAmount {
				seen["movement by amount"]++
			}
		}
		ids := map[string]flussi.OrganizationCode{}
		for _, s := range first.settlements {
			seen["settlement "+string(s.State)]++
			if other, is := ids[s.FlowID]; is && other != s.Body {
				seen["body with equal ids"]++
			}
			ids[s.FlowID] = s.Body
		}
		for _, paid := range due.told {
			for _, p := range paid {
				if p.Payment == uuid.Nil && p.State == settlement.PaymentDuplicate {
					seen["doubled single"]++
				}
			}
		}
		for _, err := range service.AllPayments(t.Context(), clerk, settlement.PaymentFilter{States: []settlement.PaymentState{settlement.PaymentDropped}}) {
			require.NoError(t, err)
			seen["dropped"]++
		}
	}
	for _, s := range settlement.SettlementStates() {
		assert.NotZero(t, seen["settlement "+string(s)], s)
	}
	for _, s := range settlement.MovementStates() {
		byHand := s == settlement.MovementSetAside || s == settlement.MovementSplit
		assert.Equal(t, byHand, seen["movement "+string(s)] == 0, s)
	}
	for _, s := range settlement.PaymentStates() {
		assert.Equal(t, s == settlement.PaymentSetAside || s == settlement.PaymentDropped, seen["payment "+string(s)] == 0, s)
	}
	for _, what := range []string{"movement by amount", "dropped", "doubled single", "body with equal ids"} {
		assert.NotZero(t, seen[what], what)
	}
	t.Log(seen)
}

// adds checks that the sums are those of the files, and that every cent is in one class.
func (w *world) adds(t *testing.T, s state) {
	var covered, parts flussi.Cents
	moved := map[flussi.OrganizationCode]flussi.Cents{school: 0, town: 0}
	for _, one := range s.settlements {
		if w.rows[one.ID] != -1 {
			assert.Equal(t, w.rows[one.ID], one.Counts.Total().Amount)
		}
		covered += one.Covered
	}
	for _, m := range s.movements {
		moved[m.Body] += m.Amount
		var sum flussi.Cents
		for _, part := range m.Parts {
			assert.Positive(t, part.Amount)
			sum += part.Amount
			if part.Kind == settlement.PartMatched {
				parts += part.Amount
			}
		}
		assert.Equal(t, max(m.Amount, 0), sum)
	}
	assert.Equal(t, w.moved, moved)
	assert.Equal(t, parts, covered)
}

// agrees compares what is stored with the result of matching all facts at once.
func (w *world) agrees(t *testing.T, seed uint64, s state) {
	for _, body := range []flussi.OrganizationCode{school, town} {
		stored := only(s.settlements, func(one settlement.Settlement) bool { return one.Body == body })
		moved := only(s.movements, func(m settlement.Movement) bool { return m.Body == body })
		settlements, movements := settlement.Recompute(slices.Clone(stored), slices.Clone(moved))
		require.Equal(t, stored, settlements, "seed %d", seed)
		require.Equal(t, moved, movements, "seed %d", seed)
		due := w.due
		if body != school {
			due = nil
		}
		payments := only(s.payments, func(p settlement.Payment) bool { return p.Body == body })
		again := settlement.Classify(slices.Clone(payments), due)
		for i := range payments {
			at := slices.IndexFunc(again, func(p settlement.Payment) bool { return p.ID == payments[i].ID })
			require.True(t, reflect.DeepEqual(payments[i], again[at]), "seed %d", seed)
		}
	}
}

func only[T any](all []T, is func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !is(one) })
}

// decide takes a decision at random, or takes one back.
func (w *world) decide(t *testing.T, random *rand.Rand, service *settlement.Service, s state) {
	const why = "come da mail"
	ctx := t.Context()
	if len(s.movements) > 0 {
		m := s.movements[random.IntN(len(s.movements))]
		own := only(s.settlements, func(one settlement.Settlement) bool { return one.Body == m.Body })
		switch {
		case len(m.Decisions) > 0:
			must.Get(service.ReleaseMovement(ctx, clerk, m.ID, why))(t)
		case m.Amount <= 0:
		case len(own) > 1 && m.Amount > 100 && random.IntN(2) == 0:
			parts := []settlement.ManualMatch{{Settlement: own[0].ID, Amount: 100}, {Settlement: own[1].ID}}
			must.Get(service.MatchMovement(ctx, clerk, m.ID, parts[:1+random.IntN(2)], why))(t)
		case len(own) > 0 && random.IntN(2) == 0:
			must.Get(service.MatchMovement(ctx, clerk, m.ID, []settlement.ManualMatch{{Settlement: own[random.IntN(len(own))].ID}}, why))(t)
		default:
			must.Get(service.MatchMovement(ctx, clerk, m.ID, []settlement.ManualMatch{{}}, why))(t)
		}
	}
	if len(s.payments) > 0 {
		switch p := s.payments[random.IntN(len(s.payments))]; {
		case !p.Decision.IsZero():
			must.Get(service.ReleasePayment(ctx, clerk, p.ID, why))(t)
		case random.IntN(2) == 0:
			must.Get(service.SetPaymentAside(ctx, clerk, p.ID, why))(t)
		default:
			must.Get(service.MatchPayment(ctx, clerk, p.ID, w.references[random.IntN(len(w.references))], why))(t)
		}
	}
}

// Decisions hold whatever files come after them. Once they are taken back, only the files decide.
func TestDecisionsTakenBackLeaveNothingBehind(t *testing.T) {
	decided := 0
	for seed := range uint64(80) {
		w := newWorld(seed)
		want, told, _ := w.apply(t, rand.New(rand.NewPCG(seed, 0)))
		store, random := memstore.New(), rand.New(rand.NewPCG(seed, 5))
		service, due := w.serviceFor(t, store)
		files := slices.Concat(w.files, w.files)
		random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, apply := range files {
			apply(t, service)
			w.decide(t, random, service, read(t, store))
			w.agrees(t, seed, read(t, store))
		}
		got := read(t, store)
		w.adds(t, got)
		for _, m := range got.movements {
			if len(m.Decisions) > 0 {
				decided++
				must.Get(service.ReleaseMovement(t.Context(), clerk, m.ID, "errore"))(t)
			}
		}
		for p, err := range service.AllPayments(t.Context(), clerk, settlement.PaymentFilter{}) {
			require.NoError(t, err)
			if !p.Decision.IsZero() {
				decided++
				must.Get(service.ReleasePayment(t.Context(), clerk, p.ID, "errore"))(t)
			}
		}
		require.Equal(t, want, read(t, store), "seed %d", seed)
		require.Equal(t, told.lines(), due.lines(), "seed %d", seed)
	}
	assert.Greater(t, decided, 100)
}

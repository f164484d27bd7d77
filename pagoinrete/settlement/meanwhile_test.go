package settlement_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

// serviceFor returns a service on a store, for a world.
func (w *world) serviceFor(t *testing.T, store settlement.Store) (*settlement.Service, *table) {
	due := newTable()
	due.due = w.due
	return must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school, town}}, due))(t), due
}

// locked is a table that several goroutines may use.
type locked struct {
	sync.Mutex
	*table
}

func (l *locked) Update(ctx context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	l.Lock()
	defer l.Unlock()
	return l.table.Update(ctx, body, states)
}

// Of two files that are applied at the same time, the version of the body makes one writer read what the other
// one wrote.
func TestFilesAppliedAtOnceGiveTheSameResult(t *testing.T) {
	for seed := range uint64(12) {
		w := newWorld(seed)
		want, told, _ := w.apply(t, rand.New(rand.NewPCG(seed, 0)))
		store, due := memstore.New(), &locked{table: newTable()}
		due.due = w.due
		service := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school, town}}, due))(t)
		var all sync.WaitGroup
		for _, apply := range w.files {
			all.Go(func() { apply(t, service) })
		}
		all.Wait()
		require.Equal(t, want, read(t, store), "seed %d", seed)
		require.Equal(t, told.lines(), due.lines(), "seed %d", seed)
	}
}

// slow is a Due that calls a function before it is told.
type slow struct {
	*table
	before func()
	always bool // not only the first time
}

func (s *slow) Update(ctx context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	if before := s.before; before != nil {
		if !s.always {
			s.before = nil
		}
		before()
	}
	return s.table.Update(ctx, body, states)
}

// The first process reads one payment. Before it tells the Due, another process applies and tells a
// second one. The state that is told last is the stored one.
func TestWhatWasReadBeforeAnotherFileIsNotToldLast(t *testing.T) {
	const other = "2026-03-01BANKIT-000002"
	journal := func(o *office) { o.sospeso("7", uri(flowID), 5000) }
	for name, meanwhile := range map[string]func(*office){
		"another settlement": func(o *office) { o.settle(other, row(o.iuv(1, 5000), "B", 5000)) },
		"the treasury":       journal,
		"both":               func(o *office) { journal(o); o.settle(other, row(o.iuv(1, 5000), "B", 5000)) },
	} {
		o, second := newOffice(t), newOffice(t)
		due := &slow{table: o.due}
		o.Service = must.Get(settlement.NewService(o.store, settlement.Permissions{clerk.ID: {school}}, due))(t)
		second.Service = must.Get(settlement.NewService(o.store, settlement.Permissions{clerk.ID: {school}}, o.due))(t)
		due.before = func() { meanwhile(second) }
		r := o.iuv(1, 5000)
		o.settle(flowID, row(r, "A", 5000))
		told := o.due.told[r]
		require.NoError(t, o.Review(t.Context(), clerk, school, r))
		assert.Equal(t, o.due.told[r], told, name)
	}
}

// overtaken is a store in which another write comes before the first one.
type overtaken struct {
	settlement.Store
	other *func()
}

func (o overtaken) Save(ctx context.Context, changes settlement.Changes) error {
	if other := *o.other; other != nil {
		*o.other = nil
		other()
	}
	return o.Store.Save(ctx, changes)
}

func TestJournalDoesNotMissSettlementStoredMeanwhile(t *testing.T) {
	store := memstore.New()
	var other func()
	first, second := newOffice(t), newOffice(t)
	first.Service = must.Get(settlement.NewService(overtaken{store, &other}, settlement.Permissions{clerk.ID: {school}}, first.due))(t)
	second.Service = must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school}}, second.due))(t)
	other = func() { second.settle(flowID, row(second.iuv(1, 5000), "A", 5000)) }
	assert.Equal(t, settlement.MovementMatched, first.sospeso("7", uri(flowID), 5000).State)
	assert.Equal(t, settlement.SettlementCovered, first.stored(flowID).State)
}

var errCrash = errors.New("process killed")

// crashing is a store whose writes fail at random, before or after they were stored.
type crashing struct {
	settlement.Store
	*rand.Rand
}

func (c crashing) Save(ctx context.Context, changes settlement.Changes) error {
	if c.IntN(3) == 0 {
		return errCrash
	}
	err := c.Store.Save(ctx, changes)
	if err == nil && c.IntN(3) == 0 {
		return errCrash
	}
	return err
}

// Applying a file again completes what a crash interrupted.
func TestFilesAppliedAgainAfterCrashesGiveTheSameResult(t *testing.T) {
	crashes := 0
	for seed := range uint64(40) {
		w := newWorld(seed)
		want, told, _ := w.apply(t, rand.New(rand.NewPCG(seed, 0)))
		random := rand.New(rand.NewPCG(seed, 9))
		store := memstore.New()
		service, due := w.serviceFor(t, crashing{store, random})
		due.fail = func() error {
			if random.IntN(4) == 0 {
				return errCrash
			}
			return nil
		}
		files := slices.Clone(w.raw)
		random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, apply := range files {
			err := apply(t.Context(), service)
			for ; err != nil; err = apply(t.Context(), service) {
				require.ErrorIs(t, err, errCrash)
				crashes++
			}
		}
		require.Equal(t, want, read(t, store), "seed %d", seed)
		require.Equal(t, told.lines(), due.lines(), "seed %d", seed)
	}
	require.Greater(t, crashes, 100)
}

// awaited is a store in which another process writes right before the version of the body is read.
type awaited struct {
	settlement.Store
	other *func()
}

func (a awaited) BodyVersion(ctx context.Context, body flussi.OrganizationCode) (int64, error) {
	if other := *a.other; other != nil {
		*a.other = nil
		other()
	}
	return a.Store.BodyVersion(ctx, body)
}

// Another process took a match back, and ended before it told the Due. The next match must still tell
// of the reference that lost its payment.
func TestMatchTellsWhatAnotherProcessDidNot(t *testing.T) {
	store := memstore.New()
	var other func()
	o := newOffice(t)
	o.Service = must.Get(settlement.NewService(awaited{store, &other}, settlement.Permissions{clerk.ID: {school}}, o.due))(t)
	first, second := o.iuv(1, 5000), o.iuv(2, 5000)
	o.settle(flowID, row(o.iuv(3, 0), "A", 5000))
	id := o.payments(flowID)[0].ID
	must.Get(o.MatchPayment(t.Context(), clerk, id, first, "IUV scritto male"))(t)
	require.Len(t, o.told(first), 1)
	other = func() {
		o.due.fail = func() error { return errors.New("the process ends") }
		_, err := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school}}, o.due))(t).ReleasePayment(t.Context(), clerk, id, "errore")
		require.Error(t, err)
		o.due.fail = nil
	}
	p := must.Get(o.MatchPayment(t.Context(), clerk, id, second, "era l'altro"))(t)
	assert.Equal(t, second, p.Target)
	assert.Empty(t, o.told(first))
	assert.Len(t, o.told(second), 1)
}

// While one process tells of a settlement, an operator decides about one of its payments. The process
// of the operator ends before it tells of the decision.
func TestDecisionDuringTellIsToldLater(t *testing.T) {
	store := memstore.New()
	var other func()
	o := newOffice(t)
	o.Service = must.Get(settlement.NewService(overtaken{store, &other}, settlement.Permissions{clerk.ID: {school}}, o.due))(t)
	second := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school}}, crashed{o.due}))(t)
	r := o.iuv(1, 5000)
	decide := func() { // the first process has told of r, and is about to record that
		for p, err := range second.AllPayments(t.Context(), clerk, settlement.PaymentFilter{}) {
			require.NoError(t, err)
			_, err = second.SetPaymentAside(t.Context(), clerk, p.ID, "non riguarda la scuola")
			require.ErrorIs(t, err, errCrash)
		}
	}
	other = func() { other = decide } // the first write is that of the settlement
	o.settle(flowID, row(r, "A", 5000))
	require.NoError(t, o.UpdateDue(t.Context(), clerk, school))
	assert.Equal(t, settlement.PaymentSetAside, o.payments(flowID)[0].State)
	assert.Empty(t, o.told(r))
}

// crashed is a Due whose process ends before it is told.
type crashed struct{ settlement.Due }

func (crashed) Update(context.Context, flussi.OrganizationCode, []settlement.ReferenceState) error {
	return errCrash
}

// Other processes keep writing, about other references.
func TestTellIsNotRepeatedForOtherReferences(t *testing.T) {
	o, second := newOffice(t), newOffice(t)
	second.Service = must.Get(settlement.NewService(o.store, settlement.Permissions{clerk.ID: {school}}, o.due))(t)
	r, calls := o.iuv(1, 5000), 0
	due := &slow{table: o.due}
	due.before = func() {
		if calls++; calls < 20 {
			id := "2026-03-02BANKIT-" + strconv.Itoa(calls)
			second.settle(id, row(o.iuv(1+calls, 5000), "B", 5000))
		}
	}
	due.always = true
	o.Service = must.Get(settlement.NewService(o.store, settlement.Permissions{clerk.ID: {school}}, due))(t)
	o.settle(flowID, row(r, "A", 5000))
	assert.Len(t, o.told(r), 1)
	assert.Equal(t, 1, calls)
}

// interleaved lets another process act before a store or a Due does what the first one asks.
type interleaved struct {
	settlement.Store
	settlement.Due
	act func()
}

func (i interleaved) Save(ctx context.Context, changes settlement.Changes) error {
	i.act()
	return i.Store.Save(ctx, changes)
}

func (i interleaved) Update(ctx context.Context, body flussi.OrganizationCode, states []settlement.ReferenceState) error {
	i.act()
	return i.Due.Update(ctx, body, states)
}

// One process applies files and decides. Another one does the same before each of its writes and
// before each time it tells, and sometimes ends before it tells. Once UpdateDue has succeeded, the Due
// knows what is stored.
func TestNothingStoredMeanwhileRemainsUntold(t *testing.T) {
	ended := 0
	for seed := range uint64(150) {
		w := newWorld(seed)
		store, random := memstore.New(), rand.New(rand.NewPCG(seed, 11))
		plain, due := w.serviceFor(t, store)
		permissions := settlement.Permissions{clerk.ID: {school, town}}
		dying := must.Get(settlement.NewService(store, permissions, crashed{due}))(t)
		one := func(s *settlement.Service) error {
			if random.IntN(2) == 0 {
				return w.raw[random.IntN(len(w.raw))](t.Context(), s)
			}
			return decideOne(t, random, s, w)
		}
		acting := false
		both := interleaved{store, due, func() {
			if acting || random.IntN(2) == 0 {
				return
			}
			acting = true
			defer func() { acting = false }()
			if s := []*settlement.Service{plain, dying}[random.IntN(2)]; one(s) != nil && s == dying {
				ended++
			}
		}}
		first := must.Get(settlement.NewService(both, permissions, both))(t)
		for range 12 {
			_ = one(first) // a decision may be refused
		}
		told := newTable()
		told.due = w.due
		again := must.Get(settlement.NewService(store, permissions, told))(t)
		for _, body := range []flussi.OrganizationCode{school, town} {
			require.NoError(t, plain.UpdateDue(t.Context(), clerk, body))
			require.NoError(t, again.Review(t.Context(), clerk, body, w.references...))
		}
		require.Equal(t, told.lines(), due.lines(), "seed %d", seed)
	}
	assert.Greater(t, ended, 100)
}

// decideOne decides about a payment or a movement, or takes the decision back.
func decideOne(t *testing.T, random *rand.Rand, s *settlement.Service, w *world) error {
	const why = "come da mail"
	ctx := t.Context()
	var err error
	if random.IntN(3) == 0 {
		found := must.Get(s.Movements(ctx, clerk, settlement.MovementFilter{}, settlement.Page{}))(t).Movements
		settlements := must.Get(s.Settlements(ctx, clerk, settlement.SettlementFilter{}, settlement.Page{}))(t).Settlements
		if len(found) == 0 || len(settlements) == 0 {
			return nil
		}
		switch m := found[random.IntN(len(found))]; {
		case len(m.Decisions) > 0:
			_, err = s.ReleaseMovement(ctx, clerk, m.ID, why)
		default:
			to := settlements[random.IntN(len(settlements))].ID
			_, err = s.MatchMovement(ctx, clerk, m.ID, []settlement.ManualMatch{{Settlement: to}}, why)
		}
		return err
	}
	found := must.Get(s.Payments(ctx, clerk, settlement.PaymentFilter{}, settlement.Page{}))(t).Payments
	if len(found) == 0 {
		return nil
	}
	switch p := found[random.IntN(len(found))]; {
	case !p.Decision.IsZero():
		_, err = s.ReleasePayment(ctx, clerk, p.ID, why)
	case random.IntN(2) == 0:
		_, err = s.SetPaymentAside(ctx, clerk, p.ID, why)
	default:
		_, err = s.MatchPayment(ctx, clerk, p.ID, w.references[random.IntN(len(w.references))], why)
	}
	return err
}

// Many payments of one reference are on many pages of a settlement.
func TestReferenceOfManyPaymentsIsToldOnce(t *testing.T) {
	o, calls := newOffice(t), 0
	r := o.iuv(1, 5000)
	o.due.fail = func() error { calls++; return nil }
	var rows []paymentfile.Payment
	for i := range 1500 {
		rows = append(rows, row(r, strconv.Itoa(i), 5000))
	}
	o.settle(flowID, rows...)
	assert.Len(t, o.told(r), 1500)
	assert.Equal(t, 1, calls)
}

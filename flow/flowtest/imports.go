package flowtest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var importRules = []rule{
	{"an import stores its flow, its rows, their records and its key together", importsAreStored},
	{"the rows of an import are pulled once, and then its key is asked for once", importKeysComeLast},
	{"an import that was stored before is returned, and nothing is stored", importsAreStoredOnce},
	{"while a flow is disabled before it is sent, its import does not count", disabledFlowsDoNotCount},
	{"a flow that is disabled later keeps the key of its import", laterFlowsKeepTheKey},
	{"an import into a flow that is there makes its next version", importsChangeFlows},
	{"of imports with one key at once, one is stored, and the others find it", importsHaveOneWinner},
}

// newKey returns a key that no import has yet.
func (p *probe) newKey() flow.ImportKey { return flow.ImportKey(p.ID()) }

// importOf returns an import of rows that are no duplicates.
func (p *probe) importOf(key flow.ImportKey, f flow.Flow, rows ...flow.Notification) flow.ImportRequest {
	return flow.ImportRequest{
		Flow: flowChange(f), Rows: rowSequence(rows...), Key: func() flow.ImportKey { return key },
		OnDuplicate: func(row flow.NotificationChange, earlier flow.Notification) (flow.NotificationChange, bool) {
			p.Note("OnDuplicate was called for a row whose message no other one has: the earlier one is %s", named(earlier.ID, rows))
			return row, true
		},
	}
}

// rowSequence yields notifications, and is never nil.
func rowSequence(rows ...flow.Notification) iter.Seq2[flow.NotificationChange, error] {
	return func(yield func(flow.NotificationChange, error) bool) {
		for _, n := range rows {
			if !yield(notificationChange(n), nil) {
				return
			}
		}
	}
}

// imports stores an import that must be new, and checks the result.
func (p *probe) imports(what string, i flow.ImportRequest) flow.ImportResult {
	key := i.Key()
	done, before, err := p.store.SaveImport(p.Ctx, i)
	p.Must(err, "SaveImport "+what)
	if before {
		p.Fail("SaveImport %s: it was never made, and is said to be there before", what)
	}
	want := flow.ImportResult{Key: key, Flow: i.Flow.Flow.ID, At: i.Flow.Record.At}
	p.Equal("SaveImport "+what, done, want)
	p.isImported(what, want)
	return want
}

// isImported checks that an import is found by its key.
func (p *probe) isImported(what string, want flow.ImportResult) {
	got, err := p.store.ImportResult(p.Ctx, want.Key)
	p.Must(err, "ImportResult, "+what)
	p.Equal("ImportResult, "+what, got, want)
}

// isNotImported checks that there is no import with a key that counts.
func (p *probe) isNotImported(what string, key flow.ImportKey) {
	_, err := p.store.ImportResult(p.Ctx, key)
	p.Wants(flussi.ErrNotFound, err, "ImportResult, "+what)
}

// wasImported checks that an import finds an earlier one, and stores nothing.
func (p *probe) wasImported(what string, i flow.ImportRequest, want flow.ImportResult) {
	i.OnDuplicate = acceptDuplicates
	before := p.Snapshot()
	got, found, err := p.store.SaveImport(p.Ctx, i)
	p.Must(err, "SaveImport "+what)
	if !found {
		p.Fail("SaveImport %s: it is not said to be there before", what)
	}
	p.Equal("SaveImport "+what, got, want)
	p.Unchanged(before, "SaveImport "+what)
	p.isImported(what, want)
}

// acceptDuplicates stores every row.
func acceptDuplicates(row flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) {
	return row, true
}

func importsAreStored(p *probe) {
	p.isNotImported("before anything was imported", p.newKey())
	f := p.fullFlow()
	rows := []flow.Notification{p.fullNotification(f.ID), p.newNotification(f.ID), p.newNotification(f.ID)}
	rows[0].State, rows[0].Transmission.ErrorCode = flow.NotificationRegistered, ""
	rows[1].Disabled, rows[2].Service = true, "scuola"
	changes := notificationChanges(rows...)
	for i := range changes {
		p.Fill(&changes[i].Record, false)
	}
	i := p.importOf(p.newKey(), f)
	p.Fill(&i.Flow.Record, false)
	i.Flow.Record.At = i.Flow.Record.At.In(time.FixedZone("CEST", 2*60*60))
	i.Rows = func(yield func(flow.NotificationChange, error) bool) {
		for _, change := range changes {
			if !yield(change, nil) {
				return
			}
		}
	}
	p.imports("of 3 rows", i)
	f.Version, f.Counts = 1, flow.Counts{Registered: 1, Disabled: 2}
	p.flows.IsRead("stored by SaveImport", f)
	p.hasFlowRecords(f.ID, i.Flow.Record)
	for at, n := range rows {
		n.Version++
		p.notifications.IsRead("stored by SaveImport", n)
		p.hasNotificationRecords(n.ID, changes[at].Record)
	}
	p.isNotImported("with a key that no import had", p.newKey())
	p.imports("without rows", p.importOf(p.newKey(), p.newFlow()))
	g := p.newFlow()
	p.imports("of another flow, with other rows", p.importOf(p.newKey(), g, p.newNotification(g.ID)))
}

func importKeysComeLast(p *probe) {
	for _, count := range []int{0, 1, 300} {
		f := p.newFlow()
		begun, ended, asked := 0, 0, 0
		i := p.importOf(p.newKey(), f)
		key := i.Key()
		i.Rows = func(yield func(flow.NotificationChange, error) bool) {
			begun++
			for range count {
				if !yield(notificationChange(p.newNotification(f.ID)), nil) {
					return
				}
			}
			ended++
		}
		i.Key = func() flow.ImportKey {
			if asked++; ended != 1 {
				p.Note("the key of an import of %d rows was asked for before they were pulled to their end", count)
			}
			return key
		}
		_, _, err := p.store.SaveImport(p.Ctx, i)
		p.Must(err, "SaveImport")
		if begun != 1 || ended != 1 || asked != 1 {
			p.Fail("the rows of an import of %d were begun %d times and pulled to their end %d times, and its key was asked for %d times, not once each",
				count, begun, ended, asked)
		}
		p.Equal("the counts after an import", p.flows.One(f.ID).Counts, flow.Counts{Registered: count})
	}
}

func importsAreStoredOnce(p *probe) {
	f := p.newFlow()
	key := p.newKey()
	rows := p.newNotifications(f.ID, 3)
	done := p.imports("of 3 rows", p.importOf(key, f, rows...))
	f.Version++

	again := p.newFlow()
	same := make([]flow.Notification, len(rows))
	for i := range rows {
		same[i] = p.twin(rows[i], again.ID)
	}
	p.wasImported("of the same rows into a new flow", p.importOf(key, again, same...), done)
	p.wasImported("of the same rows into the same flow", p.importOf(key, f, p.twin(rows[0], f.ID)), done)
	p.wasImported("of other rows with the same key", p.importOf(key, p.newFlow(), p.newNotification(again.ID)), done)
	p.wasImported("without rows, with the same key", p.importOf(key, p.newFlow()), done)

	g := p.newFlow()
	other := p.imports("of other rows with another key", p.importOf(p.newKey(), g, p.newNotification(g.ID)))
	p.isImported("after another import", done)
	second := p.importOf(p.newKey(), f, p.newNotification(f.ID))
	second.Flow.Record.At = p.Now()
	also := p.imports("of other rows into the same flow", second)
	p.isImported("after another import into the same flow", done)
	p.isImported("the second import into one flow", also)
	p.isImported("another import", other)
}

func disabledFlowsDoNotCount(p *probe) {
	for _, state := range []flow.FlowState{flow.FlowInactive, flow.FlowActive} {
		f := p.newFlow()
		key, also := p.newKey(), p.newKey()
		first := p.imports("of a flow", p.importOf(key, f, p.newNotification(f.ID)))
		f.Version++
		p.imports("of more rows into the flow", p.importOf(also, f, p.newNotification(f.ID)))
		f.Version++
		f.State = state
		f = p.saveFlow(f)
		f.Disabled = true
		stale := f
		stale.Version--
		p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(stale), nil), "SaveFlow of an old version")
		p.isImported("of a flow that was to be disabled, by a change that was refused", first)
		f = p.saveFlow(f)
		what := fmt.Sprintf("an import of a flow that was disabled while it was %q", state)
		p.isNotImported(what, key)
		p.isNotImported(what, also)
		f.Disabled = false
		f = p.saveFlow(f)
		p.isImported(what+", and enabled again", first)
		f.Disabled = true
		f = p.saveFlow(f)
		g := p.newFlow()
		next := p.imports("with the key of "+what, p.importOf(key, g, p.newNotification(g.ID)))
		f.Disabled = false
		f = p.saveFlow(f)
		p.isImported("after another flow that had the key is enabled again", next)
		f.Disabled = true
		p.saveFlow(f)
		p.isImported("after another flow that had the key is disabled again", next)
		p.isNotImported(what, also)
		p.wasImported("with a key that another flow lost before", p.importOf(key, p.newFlow()), next)
	}
}

func laterFlowsKeepTheKey(p *probe) {
	for _, state := range []flow.FlowState{
		flow.FlowInactive, flow.FlowActive, flow.FlowSending, flow.FlowSent, flow.FlowIncomplete, "archiviato",
	} {
		f := p.newFlow()
		key := p.newKey()
		done := p.imports("of a flow", p.importOf(key, f, p.newNotification(f.ID)))
		f.Version++
		f.State = state
		f = p.saveFlow(f)
		p.isImported(fmt.Sprintf("of a flow that is %q now", state), done)
		if state != flow.FlowInactive && state != flow.FlowActive {
			f.Disabled = true
			f = p.saveFlow(f)
			p.isImported(fmt.Sprintf("of a flow that was disabled while it was %q", state), done)
		}
		p.wasImported(fmt.Sprintf("of a flow that is %q now, disabled: %t", state, f.Disabled), p.importOf(key, p.newFlow()), done)
	}
}

func importsChangeFlows(p *probe) {
	f := p.newFlow()
	created := flowChange(f).Record
	f = p.saveFlow(f, p.newNotification(f.ID))
	f.AppKey, f.UpdatedAt = "2026/1", p.Now()
	i := p.importOf(p.newKey(), f, p.newNotifications(f.ID, 2)...)
	i.Flow.Record.Action = flow.FlowImport
	done := p.imports("into a flow that is there", i)
	stale := f
	f.Version, f.Counts = 2, flow.Counts{Registered: 3}
	p.flows.IsRead("after an import into it", f)
	p.hasFlowRecords(f.ID, created, i.Flow.Record)

	key := p.newKey()
	before := p.Snapshot()
	_, _, err := p.store.SaveImport(p.Ctx, p.importOf(key, stale, p.newNotification(f.ID)))
	p.Wants(flussi.ErrConflict, err, "SaveImport into a flow that has changed since")
	p.Unchanged(before, "SaveImport into a flow that has changed since")
	p.isNotImported("after a conflict", key)
	_, _, err = p.store.SaveImport(p.Ctx, p.importOf(done.Key, stale))
	p.Wants(flussi.ErrConflict, err, "SaveImport of what was imported before, into a flow that has changed since")
	p.isImported("after a conflict", done)
}

// importsHaveOneWinner makes many concurrent imports with one key: each into its own flow; each into
// its own flow, while a disabled flow has the key; all into one flow. The latter may end in conflicts
// over the flow.
func importsHaveOneWinner(p *probe) {
	for round := range 9 {
		toOne := round%3 == 2
		shared := p.saveFlow(p.newFlow())
		into := func() flow.Flow { return p.newFlow() }
		if toOne {
			into = func() flow.Flow { return shared }
		}
		key, rows := p.newKey(), p.newNotifications(uuid.Nil, 3)
		if round%3 == 1 {
			f := p.newFlow()
			p.imports("of a flow that is disabled then", p.importOf(key, f, p.newNotification(f.ID)))
			f.Version, f.Disabled = 1, true
			p.saveFlow(f)
		}
		imports := make([]flow.ImportRequest, storetest.Crowd)
		for i := range imports {
			f := into()
			var own []flow.Notification
			for _, n := range rows {
				own = append(own, p.twin(n, f.ID))
			}
			imports[i] = p.importOf(key, f, own...)
			imports[i].OnDuplicate = acceptDuplicates
		}
		done, before := make([]flow.ImportResult, len(imports)), make([]bool, len(imports))
		errs := p.Together(func(i int) (err error) {
			done[i], before[i], err = p.store.SaveImport(p.Ctx, imports[i])
			return err
		})
		stored, err := p.store.ImportResult(p.Ctx, key)
		p.Must(err, "ImportResult after many imports with its key at once")
		first := 0
		for i, err := range errs {
			switch {
			case err != nil && toOne && errors.Is(err, flussi.ErrConflict):
			case err != nil:
				p.Fail("SaveImport, one of %d with one key at once: %w", len(imports), err)
			case done[i].Flow != stored.Flow || done[i].Key != key:
				p.Fail("SaveImport, one of %d with one key at once: want the flow %v, got %v", len(imports), stored.Flow, done[i].Flow)
			case !before[i]:
				first++
			}
		}
		if first != 1 {
			p.Fail("of %d imports with one key at once, %d are said to be the first, not 1", len(imports), first)
		}
		all := p.notifications.Page(flow.NotificationFilter{Digests: []flow.Digest{rows[0].Digest()}}, flow.Page{Limit: storetest.Everything})
		if len(all) != 1 || all[0].FlowID != stored.Flow {
			p.Fail("of %d imports with one key at once, %d stored their rows, not 1", len(imports), len(all))
		}
		flows := slices.DeleteFunc(p.flows.Page(flow.FlowFilter{}, flow.Page{Limit: storetest.Everything}), func(f flow.Flow) bool {
			return !slices.ContainsFunc(imports, func(i flow.ImportRequest) bool { return i.Flow.Flow.ID == f.ID })
		})
		if len(flows) != 1 {
			p.Fail("of %d imports with one key at once, %d stored their flows, not 1", len(imports), len(flows))
		}
	}
}

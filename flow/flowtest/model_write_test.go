package flowtest_test

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// write holds the changes of one transaction.
type write struct {
	flow    *flow.FlowChange
	changes []flow.NotificationChange
	blindly bool // without a check of what may have arrived
	imports bool
}

// check returns an error unless a write may be stored.
func (m *model) check(w write) error {
	if w.flow != nil && w.flow.Flow.Version != currentFlow(m.Store, w.flow.Flow.ID) {
		return flussi.ErrConflict
	}
	old := map[uuid.UUID]flow.Notification{}
	for _, c := range w.changes {
		n := c.Notification
		stored, _ := m.Store.Notification(context.Background(), n.ID)
		if _, twice := old[n.ID]; twice || stored.Version != n.Version {
			return flussi.ErrConflict
		}
		old[n.ID] = stored
	}
	if err := m.checkServices(w); err != nil {
		return err
	}
	if w.blindly {
		return nil
	}
	for i, c := range w.changes {
		n := c.Notification
		if !m.begins(old[n.ID], n) || m.mayRepeat(n) {
			continue
		}
		if earlier, found := m.earlier(n, w.changes, i, old); found {
			return m.refusal(n, earlier)
		}
	}
	return nil
}

// earlier returns one that may have brought the message of number i of a write.
func (m *model) earlier(n flow.Notification, changes []flow.NotificationChange, i int, old map[uuid.UUID]flow.Notification) (flow.Notification, bool) {
	var all []flow.Notification
	for _, one := range m.find(n) {
		if _, changes := old[one.ID]; !changes || m.looksBefore {
			all = append(all, one)
		}
	}
	for at, c := range changes {
		begins := m.begins(old[c.Notification.ID], c.Notification)
		if at != i && !m.looksBefore && (!begins || at < i && !m.ignoresOwn) {
			all = append(all, c.Notification)
		}
	}
	return m.first(n, all)
}

// first returns the first of some that may have brought the message of a notification.
func (m *model) first(n flow.Notification, all []flow.Notification) (flow.Notification, bool) {
	for _, earlier := range all {
		if m.same(earlier, n) && m.arrived(earlier) {
			return earlier, true
		}
	}
	return flow.Notification{}, false
}

// checkServices refuses first uses of names that look like others.
func (m *model) checkServices(w write) error {
	var names []string
	if w.flow != nil && w.flow.Flow.Version == 0 && !m.checksNoFlow {
		names = append(names, w.flow.Flow.Service)
	}
	for _, c := range w.changes {
		if c.Notification.Version == 0 && !m.checksNoNotification {
			names = append(names, c.Notification.Service)
		}
	}
	if w.imports && m.checksNoImport {
		names = nil
	}
	m.maps.Lock()
	defer m.maps.Unlock()
	fresh := map[string]string{}
	for _, name := range names {
		look := m.look(name)
		if existing, there := m.names[look]; there && existing != name {
			return m.similar(name, existing)
		}
		if existing, there := fresh[look]; there && existing != name && !m.noPairs {
			return m.similar(name, existing)
		}
		fresh[look] = name
	}
	if m.namesAnyway {
		for look, name := range fresh {
			m.names[look] = name
		}
	}
	return nil
}

// stored updates the model's maps after a write.
func (m *model) stored(w write) {
	m.maps.Lock()
	defer m.maps.Unlock()
	if w.flow != nil {
		m.names[m.look(w.flow.Flow.Service)] = w.flow.Flow.Service
		if m.losesForGood && m.loses(w.flow.Flow) {
			for key, done := range m.imports {
				if done.Flow == w.flow.Flow.ID {
					delete(m.imports, key)
				}
			}
		}
	}
	for _, c := range w.changes {
		m.names[m.look(c.Notification.Service)] = c.Notification.Service
		m.repeats[c.Notification.ID] = c.Notification.AllowDuplicate
	}
}

// store stores a write that was checked, or parts of one that is refused.
func (m *model) store(ctx context.Context, w write) error {
	refused := m.check(w)
	if refused != nil && m.storesFlowFirst && w.flow != nil {
		_ = m.Store.SaveFlow(ctx, encodeFlow(*w.flow), nil)
	}
	if refused != nil && m.storesPart && len(w.changes) > 0 {
		_ = m.Store.SaveNotifications(ctx, encode(w.changes[0]))
	}
	if refused != nil {
		return refused
	}
	if m.unlocked {
		m.pause()
	}
	var changes []flow.NotificationChange
	for _, c := range w.changes {
		changes = append(changes, encode(c))
	}
	var err error
	if w.flow == nil {
		err = m.Store.SaveNotifications(ctx, changes...)
	} else {
		err = m.Store.SaveFlow(ctx, encodeFlow(*w.flow), func(yield func(flow.NotificationChange, error) bool) {
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
			}
		})
	}
	if err == nil {
		m.stored(w)
	}
	return err
}

func (m *model) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	m.lock()
	defer m.unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.store(ctx, write{changes: changes, blindly: m.savesBlindly})
}

func (m *model) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	m.lock()
	defer m.unlock()
	changes, err := m.pull(ctx, change, notifications)
	if err != nil {
		return err
	}
	return m.store(ctx, write{flow: &change, changes: changes, blindly: m.savesFlowsBlindly})
}

// pull collects the notifications of a flow's change.
func (m *model) pull(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) ([]flow.NotificationChange, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.check(write{flow: &change}); err != nil {
		return nil, err
	}
	var changes []flow.NotificationChange
	if notifications == nil {
		return nil, nil
	}
	for c, err := range notifications {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func (m *model) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	if !m.claimsUnlocked {
		m.lock()
		defer m.unlock()
	}
	return m.claim(ctx, claim)
}

func (m *model) Self() flow.Store { return m }

func (m *model) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	m.lock()
	defer m.unlock()
	if _, err := m.Flow(ctx, claim.Flow); err != nil {
		return flow.Flow{}, nil, err
	}
	if err := m.store(ctx, write{changes: changes}); err != nil {
		return flow.Flow{}, nil, err
	}
	return m.claim(ctx, claim)
}

func (m *model) claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	f, err := m.Flow(ctx, claim.Flow)
	if err != nil || !mayClaim(f) || claim.Limit <= 0 {
		return f, nil, err
	}
	filter := registered
	filter.Flow = f.ID
	found, err := m.Store.Notifications(ctx, filter, flow.Page{Limit: claim.Limit, OldestFirst: true})
	if err != nil || len(found) == 0 {
		return f, nil, err
	}
	var changes []flow.NotificationChange
	taken := map[uuid.UUID]flow.Notification{}
	for _, n := range m.decodeAll(found) {
		all := m.find(n)
		for i := range all {
			if now, took := taken[all[i].ID]; took && !m.claimsAtOnce {
				all[i] = now
			}
		}
		earlier, blocked := m.first(n, all)
		if blocked && !m.mayRepeat(n) && !m.claimsBlindly {
			changes = append(changes, m.skip(n, earlier, claim))
			continue
		}
		record := flow.NotificationRecord{At: claim.At, By: claim.By, Action: flow.NotificationClaim, From: n.State, To: flow.NotificationSending}
		n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, claim.At, claim.By
		taken[n.ID] = n
		changes = append(changes, flow.NotificationChange{Notification: n, Record: record, Lease: claim.Lease})
	}
	m.pause()
	return m.storeClaim(ctx, f, changes)
}

// storeClaim stores claimed notifications, and returns them.
func (m *model) storeClaim(ctx context.Context, f flow.Flow, changes []flow.NotificationChange) (flow.Flow, []flow.Notification, error) {
	encoded := make([]flow.NotificationChange, len(changes))
	for i, c := range changes {
		encoded[i] = encode(c)
	}
	if err := m.Store.SaveNotifications(ctx, encoded...); err != nil {
		return flow.Flow{}, nil, err
	}
	m.stored(write{changes: changes})
	claimed := make([]flow.Notification, len(changes))
	for i, c := range changes {
		n, err := m.Store.Notification(ctx, c.Notification.ID)
		if err != nil {
			return flow.Flow{}, nil, err
		}
		claimed[i] = m.decode(n)
	}
	after, err := m.Flow(ctx, f.ID)
	return m.count(f, after), m.give(claimed), err
}

func (m *model) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	m.lock()
	defer m.unlock()
	if m.ignoresVersion {
		i.Flow.Flow.Version = currentFlow(m.Store, i.Flow.Flow.ID)
	}
	var key flow.ImportKey
	if m.keyFirst {
		key = i.Key()
	}
	rows, err := m.pull(ctx, i.Flow, i.Rows)
	if !m.keyFirst && (err == nil || m.keyAnyway) {
		key = i.Key()
	}
	done := flow.ImportResult{Key: key, Flow: i.Flow.Flow.ID, At: i.Flow.Record.At.UTC().Truncate(time.Microsecond)}
	if m.keyBeforeStoring {
		defer m.setKey(done)
	}
	if err != nil {
		return flow.ImportResult{}, false, err
	}
	if before, err := m.ImportResult(ctx, key); err == nil {
		if m.foundStoresFlow {
			_ = m.Store.SaveFlow(ctx, encodeFlow(i.Flow), nil)
		}
		if m.foundIsError {
			return flow.ImportResult{}, false, flussi.ErrExists
		}
		return before, true, nil
	}
	rows = m.duplicates(rows, func(row flow.NotificationChange) (flow.NotificationChange, bool) {
		if earlier, found := m.earlierOf(row.Notification, rows); found {
			told, store := i.OnDuplicate(row, earlier)
			return m.told(row, told, store)
		}
		return row, true
	})
	if m.leavesRowsOut && len(rows) > 1000 {
		rows = rows[:1000]
	}
	if err := m.store(ctx, write{flow: &i.Flow, changes: rows, imports: true}); err != nil {
		return flow.ImportResult{}, false, err
	}
	if !m.noKey {
		m.setKey(done)
	}
	return m.done(done), false, nil
}

func (m *model) setKey(done flow.ImportResult) {
	m.maps.Lock()
	defer m.maps.Unlock()
	m.imports[done.Key] = done
}

// forget deletes some imports.
func (m *model) forget(which func(flow.ImportResult) bool) {
	m.maps.Lock()
	defer m.maps.Unlock()
	maps.DeleteFunc(m.imports, func(_ flow.ImportKey, done flow.ImportResult) bool { return which(done) })
}

// earlierOf returns the earlier notification whose message a row has.
func (m *model) earlierOf(row flow.Notification, rows []flow.NotificationChange) (flow.Notification, bool) {
	var all []flow.Notification
	for _, n := range m.find(row) {
		f, _ := m.Store.Flow(context.Background(), n.FlowID)
		if m.same(n, row) && m.repeated(n, f.Disabled) {
			all = append(all, n)
		}
	}
	for _, other := range rows {
		if m.own(other.Notification) && m.same(other.Notification, row) {
			all = append(all, other.Notification)
		}
	}
	if len(all) == 0 {
		return flow.Notification{}, false
	}
	return m.earliest(all), true
}

func (m *model) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	if err := ctx.Err(); err != nil {
		return flow.ImportResult{}, err
	}
	m.maps.Lock()
	done, there := m.imports[key]
	m.maps.Unlock()
	if !there {
		return flow.ImportResult{}, flussi.ErrNotFound
	}
	if f, err := m.Flow(ctx, done.Flow); err != nil || !m.losesForGood && m.loses(f) {
		return flow.ImportResult{}, flussi.ErrNotFound
	}
	return done, nil
}

package flowtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var duplicateRules = []rule{
	{"a row of an import is a duplicate if its message may have arrived, or waits to be sent", duplicatesAreFound},
	{"a row of an import is no duplicate of one that is not to be sent and did not arrive", othersAreNoDuplicates},
	{"the earlier one of a duplicate is stored already, whatever its CreatedAt", duplicatesAreStoredAlready},
	{"the earlier one of a duplicate may have arrived, if one of several has, and is the oldest", func(p *probe) {
		p.namesTheOldest(false)
	}},
	{"the oldest of several earlier ones goes by Notification.Cursor: of one time, by ID", func(p *probe) {
		p.namesTheOldest(true)
	}},
	{"of a duplicate, an import stores what OnDuplicate returns", duplicatesAreStoredAsReturned},
	{"the duplicates of a long import are found in the order of its rows", longImportsFindDuplicates},
}

// duplicate is a row of an import, and the earlier notification that it repeats.
type duplicate struct {
	why     string
	row     flow.Notification
	earlier flow.Notification
}

// findsDuplicates imports rows and checks for which of them OnDuplicate is called, in which order.
func (p *probe) findsDuplicates(what string, f flow.Flow, rows []flow.Notification, want []duplicate) {
	var found []duplicate
	i := p.importOf(p.newKey(), f, rows...)
	i.OnDuplicate = func(row flow.NotificationChange, earlier flow.Notification) (flow.NotificationChange, bool) {
		found = append(found, duplicate{row: row.Notification, earlier: earlier})
		return row, true
	}
	p.imports(what, i)
	for at := range max(len(found), len(want)) {
		switch {
		case at >= len(found):
			p.Fail("SaveImport %s: OnDuplicate was not called for one %s", what, want[at].why)
		case at >= len(want):
			p.Fail("SaveImport %s: OnDuplicate was called once too often: for row %v because of %s", what, found[at].row.ID, named(found[at].earlier.ID, rows))
		case found[at].row.ID != want[at].row.ID:
			p.Fail("SaveImport %s: OnDuplicate was called for row %v because of %s when its turn had one %s, %v",
				what, found[at].row.ID, named(found[at].earlier.ID, rows), want[at].why, want[at].row.ID)
			return
		default:
			p.Equal("the row that OnDuplicate was called with, "+want[at].why, found[at].row, want[at].row)
			p.Equal("the earlier one that OnDuplicate was called with, "+want[at].why, found[at].earlier, want[at].earlier)
		}
	}
	for _, n := range rows {
		n.Version = 1
		p.notifications.IsRead("stored as a row, duplicate or not", n)
	}
}

// named names an earlier notification in a message about an import.
func named(earlier uuid.UUID, rows []flow.Notification) string {
	if slices.Contains(ids(rows), earlier) {
		return earlier.String() + ", which is a row of the same import"
	}
	return earlier.String()
}

func duplicatesAreFound(p *probe) {
	f := p.saveFlow(p.newFlow())
	active, over, off := p.newFlow(), p.newFlow(), p.newFlow()
	active.State, over.State, off.Disabled = flow.FlowActive, flow.FlowIncomplete, true
	p.saveFlow(active)
	p.saveFlow(over)
	p.saveFlow(off)
	var earlier []duplicate
	for _, a := range p.arrivals() {
		for _, place := range []place{{"no flow", uuid.Nil}, {"another flow", over.ID}, {"a disabled flow", off.ID}, {"the same flow", f.ID}} {
			n := p.newNotification(place.of)
			n.Reference, n.Transmission.MessageID, n.Transmission.Attempts = p.Word(), "01J8", 3
			a.set(&n)
			earlier = append(earlier, duplicate{why: fmt.Sprintf("whose message one of %s has, which is %s", place.name, a.why), earlier: n})
		}
	}
	for _, place := range []place{{"no flow", uuid.Nil}, {"another flow", active.ID}, {"a flow that was sent", over.ID}, {"the same flow", f.ID}} {
		earlier = append(earlier, duplicate{why: "whose message one of " + place.name + " has, which waits to be sent", earlier: p.newNotification(place.of)})
	}
	p.Random.Shuffle(len(earlier), func(i, j int) { earlier[i], earlier[j] = earlier[j], earlier[i] })
	var rows []flow.Notification
	for i, d := range earlier {
		earlier[i].earlier = p.save(d.earlier)
		earlier[i].row = p.twin(d.earlier, f.ID)
		rows = append(rows, p.newNotification(f.ID), earlier[i].row)
	}
	// It may be repeated when it is sent, but it is a duplicate now.
	n := p.newNotification(uuid.Nil)
	n.State, n.AllowDuplicate = flow.NotificationSent, true
	last := duplicate{why: "that may be repeated", row: p.twin(n, f.ID), earlier: p.save(n)}
	last.row.AllowDuplicate = true
	p.findsDuplicates("into a flow", f, append(rows, last.row), append(earlier, last))
}

func othersAreNoDuplicates(p *probe) {
	f := p.newFlow()
	off := p.newFlow()
	off.Disabled = true
	off = p.saveFlow(off)
	other := p.saveFlow(p.newFlow())
	var rows []flow.Notification
	for _, h := range p.harmless()[1:] {
		for _, of := range []uuid.UUID{other.ID, uuid.Nil} {
			n := p.newNotification(f.ID)
			earlier := p.twin(n, of)
			h.set(&earlier)
			p.saveAll(earlier)
			rows = append(rows, n)
		}
	}
	inOff := p.newNotification(off.ID)
	p.saveAll(inOff)
	rows = append(rows, p.twin(inOff, f.ID))
	// Rows of the import itself are not earlier notifications, whatever their states.
	rows = append(rows, p.twin(rows[0], f.ID), p.twin(rows[1], f.ID))
	for _, a := range p.arrivals() {
		n := p.newNotification(f.ID)
		a.set(&n)
		rows = append(rows, p.twin(n, f.ID), n, p.twin(n, f.ID))
	}
	p.findsDuplicates("of rows without duplicates", f, rows, nil)

	// The flow is enabled again, and then the message waits to be sent; nothing of the import above
	// does, once its flow is disabled.
	f.Version, f.Disabled, off.Disabled = 1, true, false
	p.saveFlow(f)
	p.saveFlow(off)
	inOff.Version = 1
	g := p.newFlow()
	row, free := p.twin(inOff, g.ID), p.twin(rows[0], g.ID)
	p.findsDuplicates("after a flow was enabled again", g, []flow.Notification{free, row}, []duplicate{{"whose message one of the flow has", row, inOff}})
}

func duplicatesAreStoredAlready(p *probe) {
	f := p.newFlow()
	var rows []flow.Notification
	var want []duplicate
	for _, age := range []time.Duration{-time.Hour, 0, time.Hour} {
		row := p.newNotification(f.ID)
		earlier := p.twin(row, uuid.Nil)
		earlier.CreatedAt = row.CreatedAt.Add(age)
		rows = append(rows, row)
		want = append(want, duplicate{fmt.Sprintf("whose message one has that was created %v after the row", age), row, p.save(earlier)})
	}
	p.findsDuplicates("of rows whose messages are stored already", f, rows, want)
}

// namesTheOldest lets rows repeat several notifications, which are of one time or not.
func (p *probe) namesTheOldest(sameTime bool) {
	f := p.newFlow()
	off := p.newFlow()
	off.Disabled = true
	off = p.saveFlow(off)
	registered := func(*flow.Notification) {}
	disabled := func(n *flow.Notification) { n.Disabled = true }
	setAside := func(n *flow.Notification) { n.FlowID = off.ID }
	refused := func(n *flow.Notification) {
		n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeRefused
	}
	unknown := func(n *flow.Notification) {
		n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeOutcomeUnknown
	}
	sent := func(n *flow.Notification) { n.State = flow.NotificationSent }
	var rows []flow.Notification
	var want []duplicate
	for _, c := range []struct {
		why  string
		all  []func(*flow.Notification) // the oldest first
		want int
	}{
		{"of two that are Inviato", []func(*flow.Notification){sent, sent}, 0},
		{"of two that wait to be sent", []func(*flow.Notification){registered, registered}, 0},
		{"of one that waits to be sent, and one that is Inviato", []func(*flow.Notification){registered, sent}, 1},
		{"of one that is Inviato, and one that waits to be sent", []func(*flow.Notification){sent, registered}, 0},
		{"of one that waits to be sent, one whose outcome is unknown, and one that is Inviato", []func(*flow.Notification){registered, unknown, sent, registered}, 1},
		{"of one that is disabled, and one that waits to be sent", []func(*flow.Notification){disabled, registered}, 1},
		{"of one in a disabled flow, and one that waits to be sent", []func(*flow.Notification){setAside, registered, registered}, 1},
		{"of one that was refused, one that waits to be sent, and one that is Inviato", []func(*flow.Notification){refused, registered, disabled, sent, sent}, 3},
	} {
		model := p.newNotification(uuid.Nil)
		all := make([]flow.Notification, len(c.all))
		for i := range all {
			all[i] = p.twin(model, uuid.Nil)
			if sameTime {
				all[i].CreatedAt = model.CreatedAt
			}
		}
		all = inOrder(all)
		for i, set := range c.all {
			set(&all[i])
		}
		earlier := all[c.want]
		earlier.Version = 1
		p.Random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, n := range all {
			p.saveAll(n)
		}
		row := p.twin(model, f.ID)
		rows = append(rows, row)
		want = append(want, duplicate{fmt.Sprintf("%s, of one time: %t", c.why, sameTime), row, earlier})
	}
	p.findsDuplicates("of rows that each repeat several", f, rows, want)
}

func duplicatesAreStoredAsReturned(p *probe) {
	f := p.newFlow()
	earlier := p.newNotifications(uuid.Nil, 6)
	for i := range earlier {
		earlier[i].State = flow.NotificationSent
	}
	p.saveAll(earlier...)
	var rows []flow.Notification
	for _, n := range earlier {
		rows = append(rows, p.twin(n, f.ID), p.newNotification(f.ID))
	}
	told := map[uuid.UUID]flow.NotificationChange{}
	i := p.importOf(p.newKey(), f, rows...)
	i.OnDuplicate = func(row flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) {
		nth := len(told)
		n := &row.Notification
		switch nth {
		case 0: // as it is
		case 1:
			n.Disabled = true
		case 2:
			n.Content, n.Reference, n.AllowDuplicate = flussi.NewText("un'altra rata"), "2026/1", true
		case 3:
			n.State, n.Transmission.ErrorCode, n.Transmission.Error = flow.NotificationFailed, flow.CodeAlreadySent, "Già inviata."
		case 5: // changed, but not to be stored
			n.Disabled = true
		}
		row.Record.Reason = flussi.NewText(fmt.Sprintf("Doppione %d", nth+1))
		told[n.ID] = row
		return row, nth < 4
	}
	p.imports("with 6 duplicates, of which 4 are to be stored", i)
	f.Version, f.Counts = 1, flow.Counts{Registered: 8, Disabled: 1, Failed: 1}
	p.flows.IsRead("imported with 6 duplicates, of which 4 are to be stored", f)
	for at, n := range rows {
		change := notificationChange(n)
		if at%2 == 0 {
			change = told[n.ID]
		}
		if at == 8 || at == 10 {
			_, err := p.store.Notification(p.Ctx, n.ID)
			p.Wants(flussi.ErrNotFound, err, "Notification of a duplicate that is not to be stored")
			p.hasNotificationRecords(n.ID)
			continue
		}
		n = change.Notification
		n.Version = 1
		p.notifications.IsRead("of an import with duplicates", n)
		p.hasNotificationRecords(n.ID, change.Record)
	}
	changed := told[rows[4].ID].Notification
	got := p.notifications.Page(flow.NotificationFilter{Digests: []flow.Digest{changed.Digest()}}, flow.Page{Limit: 3})
	if err := differ(got, []uuid.UUID{changed.ID}); err != nil {
		p.Fail("Notifications by the text that OnDuplicate gave a row: %w", err)
	}

	// If no row is to be stored, the import is stored all the same.
	g := p.newFlow()
	i = p.importOf(p.newKey(), g, p.twin(earlier[0], g.ID), p.twin(earlier[1], g.ID))
	i.OnDuplicate = func(row flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) {
		return row, false
	}
	p.imports("of which nothing is to be stored", i)
	p.Equal("the counts of an import of which nothing is to be stored", p.flows.One(g.ID).Counts, flow.Counts{})
}

func longImportsFindDuplicates(p *probe) {
	const count = 1200
	f := p.newFlow()
	rows := p.newNotifications(f.ID, count)
	var earlier []flow.Notification
	repeats := func(i int) bool { return i%7 == 0 || i > count-5 || i%400 > 395 }
	for i, n := range rows {
		if repeats(i) {
			twin := p.twin(n, uuid.Nil)
			twin.State = flow.NotificationSent
			earlier = append(earlier, twin)
		}
	}
	p.Random.Shuffle(len(earlier), func(i, j int) { earlier[i], earlier[j] = earlier[j], earlier[i] })
	p.saveFlow(p.newFlow(), earlier...)
	byMessage := map[flow.Digest]uuid.UUID{}
	for _, n := range earlier {
		byMessage[n.Digest()] = n.ID
	}
	var called []uuid.UUID
	i := p.importOf(p.newKey(), f, rows...)
	i.OnDuplicate = func(row flow.NotificationChange, earlier flow.Notification) (flow.NotificationChange, bool) {
		if want := byMessage[row.Notification.Digest()]; want != earlier.ID {
			p.Note("OnDuplicate of a row that repeats %v was called with %s", want, named(earlier.ID, rows))
		}
		called = append(called, row.Notification.ID)
		row.Notification.Disabled = true
		return row, len(called)%2 == 1
	}
	p.imports(fmt.Sprintf("of %d rows", count), i)
	var want []uuid.UUID
	for at, n := range rows {
		if repeats(at) {
			want = append(want, n.ID)
		}
	}
	if err := differentIDs(called, want); err != nil {
		p.Fail("OnDuplicate was called for other rows, or in another order: %w", err)
	}
	stored := (len(want) + 1) / 2
	p.Equal("the counts of a long import", p.flows.One(f.ID).Counts, flow.Counts{Registered: count - len(want), Disabled: stored})
	for at, id := range want {
		if _, err := p.store.Notification(p.Ctx, id); (err == nil) != (at%2 == 0) {
			p.Fail("duplicate number %d of a long import: to be stored: %t, got the error %w", at+1, at%2 == 0, storetest.OrNone(err))
		}
	}
}

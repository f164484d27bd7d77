package sqlite_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// older is a file of the time before this module.
type older struct {
	*sql.DB
	t       testing.TB
	version int
	columns map[string][]string // of its tables
}

// newOlder creates a file with a version of the schema of that time.
func newOlder(t testing.TB, path string, version int) older {
	db := database(t, path)
	execute(t, db, "PRAGMA journal_mode = WAL", "CREATE TABLE sqlstore_schema (version INTEGER NOT NULL)")
	files := must.Get(filepath.Glob("testdata/older/*.sql"))(t)
	require.Len(t, files, 3)
	for i, file := range files[:version] {
		execute(t, db, string(must.Get(os.ReadFile(file))(t)), fmt.Sprintf("INSERT INTO sqlstore_schema (version) VALUES (%d)", i+1))
	}
	return older{db, t, version, map[string][]string{}}
}

// insert inserts a row with those of the values for which the table has a column; other columns get
// "", 0 or NULL.
func (o older) insert(table string, values map[string]any) {
	o.t.Helper()
	if o.columns[table] == nil {
		rows := must.Get(o.Query("SELECT name, type, \"notnull\" FROM pragma_table_info(?) WHERE name <> 'seq'", table))(o.t)
		for rows.Next() {
			var name, kind, required string
			require.NoError(o.t, rows.Scan(&name, &kind, &required))
			o.columns[table] = append(o.columns[table], name+" "+kind+required)
		}
		require.NoError(o.t, rows.Err())
	}
	var names []string
	var args []any
	for _, column := range o.columns[table] {
		name, kind, _ := strings.Cut(column, " ")
		value, there := values[name]
		if !there && strings.HasSuffix(kind, "1") {
			value = map[string]any{"TEXT1": "", "INTEGER1": 0, "BLOB1": make([]byte, 16)}[kind]
		}
		names, args = append(names, name), append(args, value)
	}
	_, err := o.Exec("INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES (?"+strings.Repeat(", ?", len(names)-1)+")", args...)
	require.NoError(o.t, err, table)
}

func (o older) flow(f flow.Flow) {
	o.insert("flows", map[string]any{
		"id": f.ID[:], "service": f.Service, "created_at": f.CreatedAt.UnixMicro(), "state": string(f.State), "note": f.Note.Reveal(),
		"app_context": f.AppContext, "app_key": f.AppKey, "updated_at": f.UpdatedAt.UnixMicro(), "updated_by": f.UpdatedBy,
		"version": f.Version, "search": strings.ToLower(f.Note.Reveal()),
	})
	o.insert("flow_counts", map[string]any{"flow_id": f.ID[:], "registered": f.Counts.Registered, "sending": f.Counts.Sending, "sent": f.Counts.Sent, "failed": f.Counts.Failed})
	o.insert("flow_records", map[string]any{"owner": f.ID[:], "version": 1, "at": f.CreatedAt.UnixMicro(), "actor": by.ID, "action": "create", "to_state": "inactive", "reason": "prova"})
}

func (o older) notification(n flow.Notification, lease time.Duration) {
	values := map[string]any{
		"id": n.ID[:], "flow_id": n.FlowID[:], "service": n.Service, "created_at": n.CreatedAt.UnixMicro(), "state": string(n.State),
		"recipient": n.Recipient.Reveal(), "subject": n.Subject.Reveal(), "content": n.Content.Reveal(), "amount": int64(n.Amount),
		"notice_number": n.NoticeNumber.Reveal(), "reference": n.Reference, "occasion": n.Occasion, "message_id": string(n.Transmission.MessageID),
		"attempts": n.Transmission.Attempts, "updated_at": n.UpdatedAt.UnixMicro(), "updated_by": n.UpdatedBy, "version": n.Version,
		"search": strings.ToLower(n.Subject.Reveal()), "unsettled": n.DeliveryOpen(), "earlier": n.Transmission.EarlierID[:],
		"allow_repeat": n.AllowDuplicate,
	}
	if n.State == flow.NotificationSending {
		values["lease_end"], values["claimed_version"] = time.Now().Add(lease).UnixMicro(), n.Version
	}
	if !n.Transmission.SentAt.IsZero() {
		values["sent_at"] = n.Transmission.SentAt.UnixMicro()
	}
	if digest := n.Digest(); o.version == 3 {
		values["message_digest"] = digest[:]
	} else {
		values["digest"] = firstDigest(n.Draft)
	}
	o.insert("notifications", values)
	o.insert("notification_records", map[string]any{"owner": n.ID[:], "version": n.Version, "at": n.UpdatedAt.UnixMicro(), "actor": "invio", "action": "claim", "to_state": string(n.State)})
}

// firstDigest is version 1 of the digest.
func firstDigest(d flow.Draft) []byte {
	h := sha256.New()
	for _, part := range []string{d.Recipient.Reveal(), d.Subject.Reveal(), d.Content.Reveal(), d.NoticeNumber.Reveal()} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:16]
}

// olderFlow returns a flow that is not stored yet, with notifications in the given states, of which
// the nth says the nth text.
func olderFlow(t testing.TB, service string, states ...flow.NotificationState) (flow.Flow, []flow.Notification) {
	f := must.Get(flow.NewFlow(service, by))(t)
	f.State, f.Note, f.AppContext, f.AppKey, f.Version = flow.FlowSending, flussi.NewText("Nota È riservata"), "pratica", "chiave", 1
	var all []flow.Notification
	for i, state := range states {
		n := must.Get(flow.NewNotification(service, appiotest.SampleCitizen(i+1), by))(t)
		n.FlowID, n.State, n.Version, n.Amount, n.Reference = f.ID, state, 3, flussi.Cents(i), "rif"
		n.Subject, n.Content = flussi.NewText("Oggetto della notifica"), flussi.NewText(fmt.Sprintf("Contenuto della notifica numero %d", i))
		if state == flow.NotificationSent {
			n.Transmission.SentAt, n.Transmission.MessageID = time.Now().UTC().Truncate(time.Microsecond), "01ARZ"
		}
		f.Counts.Add(n, 1)
		all = append(all, n)
	}
	return f, all
}

const (
	registered = flow.NotificationRegistered
	inFlight   = flow.NotificationSending
	sent       = flow.NotificationSent
	failed     = flow.NotificationFailed
)

// states are the states of the notifications of a flow after all were claimed.
func states(t *testing.T, s *sqlite.Store, of uuid.UUID, claim func(*sqlite.Store, uuid.UUID, int) ([]flow.Notification, error)) []flow.NotificationState {
	t.Helper()
	must.Get(claim(s, of, 100))(t)
	var found []flow.NotificationState
	for _, n := range must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: of}, flow.Page{Limit: 100, OldestFirst: true}))(t) {
		found = append(found, n.State)
	}
	return found
}

// Everything is kept, messages that were sent are recognised, and other tables stay as they are.
func TestOlderFileIsAdopted(t *testing.T) {
	for version := 1; version <= 3; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := newFile(t)
			o := newOlder(t, path, version)
			done, sentBefore := olderFlow(t, "tributi", sent, sent, inFlight, inFlight, registered)
			waiting, later := olderFlow(t, "tributi", registered, registered, registered, registered, registered, registered)
			look, _ := olderFlow(t, "Tributi")
			for _, f := range []flow.Flow{done, waiting, look} {
				o.flow(f)
			}
			for i, n := range sentBefore {
				o.notification(n, time.Duration(i-2)*time.Hour) // the lease of the first one In invio is over
			}
			for _, n := range later {
				o.notification(n, 0)
			}
			execute(t, o.DB, "INSERT INTO settings (name, value) VALUES ('purpose', 'prova')",
				"CREATE TABLE altra (x)", "CREATE INDEX altra_per_x ON altra (x)", "INSERT INTO altra VALUES ('resta')",
				"CREATE TRIGGER altra_t AFTER INSERT ON altra BEGIN DELETE FROM altra WHERE x = new.x; END", "CREATE VIEW vista AS SELECT * FROM altra")
			event := uuid.New()
			if version == 1 { // tables of another program, with names that a later version used
				execute(t, o.DB, "CREATE TABLE events (id, nome)", "CREATE TABLE services (name)", "INSERT INTO events VALUES (1, 'festa')", "INSERT INTO services VALUES ('mensa')")
			} else {
				o.insert("events", map[string]any{"id": event[:], "school": "MIIC8AA00A", "event_kind": "fee", "name": "Gita", "state": "simulated", "version": 2, "discrepancy_settled": 1})
				o.insert("event_counts", map[string]any{"event_id": event[:], "unpaid": 1})
				o.insert("notices", map[string]any{"id": event[:], "event_id": event[:], "school": "MIIC8AA00A", "amount": 500, "state": "notified", "version": 1})
				o.insert("notice_records", map[string]any{"owner": event[:], "version": 1, "action": "verify"})
			}
			if version == 3 {
				o.insert("imports", map[string]any{"key": bytes.Repeat([]byte{7}, len(flow.ImportKey{})), "flow_id": done.ID[:], "at": 1000})
				o.insert("services", map[string]any{"name": "tributi", "look": flow.ServiceSkeleton("tributi"), "older": 0})
			}
			require.NoError(t, o.Close())

			s := open(t, path)
			for _, f := range []flow.Flow{done, waiting} {
				assert.Equal(t, f, must.Get(s.Flow(t.Context(), f.ID))(t))
			}
			for _, n := range append(sentBefore, later...) {
				assert.Equal(t, n, must.Get(s.Notification(t.Context(), n.ID))(t))
				assert.Len(t, must.Get(s.NotificationHistory(t.Context(), n.ID))(t), 1)
			}
			assert.Equal(t, "prova", must.Get(s.FlowHistory(t.Context(), done.ID))(t)[0].Reason.Reveal())
			assert.Len(t, must.Get(s.Flows(t.Context(), flow.FlowFilter{Text: "è RISERVATA"}, flow.Page{Limit: 10}))(t), 3)
			assert.Equal(t, "prova", must.Get(s.Property(t.Context(), "purpose", "reale"))(t))

			expired := must.Get(s.Expired(t.Context(), 10))(t)
			require.Len(t, expired, 1)
			assert.Equal(t, sentBefore[2].ID, expired[0].ID)
			assert.Equal(t, []flow.NotificationState{failed, failed, failed, failed, inFlight, inFlight}, states(t, s, waiting.ID, claim))
			for name, similar := range map[string]bool{"tributi": false, "Tributi": false, "TRIBUTI": true} {
				f, _ := olderFlow(t, name)
				f.Version = 0
				err := s.SaveFlow(t.Context(), flow.FlowChange{Flow: f}, nil)
				if similar {
					must.As[*flow.SimilarServiceError](t, err)
				} else {
					require.NoError(t, err)
				}
			}
			if version > 1 {
				e := must.Get(s.Event(t.Context(), event))(t)
				assert.Equal(t, "Gita", e.Name)
				assert.Equal(t, pagoinrete.Fee, e.Kind)
				assert.Equal(t, 1, e.Counts.Unpaid)
				assert.True(t, e.Discrepancy.Resolved)
				assert.Equal(t, flussi.Cents(500), must.Get(s.Notice(t.Context(), event))(t).Amount)
				assert.Len(t, must.Get(s.NoticeHistory(t.Context(), event))(t), 1)
			}
			if version == 3 {
				key := flow.ImportKey(bytes.Repeat([]byte{7}, len(flow.ImportKey{})))
				assert.Equal(t, done.ID, must.Get(s.ImportResult(t.Context(), key))(t).Flow)
			}

			db := database(t, path)
			var others string
			require.NoError(t, db.QueryRow("SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_master WHERE name NOT LIKE 'flussi_%' AND tbl_name NOT LIKE 'flussi_%' AND name NOT LIKE 'sqlite_%'").Scan(&others))
			want := "altra altra_per_x altra_t vista"
			if version == 1 {
				want = "altra altra_per_x altra_t events services vista"
				require.NoError(t, db.QueryRow("SELECT nome || name FROM events, services").Scan(&others))
				assert.Equal(t, "festamensa", others)
				others = want
			}
			assert.Equal(t, want, others)
			require.NoError(t, db.QueryRow("SELECT x FROM vista").Scan(&others))
			assert.Equal(t, "resta", others)
			require.NoError(t, db.QueryRow("PRAGMA integrity_check").Scan(&others))
			assert.Equal(t, "ok", others)
		})
	}
}

// largeOlder creates an older file with many messages that were sent and are to be sent once more.
func largeOlder(t *testing.T, version int) (path string, waiting uuid.UUID, messages int) {
	path, messages = newFile(t), 1500
	o := newOlder(t, path, version)
	o.SetMaxOpenConns(1)
	all := make([]flow.NotificationState, messages)
	for i := range all {
		all[i] = sent
	}
	done, before := olderFlow(t, "tributi", all...)
	for i := range all {
		all[i] = registered
	}
	f, later := olderFlow(t, "tributi", all...)
	o.flow(done)
	o.flow(f)
	o.notification(before[0], 0) // reads the columns
	execute(t, o.DB, "BEGIN")
	for _, n := range append(before[1:], later...) {
		o.notification(n, 0)
	}
	execute(t, o.DB, "COMMIT")
	require.NoError(t, o.Close())
	return path, f.ID, messages
}

// checkAdopted claims all, of which nothing may be sent.
func checkAdopted(t *testing.T, path string, waiting uuid.UUID, messages int) {
	t.Helper()
	s := open(t, path)
	taken := 0
	for {
		claimed := must.Get(claim(s, waiting, 500))(t)
		if len(claimed) == 0 {
			break
		}
		for _, n := range claimed {
			assert.Equal(t, failed, n.State)
		}
		taken += len(claimed)
	}
	assert.Equal(t, messages, taken)
	assert.Len(t, must.Get(s.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 10}))(t), 2)
	var left int
	require.NoError(t, database(t, path).QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'notifications' OR name = 'sqlstore_schema'").Scan(&left))
	assert.Zero(t, left)
}

// An update that is killed is continued by the next process.
func TestUpdateOfOlderFileContinuesAfterKill(t *testing.T) {
	path, waiting, messages := largeOlder(t, 1)
	for range rounds(t, 5) {
		process := begin(t, "open", path)
		process.killAfter(0, time.Duration(rand.IntN(400))*time.Millisecond)
	}
	checkAdopted(t, path, waiting, messages)
}

// Several processes may update a file at the same time.
func TestProcessesMayUpdateAnOlderFileAtOnce(t *testing.T) {
	path, waiting, messages := largeOlder(t, 2)
	var group sync.WaitGroup
	processes := []*child{begin(t, "open", path), begin(t, "claim", path, waiting.String()), begin(t, "open", path)}
	for _, p := range processes {
		group.Go(p.end)
	}
	group.Wait()
	assert.Empty(t, processes[0].failure)
	assert.Empty(t, processes[2].failure)
	assert.Equal(t, `claimed as "failed"`, processes[1].failure, "sent before the update")
	s := open(t, path)
	assert.Equal(t, messages, must.Get(s.Flow(t.Context(), waiting))(t).Counts.Total())
}

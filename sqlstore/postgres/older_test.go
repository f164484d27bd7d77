package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// older is a database with the tables of the time before this module, and writes to it as programs of
// that time did.
type older struct {
	*pgxpool.Pool
	version int
}

// newOlder creates the tables of a version of the schema, which are the files in testdata/older.
func newOlder(t *testing.T, location string, version int, trigrams bool) older {
	t.Helper()
	o := older{newPool(t, location), version}
	execute(t, o.Pool, "CREATE TABLE sqlstore_schema (version INTEGER NOT NULL)")
	files := must.Get(filepath.Glob("testdata/older/0*.sql"))(t)[:version]
	if trigrams {
		execute(t, o.Pool, "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public")
		files = append(files, "testdata/older/trigrams.sql")
	}
	for i, file := range files {
		execute(t, o.Pool, string(must.Get(os.ReadFile(file))(t)))
		if i < version {
			execute(t, o.Pool, fmt.Sprintf("INSERT INTO sqlstore_schema VALUES (%d)", i+1))
		}
	}
	return o
}

// insert inserts a row.
func (o older) insert(t *testing.T, table string, row map[string]any) {
	t.Helper()
	names := slices.Sorted(maps.Keys(row))
	var values []any
	var places []string
	for i, name := range names {
		values, places = append(values, row[name]), append(places, fmt.Sprintf("$%d", i+1))
	}
	_, err := o.Exec(context.Background(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")", values...)
	require.NoError(t, err, table)
}

// flow writes a flow, its first record and its counts, and returns it as the store must return it.
func (o older) flow(t *testing.T, service string, state flow.FlowState, counts flow.Counts) flow.Flow {
	t.Helper()
	f := must.Get(flow.NewFlow(service, operator))(t)
	f.State, f.Version, f.Counts = state, 1, counts
	f.Note, f.AppContext, f.AppKey = flussi.NewText("Nota Riservata"), "protocollo", "7/2025"
	o.insert(t, "flows", map[string]any{
		"id": f.ID, "service": f.Service, "created_at": f.CreatedAt.UnixMicro(), "state": string(f.State), "note": f.Note.Reveal(),
		"app_context": f.AppContext, "app_key": f.AppKey, "error": "", "disabled": false, "updated_at": f.UpdatedAt.UnixMicro(),
		"updated_by": f.UpdatedBy, "version": 1, "search": strings.ToLower(f.Note.Reveal()), "kind": "x",
	})
	o.insert(t, "flow_records", map[string]any{
		"owner": f.ID, "version": 1, "at": f.CreatedAt.UnixMicro(), "actor": f.UpdatedBy, "action": string(flow.FlowCreate), "from_state": "", "to_state": string(state), "reason": "",
	})
	for shard, c := range []flow.Counts{{Registered: counts.Registered, Sent: counts.Sent}, {Sending: counts.Sending, Failed: counts.Failed}} {
		o.insert(t, "flow_counts", map[string]any{
			"flow_id": f.ID, "shard": shard, "registered": c.Registered, "sending": c.Sending, "sent": c.Sent, "failed": c.Failed, "disabled": 0,
		})
	}
	return f
}

// newOlderNotification returns a notification with the nth text, which is not written yet.
func newOlderNotification(t *testing.T, f flow.Flow, state flow.NotificationState, text int) flow.Notification {
	t.Helper()
	n := must.Get(flow.NewNotification(f.Service, appiotest.SampleCitizen(1), operator))(t)
	n.FlowID, n.State, n.Version = f.ID, state, 1
	n.Subject, n.Content = flussi.NewText("Oggetto Riservato"), flussi.NewText(fmt.Sprintf("Contenuto riservato della notifica numero %d", text))
	if state == flow.NotificationSent {
		n.Transmission.SentAt, n.Transmission.MessageID, n.Transmission.Attempts = n.CreatedAt, "M1", 1
	}
	return n
}

// olderRow returns the row of a notification. One of version 3 has the digest of the present
// version, unless a program of version 2 wrote it later.
func (o older) olderRow(n flow.Notification, by int) map[string]any {
	row := map[string]any{
		"id": n.ID, "flow_id": n.FlowID, "service": n.Service, "created_at": n.CreatedAt.UnixMicro(), "state": string(n.State),
		"recipient": n.Recipient.Reveal(), "subject": n.Subject.Reveal(), "content": n.Content.Reveal(), "due_date": nil, "amount": 0,
		"is_payment": false, "payable_after_due": false, "notice_number": "", "payee": "", "reference": n.Reference,
		"message_id": string(n.Transmission.MessageID), "attempts": n.Transmission.Attempts, "sent_at": nil, "error_code": string(n.Transmission.ErrorCode), "error": n.Transmission.Error,
		"delivery_status": "", "delivery_email": "", "delivery_push": "", "delivery_read": "", "delivery_payment": "", "checked_at": nil,
		"disabled": false, "anonymised_at": nil, "updated_at": n.UpdatedAt.UnixMicro(), "updated_by": n.UpdatedBy, "version": n.Version,
		"search": strings.ToLower(n.Subject.Reveal()), "digest": olderDigest(n.Draft), "unsettled": n.DeliveryOpen(), "lease_end": nil, "kind": "x",
	}
	if !n.Transmission.SentAt.IsZero() {
		row["sent_at"] = n.Transmission.SentAt.UnixMicro()
	}
	if n.State == flow.NotificationSending {
		row["lease_end"] = time.Now().Add(time.Hour).UnixMicro()
	}
	if o.version == 3 && by == 3 {
		d := n.Digest()
		row["message_digest"], row["digest"], row["claimed_version"] = d[:], nil, 1
	}
	return row
}

// write writes notifications and their first records.
func (o older) write(t *testing.T, all ...flow.Notification) {
	t.Helper()
	for _, n := range all {
		o.insert(t, "notifications", o.olderRow(n, o.version))
		o.insert(t, "notification_records", map[string]any{
			"owner": n.ID, "version": 1, "at": n.CreatedAt.UnixMicro(), "actor": n.UpdatedBy, "action": string(flow.NotificationCreate), "from_state": "", "to_state": string(n.State), "reason": "",
		})
	}
}

// olderDigest is version 1 of the digest.
func olderDigest(d flow.Draft) []byte {
	h := sha256.New()
	var size [8]byte
	for _, part := range []string{d.Recipient.Reveal(), d.Subject.Reveal(), d.Content.Reveal(), d.NoticeNumber.Reveal()} {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:16]
}

// event writes an event with a notice, their records and counts, and returns their IDs.
func (o older) event(t *testing.T) (event, notice uuid.UUID) {
	t.Helper()
	event, notice = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	at := time.Now().UnixMicro()
	o.insert(t, "events", map[string]any{
		"id": event, "school": "IC Verdi", "created_at": at, "event_kind": "fee", "name": "Mensa", "causale": "Mensa scolastica", "category": "c",
		"school_year": 2025, "financial_year": 2025, "account": "", "amount": 5000, "flexible": false, "instalments": "", "binding": true, "repeatable": false,
		"state": "published", "rejection": "", "remote_id": "R1", "discrepancy_kind": "", "discrepancy_state": "", "discrepancy_amount": 0, "discrepancy_at": nil,
		"discrepancy_settled": false, "updated_at": at, "updated_by": "m.neri", "version": 4, "search": "mensa", "kind": "x",
	})
	o.insert(t, "event_records", map[string]any{"owner": event, "version": 1, "at": at, "actor": "m.neri", "action": "create", "from_state": "", "to_state": "draft", "reason": ""})
	o.insert(t, "event_counts", map[string]any{"event_id": event, "shard": 3, "not_linked": 0, "unpaid": 1, "paid": 0, "cancelled": 0, "refunded": 0, "discrepancies": 0})
	o.insert(t, "notices", map[string]any{
		"id": notice, "event_id": event, "school": "IC Verdi", "created_at": at, "instalment": 0, "debtor": "", "debtor_kind": "", "debtor_name": "Alunno riservato",
		"payer": "", "amount": 5000, "discount": 100, "due_date": nil, "reference": "r1", "number": "", "iuv": "", "state": "linked", "remote_id": "N1",
		"payer_registered": true, "payer_logged_in": false, "visible": true, "evidence": "", "discrepancy_kind": "", "discrepancy_state": "", "discrepancy_amount": 0,
		"discrepancy_at": nil, "discrepancy_settled": false, "error": "", "updated_at": at, "updated_by": "m.neri", "version": 2, "kind": "x",
	})
	o.insert(t, "notice_records", map[string]any{"owner": notice, "version": 1, "at": at, "actor": "m.neri", "action": "create", "from_state": "", "to_state": "x", "reason": ""})
	return event, notice
}

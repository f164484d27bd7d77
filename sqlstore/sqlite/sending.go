package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// sending records the notifications that a transaction makes In invio.
type sending struct {
	mark   *sentMark
	file   *os.File
	count  uint64 // how many transactions made notifications In invio, with this one
	before uint64 // how many notifications became In invio before this transaction
	items  []sentItem
}

// CheckSending implements [engine.Driver]: it refuses to send if the database has lost claims.
func (d *database) CheckSending(ctx context.Context, t engine.Tx, changed []flow.Notification) error {
	s, err := d.sentMark(ctx, t)
	if err != nil || s == nil {
		return err
	}
	ours := t.(*tx)
	if ours.sending == nil {
		begun, err := s.begin(ctx, t)
		if err != nil {
			return err
		}
		ours.sending = begun
	}
	for _, n := range changed {
		ours.sending.items = append(ours.sending.items, sentItem{n.ID, uint64(n.Version) + 1})
	}
	return ours.sending.save(ctx, t)
}

// sentMark returns the mark of the database; nil if the database is in memory.
func (d *database) sentMark(ctx context.Context, c engine.Conn) (*sentMark, error) {
	if known := d.mark.Load(); known != nil {
		return known, nil
	}
	found, err := c.Query(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'")
	paths, err := engine.Strings(found, err)
	if err != nil || len(paths) == 0 || paths[0] == "" {
		return nil, err
	}
	d.mark.CompareAndSwap(nil, &sentMark{path: paths[0]})
	return d.mark.Load(), nil
}

// begin opens the file -sent, and checks that the database has all claims. It does so before the
// transaction commits: if the file cannot be opened, nothing is claimed.
func (s *sentMark) begin(ctx context.Context, t engine.Tx) (*sending, error) {
	count, total, stored, err := sentCounts(ctx, t)
	if err != nil {
		return nil, err
	}
	if !stored {
		if err := s.create(); err != nil {
			return nil, markFault(err)
		}
	}
	file, err := os.OpenFile(s.file(), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Fault{Err: ErrRestored, Detail: "the database has no file -sent beside it"}
	}
	if err != nil {
		return nil, markFault(err)
	}
	if err := s.check(ctx, t, file, count); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &sending{mark: s, file: file, count: count + 1, before: total}, nil
}

// check returns an [ErrRestored] if the database has lost claims.
func (s *sentMark) check(ctx context.Context, t engine.Tx, file *os.File, count uint64) error {
	m, err := readSlots(file)
	switch {
	case err != nil:
		return markFault(err)
	case m.count > count:
		return &Fault{Err: ErrRestored, Detail: "the database has fewer claims than its file -sent"}
	case s.verified.Load():
		return nil
	}
	items, err := readItems(file)
	if err != nil {
		return markFault(err)
	}
	for some := range slices.Chunk(items, 1000) {
		pairs := make([]any, len(some))
		for i, item := range some {
			pairs[i] = []any{fmt.Sprintf("%x", item.id[:]), item.version}
		}
		// If a notification does not exist, another program deleted it: it cannot be claimed again.
		rows, err := t.Query(ctx, "SELECT CAST(count(*) AS text) FROM json_each(?) sent JOIN flussi_notifications n ON n.id = unhex(sent.value ->> 0)"+
			" WHERE n.version < sent.value ->> 1", toJSON(pairs))
		lost, err := engine.Strings(rows, err)
		if err != nil {
			return err
		}
		if lost[0] != "0" {
			return &Fault{Err: ErrRestored, Detail: "the database has " + lost[0] + " notifications as they were before they were claimed"}
		}
	}
	s.verified.Store(true)
	return nil
}

// save stores the counts, including this transaction, in the database.
func (s *sending) save(ctx context.Context, t engine.Tx) error {
	return saveSentCounts(ctx, t, s.count, s.before+uint64(len(s.items)))
}

// finish writes the file -sent, once the claim is stored. If that fails, the messages must not be
// sent: a loss of the claim would not be noticed.
func (s *sending) finish(ctx context.Context, session querier) error {
	m := mark{count: s.count}
	var known bool
	if m.wal, known = s.mark.walEnd(context.WithoutCancel(ctx), session); known {
		m.state = walKnown
	}
	err := writeItems(s.file, s.before, s.items)
	if err == nil {
		err = s.mark.writeSlot(s.file, m)
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		fault := markFault(err)
		fault.Cause = errors.Join(flussi.ErrCommitUnknown, err)
		return fault
	}
	return nil
}

// markFault returns the fault for an error of the file -sent.
func markFault(err error) *Fault {
	fault := &Fault{
		Err: ErrLost, Detail: "the file -sent cannot be read or written", Cause: err,
		Reason: "Il file accanto all'archivio con nome che finisce in «-sent» non si può leggere o scrivere: non si è inviato nulla. Controllare il disco e i permessi del file e della sua cartella, poi riprovare.",
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		fault.Err = ErrReadOnly
	case errors.Is(err, syscall.ENOSPC):
		fault.Err = ErrFull
	}
	return fault
}

// sentProperty is the property with two numbers: how many transactions made notifications In invio,
// and how many notifications.
const sentProperty = "sent"

// sentCounts reads sentProperty, and reports whether it is stored.
func sentCounts(ctx context.Context, c engine.Conn) (count, total uint64, stored bool, err error) {
	found, err := c.Query(ctx, "SELECT value FROM flussi_properties WHERE name = ?", sentProperty)
	texts, err := engine.Strings(found, err)
	if err != nil || len(texts) == 0 {
		return 0, 0, false, err
	}
	if _, err := fmt.Sscan(texts[0], &count, &total); err != nil {
		return 0, 0, false, &Fault{Err: ErrNotOurs, Detail: "the property " + sentProperty, Cause: err}
	}
	return count, total, true, nil
}

func saveSentCounts(ctx context.Context, t engine.Tx, count, total uint64) error {
	_, err := t.Exec(ctx, "INSERT INTO flussi_properties (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		sentProperty, fmt.Sprint(count, total))
	return err
}

// beginCounting stores sentProperty before the first claim. From then on, a copy without the file
// -sent is recognised.
func (d *database) beginCounting(ctx context.Context) error {
	s, err := d.sentMark(ctx, d)
	if err != nil || s == nil {
		return err
	}
	if _, _, stored, err := sentCounts(ctx, d); err != nil || stored {
		return err
	}
	if err := s.create(); err != nil {
		return markFault(err)
	}
	begun, err := d.Begin(ctx, engine.Write)
	if err != nil {
		return err
	}
	defer begun.Rollback()
	if _, err := begun.Exec(ctx, "INSERT INTO flussi_properties (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", sentProperty, "0 0"); err != nil {
		return err
	}
	return begun.Commit(ctx)
}

// AcceptRestored allows sending again after the file was restored from a copy or lost its last
// writes. First disable all flows with messages that may have been sent:
// [flow.Service.DeclareRestored] does both. It refuses a transaction of the caller, with [ErrInTx].
func (s *Store) AcceptRestored(ctx context.Context) error {
	err := engine.RestoredInTx()
	if !s.inTx {
		err = s.database.acceptRestored(ctx)
	}
	return engine.Fail(ctx, s.base, "accept restored database", uuid.Nil, err)
}

func (d *database) acceptRestored(ctx context.Context) error {
	begun, err := d.Begin(ctx, engine.Write)
	if err != nil {
		return err
	}
	defer begun.Rollback()
	s, err := d.sentMark(ctx, begun)
	if err != nil || s == nil {
		return err
	}
	count, total, _, err := sentCounts(ctx, begun)
	if err == nil {
		err = saveSentCounts(ctx, begun, count, total)
	}
	if err != nil {
		return err
	}
	// Before the commit, since no other process can claim until then: its claim would be missing in
	// the new file.
	if err := s.replace(mark{count: count}); err != nil {
		return markFault(err)
	}
	return begun.Commit(ctx)
}

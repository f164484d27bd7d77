package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// sentMark is the file beside a database, flussi.db-sent, that says how many transactions have
// made notifications In invio. The database counts them, too. What is written last is in the file
// flussi.db-wal until SQLite moves it into the database: if that file is lost, the database counts
// fewer than the mark, and holds messages as not sent that were.
//
// The file has slots, so that processes that write at the same time need no lock: the highest count
// is the one that holds. Each slot has the count and the salts of the -wal file at that moment, by
// which a -wal file of another database or an earlier moment is told.
type sentMark struct{ path string }

const (
	slots    = 64
	slotSize = 16 // the count, 8 bytes, and the two salts, 4 bytes each; big-endian
)

// mark is a slot.
type mark struct {
	count uint64
	salts [2]uint32 // zero if there was no -wal file, or if others may have made another one
}

func (s *sentMark) file() string { return s.path + "-sent" }

// read returns the slot with the highest count, and false if there is no file.
func (s *sentMark) read() (mark, bool, error) {
	content, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, false, nil
	}
	var highest mark
	for len(content) >= slotSize {
		slot := decodeMark(content)
		if slot.count > highest.count {
			highest = slot
		}
		content = content[slotSize:]
	}
	return highest, true, err
}

func decodeMark(b []byte) mark {
	return mark{binary.BigEndian.Uint64(b), [2]uint32{binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])}}
}

// write writes a slot, and waits for the disk.
func (s *sentMark) write(m mark) error {
	file, err := os.OpenFile(s.file(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	slot := binary.BigEndian.AppendUint64(nil, m.count)
	slot = binary.BigEndian.AppendUint32(slot, m.salts[0])
	slot = binary.BigEndian.AppendUint32(slot, m.salts[1])
	_, err = file.WriteAt(slot, int64(m.count%slots)*slotSize)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// reset makes the mark one of a database with a count.
func (s *sentMark) reset(count uint64) error {
	if err := os.Remove(s.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.write(mark{count: count})
}

// walSalts returns the salts of the -wal file, and false if it is not there or empty.
func (s *sentMark) walSalts() ([2]uint32, bool) {
	file, err := os.Open(s.path + "-wal")
	if err != nil {
		return [2]uint32{}, false
	}
	defer func() { _ = file.Close() }()
	header := make([]byte, 32)
	if _, err := file.ReadAt(header, 0); err != nil {
		return [2]uint32{}, false
	}
	return [2]uint32{binary.BigEndian.Uint32(header[16:]), binary.BigEndian.Uint32(header[20:])}, true
}

// maxResets is how often SQLite may have begun the -wal file anew since the mark. Each time it adds
// 1 to the first salt.
const maxResets = 1 << 16

// checkWAL returns an [ErrRestored] if the -wal file is not that of the database. Call it before
// SQLite opens the file, which would put its content into the database.
func (s *sentMark) checkWAL() error {
	m, there, err := s.read()
	if err != nil || !there {
		return err
	}
	salts, hasWAL := s.walSalts()
	switch {
	case !hasWAL && m.salts != [2]uint32{}: // SQLite will begin another one, with other salts
		return s.write(mark{count: m.count})
	case !hasWAL || m.salts == [2]uint32{}, salts == m.salts:
		return nil
	case salts[0] != m.salts[0] && salts[0]-m.salts[0] < maxResets:
		return nil
	}
	return &Fault{Err: ErrRestored, Detail: "the file " + s.path + "-wal belongs to another database or to an earlier moment",
		Reason: "Il file accanto all'archivio con nome che finisce in «-wal» non è suo, o è di un altro momento: spostarlo altrove e riaprire l'archivio."}
}

// CheckSending implements [engine.Driver]: it refuses to send if the database has lost
// transactions in which messages were sent.
func (d *database) CheckSending(ctx context.Context, t engine.Tx) error {
	if d.mark == nil {
		return nil
	}
	count, err := sentCount(ctx, t)
	if err != nil {
		return err
	}
	m, there, err := d.mark.read()
	switch {
	case err != nil:
		return err
	case m.count > count, !there && count > 0:
		return &Fault{Err: ErrRestored, Detail: "the database has fewer sendings than its file -sent"}
	}
	ours := t.(*tx)
	if ours.sent > 0 {
		return nil // counted in this transaction
	}
	ours.sent = count + 1
	_, err = t.Exec(ctx, "INSERT INTO flussi_properties (name, value) VALUES ('sent', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		strconv.FormatUint(ours.sent, 10))
	return err
}

// sentCount returns how many transactions have made notifications In invio.
func sentCount(ctx context.Context, c engine.Conn) (uint64, error) {
	found, err := c.Query(ctx, "SELECT value FROM flussi_properties WHERE name = 'sent'")
	texts, err := engine.Strings(found, err)
	if err != nil || len(texts) == 0 {
		return 0, err
	}
	return strconv.ParseUint(texts[0], 10, 63)
}

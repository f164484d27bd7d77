package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/google/uuid"
)

// sentMark is the file flussi.db-sent beside a database. With it, the store notices that the database
// lost claims. The last writes are in the file flussi.db-wal until SQLite moves them into the
// database. If that file is lost, messages that were sent are stored as not sent.
//
// The file begins with slots. The slot with the highest count is valid, so processes that write at
// the same time need no lock. The count is how many transactions have made notifications In invio.
// The database counts them, too: if its count is lower, it lost some. A slot also records the last
// commit in the -wal file, so that another -wal file is recognised before SQLite reads it.
//
// After the slots, there is a list of the last notifications that became In invio, with their
// versions. It detects losses that the count does not. SQLite may be killed after it moved the page
// with the count from the -wal file into the database and before it moved others, and then the -wal
// file is lost. Or a file is copied while SQLite writes to it.
type sentMark struct {
	path     string                    // of the database
	verified atomic.Bool               // this process found all notifications of the list in the database
	salts    atomic.Pointer[[2]uint32] // of the -wal file, in the slot that this process wrote or read last
}

const (
	slots    = 64
	slotSize = 64      // divides a sector of the disk: none has a part of a slot
	listSize = 1 << 14 // notifications
	listAt   = slots * slotSize
	itemSize = 32
	markSize = listAt + listSize*itemSize
)

// mark is a slot.
type mark struct {
	count uint64
	state walState
	wal   walPoint // if the state is walKnown
	place uint64   // a hash of the path of the database
}

// walState says what a slot records about the -wal file.
type walState uint32

const (
	walUnknown walState = iota // a process may have begun another file
	walClosed                  // there was no file: the last process closed the database
	walKnown                   // the file has the commit mark.wal
)

// lostClaims is added to the count of a mark if the database lost claims that the count does not
// show. No database reaches this count.
const lostClaims = 1 << 40

// sentItem is a notification that became In invio.
type sentItem struct {
	id      uuid.UUID
	version uint64 // when it was In invio
}

func (s *sentMark) file() string { return s.path + "-sent" }

// place returns a hash of the path of the database: a copy has another path.
func (s *sentMark) place() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.path)) // never fails
	return h.Sum64()
}

// create creates the file, unless it exists, and waits for the disk. The file has its full size
// from the beginning, so that a slot can be written to a full disk, too.
func (s *sentMark) create() error {
	if _, err := os.Stat(s.file()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.replace(mark{})
}

// replace replaces the file by one with a single slot and an empty list.
func (s *sentMark) replace(m mark) error {
	made, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.file())+"-") // only the owner may read it
	if err != nil {
		return err
	}
	m.place = s.place()
	content := make([]byte, markSize)
	copy(content[m.count%slots*slotSize:], m.encode())
	_, err = made.Write(content)
	err = errors.Join(err, made.Sync(), made.Close())
	if err == nil {
		err = os.Rename(made.Name(), s.file())
	}
	if err != nil {
		return errors.Join(err, os.Remove(made.Name()))
	}
	if folder, err := os.Open(filepath.Dir(s.path)); err == nil {
		_ = folder.Sync() // not every system supports it
		_ = folder.Close()
	}
	return nil
}

// read returns the slot with the highest count, and false if there is no file.
func (s *sentMark) read() (mark, bool, error) {
	file, err := os.Open(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, false, nil
	}
	if err != nil {
		return mark{}, false, err
	}
	defer func() { _ = file.Close() }()
	m, err := readSlots(file)
	return m, err == nil, err
}

// readSlots returns the slot with the highest count.
func readSlots(file *os.File) (mark, error) {
	content := make([]byte, listAt)
	if _, err := file.ReadAt(content, 0); err != nil {
		return mark{}, err
	}
	var highest mark
	for len(content) > 0 {
		if m, valid := decodeMark(content[:slotSize]); valid && m.count >= highest.count {
			highest = m
		}
		content = content[slotSize:]
	}
	return highest, nil
}

// update writes a slot of an existing file.
func (s *sentMark) update(m mark) error {
	file, err := os.OpenFile(s.file(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(s.writeSlot(file, m), file.Close())
}

// writeSlot writes a slot, and waits for the disk.
func (s *sentMark) writeSlot(file *os.File, m mark) error {
	m.place = s.place()
	if _, err := file.WriteAt(m.encode(), int64(m.count%slots)*slotSize); err != nil {
		return err
	}
	s.salts.Store(nil)
	if m.state == walKnown {
		s.salts.Store(&m.wal.salts)
	}
	return syncFile(file)
}

// writeItems appends notifications to the list, of which before were written earlier. The list
// wraps around at its end.
func writeItems(file *os.File, before uint64, items []sentItem) error {
	for i := 0; i < len(items); {
		at := (before + uint64(i)) % listSize
		some := items[i:min(len(items), i+int(listSize-at))] // up to the end of the list
		var content []byte
		for _, item := range some {
			content = append(content, item.encode()...)
		}
		if _, err := file.WriteAt(content, listAt+int64(at)*itemSize); err != nil {
			return err
		}
		i += len(some)
	}
	return nil
}

// readItems returns the list.
func readItems(file *os.File) ([]sentItem, error) {
	content := make([]byte, listSize*itemSize)
	if _, err := file.ReadAt(content, listAt); err != nil {
		return nil, err
	}
	var items []sentItem
	for ; len(content) > 0; content = content[itemSize:] {
		if part := content[:itemSize]; sealed(part) {
			items = append(items, sentItem{uuid.UUID(part[:16]), binary.BigEndian.Uint64(part[16:])})
		}
	}
	return items, nil
}

func (i sentItem) encode() []byte {
	return seal(binary.BigEndian.AppendUint64(bytes.Clone(i.id[:]), i.version), itemSize)
}

func (m mark) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, m.count)
	b = binary.BigEndian.AppendUint64(b, m.place)
	for _, n := range []uint32{uint32(m.state), m.wal.frame, m.wal.salts[0], m.wal.salts[1], m.wal.checksum[0], m.wal.checksum[1]} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return seal(b, slotSize)
}

func decodeMark(b []byte) (mark, bool) {
	n := func(at int) uint32 { return binary.BigEndian.Uint32(b[16+4*at:]) }
	return mark{
		count: binary.BigEndian.Uint64(b), place: binary.BigEndian.Uint64(b[8:]), state: walState(n(0)),
		wal: walPoint{frame: n(1), salts: [2]uint32{n(2), n(3)}, checksum: [2]uint32{n(4), n(5)}},
	}, sealed(b)
}

// seal pads b to a size, with a checksum at its end: after a loss of power only a part of it may be
// on the disk.
func seal(b []byte, size int) []byte {
	b = append(b, make([]byte, size-4-len(b))...)
	return binary.BigEndian.AppendUint32(b, ^crc32.ChecksumIEEE(b))
}

// sealed reports whether b has a valid checksum: whether it was written, and wholly.
func sealed(b []byte) bool {
	last := len(b) - 4
	return binary.BigEndian.Uint32(b[last:]) == ^crc32.ChecksumIEEE(b[:last])
}

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

// sentMark is the file beside a database, flussi.db-sent, by which it shows that a database lost
// claims: what is written last is in the file flussi.db-wal until SQLite moves it into the database.
// Without that file, messages that were sent are stored as not sent.
//
// The file begins with slots, so that processes that write at the same time need no lock: the slot
// with the highest count holds. The count is how many transactions have made notifications In invio.
// The database counts them, too: if it counts fewer, it lost some. A slot also says where the -wal
// file ended, so that another one is recognised before SQLite reads it.
//
// A list of the notifications that became In invio last follows, with their versions. It shows what the
// count cannot: SQLite was killed while it moved pages of the -wal file, among them that of the
// count, and then the -wal file was lost; or a file was copied while SQLite wrote to it.
type sentMark struct {
	path     string                    // of the database
	verified atomic.Bool               // the database has all notifications of the list
	salts    atomic.Pointer[[2]uint32] // of the -wal file, as this process last wrote or read them in a slot
}

const (
	slots    = 64
	slotSize = 64 // so that a sector of the disk has whole slots
	listSize = 1 << 14
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

// walState says what a slot knows of the -wal file.
type walState uint32

const (
	walUnknown walState = iota // a process may have begun another one
	walClosed                  // there was none: the last process closed the database
	walKnown                   // it has the commit of mark.wal
)

// lostClaims is added to a count if the database lost claims that the count does not show: no
// database counts as many.
const lostClaims = 1 << 40

// sentItem is a notification that became In invio.
type sentItem struct {
	id      uuid.UUID
	version uint64 // with which it did
}

func (s *sentMark) file() string { return s.path + "-sent" }

// place returns a hash of the path: a copy has another one.
func (s *sentMark) place() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.path)) // never fails
	return h.Sum64()
}

// create creates the file, unless it is there, and waits for the disk. It has its full size from the
// beginning, so that a full disk does not keep a slot from being written.
func (s *sentMark) create() error {
	if _, err := os.Stat(s.file()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.replace(mark{})
}

// replace makes the file one with a single slot and an empty list.
func (s *sentMark) replace(m mark) error {
	made, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.file())+"-") // for its owner alone
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
		_ = folder.Sync() // not every system can
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

// writeItems writes notifications, which come after others in the list.
func writeItems(file *os.File, after uint64, items []sentItem) error {
	for i := 0; i < len(items); {
		at := (after + uint64(i)) % listSize
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

// seal fills what is to be written, and adds a checksum: a loss of power may write a part of it.
func seal(b []byte, size int) []byte {
	b = append(b, make([]byte, size-4-len(b))...)
	return binary.BigEndian.AppendUint32(b, ^crc32.ChecksumIEEE(b))
}

// sealed reports whether something was written, and wholly.
func sealed(b []byte) bool {
	last := len(b) - 4
	return binary.BigEndian.Uint32(b[last:]) == ^crc32.ChecksumIEEE(b[:last])
}

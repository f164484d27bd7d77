package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// walPoint is a commit in a -wal file.
type walPoint struct {
	salts    [2]uint32 // of the file: SQLite changes them each time that it begins the file anew
	frame    uint32    // the last one of the commit, from 1 on; 0 if only the salts are known
	checksum [2]uint32 // of all frames up to it
}

const (
	walHeader   = 32
	frameHeader = 24
)

// walFile is the -wal file of a database. Unlike the database and its -shm file, it may be opened and
// closed while SQLite uses it: SQLite has no locks on it, which closing would end.
type walFile struct {
	*os.File
	salts    [2]uint32
	pageSize int64
}

// openWAL opens the -wal file. It returns nil if there is none, or an empty one.
func (s *sentMark) openWAL() (*walFile, error) {
	file, err := os.Open(s.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	header := make([]byte, walHeader)
	if n, err := file.ReadAt(header, 0); n < walHeader {
		_ = file.Close()
		if n > 0 || errors.Is(err, fs.ErrInvalid) {
			return nil, err
		}
		return nil, nil
	}
	return &walFile{file, salts(header[16:]), int64(binary.BigEndian.Uint32(header[8:]))}, nil
}

func salts(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// point returns the commit that ends with a frame, and false if there is none.
func (w *walFile) point(frame uint32) (walPoint, bool) {
	p := walPoint{salts: w.salts, frame: frame}
	if frame == 0 {
		return p, true
	}
	header := make([]byte, frameHeader)
	if _, err := w.ReadAt(header, walHeader+int64(frame-1)*(frameHeader+w.pageSize)); err != nil {
		return p, false
	}
	p.checksum = salts(header[16:])
	return p, salts(header[8:]) == w.salts
}

// walEnd returns the last commit in the -wal file, and false if none is in it.
func (s *sentMark) walEnd(ctx context.Context, session querier) (walPoint, bool) {
	var busy, frames, moved int64
	rows, err := session.QueryContext(ctx, "PRAGMA wal_checkpoint(NOOP)")
	if err != nil {
		return walPoint{}, false
	}
	for rows.Next() {
		err = errors.Join(err, rows.Scan(&busy, &frames, &moved))
	}
	if errors.Join(err, rows.Err(), rows.Close()) != nil || frames <= 0 {
		return walPoint{}, false
	}
	wal, err := s.openWAL()
	if err != nil || wal == nil {
		return walPoint{}, false
	}
	defer func() { _ = wal.Close() }()
	p, is := wal.point(uint32(frames))
	if !is {
		p, is = wal.point(0) // begun anew meanwhile
	}
	return p, is
}

// maxResets is how often SQLite may have begun the -wal file anew since the mark. Each time it adds
// 1 to the first salt.
const maxResets = 1 << 16

// follows reports whether salts are the same as others, or of the same file when it was begun anew.
func follows(next, salts [2]uint32) bool {
	return next == salts || next[0] != salts[0] && next[0]-salts[0] < maxResets
}

// checkWAL returns an [ErrRestored] if the -wal file is not that of the database. Call it before
// SQLite opens the file, which would move its content into the database.
func (s *sentMark) checkWAL(writes bool) error {
	var before string
	for {
		m, there, err := s.read()
		if err != nil || !there {
			return err
		}
		wal, err := s.openWAL()
		if err != nil {
			return err
		}
		if wal == nil {
			return s.noWAL(m, writes)
		}
		fits := s.fits(m, wal)
		now := fmt.Sprint(m, wal.salts)
		_ = wal.Close()
		if fits {
			return nil
		}
		if now == before { // no other process has changed it between
			return &Fault{
				Err: ErrRestored, Detail: "the file " + s.path + "-wal belongs to another database or to an earlier moment",
				Reason: "Il file accanto all'archivio con nome che finisce in «-wal» non è suo, o è di un altro momento. " +
					"Chiudere gli altri programmi che usano l'archivio; se l'errore resta, rimettere il file giusto o spostare altrove questo.",
			}
		}
		before = now
	}
}

// fits reports whether a -wal file may belong to the database.
func (s *sentMark) fits(m mark, wal *walFile) bool {
	switch {
	case m.state == walUnknown:
		return true
	case m.state == walClosed: // another program has begun it; then there is a file -shm, too
		_, err := os.Stat(s.path + "-shm")
		return err == nil
	case wal.salts != m.wal.salts:
		return follows(wal.salts, m.wal.salts)
	}
	p, is := wal.point(m.wal.frame)
	return is && p == m.wal
}

// noWAL notes that SQLite will begin a -wal file, with salts that cannot be known before.
func (s *sentMark) noWAL(m mark, writes bool) error {
	if !writes || m.state == walUnknown {
		return nil
	}
	if m.state == walKnown && m.place != s.place() {
		m.count += lostClaims // a copy without its -wal file
	}
	return s.update(mark{count: m.count})
}

// noteWAL notes that SQLite began the -wal file anew, after a commit without claims. An error is
// ignored: at worst, the -wal file will be refused after the process was killed.
func (s *sentMark) noteWAL() {
	known := s.salts.Load()
	wal, err := s.openWAL()
	if err != nil || wal == nil {
		return
	}
	defer func() { _ = wal.Close() }()
	if known != nil && follows(wal.salts, *known) {
		return
	}
	if m, there, err := s.read(); err == nil && there {
		if m.state == walKnown && follows(wal.salts, m.wal.salts) {
			s.salts.Store(&m.wal.salts)
			return
		}
		_ = s.update(mark{count: m.count, state: walKnown, wal: walPoint{salts: wal.salts}})
	}
}

// closed notes that the database was closed, if SQLite removed the -wal file.
func (s *sentMark) closed() {
	if _, err := os.Stat(s.path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if m, there, err := s.read(); err == nil && there && m.state != walClosed && m.place == s.place() {
		_ = s.update(mark{count: m.count, state: walClosed})
	}
}

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
	salts    [2]uint32 // of the file: SQLite changes them each time that it resets the file
	frame    uint32    // the last frame of the commit, from 1; 0 if only the salts are known
	checksum [2]uint32 // of all frames up to frame
}

const (
	walHeader   = 32
	frameHeader = 24
)

// walFile is the -wal file of a database. It may be opened and closed while SQLite uses it, since
// SQLite has no locks on this file. SQLite has locks on the database and on the -shm file, and closing
// one of these would release the locks.
type walFile struct {
	*os.File
	salts    [2]uint32
	pageSize int64
}

// openWAL opens the -wal file. It returns nil if the file does not exist or is empty.
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
	return &walFile{file, pair(header[16:]), int64(binary.BigEndian.Uint32(header[8:]))}, nil
}

// pair decodes two integers: salts or a checksum.
func pair(b []byte) [2]uint32 {
	return [2]uint32{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// point returns the commit that ends with a frame, and false if the file has no such frame.
func (w *walFile) point(frame uint32) (walPoint, bool) {
	p := walPoint{salts: w.salts, frame: frame}
	if frame == 0 {
		return p, true
	}
	header := make([]byte, frameHeader)
	if _, err := w.ReadAt(header, walHeader+int64(frame-1)*(frameHeader+w.pageSize)); err != nil {
		return p, false
	}
	p.checksum = pair(header[16:])
	return p, pair(header[8:]) == w.salts
}

// walFrames returns how many frames the -wal file has: 0 if the next write resets it, and a negative
// number if there is no such file. The session must not be in a transaction.
func walFrames(ctx context.Context, session querier) (frames int64, err error) {
	rows, err := session.QueryContext(ctx, "PRAGMA wal_checkpoint(NOOP)")
	if err != nil {
		return 0, err
	}
	var busy, moved int64
	for rows.Next() {
		err = errors.Join(err, rows.Scan(&busy, &frames, &moved))
	}
	return frames, errors.Join(err, rows.Err(), rows.Close())
}

// walEnd returns the last commit in the -wal file, and false if it has none.
func (s *sentMark) walEnd(ctx context.Context, session querier) (walPoint, bool) {
	frames, err := walFrames(ctx, session)
	if err != nil || frames <= 0 {
		return walPoint{}, false
	}
	wal, err := s.openWAL()
	if err != nil || wal == nil {
		return walPoint{}, false
	}
	defer func() { _ = wal.Close() }()
	p, is := wal.point(uint32(frames))
	if !is {
		p, is = wal.point(0) // SQLite has reset the file meanwhile
	}
	return p, is
}

// maxResets is how often SQLite may have reset the -wal file since the mark was written. Each reset
// adds 1 to the first salt, except that one by another connection may set any salts: see
// [sentMark.noteBegun].
const maxResets = 1 << 16

// follows reports whether next are the same salts, or those of the same file after resets.
func follows(next, salts [2]uint32) bool {
	return next == salts || next[0] != salts[0] && next[0]-salts[0] < maxResets
}

// checkWAL returns an [ErrRestored] if the -wal file does not belong to the database. Call it
// before SQLite opens the database, since SQLite would move the content of the file into it.
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
			return s.noteNoWAL(m, writes)
		}
		fits := s.fits(m, wal)
		now := fmt.Sprint(m, wal.salts)
		_ = wal.Close()
		if fits {
			return nil
		}
		if now == before { // no other process has changed the file or the mark between the two reads
			return &Fault{
				Err: ErrRestored, Detail: "the file " + s.path + "-wal belongs to another database or to an earlier moment",
				Reason: "Il file accanto all'archivio con nome che finisce in «-wal» appartiene a un altro archivio o a un altro momento. " +
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
	case m.state == walClosed: // another program may have begun the file; it has a -shm file, too
		_, err := os.Stat(s.path + "-shm")
		return err == nil
	case wal.salts != m.wal.salts:
		return follows(wal.salts, m.wal.salts)
	}
	p, is := wal.point(m.wal.frame)
	return is && p == m.wal
}

// noteNoWAL records that SQLite will begin a -wal file, whose salts are not known yet.
func (s *sentMark) noteNoWAL(m mark, writes bool) error {
	if !writes || m.state == walUnknown {
		return nil
	}
	if m.state == walKnown && m.place != s.place() {
		m.count += lostClaims // a copy without its -wal file
	}
	return s.update(mark{count: m.count})
}

// noteBegun is called in a transaction that writes. If the transaction resets the -wal file, noteBegun
// records that the salts are not known, since they may be any if another connection has reset the
// file. The file is then not checked until [sentMark.noteWAL] or the next claim: the process may be
// killed, or another one may open the database, in between.
func (s *sentMark) noteBegun(ctx context.Context, outside querier) error {
	frames, err := walFrames(ctx, outside)
	if err != nil || frames != 0 {
		return err
	}
	m, there, err := s.read()
	if err != nil || !there || m.state != walKnown {
		return err
	}
	return s.update(mark{count: m.count})
}

// noteWAL records after a commit without claims that SQLite has reset the -wal file. It ignores
// errors: at worst, the -wal file is refused after the process was killed.
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

// noteClosed records that the database was closed, if SQLite has removed the -wal file.
func (s *sentMark) noteClosed() {
	if _, err := os.Stat(s.path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if m, there, err := s.read(); err == nil && there && m.state != walClosed && m.place == s.place() {
		_ = s.update(mark{count: m.count, state: walClosed})
	}
}

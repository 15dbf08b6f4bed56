package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// position is how far a journal reaches.
type position struct {
	shard    Shard
	sequence uint64
	hash     Hash
}

// marked is what a mark says.
type marked struct {
	position
	trimmed uint64
	settled uint64 // what is up to here was durable before the mark said so
}

// mark is the file that says how far the journal reaches. It has two slots, of which the older one is
// written over, so that a write that is cut off leaves the other. The file keeps its size and its place,
// so that a sync of it has no metadata to write, and the lock on it holds for all who name it.
//
//	 0  4  "TSM1"
//	 4  4  CRC32C of the rest of the slot
//	 8  8  count of the writes, which chooses the newer slot
//	16 16  shard
//	32  8  sequence
//	40  8  sequence up to which the journal had been trimmed
//	48  8  sequence that was durable before this was written
//	56 32  hash
type mark struct {
	f      *os.File
	writes uint64
	slot   [slotSize]byte

	unsynced bool // for tests only
}

const (
	markMagic = "TSM1"
	slotSize  = 88
	slotStep  = 4096 // a slot lies in a sector of its own
	markSize  = 2 * slotStep

	lockTries = 100
	lockPause = 20 * time.Millisecond
)

// markState is what was found where a mark should be.
type markState int

const (
	markNew   markState = iota // there was no file
	markBlank                  // nothing has been written to it
	markHeld                   // it says a position
	markHalf                   // likewise, but the other slot is neither good nor blank
	markLost                   // there is a file, and it says nothing
)

// openMark opens the file at path, creates it if there is none, and locks it: at most one journal, of any
// process, has it.
func openMark(path string) (m *mark, at marked, state markState, err error) {
	state = markHeld
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		state = markNew
		if f, err = createMark(path); err != nil {
			return nil, at, state, err
		}
	} else if err != nil {
		return nil, at, state, err
	}
	m = &mark{f: f}
	if err := m.lock(); err != nil {
		return nil, at, state, errors.Join(err, f.Close())
	}
	if state == markNew {
		return m, at, state, nil
	}
	at, state, err = m.read()
	if err != nil {
		return nil, at, state, errors.Join(fmt.Errorf("read %q: %w", path, err), f.Close())
	}
	return m, at, state, nil
}

// lock tries for a while: a process that was just started from this one shares its files until it runs a
// program of its own.
func (m *mark) lock() error {
	for range lockTries {
		err := syscall.Flock(int(m.f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		time.Sleep(lockPause)
	}
	return tallystick.Errorf(tallystick.Unavailable, "the journal of %q is in use by another process", m.f.Name()).
		WithHint("let it finish or stop it, then try again")
}

// createMark makes a mark of which both slots are blank.
func createMark(path string) (*os.File, error) {
	err := durable.CreateFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(make([]byte, markSize))
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}

func (m *mark) read() (at marked, state markState, err error) {
	raw := make([]byte, markSize)
	if _, err := m.f.ReadAt(raw, 0); err != nil && !errors.Is(err, io.EOF) {
		return at, markLost, err
	}
	good, blank := 0, 0
	for i := range 2 {
		slot := raw[i*slotStep:][:slotSize]
		p, writes, ok := parseSlot(slot)
		switch {
		case ok:
			good++
			if writes >= m.writes {
				at, m.writes = p, writes
			}
		case [slotSize]byte(slot) == [slotSize]byte{}:
			blank++
		}
	}
	switch {
	case good == 0 && blank == 2:
		return at, markBlank, nil
	case good == 0:
		return at, markLost, nil
	case good+blank < 2 || blank == 1 && m.writes != 1:
		return at, markHalf, nil
	}
	return at, markHeld, nil
}

func parseSlot(b []byte) (at marked, writes uint64, ok bool) {
	if string(b[:4]) != markMagic || binary.BigEndian.Uint32(b[4:]) != crc32.Checksum(b[8:slotSize], castagnoli) {
		return at, 0, false
	}
	at.shard, at.sequence, at.hash = Shard(b[16:32]), binary.BigEndian.Uint64(b[32:]), Hash(b[56:88])
	at.trimmed, at.settled = binary.BigEndian.Uint64(b[40:]), binary.BigEndian.Uint64(b[48:])
	return at, binary.BigEndian.Uint64(b[8:]), true
}

// settle makes the mark say durably how far the journal durably reaches. After an error the mark must not
// be used.
func (m *mark) settle(at marked) error {
	at.settled = at.sequence
	if err := m.write(at); err != nil {
		return err
	}
	return m.sync()
}

// write makes the mark say at, but for a sync.
func (m *mark) write(at marked) error {
	m.writes++
	b := m.slot[:]
	copy(b, markMagic)
	binary.BigEndian.PutUint64(b[8:], m.writes)
	copy(b[16:], at.shard[:])
	binary.BigEndian.PutUint64(b[32:], at.sequence)
	binary.BigEndian.PutUint64(b[40:], at.trimmed)
	binary.BigEndian.PutUint64(b[48:], at.settled)
	copy(b[56:], at.hash[:])
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	if _, err := m.f.WriteAt(b, int64(m.writes%2)*slotStep); err != nil {
		return fmt.Errorf("write the mark: %w", err)
	}
	return nil
}

func (m *mark) sync() error {
	if m.unsynced {
		return nil
	}
	if err := syncData(m.f); err != nil {
		return fmt.Errorf("sync the mark %q: %w", filepath.Base(m.f.Name()), err)
	}
	return nil
}

// close lets go of the lock, too.
func (m *mark) close() error { return m.f.Close() }

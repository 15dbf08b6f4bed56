package journal

import (
	"errors"
	"fmt"
	"os"
)

// The write-ahead log is made longer before it is needed, with zeros, in steps that double. To write over
// what a file has costs a sync much less than to make the file longer, and once the log has been copied
// into the file SQLite begins at its front again. Zeros at the end are no frames of a log, so that nothing
// of this shows.
const (
	walFirstStep = 256 << 10
	walBytes     = 32 << 20 // then it is long enough
)

// wal is the write-ahead log as a file. Only the writing goroutine has it.
type wal struct {
	f    *os.File
	size int64
	used int64 // not less than what SQLite has written since it last began at the front
}

func openWAL(path string) (*wal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &wal{f: f, size: info.Size(), used: info.Size()}, nil
}

// sync makes the commits durable that are in the log. SQLite would do so itself, if synchronous were FULL,
// but before it returns, and by fsync, which also writes the time of the change in a transaction of the
// file system. Where the log begins anew, and for checkpoints, its own syncs remain.
func (w *wal) sync() error {
	if err := syncData(w.f); err != nil {
		return fmt.Errorf("sync the write-ahead log: %w", err)
	}
	return nil
}

// reserve makes the log longer if the next n bytes of frames may not fit. It only ever writes behind the
// end of the file, where SQLite has written nothing.
func (w *wal) reserve(n int64) error {
	n += n/16 + 8*(pageSize+walFrame) // the pages' headers, and the pages above those of the frames
	w.used += n
	for w.used > w.size && w.size < walBytes {
		info, err := w.f.Stat()
		if err != nil {
			return fmt.Errorf("write-ahead log: %w", err)
		}
		w.size = info.Size()
		step := min(max(w.size, walFirstStep), walBytes)
		zeros := make([]byte, walFirstStep)
		for end := w.size + step; w.size < end; {
			n, err := w.f.WriteAt(zeros[:min(walFirstStep, end-w.size)], w.size)
			if err != nil {
				return fmt.Errorf("make the write-ahead log longer: %w", err)
			}
			w.size += int64(n)
		}
	}
	return nil
}

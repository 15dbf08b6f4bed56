package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxSwept bounds how many files one Sweep removes: the rest waits for the next.
const maxSwept = 10_000

// Swept says what Sweep has removed.
type Swept struct {
	Files int
	Bytes int64
}

// Sweep removes from dir, not from what is below it, the files of writes that ended before they had
// their name, as when a process was killed. Writes that are under way, in this process or another, are
// left alone. At most 10,000 files go at once.
func Sweep(dir string) (swept Swept, err error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return swept, nil
	}
	if err != nil {
		return swept, fmt.Errorf("sweep: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for swept.Files < maxSwept {
		entries, err := d.ReadDir(256)
		if err != nil && !errors.Is(err, io.EOF) {
			return swept, fmt.Errorf("sweep %q: %w", dir, err)
		}
		if len(entries) == 0 {
			return swept, nil
		}
		for _, entry := range entries {
			if !IsTemporary(entry.Name()) || !entry.Type().IsRegular() || swept.Files == maxSwept {
				continue
			}
			size, removed, err := sweepFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				return swept, fmt.Errorf("sweep %q: %w", dir, err)
			}
			if removed {
				swept.Files++
				swept.Bytes += size
			}
		}
	}
	return swept, nil
}

// sweepFile removes the file at path unless somebody is writing to it.
func sweepFile(path string) (size int64, removed bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) { // it got its name, or another sweeps too
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return 0, false, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, false, err
	}
	// Its writer may have given it another name meanwhile, and then closed it.
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, now) {
		return 0, false, nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	return info.Size(), err == nil, err
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// gone reports whether an open file has no name any longer.
func gone(f *os.File) bool {
	_, err := os.Lstat(f.Name())
	return errors.Is(err, fs.ErrNotExist)
}

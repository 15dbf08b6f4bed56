// Package durable writes files that are either wholly there after a crash or not there at all.
//
// A file is written under a temporary name in the directory of its final name, flushed with fsync,
// given its final name, and then the directory is flushed too. On Linux the happy path is
//
//	openat(dir/.durable-123, O_RDWR|O_CREAT|O_EXCL) flock fchmod write... fsync
//	rename(dir/.durable-123, dir/name) close openat(dir) fsync close
//
// Once a function of this package has returned nil, the file and its name survive a loss of power,
// as far as the disk keeps its word about fsync. Before that, a reader sees the old file or none,
// never a part of the new one; a crash can leave a temporary file, which [Sweep] removes.
//
// An error of fsync is final: the kernel may drop the dirty pages and call the next fsync
// successful, so nothing here retries (Rebello et al., "Can Applications Recover from fsync
// Failures?", USENIX ATC 2020). The caller must treat the file as not written.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const temporaryPrefix = ".durable-"

// IsTemporary reports whether name, without its directory, is one that an interrupted write can
// have left behind, see [Sweep].
func IsTemporary(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }

// WriteFile makes path the file that write produces, with exactly the permissions perm, whatever
// the umask. A file that exists is replaced. If write fails, path is left as it was.
func WriteFile(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return writeFile(path, perm, write, (*File).Commit)
}

// CreateFile is WriteFile for a path that must not exist yet: if it does, even since a moment ago,
// the error satisfies errors.Is(err, fs.ErrExist) and the file is left as it was. The file system
// must know hard links.
func CreateFile(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return writeFile(path, perm, write, (*File).CommitNew)
}

func writeFile(path string, perm fs.FileMode, write func(io.Writer) error, commit func(*File, string) error) error {
	f, err := Create(filepath.Dir(path), perm)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := write(f); err != nil {
		return errors.Join(fmt.Errorf("write %q: %w", path, err), f.Discard())
	}
	return commit(f, path)
}

// File is a file whose name is decided when it is complete. It must end in Commit, CommitNew or
// Discard. It is not safe for concurrent use.
type File struct {
	f *os.File
}

// Create opens a file without a name yet, in the directory dir, which must exist. It is locked
// (flock(2)) until it has its name, or until the process is gone, so that Sweep leaves it alone.
func Create(dir string, perm fs.FileMode) (*File, error) {
	for range maxSwept {
		f, err := os.CreateTemp(dir, temporaryPrefix+"*")
		if err != nil {
			return nil, err
		}
		// Where there are no locks, Sweep does not get one either.
		_ = flock(f, syscall.LOCK_EX)
		if gone(f) { // swept between the two calls
			_ = f.Close() // nothing was written
			continue
		}
		if err := f.Chmod(perm); err != nil {
			return nil, errors.Join(err, (&File{f}).Discard())
		}
		return &File{f}, nil
	}
	return nil, fmt.Errorf("create a file in %q: it is removed each time", dir)
}

// Write appends to the file.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// Commit gives the file the name path, in place of any file of that name, and returns when both
// are durable. path must lie in the file system of the directory that was given to Create. On an
// error the file is discarded, unless only what comes after the name failed: then the name may be
// there, but must not be relied upon.
func (f *File) Commit(path string) error { return f.commit(path, os.Rename) }

// CommitNew is Commit for a path that must not exist, as in [CreateFile].
func (f *File) CommitNew(path string) error {
	return f.commit(path, func(from, to string) error {
		if err := os.Link(from, to); err != nil {
			return err
		}
		return os.Remove(from)
	})
}

func (f *File) commit(path string, name func(from, to string) error) error {
	if err := f.f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("write %q: %w", path, err), f.Discard())
	}
	if err := name(f.f.Name(), path); err != nil {
		return errors.Join(fmt.Errorf("write %q: %w", path, err), f.Discard())
	}
	if err := f.f.Close(); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// Discard closes and removes the file.
func (f *File) Discard() error {
	return errors.Join(f.f.Close(), os.Remove(f.f.Name()))
}

// SyncDir makes the names in dir durable: files created, renamed and removed.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush directory: %w", err)
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("flush directory %q: %w", dir, err), d.Close())
	}
	return d.Close()
}

// MkdirAll creates dir and the parents that are missing, durably, with the permissions perm before
// the umask. A directory that exists is left as it is.
func MkdirAll(dir string, perm fs.FileMode) error {
	dir = filepath.Clean(dir)
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a directory")}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := MkdirAll(parent, perm); err != nil {
		return err
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

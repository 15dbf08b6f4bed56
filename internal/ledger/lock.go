package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	lockFile  = ".lock"
	lockRetry = 10 * time.Millisecond
)

// dirLock holds a directory for one Log. flock(2) binds to the open file and not to the process, so
// that it refuses a second Log in this process too, by whatever path it comes; Tessera's own fcntl
// locks do not, and two appenders of one process would overwrite each other's entries.
type dirLock struct{ f *os.File }

// lockDir takes the lock of dir, trying until ctx ends.
func lockDir(ctx context.Context, dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock ledger: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock ledger %q: %w", dir, err), f.Close())
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			held := tallystick.Errorf(tallystick.Unavailable, "ledger %q is in use by %s", dir, holder(f)).
				WithHint("let it finish or stop it, then try again")
			held.Err = ctx.Err()
			return nil, errors.Join(held, f.Close())
		}
	}
	// The number is for people only, so that a failure to write it does no harm.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &dirLock{f}, nil
}

func (l *dirLock) release() error { return l.f.Close() }

// keep holds the lock until the process ends, even when l is garbage: the collector closes an os.File,
// but not a bare descriptor of the same open file.
func (l *dirLock) keep() error {
	_, err := syscall.Dup(int(l.f.Fd()))
	return err
}

// holder names who holds the lock, as far as the lock file tells.
func holder(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	switch {
	case err != nil:
		return "another process"
	case pid == os.Getpid():
		return "this process itself"
	}
	return fmt.Sprintf("process %d", pid)
}

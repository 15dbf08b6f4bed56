package witness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tallystick/tallystick"
)

const lockFile = "lock"

// lockDir holds dir for one process: two that cosign from one record would let two histories pass.
// flock(2) refuses a second holder in this process too.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock witness: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = tallystick.Errorf(tallystick.Unavailable, "the witness in %q is served by another process", dir).WithHint("stop that one first; a witness has one process")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

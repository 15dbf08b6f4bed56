package journal

import (
	"errors"
	"os"
	"syscall"
)

// syncData flushes what has been written to f, and of its metadata only what is needed to read it.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

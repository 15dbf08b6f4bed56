package state

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk fills a disk of two megabytes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=2m,mode=700"); err != nil {
		t.Skipf("needs leave to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "state.db")
	fillAndReopen(t, open(t, Config{Path: path}), path, func() {
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m,mode=700"); err != nil {
			t.Fatal(err)
		}
	})
}

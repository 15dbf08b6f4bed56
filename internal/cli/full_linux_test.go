package cli_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull runs audits while the file system of the workspace has less and less space left: an
// audit that fails says so in one line and leaves nothing in --out, and once there is space again
// everything is as if it had not been.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	h := newHome(t)
	disk := mountDisk(t, h, "8m")
	audit := func(out string) (int, string, string) {
		return h.exit("audit", "loans.csv", "--label", "defaulted", "--workspace", "disk/workspace", "--out", out)
	}
	// The first size is that of a disk on which not even a workspace can be made.
	failed, passed := 0, 0
	for i, kib := range []int64{4, 2000, 1200, 700, 300, 150, 75, 50, 25, 12, 0} {
		release := fill(t, disk, kib<<10)
		out := fmt.Sprint("out", i)
		code, stdout, stderr := audit(out)
		if code == 0 {
			passed++
		} else {
			failed++
			if code != 3 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "the disk is full") && !strings.Contains(stderr, "the disk reported an error: disk I/O error (4874); check the disk, and whether it is full") {
				t.Errorf("with %d KiB left: exit code %d\n%s%s", kib, code, stdout, stderr)
			}
			if entries, err := os.ReadDir(h.path(out)); !errors.Is(err, os.ErrNotExist) && len(entries) > 0 {
				t.Errorf("with %d KiB left: %v in %s", kib, entries, out)
			}
		}
		release()
		again, stdout, stderr := audit(out)
		if again != 0 {
			t.Fatalf("after there were %d KiB left, with space again: exit code %d\n%s%s", kib, again, stdout, stderr)
		}
		h.run(0, "fsck", "--workspace", "disk/workspace")
		h.run(0, "verify", out+"/evidence.tally", "--workspace", "disk/workspace")
	}
	if failed < 4 || passed < 2 {
		t.Errorf("%d audits failed and %d passed: the sizes do not try what they should", failed, passed)
	}
}

// mountDisk gives a home a file system of its own at disk.
func mountDisk(t *testing.T, h home, size string) string {
	t.Helper()
	disk := h.path("disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// fill writes a file that leaves so many bytes of a file system free, until release is called.
func fill(t *testing.T, dir string, free int64) (release func()) {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	ballast := dir + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, max(0, int64(fs.Bavail)*fs.Bsize-free)), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

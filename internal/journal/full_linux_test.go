package journal

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

// TestFullDisk fills a disk of three megabytes: the journal stops for good, and when there is room again a
// restart finds what was acknowledged, without a gap.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=3m,mode=700"); err != nil {
		t.Skipf("needs leave to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	j, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	fillAndReopen(t, j, Options{Dir: dir}, func() {
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m,mode=700"); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFullFile fills a file that may not grow, which SQLite reports as it reports a full disk.
func TestFullFile(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	limited := o
	limited.maxPages = 60
	j, err := Open(t.Context(), limited)
	if err != nil {
		t.Fatal(err)
	}
	fillAndReopen(t, j, o, func() {})
}

func fillAndReopen(t *testing.T, j *Journal, o Options, free func()) {
	t.Helper()
	var want []string
	var full error
	for n := 0; full == nil; n++ {
		record := fmt.Sprint(n, strings.Repeat("x", 20_000))
		var r Receipt
		if r, full = j.Append(t.Context(), batchOf(0, record)); full == nil {
			want = append(want, fmt.Sprintf("%d %s", r.Sequence, record))
		}
		if n > 10_000 {
			t.Fatal("never full")
		}
	}
	if tallystick.CodeOf(full) != tallystick.Unavailable || !errors.Is(full, ErrOutcomeUnknown) {
		t.Errorf("error when full: %v", full)
	}
	if _, err := j.Append(t.Context(), batchOf(0, "a")); tallystick.CodeOf(err) != tallystick.Unavailable || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("error of the next batch: %v", err)
	}
	if err := j.Trim(t.Context(), 2); err == nil {
		t.Error("a journal that has stopped was trimmed")
	}
	_ = j.Close() // it may not be able to tidy up

	free()
	j = mustOpen(t, o)
	got := contents(t, j, 0)
	if len(got) < len(want) || len(got) > len(want)+1 {
		t.Fatalf("%d batches after the restart, %d were acknowledged", len(got), len(want))
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("after the restart: %.500s", diff)
	}
	for e, err := range j.Read(t.Context(), 0) {
		if err != nil || e.Beginning != nil && e.Beginning.Gap != nil {
			t.Errorf("the restart found %+v, %v", e.Beginning, err)
		}
	}
	mustAppend(t, j, batchOf(0, "after"))
}

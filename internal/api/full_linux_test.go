package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestDiskFull: a file for which there is no space leaves nothing, and who sends it is told why.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	disk := filepath.Join(h.dir, "artifacts", "sha256")
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit"}).want(t, 200)
	large, small := strings.Repeat("x", 2<<20), strings.Repeat("x", 100<<10)
	put := func(content string) answer {
		return ask(t, ada, "PUT", "/models/credit/artifacts/"+string(tallystick.DigestOf([]byte(content))), content, "Content-Type", "application/octet-stream")
	}
	full := put(large).want(t, 503)
	if p := full.problem(t); !strings.Contains(p.Detail, "disk is full") || p.Hint == "" || strings.Contains(p.Detail, disk) {
		t.Errorf("%s", full)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 || h.count(t, trail.ArtifactUploaded) > 0 {
		t.Errorf("left behind: %v, %v, and %d events", left, err, h.count(t, trail.ArtifactUploaded))
	}
	put(small).want(t, 200)
	put(large).want(t, 503)
	if names := h.stored(t); len(names) != 1 {
		t.Errorf("%v", names)
	}
}

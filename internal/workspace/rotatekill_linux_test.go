package workspace_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// The child of TestRotationCutShort rotates the key of a role in the workspace below a directory.
const (
	childDirectory = "TALLYSTICK_WORKSPACE_CHILD"
	childRole      = "TALLYSTICK_WORKSPACE_CHILD_ROLE"
)

func TestMain(m *testing.M) {
	ledger.RouteLogs(slog.New(slog.DiscardHandler))
	if dir := os.Getenv(childDirectory); dir != "" {
		if err := rotateInChild(dir, verify.Role(os.Getenv(childRole))); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func rotateInChild(dir string, role verify.Role) error {
	runtime.LockOSThread() // strace counts calls for each thread
	ctx := context.Background()
	w, err := workspace.Open(ctx, config(dir))
	if err != nil {
		return err
	}
	if _, err := w.RotateKey(ctx, role); err != nil {
		return err
	}
	return w.Close()
}

// Before each step of a rotation that makes something durable or gives it a name, the process is
// killed. Whoever opens the workspace next finds the old key in use or the new one, as the trail
// says; everything is sound, what was signed before still verifies, and a rotation succeeds.
func TestRotationCutShort(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts many processes")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	for _, role := range roles {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			outcomes := map[bool]int{} // by whether the rotation was on the trail
			for _, call := range []string{"linkat", "unlinkat", "renameat", "fsync", "fdatasync"} {
				for n := 1; ; n++ {
					if n > 50 {
						t.Fatal("the rotation has no end")
					}
					finished, rotated := cutShort(t, role, call, n)
					if finished {
						break
					}
					outcomes[rotated]++
				}
			}
			t.Logf("killed before the event %d times, after it %d times", outcomes[false], outcomes[true])
			// Without both there was nothing to recover from.
			if outcomes[false] < 5 || outcomes[true] < 5 {
				t.Error("that is not enough to have met each step")
			}
		})
	}
}

// cutShort kills a rotation before the nth call of that name that a thread makes.
func cutShort(t *testing.T, role verify.Role, call string, n int) (finished, rotated bool) {
	t.Helper()
	cfg := config(t.TempDir())
	w := open(t, cfg)
	early := bundle(t, w, mustAttest(t, w))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	step := fmt.Sprintf("%s %d", call, n)
	child := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), os.Args[0])
	child.Env = append(os.Environ(), childDirectory+"="+filepath.Dir(cfg.Dir), childRole+"="+string(role))
	out, err := child.CombinedOutput()
	if child.ProcessState.ExitCode() == 1 {
		t.Fatalf("%s: %v: %s", step, err, out)
	}
	finished = err == nil

	w = open(t, cfg)
	rotations, err := w.Trail.Count(t.Context(), trail.Filter{Type: trail.KeyRotated})
	if err != nil {
		t.Fatal(err)
	}
	if rotated = rotations == 1; rotated != (w.Keys.Active(role).FromIndex > 0) || finished && !rotated {
		t.Errorf("%s: %d rotations on the trail, and the key in use is %+v", step, rotations, w.Keys.Active(role))
	}
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	sound(t, w)
	if _, err := w.RotateKey(t.Context(), role); err != nil {
		t.Errorf("%s: rotate again: %v", step, err)
	}
	late := bundle(t, w, mustAttest(t, w))
	for name, b := range map[string][]byte{"early": early, "late": late} {
		if got, why := verdict(t, b, w.Trust()); got != verify.Verified {
			t.Errorf("%s: %s bundle: %s, %s", step, name, got, why)
		}
	}
	sound(t, w)
	if files, err := os.ReadDir(filepath.Join(cfg.Dir, "keys")); err != nil || len(files) != 3 {
		t.Errorf("%s: left in keys: %v, %v", step, files, err)
	}
	return finished, rotated
}

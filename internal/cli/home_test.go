package cli_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/cli"
)

// home is a directory with the sample tables, in which the program runs as a process of its own with
// its workspace below it.
type home struct {
	t   *testing.T
	dir string
}

func newHome(t *testing.T) home {
	t.Helper()
	h := home{t, t.TempDir()}
	if err := cli.WriteSamples(h.dir); err != nil {
		t.Fatal(err)
	}
	return h
}

// copy returns a home with the same workspace. Its path holds no word that a message could be
// searched for.
func (h home) copy(t *testing.T) home {
	t.Helper()
	dir, err := os.MkdirTemp("", "home-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	to := home{t, dir}
	for _, name := range []string{"data", "state"} {
		err := filepath.WalkDir(h.path(name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			target := filepath.Join(dir, strings.TrimPrefix(path, h.dir))
			if entry.IsDir() {
				return os.Mkdir(target, info.Mode().Perm())
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, content, info.Mode().Perm()|0o200)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func (h home) path(name string) string { return filepath.Join(h.dir, name) }

func (h home) read(name string) []byte {
	h.t.Helper()
	data, err := os.ReadFile(h.path(name))
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

// command is the program, which TestMain has put into PATH under its name.
func (h home) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(h.t.Context(), "tallystick", args...)
	cmd.Dir = h.dir
	cmd.Env = os.Environ()
	homes := cli.Homes(h.dir)
	for _, name := range slices.Sorted(maps.Keys(homes)) {
		cmd.Env = append(cmd.Env, name+"="+homes[name])
	}
	return cmd
}

// exit runs the program and returns its exit code and what it printed.
func (h home) exit(args ...string) (code int, stdout, stderr string) {
	h.t.Helper()
	var out, complaint strings.Builder
	cmd := h.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), complaint.String()
}

// run runs the program, which must exit with the code given.
func (h home) run(want int, args ...string) string {
	h.t.Helper()
	code, stdout, stderr := h.exit(args...)
	if code != want {
		h.t.Fatalf("tallystick %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
	}
	return stdout
}

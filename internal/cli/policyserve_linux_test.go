package cli_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostilePolicies gives a server policies that are too large, too deep or no files at all. None listens, waits for what never
// comes or takes more than a bounded part of the machine, and one line says what is wrong.
func TestHostilePolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes and writes many files")
	}
	t.Parallel()
	const rule = "# METADATA\n# title: T\n# custom:\n#   id: house.t\n#   about: release\n#   severity: low\n#   remediation: none\npackage house.t\n\nresult := "
	written := func(name, content string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
	}
	many := func(n int, form string) func(string) error {
		return func(dir string) error {
			for i := range n {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(form, i)), nil, 0o600); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, test := range []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"a file of 100 MiB", func(dir string) error {
			f, err := os.Create(filepath.Join(dir, "a.rego"))
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Truncate(100 << 20)
		}, "a.rego has more than 1048576 bytes"},
		{"much in many files", func(dir string) error {
			for i := range 17 {
				if err := written(fmt.Sprintf("%d.rego", i), "package a\n"+strings.Repeat("#", 1<<20-100))(dir); err != nil {
					return err
				}
			}
			return nil
		}, "it holds more than 16777216 bytes of policy"},
		{"20,000 rules", many(20_000, "%d.rego"), "it holds more than 500 files of policy"},
		{"11,000 other files", many(11_000, "%d.txt"), "it holds more than 10000 files and directories"},
		{"brackets", written("a.rego", rule+strings.Repeat("[", 400_000)+strings.Repeat("]", 400_000)), "a.rego:10: max parsing recursion depth exceeded"},
		{"open brackets", written("a.rego", rule+strings.Repeat("{", 400_000)), "a.rego:10: "},
		{"comprehensions in each other", written("a.rego", rule+strings.Repeat("[1 | 1 == count(", 30_000)+"[1]"+strings.Repeat(")]", 30_000)), "a.rego:10: max parsing recursion depth exceeded"},
		{"data, deep", written("data.json", `{"a":`+strings.Repeat("[", 500_000)+strings.Repeat("]", 500_000)+"}"), "data.json: invalid character '[' exceeded max depth"},
		{"data, many aliases", written("data.yaml", "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"+aliases(30)), "data.yaml: yaml: document contains excessive aliasing"},
		{"annotations, deep", written("a.rego", "# METADATA\n# title: "+strings.Repeat("[", 300_000)+"\npackage a\n"), "a.rego:2: yaml: exceeded max depth"},
		{"an endless device", func(dir string) error { return os.Symlink("/dev/zero", filepath.Join(dir, "a.rego")) }, "a.rego: path escapes from parent"},
		{"a pipe", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "a.rego"), 0o600) }, "a.rego is not a regular file"},
		{"a link to a pipe", func(dir string) error {
			return errors.Join(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Symlink("pipe", filepath.Join(dir, "a.rego")))
		}, "a.rego is not a regular file"},
		{"a link to itself", func(dir string) error { return os.Symlink("a.rego", filepath.Join(dir, "a.rego")) }, "a.rego: too many levels of symbolic links"},
		{"a pipe for a directory", func(dir string) error { return errors.Join(os.Remove(dir), syscall.Mkfifo(dir, 0o600)) }, `policy "policy" is not a directory`},
		{"a device for a directory", func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink("/dev/zero", dir)) }, `policy "policy" is not a directory`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := home{t, t.TempDir()}
			dir := h.path("policy")
			if err := errors.Join(os.Mkdir(dir, 0o700), test.make(dir)); err != nil {
				t.Fatal(err)
			}
			cmd := h.command("serve", "--listen", "127.0.0.1:0", "--policy", "policy")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			limit := time.AfterFunc(90*time.Second, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait() // its state tells
			limit.Stop()
			said := stderr.String()
			if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(said, test.want) || strings.Count(said, "\n") != 1 || len(said) > 1000 {
				t.Errorf("exit code %d, %.1000q; want 2 and one line with %q", code, said, test.want)
			}
			if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && used.Maxrss > 1<<20 { // KiB
				t.Errorf("it had %d MiB resident", used.Maxrss>>10)
			}
			if _, err := os.Stat(h.workspace()); !os.IsNotExist(err) {
				t.Errorf("there is a workspace: %v", err)
			}
		})
	}
}

// aliases is a document whose size grows ninefold with each line.
func aliases(lines int) string {
	var b strings.Builder
	for i := 1; i < lines; i++ {
		before := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Join([]string{before, before, before, before, before, before, before, before, before}, ","))
	}
	return b.String()
}

package durable

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const orderDir = "DURABLE_ORDER_DIR"

// TestOrderOfCalls traces the system calls of a child: a file must be flushed before it gets its
// name, and its directory after that and before the writer is told that it is done.
func TestOrderOfCalls(t *testing.T) {
	if dir := os.Getenv(orderDir); dir != "" { // the child
		content := func(w io.Writer) error { _, err := io.WriteString(w, "content"); return err }
		if err := WriteFile(filepath.Join(dir, "name"), 0o600, content); err != nil {
			t.Fatal(err)
		}
		acknowledge(t)
		if err := CreateFile(filepath.Join(dir, "other"), 0o600, content); err != nil {
			t.Fatal(err)
		}
		acknowledge(t)
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process")
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	dir := t.TempDir()
	trace := filepath.Join(t.TempDir(), "trace")
	child := exec.CommandContext(t.Context(), strace, "-f", "-y", "-qq", "-o", trace,
		"-e", "trace=write,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat", os.Args[0], "-test.run=^TestOrderOfCalls$")
	child.Env = append(os.Environ(), orderDir+"="+dir)
	if output, err := child.CombinedOutput(); err != nil {
		if bytes.Contains(output, []byte("ptrace")) {
			t.Skipf("needs the right to trace: %s", output)
		}
		t.Fatalf("%v: %s", err, output)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"write temporary", "fsync temporary", "rename", "fsync directory", "acknowledge",
		"write temporary", "fsync temporary", "link", "unlink", "fsync directory", "acknowledge",
	}
	if diff := cmp.Diff(want, calls(string(data), dir)); diff != "" {
		t.Errorf("system calls (-want +got):\n%s\n%s", diff, data)
	}
}

// acknowledge leaves a mark in the trace: a write to a device.
func acknowledge(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(os.DevNull, []byte("acknowledge"), 0); err != nil {
		t.Fatal(err)
	}
}

var (
	whole      = regexp.MustCompile(`^(\d+)\s+(\w+)\((.*)\)\s+= \d+`)
	unfinished = regexp.MustCompile(`^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>`)
	resumed    = regexp.MustCompile(`^(\d+)\s+<\.\.\. (\w+) resumed>.*= \d+`)
)

// calls names the successful system calls of a trace that concern dir, in the order in which they
// ended.
func calls(trace, dir string) []string {
	var names []string
	arguments := map[string]string{} // of the call that a thread has begun
	for line := range strings.Lines(trace) {
		if m := unfinished.FindStringSubmatch(line); m != nil {
			arguments[m[1]] = m[3]
		} else if m := resumed.FindStringSubmatch(line); m != nil {
			names = append(names, nameOf(m[2], arguments[m[1]], dir)...)
		} else if m := whole.FindStringSubmatch(line); m != nil {
			names = append(names, nameOf(m[2], m[3], dir)...)
		}
	}
	return names
}

// nameOf returns the one name of a call, or none if it does not concern dir.
func nameOf(call, arguments, dir string) []string {
	switch {
	case strings.Contains(arguments, `"acknowledge"`):
		return []string{"acknowledge"}
	case !strings.Contains(arguments, dir):
		return nil
	case strings.HasPrefix(call, "rename"):
		return []string{"rename"}
	case strings.HasPrefix(call, "link"):
		return []string{"link"}
	case strings.HasPrefix(call, "unlink"):
		return []string{"unlink"}
	case strings.Contains(arguments, temporaryPrefix):
		return []string{call + " temporary"}
	case strings.Contains(arguments, "<"+dir+">"):
		return []string{call + " directory"}
	}
	return nil
}

// Package calltrace watches the system calls of a test's child process. A kill does not test a sync: what
// was written survives in the page cache.
package calltrace

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const maxLine = 4 << 20

// Call is one system call.
type Call struct {
	Thread, Name string
	Began, Ended int    // lines of the trace; they tell what came before what
	Text         string // arguments and result; descriptors with their paths
}

// OK reports whether the call succeeded.
func (c Call) OK() bool { return !strings.Contains(c.Text, " = -1 ") }

// Injected reports whether the call was made to fail.
func (c Call) Injected() bool { return strings.Contains(c.Text, "INJECTED") }

// On reports whether the call is on a descriptor whose path ends so.
func (c Call) On(suffix string) bool {
	return strings.Contains(c.Text[:min(len(c.Text), 300)], suffix+">")
}

// Need skips the test where processes are not to be started or cannot be traced.
func Need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil { //nolint:gosec // G204: constant words
		t.Skipf("needs strace and leave to trace (CI has both): %v %s", err, out)
	}
}

// Run runs this test's program again with an environment, under strace, and returns the named calls in the
// order in which they ended, with the first text bytes of what they carry. The child's descriptor 3 leads
// nowhere: what it writes there is in the trace alone. The second value is how the child failed, which is
// for the caller to judge; faults are what strace is to inject.
func Run(t *testing.T, environment []string, calls string, text int, faults ...string) ([]Call, error) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "trace")
	args := []string{"-f", "-y", "-s", fmt.Sprint(text), "-o", output, "-e", "trace=" + calls}
	for _, fault := range faults {
		args = append(args, "-e", "inject="+fault)
	}
	child := exec.CommandContext(t.Context(), "strace", append(args, os.Args[0])...) //nolint:gosec // G204: this test, again
	child.Env = append(os.Environ(), environment...)
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close()
	child.ExtraFiles = []*os.File{nowhere}
	var stderr bytes.Buffer
	child.Stderr = &stderr
	failed := child.Run()
	if failed != nil {
		failed = fmt.Errorf("%w: %s", failed, stderr.String())
	}
	raw, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw), failed
}

var (
	whole   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
)

func parse(t *testing.T, raw []byte) (all []Call) {
	t.Helper()
	unfinished := make(map[string]Call) // by thread
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, maxLine)
	for n := 0; lines.Scan(); n++ {
		line := lines.Text()
		if m := resumed.FindStringSubmatch(line); m != nil {
			c := unfinished[m[1]]
			c.Ended, c.Text = n, c.Text+m[3]
			all = append(all, c)
			continue
		}
		m := whole.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		c := Call{Thread: m[1], Name: m[2], Began: n, Ended: n, Text: m[3]}
		if text, cut := strings.CutSuffix(m[3], "<unfinished ...>"); cut {
			c.Text = text
			unfinished[c.Thread] = c
			continue
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Most returns how many of the calls one thread made at the most: strace counts each thread's for itself.
func Most(all []Call, names ...string) (most int) {
	count := make(map[string]int)
	for _, c := range all {
		for _, name := range names {
			if c.Name == name {
				count[c.Thread]++
				most = max(most, count[c.Thread])
			}
		}
	}
	return most
}

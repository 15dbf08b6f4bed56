package journal

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A kill does not test a sync: what was written survives in the page cache. These tests watch the
// system calls instead.

// call is one system call in a trace: the lines at which it began and ended.
type call struct {
	began, ended int
	text         string // arguments and result
}

func (c call) ok() bool { return !strings.Contains(c.text, " = -1 ") }

// trace is what strace has seen of one process, in the order in which the calls ended.
type trace struct {
	acks                 map[string]call // by note
	wal, walSyncs        []call          // writes to the write-ahead log, and syncs of it
	marks, markSyncs     []call          // likewise of the mark
	lost                 []call          // calls that were made to fail
	totalSyncs, allWrite int             // the most of one thread
}

// straced runs a child that acknowledges, under strace with the given options. Whether the child fails is
// for the caller to judge.
func straced(t *testing.T, dir, role string, options ...string) (trace, error) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-y", "-s", "140000", "-o", output, "-e", "trace=write,pwrite64,fsync,fdatasync"}, options...)
	child := exec.CommandContext(t.Context(), "strace", append(args, os.Args[0])...)
	child.Env = append(os.Environ(), roleVariable+"="+role, dirVariable+"="+dir)
	acks, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer acks.Close()
	child.ExtraFiles = []*os.File{acks}
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
	return parseTrace(t, raw), failed
}

var (
	traceLine  = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumeLine = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	ackText    = regexp.MustCompile(`"ack (note-[\w-]+) `)
)

func parseTrace(t *testing.T, raw []byte) trace {
	t.Helper()
	tr := trace{acks: make(map[string]call)}
	type open struct {
		name string
		call
	}
	unfinished := make(map[string]open)
	perThread := make(map[string]int)
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 4<<20)
	for n := 0; lines.Scan(); n++ {
		line := lines.Text()
		var thread string
		var c open
		if m := resumeLine.FindStringSubmatch(line); m != nil {
			thread, c = m[1], unfinished[m[1]]
			c.ended, c.text = n, c.text+m[3]
		} else if m := traceLine.FindStringSubmatch(line); m != nil {
			thread, c = m[1], open{m[2], call{n, n, m[3]}}
			if text, cut := strings.CutSuffix(m[3], "<unfinished ...>"); cut {
				c.text = text
				unfinished[thread] = c
				continue
			}
		} else {
			continue
		}
		onFile := c.text[:min(len(c.text), 300)]
		isSync := c.name == "fsync" || c.name == "fdatasync"
		kind := "write"
		if isSync {
			kind = "sync"
		}
		if c.name != "write" {
			perThread[thread+kind]++
		}
		if strings.Contains(c.text, "INJECTED") {
			tr.lost = append(tr.lost, c.call)
			continue
		}
		switch {
		case c.name == "write":
			if m := ackText.FindStringSubmatch(c.text); m != nil {
				tr.acks[m[1]] = c.call
			}
		case !c.ok():
		case strings.Contains(onFile, "-wal>") && isSync:
			tr.walSyncs = append(tr.walSyncs, c.call)
		case strings.Contains(onFile, "-wal>"):
			tr.wal = append(tr.wal, c.call)
		case strings.Contains(onFile, "/mark>") && isSync:
			tr.markSyncs = append(tr.markSyncs, c.call)
		case strings.Contains(onFile, "/mark>"):
			tr.marks = append(tr.marks, c.call)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for key, n := range perThread {
		if strings.HasSuffix(key, "sync") {
			tr.totalSyncs = max(tr.totalSyncs, n)
		} else {
			tr.allWrite = max(tr.allWrite, n)
		}
	}
	return tr
}

// after returns the first of the calls that began after a line and for which ok holds.
func after(calls []call, line int, ok func(call) bool) (call, bool) {
	i := slices.IndexFunc(calls, func(c call) bool { return c.began > line && ok(c) })
	if i < 0 {
		return call{}, false
	}
	return calls[i], true
}

// early returns the notes that were acknowledged before the write-ahead log that carries them had been
// synced, or before the mark, written behind them, had been.
func (tr trace) early() (notes []string) {
	for note, ack := range tr.acks {
		carries := func(c call) bool { return strings.Contains(c.text, note) }
		written, found := after(tr.wal, -1, carries)
		synced, foundSync := after(tr.walSyncs, written.ended, call.ok)
		marked, foundMark := after(tr.marks, written.ended, call.ok)
		markSynced, foundMarkSync := after(tr.markSyncs, marked.ended, call.ok)
		if !found || !foundSync || !foundMark || !foundMarkSync || max(synced.ended, markSynced.ended) >= ack.began {
			notes = append(notes, note)
		}
	}
	return notes
}

// prepared makes an empty journal, so that a child only appends.
func prepared(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	j, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func needStrace(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("needs strace and leave to trace (CI has both): %v %s", err, out)
	}
}

// TestNoAcknowledgementPrecedesItsSyncs looks at the order of system calls, and at two mutants that leave
// out the syncs of the write-ahead log or of the mark. They must be found out: else the test would show
// nothing.
func TestNoAcknowledgementPrecedesItsSyncs(t *testing.T) {
	needStrace(t)
	t.Parallel()
	tr, err := straced(t, prepared(t), "acknowledge")
	if err != nil {
		t.Fatal(err)
	}
	if want := acknowledgeRounds * acknowledgeCallers; len(tr.acks) != want {
		t.Fatalf("%d acknowledgements in the trace, want %d", len(tr.acks), want)
	}
	for _, note := range tr.early() {
		t.Errorf("%s was acknowledged before its syncs", note)
	}
	for _, role := range []string{"acknowledge early", "acknowledge unmarked"} {
		mutant, err := straced(t, prepared(t), role)
		if err != nil {
			t.Fatal(err)
		}
		if early := mutant.early(); len(early) == 0 || len(mutant.acks) == 0 {
			t.Errorf("the mutant %q passed: %d of %d acknowledged early", role, len(early), len(mutant.acks))
		}
	}
}

// TestNoAcknowledgementFollowsAFault lets the calls that make a batch durable fail, one in each run: every
// sync, of commits, of the mark and of the close, and a sample of the writes. Nothing is acknowledged after
// it, and what was before is there when the journal is opened again.
func TestNoAcknowledgementFollowsAFault(t *testing.T) {
	needStrace(t)
	t.Parallel()
	whole, err := straced(t, prepared(t), "acknowledge")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []struct {
		calls, errno string
		total, step  int
	}{
		{"fsync,fdatasync", "EIO", whole.totalSyncs, 1},
		{"pwrite64", "EIO", whole.allWrite, max(1, whole.allWrite/8)},
		{"pwrite64", "ENOSPC", whole.allWrite, max(1, whole.allWrite/8)},
	} {
		t.Run(fault.calls+" "+fault.errno, func(t *testing.T) {
			t.Parallel()
			hit := 0
			for n := 1; n <= fault.total; n += fault.step { // strace counts for each thread
				if faultAt(t, n, fault.calls, fault.errno) {
					hit++
				}
			}
			if hit < 3 {
				t.Errorf("only %d of %d faults came about", hit, fault.total)
			}
			t.Logf("%d faults, one in each run", hit)
		})
	}
}

// faultAt lets the nth of the calls fail, and checks what was acknowledged and what was kept. It returns
// whether the fault came about.
func faultAt(t *testing.T, n int, calls, errno string) bool {
	t.Helper()
	dir := prepared(t)
	tr, err := straced(t, dir, "acknowledge", "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, n))
	if len(tr.lost) == 0 {
		if err != nil {
			t.Errorf("call %d: nothing failed, but the child did: %v", n, err)
		}
		return false
	}
	for _, note := range tr.early() {
		t.Errorf("call %d failed, and %s was acknowledged without its syncs", n, note)
	}
	j := mustOpen(t, Options{Dir: dir})
	present := strings.Join(contents(t, j, 0), "\n")
	for note := range tr.acks {
		if !strings.Contains(present, note) {
			t.Errorf("call %d failed, and %s, acknowledged before, is lost", n, note)
		}
	}
	for e, err := range j.Read(t.Context(), 0) {
		if err != nil || e.Beginning != nil && e.Beginning.Gap != nil {
			t.Errorf("call %d failed, and the journal reports %+v, %v", n, e.Beginning, err)
		}
	}
	mustAppend(t, j, batchOf(0, "after"))
	return true
}

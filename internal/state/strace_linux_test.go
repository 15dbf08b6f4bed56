package state

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

// trace is what strace has seen of one process.
type trace struct {
	acks  map[string]call // by note
	opens []call          // of the write-ahead log
	dirs  []call          // syncs of its directory
	wal   []call          // writes to the write-ahead log
	syncs []call          // of the write-ahead log
	lost  []call          // calls that were made to fail

	total, writes int // syncs and writes at an offset, of anything, the most of one thread
}

// straced runs a child that acknowledges, under strace with the given options, on the database at
// path. Whether the child fails is for the caller to judge.
func straced(t *testing.T, path, role string, options ...string) (trace, error) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-y", "-s", "5000", "-o", output,
		"-e", "trace=?open,openat,write,pwrite64,fsync,fdatasync"}, options...)
	child := exec.CommandContext(t.Context(), "strace", append(args, os.Args[0])...)
	child.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
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
	ackText    = regexp.MustCompile(`"ack (note-[\w-]+)\\n"`)
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
	lines.Buffer(nil, 1<<20)
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
		onWAL := strings.Contains(c.text[:min(len(c.text), 200)], "-wal>")
		switch c.name {
		case "write":
			if m := ackText.FindStringSubmatch(c.text); m != nil {
				tr.acks[m[1]] = c.call
			}
		case "open", "openat":
			if strings.Contains(c.text, "O_CREAT") && strings.HasSuffix(c.text, "-wal>") {
				tr.opens = append(tr.opens, c.call)
			}
		case "pwrite64":
			perThread[thread+c.name]++
			tr.writes = max(tr.writes, perThread[thread+c.name])
			if strings.Contains(c.text, "INJECTED") {
				tr.lost = append(tr.lost, c.call)
			} else if onWAL {
				tr.wal = append(tr.wal, c.call)
			}
		case "fsync", "fdatasync":
			perThread[thread]++
			tr.total = max(tr.total, perThread[thread])
			switch {
			case strings.Contains(c.text, "INJECTED") && !tr.hasEntry(c.call):
				tr.lost = append(tr.lost, c.call)
			case onWAL && c.ok():
				tr.syncs = append(tr.syncs, c.call)
			case c.ok() && !strings.Contains(c.text, ".db"):
				tr.dirs = append(tr.dirs, c.call)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return tr
}

// hasEntry reports whether c is a sync of the directory that is not needed any more, because one has
// succeeded since the write-ahead log was created.
func (tr trace) hasEntry(c call) bool {
	return !strings.Contains(c.text, ".db") && len(tr.opens) > 0 && slices.ContainsFunc(tr.dirs, func(sync call) bool {
		return sync.began > tr.opens[0].ended && sync.ended < c.began
	})
}

// early returns the notes that were acknowledged before the write-ahead log that carries them had
// been synced.
func (tr trace) early() (notes []string) {
	for note, ack := range tr.acks {
		if !tr.synced(note, ack.began) {
			notes = append(notes, note)
		}
	}
	return notes
}

// synced reports whether the write-ahead log that carries the note had been synced by then.
func (tr trace) synced(note string, then int) bool {
	written := slices.IndexFunc(tr.wal, func(c call) bool { return strings.Contains(c.text, note) })
	return written >= 0 && slices.ContainsFunc(tr.syncs, func(sync call) bool {
		return sync.began > tr.wal[written].ended && sync.ended < then
	})
}

func prepared(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	db := open(t, Config{Path: path})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
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

// TestNoAcknowledgementPrecedesItsSync looks at the order of system calls, and at a mutant without
// syncs, which must be found out: else the test would show nothing.
func TestNoAcknowledgementPrecedesItsSync(t *testing.T) {
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
		t.Errorf("%s was acknowledged before its sync", note)
	}

	mutant, err := straced(t, prepared(t), "acknowledge early")
	if err != nil {
		t.Fatal(err)
	}
	if early := mutant.early(); len(early) == 0 || len(mutant.acks) == 0 {
		t.Errorf("the mutant with synchronous=OFF passed: %d of %d acknowledged early", len(early), len(mutant.acks))
	}
}

// TestNoAcknowledgementFollowsAFault lets the calls that make a write durable fail, one in each run:
// every sync, of commits, of checkpoints and of the close, and a sample of the writes.
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
		least        int // of faults that must come about; how many groups there are differs
	}{
		{"fsync,fdatasync", "EIO", whole.total, 1, acknowledgeRounds},
		{"pwrite64", "EIO", whole.writes, max(1, whole.writes/6), 2},
		{"pwrite64", "ENOSPC", whole.writes, max(1, whole.writes/6), 2},
	} {
		t.Run(fault.calls+" "+fault.errno, func(t *testing.T) {
			t.Parallel()
			hit := 0
			for n := 1; n <= fault.total; n += fault.step { // strace counts for each thread
				if faultAt(t, n, fault.calls, fault.errno) {
					hit++
				}
			}
			if hit < fault.least {
				t.Errorf("only %d of %d faults came about", hit, fault.total)
			}
			t.Logf("%d faults, one in each run", hit)
		})
	}
}

// faultAt lets the nth of the calls fail, and checks what was acknowledged and what was kept. It
// returns whether the fault came about.
func faultAt(t *testing.T, n int, calls, errno string) bool {
	t.Helper()
	path := prepared(t)
	tr, err := straced(t, path, "acknowledge", "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, n))
	if len(tr.lost) == 0 {
		if err != nil {
			t.Errorf("call %d: nothing failed, but the child did: %v", n, err)
		}
		return false
	}
	for note, ack := range tr.acks {
		// A group has its answers before the checkpoint that follows it, which may fail before they are
		// written out.
		if ack.began > tr.lost[0].ended && !tr.synced(note, tr.lost[0].began) {
			t.Errorf("call %d failed, and %s was acknowledged after it", n, note)
		}
	}
	for _, note := range tr.early() {
		t.Errorf("call %d failed, and %s had been acknowledged before its sync", n, note)
	}
	db := open(t, Config{Path: path})
	present := notes(t, db)
	for note := range tr.acks {
		if !slices.Contains(present, note) {
			t.Errorf("call %d failed, and %s, acknowledged before, is lost", n, note)
		}
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	return true
}

package state

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/durable/calltrace"
)

// trace is what was seen of one process.
type trace struct {
	acks  map[string]calltrace.Call // by note
	opens []calltrace.Call          // of the write-ahead log
	dirs  []calltrace.Call          // syncs of its directory
	wal   []calltrace.Call          // writes to the write-ahead log
	syncs []calltrace.Call          // of the write-ahead log
	lost  []calltrace.Call          // calls that were made to fail

	total, writes int // syncs and writes at an offset, of anything, the most of one thread
}

var ackText = regexp.MustCompile(`"ack (note-[\w-]+)\\n"`)

// straced runs a child that acknowledges, on the database at path, with what is to fail. Whether the child
// fails is for the caller to judge.
func straced(t *testing.T, path, role string, faults ...string) (trace, error) {
	t.Helper()
	all, failed := calltrace.Run(t, []string{roleVariable + "=" + role, pathVariable + "=" + path},
		"?open,openat,write,pwrite64,fsync,fdatasync", 5000, faults...)
	tr := trace{acks: make(map[string]calltrace.Call), total: calltrace.Most(all, "fsync", "fdatasync"), writes: calltrace.Most(all, "pwrite64")}
	for _, c := range all {
		switch c.Name {
		case "write":
			if m := ackText.FindStringSubmatch(c.Text); m != nil {
				tr.acks[m[1]] = c
			}
		case "open", "openat":
			if strings.Contains(c.Text, "O_CREAT") && strings.HasSuffix(c.Text, "-wal>") {
				tr.opens = append(tr.opens, c)
			}
		case "pwrite64":
			if c.Injected() {
				tr.lost = append(tr.lost, c)
			} else if c.On("-wal") {
				tr.wal = append(tr.wal, c)
			}
		case "fsync", "fdatasync":
			switch {
			case c.Injected() && !tr.hasEntry(c):
				tr.lost = append(tr.lost, c)
			case c.On("-wal") && c.OK():
				tr.syncs = append(tr.syncs, c)
			case c.OK() && !strings.Contains(c.Text, ".db"):
				tr.dirs = append(tr.dirs, c)
			}
		}
	}
	return tr, failed
}

// hasEntry reports whether c is a sync of the directory that is not needed any more, because one has
// succeeded since the write-ahead log was created.
func (tr trace) hasEntry(c calltrace.Call) bool {
	return !strings.Contains(c.Text, ".db") && len(tr.opens) > 0 && slices.ContainsFunc(tr.dirs, func(sync calltrace.Call) bool {
		return sync.Began > tr.opens[0].Ended && sync.Ended < c.Began
	})
}

// early returns the notes that were acknowledged before the write-ahead log that carries them had
// been synced.
func (tr trace) early() (notes []string) {
	for note, ack := range tr.acks {
		if !tr.synced(note, ack.Began) {
			notes = append(notes, note)
		}
	}
	return notes
}

// synced reports whether the write-ahead log that carries the note had been synced by then.
func (tr trace) synced(note string, then int) bool {
	written := slices.IndexFunc(tr.wal, func(c calltrace.Call) bool { return strings.Contains(c.Text, note) })
	return written >= 0 && slices.ContainsFunc(tr.syncs, func(sync calltrace.Call) bool {
		return sync.Began > tr.wal[written].Ended && sync.Ended < then
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

// TestNoAcknowledgementPrecedesItsSync looks at the order of system calls, and at a mutant without
// syncs, which must be found out: else the test would show nothing.
func TestNoAcknowledgementPrecedesItsSync(t *testing.T) {
	calltrace.Need(t)
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
	calltrace.Need(t)
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
	tr, err := straced(t, path, "acknowledge", fmt.Sprintf("%s:error=%s:when=%d", calls, errno, n))
	if len(tr.lost) == 0 {
		if err != nil {
			t.Errorf("call %d: nothing failed, but the child did: %v", n, err)
		}
		return false
	}
	for note, ack := range tr.acks {
		// A group has its answers before the checkpoint that follows it, which may fail before they are
		// written out.
		if ack.Began > tr.lost[0].Ended && !tr.synced(note, tr.lost[0].Began) {
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

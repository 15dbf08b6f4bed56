package journal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/durable/calltrace"
)

// trace is what was seen of one process, in the order in which the calls ended.
type trace struct {
	acks                 map[string]calltrace.Call // by note
	wal, walSyncs        []calltrace.Call          // writes to the write-ahead log, and syncs of it
	marks, markSyncs     []calltrace.Call          // likewise of the mark
	lost                 []calltrace.Call          // calls that were made to fail
	totalSyncs, allWrite int                       // the most of one thread
}

var ackText = regexp.MustCompile(`"ack (note-[\w-]+) `)

// straced runs a child that acknowledges, with what is to fail. Whether the child fails is for the caller to
// judge.
func straced(t *testing.T, dir, role string, faults ...string) (trace, error) {
	t.Helper()
	all, failed := calltrace.Run(t, []string{roleVariable + "=" + role, dirVariable + "=" + dir}, "write,pwrite64,fsync,fdatasync", 140_000, faults...)
	tr := trace{acks: make(map[string]calltrace.Call), totalSyncs: calltrace.Most(all, "fsync", "fdatasync"), allWrite: calltrace.Most(all, "pwrite64")}
	for _, c := range all {
		isSync := c.Name == "fsync" || c.Name == "fdatasync"
		switch {
		case c.Injected():
			tr.lost = append(tr.lost, c)
		case c.Name == "write":
			if m := ackText.FindStringSubmatch(c.Text); m != nil {
				tr.acks[m[1]] = c
			}
		case !c.OK():
		case c.On("-wal") && isSync:
			tr.walSyncs = append(tr.walSyncs, c)
		case c.On("-wal"):
			tr.wal = append(tr.wal, c)
		case c.On("/mark") && isSync:
			tr.markSyncs = append(tr.markSyncs, c)
		case c.On("/mark"):
			tr.marks = append(tr.marks, c)
		}
	}
	return tr, failed
}

// after returns the first of the calls that began after a line and for which ok holds.
func after(calls []calltrace.Call, line int, ok func(calltrace.Call) bool) (calltrace.Call, bool) {
	i := slices.IndexFunc(calls, func(c calltrace.Call) bool { return c.Began > line && ok(c) })
	if i < 0 {
		return calltrace.Call{}, false
	}
	return calls[i], true
}

// early returns the notes that were acknowledged before the write-ahead log that carries them had been
// synced, or before the mark, written behind them, had been.
func (tr trace) early() (notes []string) {
	for note, ack := range tr.acks {
		carries := func(c calltrace.Call) bool { return strings.Contains(c.Text, note) }
		written, found := after(tr.wal, -1, carries)
		synced, foundSync := after(tr.walSyncs, written.Ended, calltrace.Call.OK)
		marked, foundMark := after(tr.marks, written.Ended, calltrace.Call.OK)
		markSynced, foundMarkSync := after(tr.markSyncs, marked.Ended, calltrace.Call.OK)
		if !found || !foundSync || !foundMark || !foundMarkSync || max(synced.Ended, markSynced.Ended) >= ack.Began {
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

// TestNoAcknowledgementPrecedesItsSyncs looks at the order of system calls, and at two mutants that leave
// out the syncs of the write-ahead log or of the mark. They must be found out: else the test would show
// nothing.
func TestNoAcknowledgementPrecedesItsSyncs(t *testing.T) {
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
	calltrace.Need(t)
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
	tr, err := straced(t, dir, "acknowledge", fmt.Sprintf("%s:error=%s:when=%d", calls, errno, n))
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

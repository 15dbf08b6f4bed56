package journal

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killRounds is how often a test kills a process: as often as JOURNAL_CRASH_ROUNDS says, or twice.
func killRounds(t *testing.T) int {
	s := os.Getenv("JOURNAL_CRASH_ROUNDS")
	if s == "" {
		return 2
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKill kills a process in which 32 writers append and one reader trims, again and again on one
// journal. What was acknowledged is then there exactly once, in its place, also after it was sent again.
func TestKill(t *testing.T) { engines(t, testKill) }

func testKill(t *testing.T, fresh func(testing.TB) Options) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	o := fresh(t)
	total := 0
	for round := range killRounds(t) {
		acks := killOnce(t, o, 1+rand.IntN(400), time.Duration(rand.IntN(100_000))*time.Microsecond)
		total += len(acks)
		survey(t, o, acks)
		t.Logf("round %d: %d batches acknowledged", round, len(acks))
	}
	if total == 0 {
		t.Error("nothing was ever acknowledged")
	}
}

// ack is what a child has acknowledged.
type ack struct {
	sequence uint64
	head     string
	records  []string
}

// killOnce runs a child and kills it some time after its nth acknowledgement.
func killOnce(t *testing.T, o Options, n int, after time.Duration) (acks []ack) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=write", dirVariable+"="+o.Dir, urlVariable+"="+o.URL)
	var problems strings.Builder
	child.Stderr = &problems
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[0] != "ack" {
			continue
		}
		sequence, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		acks = append(acks, ack{sequence, fields[2], fields[3:]})
		if len(acks) == n {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
	}
	if err := child.Wait(); err == nil || problems.Len() > 0 {
		t.Fatalf("the child was not killed: %v: %s", err, problems.String())
	}
	return acks
}

// survey opens the journal after a crash and compares it, and what was put away, with what had been
// acknowledged.
func survey(t *testing.T, o Options, acks []ack) {
	t.Helper()
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open after a crash: %v", err)
	}
	defer j.Close()
	present := make(map[string]uint64) // the sequence of each record
	note := func(sequence uint64, record string) {
		if other, known := present[record]; known && other != sequence {
			t.Errorf("%s is at %d and at %d", record, other, sequence)
		}
		present[record] = sequence
	}
	put, err := os.ReadFile(filepath.Join(o.Dir, "put"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(put)) {
		var sequence uint64
		var record string
		if _, err := fmt.Sscanf(line, "put %d %s\n", &sequence, &record); err != nil {
			t.Fatal(err)
		}
		note(sequence, record)
	}
	heads := make(map[uint64]string)
	for e, err := range j.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Beginning != nil && e.Beginning.Gap != nil {
			t.Errorf("a gap after a crash: %v", e.Beginning.Gap)
		}
		heads[e.Sequence] = e.Head.String()
		for record := range Records(e.Payload) {
			note(e.Sequence, string(record))
		}
	}
	for _, a := range acks {
		for _, record := range a.records {
			if present[record] != a.sequence {
				t.Errorf("%s was acknowledged at %d and is at %d", record, a.sequence, present[record])
			}
		}
		if head, there := heads[a.sequence]; there && head != a.head {
			t.Errorf("sequence %d has the head %s, acknowledged was %s", a.sequence, head, a.head)
		}
	}
	before := j.Head().Sequence
	for _, a := range acks[max(0, len(acks)-100):] {
		var start uint64
		var writer, n, i int
		if _, err := fmt.Sscanf(a.records[0], "%d/%d/%d/%d", &start, &writer, &n, &i); err != nil {
			t.Fatal(err)
		}
		if again := mustAppend(t, j, killBatch(start, writer, n)); again.Sequence != a.sequence || again.Head.String() != a.head {
			t.Errorf("batch %v sent again got %+v, at first %d %s", a.records, again, a.sequence, a.head)
		}
	}
	if now := j.Head().Sequence; now != before {
		t.Errorf("sending again what was acknowledged moved the head from %d to %d", before, now)
	}
}

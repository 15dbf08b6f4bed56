package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rounds is how often TestKill kills.
const rounds = 20

var acknowledged = regexp.MustCompile(`\(event (\d+); `)

// TestKill kills audits at random moments, without warning. Whatever was acknowledged before, by the
// line that an audit prints or by being listed, is there afterwards, in order, provable, and nothing
// twice.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	h := newHome(t)
	audit := func() *exec.Cmd {
		return h.command("audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	}
	started := time.Now()
	if err := audit().Run(); err != nil {
		t.Fatal(err)
	}
	usual := time.Since(started)

	var printed []uint64
	listed := list(t, h)
	killed := 0
	for i := range rounds {
		cmd := audit()
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		var kill *time.Timer
		spared := i%4 == 3 // so that there is something acknowledged, however busy the machine is
		if !spared {
			kill = time.AfterFunc(rand.N(usual*5/4), func() { _ = cmd.Process.Kill() }) // it may be done already
		}
		err := cmd.Wait()
		switch {
		case !spared:
			kill.Stop()
		case err != nil:
			t.Fatal(err)
		default:
			usual = time.Since(started)
		}
		if err != nil {
			killed++
		}
		if m := acknowledged.FindSubmatch(stdout.Bytes()); m != nil {
			n, err := strconv.ParseUint(string(m[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			printed = append(printed, n)
		}
		now := list(t, h)
		if len(now) < len(listed) || !slices.Equal(now[:len(listed)], listed) {
			t.Fatalf("events were listed before that are not there now:\nbefore %v\nnow    %v", listed, now)
		}
		listed = now
		h.run(0, "fsck")
	}
	if killed == 0 || len(printed) < rounds/4 {
		t.Errorf("%d of %d audits were killed and %d acknowledged: the moments do not try what they should", killed, rounds, len(printed))
	}

	// What was recorded and not sealed when the program died is sealed by the next one.
	h.run(0, "audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	sound := h.run(0, "fsck")
	if strings.Contains(sound, "not sealed") {
		t.Errorf("events stay unsealed:\n%s", sound)
	}
	h.run(0, "verify", "out/evidence.tally")
	listed = list(t, h)
	ids := map[string]bool{}
	for i, e := range listed {
		if e.Sequence != uint64(i+1) || ids[e.ID] {
			t.Errorf("event %d of the list is %+v", i+1, e)
		}
		ids[e.ID] = true
	}
	for _, n := range printed {
		if n == 0 || n > uint64(len(listed)) || listed[n-1].Type != "audit.completed" {
			t.Errorf("event %d was acknowledged and is not there", n)
			continue
		}
		h.run(0, "prove", fmt.Sprint(n), "-o", "event.tlog-proof")
		h.run(0, "verify", "event.tlog-proof")
	}
	t.Logf("%d of %d audits killed, %d acknowledged, %d events", killed, rounds, len(printed), len(listed))
}

type event struct {
	Sequence uint64
	ID, Type string
}

// list returns all events, oldest first.
func list(t *testing.T, h home) (events []event) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(h.run(0, "log", "--oldest", "--limit", "1000", "--format", "json")))
	for {
		var e event
		if err := dec.Decode(&e); err == io.EOF {
			return events
		} else if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

// TestKillBeginning kills the first audit of a new workspace: the next one finishes what was begun.
func TestKillBeginning(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	h := newHome(t)
	args := []string{"audit", "loans.csv", "--label", "defaulted", "--out", "out", "--workspace"}
	started := time.Now()
	h.run(0, append(args, "undisturbed")...)
	usual := time.Since(started)
	for i := range rounds / 4 {
		dir := fmt.Sprint("workspace", i)
		cmd := h.command(append(args, dir)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(rand.N(usual), func() { _ = cmd.Process.Kill() }) // it may be done already
		_ = cmd.Wait()                                                           // however it ended
		kill.Stop()
		h.run(0, append(args, dir)...)
		h.run(0, "fsck", "--workspace", dir)
		h.run(0, "verify", "out/evidence.tally", "--workspace", dir)
	}
}

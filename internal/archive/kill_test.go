package archive_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

// A process of this binary that runs TestKeeper with keeperDir set works on the workspace there until it is killed; its
// clock begins at the milliseconds of keeperClock. In the work and at the stage of keeperStop it stands still.
const (
	keeperDir      = "TALLYSTICK_ARCHIVE_DIR"
	keeperDatabase = "TALLYSTICK_ARCHIVE_DATABASE"
	keeperClock    = "TALLYSTICK_ARCHIVE_CLOCK"
	keeperStop     = "TALLYSTICK_ARCHIVE_STOP"
)

const (
	keptDays = 3             // for which predictions of credit are kept
	turn     = 2 * time.Hour // by which a clock goes on before each turn of a keeper
)

// moments are when it is killed: in the middle of a work, at a stage of it or, if none is named, anywhere.
var moments = []moment{
	{"erase", "put"}, {"compact", "registered"}, {"expire", "removed"}, {"erase", ""},
	{"erase", "registered"}, {"erase", "removed"}, {"compact", "put"}, {"compact", "removed"}, {"compact", ""}, {"expire", "registered"}, {"expire", ""},
}

type moment struct{ work, stage string }

// killRounds is how often TestKill kills: as often as ARCHIVE_CRASH_ROUNDS says, or at the first four moments.
func killRounds(t *testing.T) int {
	t.Helper()
	s := os.Getenv("ARCHIVE_CRASH_ROUNDS")
	if s == "" {
		return 4
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKill kills a process that takes predictions in, joins their files, removes the old and erases some, in the middle
// of each of these, again and again on one workspace. After each the record holds against itself; what was acknowledged
// is there once with its proofs, unless it was erased or its time is over; and in the end no file is left that nothing
// names.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	k := &keeping{dir: t.TempDir(), database: postgrestest.IfChosen(t), clock: time.Now(), sent: map[prediction.ID]time.Time{}, proofs: map[prediction.ID][]byte{}, gone: map[prediction.ID]bool{}, took: map[string]time.Duration{}}
	// The moment in which nothing is under way that could be proved: the first round only measures how long each takes.
	k.run(t, moment{}, 0)
	k.survey(t) // it may have begun with the next work before it was killed
	amidst := map[string]int{}
	for round := range killRounds(t) {
		at := moments[round%len(moments)]
		k.run(t, at, 1+rand.IntN(3))
		amidst[k.amidst]++
		k.survey(t)
		if t.Failed() {
			t.Fatalf("in round %d, killed in the middle of %q, wanted %+v", round, k.amidst, at)
		}
	}
	k.tidy(t)
	t.Logf("killed in the middle of %v; %d predictions were acknowledged, %d of them erased, %d are kept", amidst, len(k.sent), len(k.gone), len(k.proofs))
}

// keeping is what is known of a workspace and of those who worked on it.
type keeping struct {
	dir      string
	database string                      // its URL; empty: a file
	clock    time.Time                   // of the last of them
	sent     map[prediction.ID]time.Time // acknowledged, by the clock of then
	open     map[prediction.ID]bool      // may be erased: the work was not over
	gone     map[prediction.ID]bool      // erased, or too old and removed
	proofs   map[prediction.ID][]byte    // of those that are kept
	took     map[string]time.Duration    // of each work, the last time
	amidst   string                      // what was not over when the last was killed
}

// run starts a keeper and kills it in the middle of the nth such work, or, if none is named, when each was done once.
func (k *keeping) run(t *testing.T, at moment, nth int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKeeper$", "-test.timeout=10m")
	child.Env = append(os.Environ(), keeperDir+"="+k.dir, keeperDatabase+"="+k.database, keeperClock+"="+strconv.FormatInt(k.clock.Add(turn).UnixMilli(), 10), keeperStop+"="+at.work+" "+at.stage)
	var problems strings.Builder
	child.Stderr = &problems
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe() // an answer lets it go on from a stage
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	k.open, k.amidst = map[prediction.ID]bool{}, ""
	var other []string
	var began time.Time
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		var ids []prediction.ID
		for _, text := range strings.Fields(rest) {
			if id, err := prediction.ParseID(text); err == nil {
				ids = append(ids, id)
			}
		}
		switch word {
		case "clock":
			ms, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			k.clock = time.UnixMilli(ms)
		case "sent":
			for _, id := range ids {
				k.sent[id] = k.clock
			}
		case "erasing":
			for _, id := range ids {
				k.open[id] = true
			}
		case "erased":
			for _, id := range ids {
				delete(k.open, id)
				delete(k.proofs, id)
				k.gone[id] = true
			}
		case "begin":
			k.amidst, began = rest, time.Now()
			if rest != at.work || at.stage != "" {
				continue
			}
			if nth--; nth == 0 {
				time.AfterFunc(rand.N(k.took[rest]+time.Millisecond), func() { _ = child.Process.Kill() }) // it may be dead already
			}
		case "stage":
			if nth--; nth <= 0 {
				_ = child.Process.Kill()
			} else if _, err := in.Write([]byte("\n")); err != nil {
				t.Error(err)
			}
		case "end":
			k.amidst, k.took[rest] = "", time.Since(began)
			if at.work == "" && len(k.took) == 3 {
				_ = child.Process.Kill()
			}
		default:
			other = append(other, lines.Text())
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the keeper was not killed: %v: %s\n%s", err, problems.String(), strings.Join(other, "\n"))
	}
}

// survey opens the workspace after a kill and holds it against what was acknowledged.
func (k *keeping) survey(t *testing.T) {
	t.Helper()
	t.Run("", func(t *testing.T) { // whose end closes it
		h := openAt(t, k.dir, k.database, k.clock.Add(turn))
		h.cut(t)
		report, err := h.CheckAll(t.Context())
		if err != nil || !report.OK() {
			t.Errorf("fsck: %+v, %v", report, err)
		}
		if _, err := h.Check(t.Context(), true); err != nil {
			t.Error(err)
		}
		h.follows(t)
		found := h.scan(t, "credit")
		for id, n := range found {
			if n != 1 {
				t.Errorf("prediction %s is there %d times", id, n)
			}
		}
		for id, at := range k.sent {
			if k.gone[id] {
				if found[id] > 0 {
					t.Errorf("prediction %s was erased or removed, and is there", id)
				}
				continue
			}
			_, err := h.Find(t.Context(), id)
			if err == nil {
				if before := k.proofs[id]; before != nil {
					h.holds(t, id, before)
				}
				k.proofs[id] = h.prove(t, id)
				continue
			}
			_, hint := tallystick.Words(err)
			switch {
			case k.open[id] && strings.Contains(err.Error(), "was erased"):
			case strings.Contains(hint, "kept for long enough") && at.Before(h.now.AddDate(0, 0, -keptDays)):
			default:
				t.Errorf("prediction %s of %s, by a clock of %s: %v", id, at, h.now, err)
			}
			k.gone[id] = true
			delete(k.proofs, id)
		}
	})
}

// scan counts the predictions of a model by their ids.
func (h *house) scan(t *testing.T, model string) map[prediction.ID]int {
	t.Helper()
	found := map[prediction.ID]int{}
	shelf, err := h.Files(t.Context(), model, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	h.count(t, shelf, found)
	return found
}

// count counts the predictions of a shelf by their ids.
func (h *house) count(t *testing.T, shelf *segment.Shelf, found map[prediction.ID]int) {
	t.Helper()
	for piece, err := range shelf.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for batch, err := range segment.Scan([]*segment.File{piece.File}, []string{"id"}) {
			if tallystick.CodeOf(err) == tallystick.NotFound {
				break // each of its rows was erased, and a column without a value is none
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch.Rows {
				if v, row := batch.Columns[0], batch.First+int64(i); !v.Null[i] && row >= piece.First && row < piece.End {
					found[prediction.ID(v.Bytes[i])]++
				}
			}
		}
	}
}

// tidy lets a day go by and sees to it that nothing is left but what is registered.
func (k *keeping) tidy(t *testing.T) {
	t.Helper()
	h := openAt(t, k.dir, k.database, k.clock.Add(26*time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	if err := h.KeepSealed(ctx, cancel); err != nil { // which removes what never got its name
		t.Error(err)
	}
	for range 2 {
		if err := errors.Join(h.Compact(t.Context()), h.Expire(t.Context()), h.Sweep(t.Context())); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(2 * time.Hour)
	}
	if err := errors.Join(h.Compact(t.Context()), h.Sweep(t.Context())); err != nil {
		t.Fatal(err)
	}
	registered := int64(0)
	err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(DISTINCT file_digest) FROM prediction_segments WHERE removed = 0").Scan(&registered)
	})
	if err != nil || registered == 0 {
		t.Fatal(registered, err)
	}
	h.blobs(t, int(registered))
}

// TestKeeper is no test: it is what the processes run that TestKill kills.
func TestKeeper(t *testing.T) {
	dir := os.Getenv(keeperDir)
	if dir == "" {
		t.Skip("the body of the child processes of another test")
	}
	ms, err := strconv.ParseInt(os.Getenv(keeperClock), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	h := openAt(t, dir, os.Getenv(keeperDatabase), time.UnixMilli(ms))
	sealed := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { sealed <- h.KeepSealed(ctx, func() {}) }()
	defer func() {
		cancel()
		t.Log(<-sealed)
	}()
	h.keep(t)
}

// keep works until the process ends, and says so, each line in one system call.
func (h *house) keep(t *testing.T) {
	t.Helper()
	say := func(word string, what ...any) { fmt.Fprintln(os.Stdout, append([]any{word}, what...)...) }
	if err := h.DB.Write(t.Context(), func(tx *state.Tx) error {
		changes, err := h.Retain(tx, "credit", keptDays, "")
		for _, change := range changes {
			if err == nil {
				_, err = h.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "tallystick", Kind: "program"}}, change)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	living := slices.Collect(maps.Keys(h.scan(t, "credit")))
	now := ""
	h.Reached(func(stage string) {
		if now+" "+stage == os.Getenv(keeperStop) {
			say("stage", stage)
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				t.Error(err)
			}
		}
	})
	do := func(work string, fn func() error) {
		now = work
		say("begin", work)
		if err := fn(); err != nil {
			t.Fatalf("%s: %v", work, err)
		}
		say("end", work)
	}
	for n := 1; ; n++ {
		h.now = h.now.Add(turn)
		say("clock", h.now.UnixMilli())
		for range 2 {
			ids := h.send(t, "credit", 2)
			say("sent", fmt.Sprint(ids[0]), fmt.Sprint(ids[1]))
			h.cut(t)
			living = append(living, ids...)
		}
		if n%2 == 0 {
			do("compact", func() error { return h.Compact(t.Context()) })
		}
		if n%7 == 0 { // not a part of the 12 turns of a day, nor 5: every work comes before and after every other at some time of the day
			do("expire", func() error { return errors.Join(h.Expire(t.Context()), h.Sweep(t.Context())) })
			living = slices.Collect(maps.Keys(h.scan(t, "credit")))
		}
		if n%5 == 0 {
			rand.Shuffle(len(living), func(i, j int) { living[i], living[j] = living[j], living[i] })
			erase := living[:min(3, len(living))]
			var ids []any
			for _, id := range erase {
				ids = append(ids, id.String())
			}
			say("erasing", ids...)
			do("erase", func() error {
				_, err := h.Erase(t.Context(), h.registry, access.Local("ada"), archive.Erasure{IDs: erase, Reason: "she asked for it"})
				return err
			})
			say("erased", ids...)
			living = living[len(erase):]
		}
	}
}

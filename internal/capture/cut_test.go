package capture_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// send sends a batch of a record of each model, which say the number, and returns their ids.
func (h *house) send(t *testing.T, n int) []prediction.ID {
	t.Helper()
	answer, err := h.Accept(t.Context(), capture.Batch{Sender: "ada", ID: fmt.Sprint(n), Records: parse(t,
		fmt.Sprintf(`{"model":"credit","version":"1","score":%d}`, n), fmt.Sprintf(`{"model":"churn","version":"9","score":%d}`, n))})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%+v, %v", answer.Rejected, err)
	}
	return answer.IDs
}

func (h *house) cut(t *testing.T) {
	t.Helper()
	if err := h.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sealed is a row of prediction_segments.
type sealed struct {
	segment, model, previous string
	file, root               tallystick.Digest
	records                  int64
}

func (h *house) segments(t *testing.T) (rows []sealed) {
	t.Helper()
	err := h.config.DB.Read(t.Context(), func(tx *state.Tx) (err error) {
		rows, err = state.Collect(tx, func(row state.Scanner) (s sealed, err error) {
			return s, row.Scan(&s.segment, &s.model, &s.previous, &s.file, &s.root, &s.records)
		}, "SELECT segment, model, previous_root, file_digest, root_digest, records FROM prediction_segments ORDER BY event")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// stored returns the ids of all records in segments, sorted, having held every file against what is
// registered of it and every record against its proof. Files that nobody has registered are faults.
func (h *house) stored(t *testing.T) (ids []prediction.ID) {
	t.Helper()
	rows := h.segments(t)
	last := map[string]tallystick.Digest{}
	for _, row := range rows {
		if row.previous != string(last[row.model]) {
			t.Errorf("segment %s says that %q was before it, not %q", row.segment, row.previous, last[row.model])
		}
		last[row.model] = row.root
		ids = append(ids, h.read(t, row)...)
	}
	report, err := h.config.Segments.Check(t.Context())
	if err != nil || report.Blobs != len(rows) || len(report.Damaged)+len(report.Strange) > 0 {
		t.Errorf("the store: %+v, %v; %d segments are registered", report, err, len(rows))
	}
	return sorted(ids)
}

func (h *house) read(t *testing.T, row sealed) (ids []prediction.ID) {
	t.Helper()
	file, err := h.config.Segments.Open(row.file)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := segment.Open(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	want := []segment.Part{{Segment: row.segment, Count: row.records, Root: row.root}}
	if diff := cmp.Diff(want, f.Parts()); diff != "" || f.Model() != row.model {
		t.Errorf("the file of %s is of %s: %s", row.segment, f.Model(), diff)
	}
	at := int64(0)
	for entry, err := range f.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		r, err := prediction.Decode(entry.Encoding)
		if err != nil || r.Model != row.model {
			t.Fatalf("record of %s, %v", r.Model, err)
		}
		ids = append(ids, r.ID)
		proof, err := f.Prove(at)
		if err != nil {
			t.Fatal(err)
		}
		root, err := hex.DecodeString(row.root.Hex())
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.Verify(entry.Leaf, [32]byte(root)); err != nil {
			t.Errorf("record %d of %s: %v", at, row.segment, err)
		}
		at++
	}
	return ids
}

func sorted(ids []prediction.ID) []prediction.ID {
	slices.SortFunc(ids, func(a, b prediction.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	return ids
}

// count returns how many events of a type there are.
func (h *house) count(t *testing.T, kind trail.Type) int {
	t.Helper()
	n, err := h.trail.Count(t.Context(), trail.Filter{Type: kind})
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func (h *house) replay(t *testing.T) error {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	r := trail.Replayer{Changes: capture.Changes(), Tables: capture.Tables()}
	_, err = r.Check(t.Context(), h.trail, scratch)
	return err
}

func TestCut(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	h.cut(t) // an empty journal
	var want []prediction.ID
	first := h.send(t, 0)
	want = append(want, first...)
	want = append(want, h.send(t, 1)...)
	h.cut(t)
	h.cut(t) // nothing to do
	want = append(want, h.send(t, 2)...)
	h.cut(t)
	if diff := cmp.Diff(sorted(want), h.stored(t)); diff != "" {
		t.Error(diff)
	}
	if n := h.count(t, trail.SegmentSealed); n != 4 || len(h.segments(t)) != 4 || h.count(t, trail.IntegrityGap) != 0 {
		t.Errorf("%d events, %d segments", n, len(h.segments(t)))
	}
	if left := h.records(t); len(left) != 0 {
		t.Errorf("%d records are left in the journal", len(left))
	}
	// What comes again is known from the database, and has the ids that it had.
	for _, restart := range []bool{false, true} {
		if restart {
			h.restart(t)
		}
		if diff := cmp.Diff(first, h.send(t, 0)); diff != "" {
			t.Errorf("sent again: %s", diff)
		}
		_, err := h.Accept(t.Context(), capture.Batch{Sender: "ada", ID: "0", Records: parse(t, `{"model":"credit","version":"1"}`)})
		if tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("the same id for other records: %v", err)
		}
		h.cut(t)
	}
	if n := h.count(t, trail.SegmentSealed); n != 4 {
		t.Errorf("%d events after repetitions", n)
	}
	if err := h.replay(t); err != nil {
		t.Error(err)
	}
}

// A cut has at most so many records, and none is lost between two.
func TestCutIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	const batches = 8
	for range batches {
		records := make([]prediction.Record, capture.MaxRecords)
		for i := range records {
			records[i] = prediction.Record{Model: "credit", Version: "1"}
		}
		if _, err := h.Accept(t.Context(), capture.Batch{Records: records}); err != nil {
			t.Fatal(err)
		}
	}
	h.cut(t)
	var counts []int64
	for _, row := range h.segments(t) {
		counts = append(counts, row.records)
	}
	if diff := cmp.Diff([]int64{3 * capture.MaxRecords, 3 * capture.MaxRecords, 2 * capture.MaxRecords}, counts); diff != "" {
		t.Error(diff)
	}
}

// TestCutEndsAfterOne: a cut that is under way when the caller's time is over is completed; what is left waits for the
// next.
func TestCutEndsAfterOne(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	const batches = 5 // of which three are a cut
	for range batches {
		records := make([]prediction.Record, capture.MaxRecords)
		for i := range records {
			records[i] = prediction.Record{Model: "credit", Version: "1"}
		}
		if _, err := h.Accept(t.Context(), capture.Batch{Records: records}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	h.config.Reached(func(stage string) {
		if stage == "put" {
			cancel()
		}
	})
	h.restart(t)
	if err := h.Cut(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a rest: %v", err)
	}
	if found := h.segments(t); len(found) != 1 || found[0].records != 3*capture.MaxRecords {
		t.Errorf("%+v", found)
	}
	if err := h.Cut(ctx); !errors.Is(err, context.Canceled) || len(h.segments(t)) != 1 {
		t.Errorf("without time: %v, %d segments", err, len(h.segments(t)))
	}
	h.cut(t)
	if found := h.segments(t); len(found) != 2 || found[1].records != 2*capture.MaxRecords {
		t.Errorf("%+v", found)
	}
	if left := h.records(t); len(left) != 0 {
		t.Errorf("%d records are left in the journal", len(left))
	}
}

// A program that ends in the middle of a cut leaves nothing twice, nothing out and no file over, although
// more has come when the cut is made again.
func TestCutBrokenOff(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"put", "registered"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h := open(t, journal.Options{})
			want := append(h.send(t, 0), h.send(t, 1)...)
			h.breakOff(t, stage)
			want = append(want, h.send(t, 2)...)
			h.restart(t)
			want = append(want, h.send(t, 3)...)
			h.cut(t)
			if diff := cmp.Diff(sorted(want), h.stored(t)); diff != "" {
				t.Error(diff)
			}
			if n := h.count(t, trail.SegmentSealed); n != 4 {
				t.Errorf("%d events", n)
			}
			if left := h.records(t); len(left) != 0 {
				t.Errorf("%d records are left in the journal", len(left))
			}
			if err := h.replay(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// breakOff begins a cut that ends at a stage.
func (h *house) breakOff(t *testing.T, stage string) {
	t.Helper()
	config := h.config
	config.Reached(func(at string) {
		if at == stage {
			panic(stage)
		}
	})
	dying, err := capture.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() != stage {
			t.Errorf("the cut did not come to %q", stage)
		}
	}()
	t.Error(dying.Cut(t.Context()))
}

// A journal that has lost its mark cannot know what is missing. That is an event, once; what could be read
// is in segments once, whether or not it was before.
func TestCutGap(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"put", "registered"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h := open(t, journal.Options{})
			want := append(h.send(t, 0), h.send(t, 1)...)
			h.breakOff(t, stage)
			want = append(want, h.send(t, 2)...)
			for range 2 { // the second time before anything is cut
				if err := h.config.Journal.Close(); err != nil {
					t.Fatal(err)
				}
				if err := os.Remove(filepath.Join(h.options.Dir, "mark")); err != nil {
					t.Fatal(err)
				}
				h.begin(t)
			}
			want = append(want, h.send(t, 3)...)
			if diff := cmp.Diff(want[:2], h.send(t, 0)); diff != "" {
				t.Errorf("sent again: %s", diff)
			}
			h.cut(t)
			h.cut(t)
			got := map[prediction.ID]int{}
			for _, row := range h.segments(t) {
				for _, id := range h.read(t, row) {
					got[id]++
				}
			}
			for _, id := range want {
				if got[id] != 1 {
					t.Errorf("record %s is there %d times", id, got[id])
				}
			}
			if n := h.count(t, trail.IntegrityGap); n == 0 || n != len(h.config.Journal.Gaps()) {
				t.Errorf("%d events of %d gaps", n, len(h.config.Journal.Gaps()))
			}
			if err := h.replay(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// A flipped bit takes a batch out, and those behind it are salvaged into a new shard: what was in segments
// before is not cut again.
func TestCutSalvaged(t *testing.T) {
	t.Parallel()
	for stage, kept := range map[string]int{"put": 0, "registered": 1} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h := open(t, journal.Options{})
			first := h.send(t, 0)
			want := h.send(t, 1)
			h.breakOff(t, stage)
			want = append(want, h.send(t, 2)...)
			if err := h.config.Journal.Close(); err != nil {
				t.Fatal(err)
			}
			h.flip(t, first[0])
			h.begin(t)
			if gaps := h.config.Journal.Gaps(); len(gaps) != 1 || gaps[0].Salvaged == 0 {
				t.Fatalf("the gaps are %+v", gaps)
			}
			h.cut(t)
			h.restart(t)
			h.cut(t)
			got := map[prediction.ID]int{}
			for _, row := range h.segments(t) {
				for _, id := range h.read(t, row) {
					got[id]++
				}
			}
			for _, id := range want {
				if got[id] != 1 {
					t.Errorf("record %s is there %d times", id, got[id])
				}
			}
			if got[first[0]] != kept {
				t.Errorf("the record that was hit is there %d times, want %d", got[first[0]], kept)
			}
			if n := h.count(t, trail.IntegrityGap); n != 1 {
				t.Errorf("%d events of a gap", n)
			}
			if err := h.replay(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// flip flips a bit in every copy of a record that the journal's files hold.
func (h *house) flip(t *testing.T, id prediction.ID) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(h.options.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // a directory
		}
		for at := bytes.Index(data, id[:]); at >= 0; at = bytes.Index(data, id[:]) {
			data[at] ^= 1
			flipped++
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if flipped == 0 {
		t.Fatal("no file of the journal holds the record")
	}
}

func TestReplayFindsTouches(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		"UPDATE prediction_segments SET root_digest = file_digest": "its root_digest is",
		"DELETE FROM prediction_segments":                          "stands on the trail and not in the database",
		"UPDATE prediction_cursors SET sequence = sequence + 1":    "its sequence is",
	} {
		h := open(t, journal.Options{})
		h.send(t, 0)
		h.cut(t)
		err := h.config.DB.Write(t.Context(), func(tx *state.Tx) error {
			_, err := tx.Exec(change)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.replay(t); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

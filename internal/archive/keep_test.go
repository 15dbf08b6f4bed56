package archive_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// sent sends predictions in so many cuts of three records, and returns their proofs.
func (h *house) sent(t *testing.T, model string, cuts int) map[prediction.ID][]byte {
	t.Helper()
	proofs := map[prediction.ID][]byte{}
	for range cuts {
		ids := h.send(t, model, 3)
		h.cut(t)
		for _, id := range ids {
			proofs[id] = h.prove(t, id)
		}
	}
	return proofs
}

// files returns how many files a model has.
func (h *house) files(t testing.TB, model string) int {
	t.Helper()
	shelf, err := h.Files(t.Context(), model, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return shelf.Len()
}

// blobs fails unless the store has so many files, all of them sound.
func (h *house) blobs(t *testing.T, want int) {
	t.Helper()
	report, err := h.Segments.Check(t.Context())
	if err != nil || report.Blobs != want || len(report.Damaged)+len(report.Strange)+len(report.Left) > 0 {
		t.Errorf("the store has %+v, %v; want %d files", report, err, want)
	}
}

// all fails unless every prediction is found at the place of its proof, and that still holds.
func (h *house) all(t *testing.T, proofs map[prediction.ID][]byte) {
	t.Helper()
	for id, before := range proofs {
		h.holds(t, id, before)
		if _, _, err := h.Prove(t.Context(), id); err != nil {
			t.Errorf("prediction %s: %v", id, err)
			continue
		}
		h.prove(t, id)
	}
}

// follows fails unless the tables follow from the trail.
func (h *house) follows(t *testing.T) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "scratch.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }() // thrown away
	r := trail.Replayer{Changes: map[trail.Type]func() trail.Change{}, Tables: slices.Concat(capture.Tables(), archive.Tables())}
	for _, changes := range []map[trail.Type]func() trail.Change{catalog.Changes(), capture.Changes(), archive.Changes()} {
		maps.Copy(r.Changes, changes)
	}
	if _, err := r.Check(t.Context(), h.Trail, scratch); err != nil {
		t.Error(err)
	}
}

func (h *house) compact(t *testing.T) {
	t.Helper()
	if err := h.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	h := open(t)
	proofs := h.sent(t, "credit", 35)
	churn := h.sent(t, "churn", 3)
	maps.Copy(proofs, churn)
	before, err := h.Files(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	held, err := before.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	h.compact(t)
	if credit, churn := h.files(t, "credit"), h.files(t, "churn"); credit != 2+3 || churn != 3 {
		t.Errorf("%d files of credit, %d of churn, while the day lasts", credit, churn)
	}
	h.all(t, proofs)
	h.blobs(t, 35+3+2)
	h.now = h.now.Add(2 * time.Hour)
	h.compact(t) // what was replaced is due
	h.blobs(t, 5+3)
	if _, err := held.At(0); err != nil { // and still readable for those who have it
		t.Error(err)
	}
	held.Close()
	credit := maps.Clone(proofs)
	maps.DeleteFunc(credit, func(id prediction.ID, _ []byte) bool { return churn[id] != nil })
	h.onShelf(t, before, credit)
	h.now = h.now.Add(48 * time.Hour)
	h.compact(t)
	h.now = h.now.Add(2 * time.Hour)
	h.compact(t)
	if credit, churn := h.files(t, "credit"), h.files(t, "churn"); credit != 1 || churn != 1 {
		t.Errorf("%d files of credit, %d of churn, when the day is over", credit, churn)
	}
	h.blobs(t, 2)
	h.all(t, proofs)
	h.follows(t)
}

// TestCompactBreaksOff: wherever it ends, nothing is wrong, and the next goes on.
func TestCompactBreaksOff(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"put", "registered"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			proofs := h.sent(t, "credit", 16)
			h.Reached(func(at string) {
				if at == stage {
					panic("killed")
				}
			})
			func() {
				defer func() { _ = recover() }()
				h.compact(t)
			}()
			h.Archive = archive.New(archive.Config{Workspace: h.Workspace, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Now: func() time.Time { return h.now }, Fresh: h.capture.Cut})
			h.all(t, proofs)
			h.follows(t)
			h.compact(t)
			if n := h.files(t, "credit"); n != 1 {
				t.Errorf("%d files", n)
			}
			h.now = h.now.Add(2 * time.Hour)
			h.compact(t)
			h.blobs(t, 1)
			h.all(t, proofs)
			h.follows(t)
		})
	}
}

// TestSweep removes what was written and never registered, once it is a day old.
func TestSweep(t *testing.T) {
	t.Parallel()
	h := open(t)
	proofs := h.sent(t, "credit", 2)
	if _, _, err := h.Segments.Put(t.Context(), strings.NewReader("left")); err != nil {
		t.Fatal(err)
	}
	h.now = time.Now()
	for after, want := range map[time.Duration]int{0: 3} {
		h.now = h.now.Add(after)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.blobs(t, want)
	}
	h.now = h.now.Add(25 * time.Hour)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.blobs(t, 2)
	h.all(t, proofs)
}

func (h *house) erase(t *testing.T, ids ...prediction.ID) archive.Erased {
	t.Helper()
	done, err := h.Erase(t.Context(), h.registry, access.Local("ada"), archive.Erasure{IDs: ids, Reason: "she asked for it"})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestErase(t *testing.T) {
	t.Parallel()
	h := open(t)
	proofs := h.sent(t, "credit", 18)
	ids := slices.SortedFunc(maps.Keys(proofs), func(a, b prediction.ID) int { return slices.Compare(a[:], b[:]) })
	before := len(ids)
	h.compact(t)
	gone := []prediction.ID{ids[1], ids[50], ids[51], ids[52], ids[53]} // in the joined file, and all of one file
	if done := h.erase(t, gone...); done.Erased != 5 || len(done.Events) != 3 || done.Before != 0 {
		t.Errorf("%+v", done)
	}
	files := h.files(t, "credit")
	for _, id := range gone {
		if _, err := h.Find(t.Context(), id); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "was erased") {
			t.Errorf("an erased one: %v", err)
		}
		h.holds(t, id, proofs[id]) // who has the record and its proof can still show them
		delete(proofs, id)
	}
	h.all(t, proofs)
	h.now = h.now.Add(2 * time.Hour)
	h.compact(t)
	h.blobs(t, files)
	if done := h.erase(t, gone[0]); done.Erased != 0 || done.Before != 1 {
		t.Errorf("again: %+v", done)
	}
	if _, err := h.Erase(t.Context(), h.registry, access.Local("ada"), archive.Erasure{IDs: []prediction.ID{ids[2], prediction.NewID(noon)}, Reason: "x"}); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := h.Find(t.Context(), ids[2]); err != nil {
		t.Errorf("with one that is not there: %v", err)
	}
	h.now = h.now.Add(48 * time.Hour)
	h.compact(t)
	h.all(t, proofs)
	h.follows(t)
	if len(proofs) != before-len(gone) {
		t.Errorf("%d of %d are left", len(proofs), before)
	}
	events, err := h.Trail.Events(t.Context(), trail.Filter{Type: trail.PredictionErased})
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		for _, id := range gone {
			if strings.Contains(string(e.Leaf), id.String()) || strings.Contains(string(e.Leaf), "she asked") {
				t.Errorf("the leaf of event %d says too much: %s", e.Sequence, e.Leaf)
			}
		}
	}
}

func TestRetain(t *testing.T) {
	t.Parallel()
	h := open(t)
	old, other := h.sent(t, "credit", 2), h.sent(t, "churn", 1)
	h.now = h.now.Add(30 * 24 * time.Hour)
	young := h.sent(t, "credit", 1)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		changes, err := h.Retain(tx, "credit", 20, "")
		return changes[0], err
	})
	if err := h.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.blobs(t, 2)
	for id, proof := range old {
		if _, err := h.Find(t.Context(), id); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("an old one: %v", err)
		} else if _, hint := tallystick.Words(err); !strings.Contains(hint, "kept for long enough") {
			t.Errorf("an old one: %v, %s", err, hint)
		}
		h.holds(t, id, proof)
	}
	h.all(t, young)
	h.all(t, other)
	h.compact(t)
	h.follows(t)
	for _, days := range []int64{-1, archive.MaxDays + 1} {
		err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := h.Retain(tx, "credit", days, "")
			return err
		})
		if tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%d days: %v", days, err)
		}
	}
}

// TestCheck names what is wrong with the files that are registered.
func TestCheck(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct {
		damage func(t *testing.T, one, two string)
		want   string
		deep   bool // it takes a whole check
	}{
		"sound":   {func(*testing.T, string, string) {}, "", false},
		"missing": {func(t *testing.T, one, _ string) { must(t, os.Remove(one)) }, "is missing", false},
		"another": {func(t *testing.T, one, two string) {
			must(t, os.Remove(one))
			must(t, os.Link(two, one))
		}, "is not what was registered", false},
		"cut off": {func(t *testing.T, one, _ string) {
			data, err := os.ReadFile(one)
			must(t, err)
			must(t, os.Remove(one))
			must(t, os.WriteFile(one, data[:len(data)-1], 0o600))
		}, "is damaged", false},
		"flipped": {func(t *testing.T, one, _ string) {
			data, err := os.ReadFile(one)
			must(t, err)
			must(t, os.Remove(one))
			data[len(data)/3] ^= 1
			must(t, os.WriteFile(one, data, 0o600))
		}, "is damaged", true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			var paths []string
			for range 2 {
				ids := h.send(t, "credit", 300)
				h.cut(t)
				found, err := h.Find(t.Context(), ids[0])
				must(t, err)
				paths = append(paths, filepath.Join(h.Dir(), "predictions", "sha256", found.File.Hex()[:2], found.File.Hex()))
			}
			h.Archive.Close()
			test.damage(t, paths[0], paths[1])
			for _, whole := range []bool{false, true} {
				sum, err := h.Check(t.Context(), whole)
				if test.want == "" || test.deep && !whole {
					if err != nil || sum != (archive.Checked{Files: 2, Segments: 2, Records: 600}) {
						t.Errorf("whole %v: %+v, %v", whole, sum, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("whole %v: %v, want %q", whole, err, test.want)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCompactPassesOver: a file that is damaged, and its neighbours, are left as they are and named; all others are joined, of
// this model and of the next.
func TestCompactPassesOver(t *testing.T) {
	t.Parallel()
	h := open(t)
	bad := h.sent(t, "churn", 1)
	proofs := h.sent(t, "churn", 31)
	maps.Copy(proofs, h.sent(t, "credit", 16))
	var file tallystick.Digest
	for id := range bad {
		found, err := h.Find(t.Context(), id)
		must(t, err)
		file = found.File
	}
	path := filepath.Join(h.Dir(), "predictions", "sha256", file.Hex()[:2], file.Hex())
	data, err := os.ReadFile(path)
	must(t, err)
	h.Archive.Close() // which lets go of what it has open
	must(t, os.Remove(path))
	flipped := slices.Clone(data)
	flipped[len(data)/3] ^= 1
	must(t, os.WriteFile(path, flipped, 0o600))
	if err := h.Compact(t.Context()); err == nil || !strings.Contains(err.Error(), "churn from "+string(file)) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file: %v", err)
	}
	if churn, credit := h.files(t, "churn"), h.files(t, "credit"); churn != 16+1 || credit != 1 {
		t.Errorf("%d files of churn, %d of credit", churn, credit)
	}
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, data, 0o400))
	h.compact(t)
	if churn := h.files(t, "churn"); churn != 2 {
		t.Errorf("%d files of churn once it is mended", churn)
	}
	h.all(t, proofs)
	h.follows(t)
}

// TestCompactLooksOnce: a day that is over and has nothing to be joined is looked at again when it has new segments, by who
// has seen it and by who starts.
func TestCompactLooksOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	proofs := h.sent(t, "credit", 3)
	early := h.now
	h.now = h.now.Add(48 * time.Hour)
	h.compact(t)
	maps.Copy(proofs, h.sent(t, "credit", 3))
	if n := h.files(t, "credit"); n != 1+3 {
		t.Errorf("%d files", n)
	}
	h.now = early // late ones of the first day
	maps.Copy(proofs, h.sent(t, "credit", 2))
	h.now = h.now.Add(48 * time.Hour)
	h.compact(t)
	if n := h.files(t, "credit"); n != 1+3 {
		t.Errorf("%d files", n)
	}
	h.now = h.now.Add(48 * time.Hour)
	h.Archive = archive.New(archive.Config{Workspace: h.Workspace, Actor: trail.Actor{ID: "tallystick", Kind: "program"}, Now: func() time.Time { return h.now }, Fresh: h.capture.Cut})
	h.compact(t)
	if n := h.files(t, "credit"); n != 2 {
		t.Errorf("%d files", n)
	}
	h.all(t, proofs)
	h.follows(t)
}

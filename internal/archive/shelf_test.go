package archive_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// onShelf fails unless a shelf has each of the predictions once, and no others.
func (h *house) onShelf(t *testing.T, shelf *segment.Shelf, want map[prediction.ID][]byte) {
	t.Helper()
	found := map[prediction.ID]int{}
	h.count(t, shelf, found)
	for id := range want {
		if found[id] != 1 {
			t.Errorf("prediction %s is %d times on the shelf", id, found[id])
		}
	}
	if len(found) != len(want) {
		t.Errorf("the shelf has %d predictions, want %d", len(found), len(want))
	}
}

// TestShelfMoves: while somebody goes through the files they are joined, joined again, swept, written anew without a
// prediction, and others come. Each prediction that was there is met once, the erased one no more, and none of the others.
func TestShelfMoves(t *testing.T) {
	t.Parallel()
	h := open(t)
	proofs := h.sent(t, "credit", 20)
	shelf, err := h.Files(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil || shelf.Len() != 20 {
		t.Fatalf("%d files, %v", shelf.Len(), err)
	}
	h.onShelf(t, shelf, proofs)
	late := h.sent(t, "credit", 15)
	h.compact(t)
	for range 2 { // the first of which sweeps what the one before has replaced
		h.now = h.now.Add(26 * time.Hour)
		h.compact(t)
	}
	h.now = h.now.Add(2 * time.Hour)
	h.compact(t)
	h.blobs(t, 1)
	h.onShelf(t, shelf, proofs)
	var gone prediction.ID
	for gone = range proofs {
		break
	}
	h.erase(t, gone)
	delete(proofs, gone)
	h.blobs(t, 1)
	h.onShelf(t, shelf, proofs)

	all, err := h.Files(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil || all.Len() != 1 {
		t.Fatalf("%d files, %v", all.Len(), err)
	}
	maps.Copy(late, proofs)
	h.onShelf(t, all, late)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		changes, err := h.Retain(tx, "credit", 2, "")
		return changes[0], err
	})
	h.now = h.now.Add(96 * time.Hour)
	if err := h.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.onShelf(t, all, nil)
	h.onShelf(t, shelf, nil)
}

// TestShelfMissing: a file that is lost is named, and not passed over.
func TestShelfMissing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.sent(t, "credit", 1)
	shelf, err := h.Files(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := h.Segments.Before(time.Now().Add(time.Hour))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if err := h.Segments.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	h.Archive.Close() // which lets go of what it has open
	for _, err := range shelf.All(t.Context()) {
		if tallystick.CodeOf(err) != tallystick.Internal || !strings.Contains(err.Error(), "is missing") {
			t.Errorf("a file that is missing: %v", err)
		}
	}
}

package archive_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// hold places a hold on what was predicted until a time, and returns its id.
func (h *house) hold(t *testing.T, model string, to time.Time) string {
	t.Helper()
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return archive.PlaceHold(tx, archive.NewHold{Model: model, To: to, Reason: "a claim"})
	})
	return h.inForce(t, model)[0].ID
}

func (h *house) inForce(t *testing.T, model string) (all []archive.Hold) {
	t.Helper()
	must(t, h.DB.Read(t.Context(), func(tx *state.Tx) (err error) {
		all, err = archive.Holds(tx, archive.HoldFilter{Model: model, InForce: true})
		return err
	}))
	return all
}

// TestHold: what a hold covers is neither removed when its time is over nor erased, what it does not cover is; once it is
// released, both go on. What was refused is on the trail, and the tables follow from it.
func TestHold(t *testing.T) {
	t.Parallel()
	h := open(t)
	kept := h.sent(t, "credit", 2)
	other := h.sent(t, "churn", 1)
	first := h.hold(t, "credit", h.now.Add(time.Hour))
	again := h.hold(t, "credit", h.now.Add(2*time.Hour))
	h.now = h.now.Add(10 * 24 * time.Hour)
	later := h.sent(t, "credit", 1)
	h.now = h.now.Add(40 * 24 * time.Hour)
	for _, model := range []string{"credit", "churn"} {
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			changes, err := h.Retain(tx, model, 20, "")
			return changes[0], err
		})
	}
	id := slices.Collect(maps.Keys(kept))[0]
	free := slices.Collect(maps.Keys(later))[0]
	erase := func(ids ...prediction.ID) (archive.Erased, error) {
		return h.Erase(t.Context(), h.registry, access.Local("ada"), archive.Erasure{IDs: ids, Reason: "she asked for it"})
	}
	// One of two is held: neither is erased.
	if done, err := erase(free, id); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), again) || done.Erased != 0 {
		t.Fatalf("erased under a hold: %+v, %v", done, err)
	}
	if events, err := h.Trail.Events(t.Context(), trail.Filter{Type: trail.CommandRefused}); err != nil || len(events) != 1 {
		t.Errorf("%d refusals on the trail, %v", len(events), err)
	}
	if done, err := erase(free); err != nil || done.Erased != 1 {
		t.Errorf("one that no hold covers: %+v, %v", done, err)
	}
	must(t, h.Expire(t.Context()))
	h.all(t, kept)
	for id := range other {
		if _, err := h.Find(t.Context(), id); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("another model is held too: %v", err)
		}
	}
	if n := h.files(t, "credit"); n != 2 {
		t.Errorf("%d files of credit, want the two that are held", n)
	}
	h.follows(t)
	for n, hold := range []string{first, again} {
		if len(h.inForce(t, "credit")) != 2-n {
			t.Errorf("%d holds in force", len(h.inForce(t, "credit")))
		}
		h.do(t, func(tx *state.Tx) (trail.Change, error) { return archive.ReleaseHold(tx, hold, "settled") })
		if n == 0 {
			must(t, h.Expire(t.Context()))
			h.all(t, kept) // the other one covers them still
		}
	}
	if done, err := erase(id); err != nil || done.Erased != 1 {
		t.Errorf("once it is released: %+v, %v", done, err)
	}
	must(t, h.Expire(t.Context()))
	if n := h.files(t, "credit"); n != 0 {
		t.Errorf("%d files of credit once the holds are released", n)
	}
	h.follows(t)
}

func TestHoldRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for what, n := range map[string]archive.NewHold{
		"no reason": {Model: "credit"}, "no time": {Model: "credit", From: noon, To: noon, Reason: "x"}, "a long reason": {Model: "credit", Reason: strings.Repeat("x", 1001)},
	} {
		err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := archive.PlaceHold(tx, n)
			return err
		})
		if tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
		_, err := archive.ReleaseHold(tx, "x", "y")
		return err
	})
	if tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
}

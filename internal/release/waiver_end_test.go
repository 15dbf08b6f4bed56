package release_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestWaiverEnds: that a waiver is about to end, and that it has, is told once each; of one that is short,
// from its middle on.
func TestWaiverEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver)
	b.version(t, ada, "1")
	const day = 24 * time.Hour
	waive := func(last time.Duration, approved bool) string {
		id := b.must(t, ada, func(tx *state.Tx) (trail.Change, error) {
			return b.RequestWaiver(tx, release.Waiving{
				Model: "credit", Version: "1", Environment: "production", Rule: "test.approved", Owner: "carol", Reason: "r", Control: "c", Expires: time.Now().Add(last),
			})
		}).ID
		if approved {
			b.must(t, bob, func(tx *state.Tx) (trail.Change, error) { return b.ReviewWaiver(tx, id, release.Approve, "", bob) })
		}
		return id
	}
	names := map[string]string{waive(4*day, true): "short", waive(20*day, true): "long", waive(21*day, true): "revoked", waive(4*day, false): "asked"}
	told := func() (words string) {
		t.Helper()
		_, err := b.as(t, root, func(tx *state.Tx) ([]trail.Change, error) {
			changes, err := b.EndingWaivers(tx)
			for _, c := range changes {
				kind, on := c.Subject()
				words += " " + names[on.ID] + " " + strings.TrimPrefix(kind.Short(), "waiver.")
			}
			return changes, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(words)
	}
	for _, step := range []struct {
		at    time.Duration
		want  string
		shown int
	}{
		{day, "", 0},
		{2*day + time.Hour, "short ending", 1},
		{2*day + 2*time.Hour, "", 1},
		{4*day + time.Hour, "short expired", 1},
		{12 * day, "", 1},
		{13*day + time.Hour, "long ending", 2},
		{15 * day, "revoked ending", 3},
		{22 * day, "long expired", 2}, // the other was revoked meanwhile
		{60 * day, "", 0},
	} {
		b.ahead.Store(int64(step.at / time.Second))
		if step.at == 22*day {
			for id, name := range names {
				if name == "revoked" {
					b.must(t, bob, func(tx *state.Tx) (trail.Change, error) { return b.RevokeWaiver(tx, id, "over") })
				}
			}
		}
		if got := told(); got != step.want {
			t.Errorf("after %v it is told %q, want %q", step.at, got, step.want)
		}
		if again := told(); again != "" {
			t.Errorf("after %v it is told again: %q", step.at, again)
		}
		if shown, err := b.Waivers(t.Context(), release.Filter{Ending: true}); err != nil || len(shown) != step.shown {
			t.Errorf("after %v %d waivers are shown as ending, want %d: %v", step.at, len(shown), step.shown, err)
		}
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}

package release_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestFigures plays seven promotions, a rollback, a denial and a question, of which all figures are worked out by hand.
func TestFigures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, bob, olga := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
	pass := func(hours int64) { b.ahead.Add(hours * 3600) }
	carry := func(request string, want tallystick.Verdict) {
		t.Helper()
		if verdict, err := b.promote(t, olga, request, nil); verdict != want || err != nil {
			t.Fatalf("%s, %v, want %s", verdict, err, want)
		}
	}
	// let asks, has it approved after so many hours, and carries it out after as many more.
	let := func(a release.Asking, hours int64) {
		t.Helper()
		a.Model, a.Environment = "credit", "production"
		request := b.must(t, ada, func(tx *state.Tx) (trail.Change, error) { return b.Ask(tx, a, ada) }).ID
		if a.Version == "1" {
			carry(request, tallystick.Fail)
		}
		pass(hours)
		if err := b.review(t, bob, request, release.Approve); err != nil {
			t.Fatal(err)
		}
		pass(hours)
		carry(request, tallystick.Pass)
		if err := b.review(t, bob, request, release.Approve); tallystick.CodeOf(err) != tallystick.Conflict {
			t.Fatalf("a review after the promotion: %v", err)
		}
	}
	for i, hours := range []int64{5, 1, 10, 3, 2, 4} {
		version := string(rune('1' + i))
		b.version(t, ada, version)
		let(promotion(version), hours)
	}
	let(rollback("5"), 7) // which leaves 6
	pass(8 * 24)
	b.version(t, ada, "7") // comes in by a waiver, without an approval
	waiver := b.must(t, ada, func(tx *state.Tx) (trail.Change, error) {
		return b.RequestWaiver(tx, release.Waiving{
			Model: "credit", Version: "7", Environment: "production", Rule: "test.approved", Owner: "carol", Reason: "r", Control: "c", Expires: tx.Now().Add(72 * time.Hour),
		})
	}).ID
	b.must(t, bob, func(tx *state.Tx) (trail.Change, error) { return b.ReviewWaiver(tx, waiver, release.Approve, "", bob) })
	request := b.ask(t, ada, "7")
	pass(30)
	carry(request, tallystick.Pass)
	b.version(t, ada, "8") // is denied
	carry(b.ask(t, ada, "8"), tallystick.Fail)
	b.version(t, ada, "9") // nobody asks for it, only about it
	j, err := b.Ponder(t.Context(), release.Asking{Model: "credit", Version: "9", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.as(t, ada, func(tx *state.Tx) ([]trail.Change, error) { return b.Record(tx, j) }); err != nil {
		t.Fatal(err)
	}
	pass(1)

	// To the sign-off: 1 2 3 4 5 10 hours, to the promotion: 2 4 6 8 10 20 and 30. Quantiles of type 7; intervals by Wilson's
	// formula with z = 1.959964, worked out outside of this program.
	hours := func(median, p90 float64, n int64) release.Waits {
		return release.Waits{N: n, Median: new(median * 3600), P90: new(p90 * 3600)}
	}
	want := release.Figures{
		Model: "credit", Requests: 9, Decisions: 11, Denials: 3, Promotions: 7, Rollbacks: 1, Waivers: 1, Approved: 1,
		SignOff: hours(3.5, 7.5, 6), Promotion: hours(8, 24, 7),
		Denied: share(1, 9, 0.01989, 0.43500), Excepted: share(1, 7, 0.02568, 0.51313), RolledBack: share(1, 6, 0.03005, 0.56350), TooYoung: 1,
		Denying: []release.RuleDenials{{Rule: "test.approved", Requests: 3, Decisions: 3}},
	}
	about := cmp.Options{
		cmpopts.IgnoreFields(release.Figures{}, "From", "To"),
		cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= max(5e-6, 1e-3*math.Abs(b)) }),
	}
	for _, caughtUp := range []bool{false, true} {
		if caughtUp {
			if err := b.events.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.Figures(t.Context(), release.FiguresQuery{Model: "credit"})
		if diff := cmp.Diff(want, got, about); err != nil || diff != "" {
			t.Errorf("caught up %t: %v (-want +got):\n%s", caughtUp, err, diff)
		}
	}
	all, err := b.Figures(t.Context(), release.FiguresQuery{Environment: "production"})
	want.Model, want.Environment = "", "production"
	if diff := cmp.Diff(want, all, about); err != nil || diff != "" {
		t.Errorf("of all models: %v (-want +got):\n%s", err, diff)
	}

	// The last week holds the promotion of version 7, the denial and the question.
	week, err := b.Figures(t.Context(), release.FiguresQuery{From: all.To.Add(-7 * 24 * time.Hour), To: all.To})
	want = release.Figures{
		Requests: 2, Decisions: 3, Denials: 2, Promotions: 1, Waivers: 1, Approved: 1, TooYoung: 1,
		SignOff: release.Waits{Insufficient: true}, Promotion: release.Waits{N: 1, Insufficient: true},
		Denied: share(1, 2, 0.09453, 0.90547), Excepted: share(1, 1, 0.20655, 1),
		Denying: []release.RuleDenials{{Rule: "test.approved", Requests: 2, Decisions: 2}},
	}
	if diff := cmp.Diff(want, week, about); err != nil || diff != "" {
		t.Errorf("of a week: %v (-want +got):\n%s", err, diff)
	}
	_, err = b.Figures(t.Context(), release.FiguresQuery{From: all.To, To: all.From})
	wantCode(t, err, tallystick.Invalid, "is none")
}

func share(k, n int64, low, high float64) figure.Portion {
	return figure.Portion{K: k, N: n, Rate: new(float64(k) / float64(n)), Low: &low, High: &high}
}

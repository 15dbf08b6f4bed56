package reaction_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const drifts = "alert: {rule: monitor/*/drift}"

// A budget that is used up leads back to the version before, as drift does; another rule about the same objective does not.
func TestBudgetUsedUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, strings.Replace(acting, drifts, "budget: {objective: answers, environment: live}", 1), true)
	h.fireOf(t, "objective/answers/ticket", "3d", alert.Ticket)
	h.fireOf(t, "objective/latency/budget", "", alert.Ticket)
	if got := h.run(t); got != "" {
		t.Fatalf("of other rules: %s", got)
	}
	h.fireOf(t, "objective/answers/budget", "", alert.Ticket)
	if got := h.run(t); got != "rollback done" || h.champion(t) != "1" {
		t.Errorf("%s, champion %s: %+v", got, h.champion(t), h.last(t))
	}
	h.replays(t)
}

// A comparison leads back when its newest verdict about two versions is a rollback, once for each new version.
func TestComparisonSaysRollback(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, strings.Replace(acting, drifts, "comparison: {name: canary, environment: live}", 1), true)
	say := func(name string, verdict comparison.Verdict) {
		h.as(t, h.ops, func(*state.Tx) (trail.Change, error) {
			return &comparison.Judged{
				Comparison: name, Model: "credit", Version: "2", Against: "1", Environment: "live", From: "2026-03-01T10:00:00Z", To: "2026-03-01T11:00:00Z",
				Judgement: tallystick.DigestOf([]byte(name + string(verdict))), Verdict: verdict, Predictions: 1000,
			}, nil
		})
	}
	say("another", comparison.Rollback)
	say("canary", comparison.Rollback)
	say("canary", comparison.Hold)
	if got := h.run(t); got != "" {
		t.Fatalf("the newest verdict is hold: %s", got)
	}
	say("canary", comparison.Rollback)
	if got := h.run(t); got != "rollback done" || h.champion(t) != "1" {
		t.Errorf("%s, champion %s: %+v", got, h.champion(t), h.last(t))
	}
	say("canary", comparison.Rollback)
	if got := h.run(t); got != "rollback done" {
		t.Errorf("said again: %s", got)
	}
	h.replays(t)
}

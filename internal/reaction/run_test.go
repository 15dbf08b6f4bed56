package reaction_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const acting = least + "mode: act\n"

// A reaction that two people let act goes back once, whatever fires again, and says so on the incident.
func TestActs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, acting, true)
	h.fire(t, "income", alert.Page)
	if got := h.run(t); got != "rollback done" || h.champion(t) != "1" {
		t.Fatalf("%s, champion %s: %+v", got, h.champion(t), h.last(t))
	}
	if got := h.run(t); got != "rollback done" {
		t.Errorf("again: %s", got)
	}
	h.fire(t, "age", alert.Page)
	if got := h.run(t); got != "rollback done, rollback skipped" || !strings.Contains(h.last(t).Reason, "it was tried for incident") {
		t.Errorf("%s: %+v", got, h.last(t))
	}
	all, err := h.incidents.Incidents(t.Context(), incident.Filter{})
	if err != nil || len(all) != 1 || all[0].State != incident.Mitigated || all[0].Means != "rollback" {
		t.Errorf("%+v, %v", all, err)
	}
	h.replays(t)
}

// What was begun when the process ended is carried on, once.
func TestCarriesOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, acting, true)
	h.fire(t, "income", alert.Ticket)
	h.gateFails = true
	if _, err := h.Run(t.Context()); err == nil || h.story(t) != "rollback begun" || h.champion(t) != "2" {
		t.Fatalf("%v, %s", err, h.story(t))
	}
	h.gateFails = false
	if got := h.run(t); got != "rollback done" || h.champion(t) != "1" {
		t.Errorf("%s, champion %s", got, h.champion(t))
	}
	h.replays(t)
}

// One that nobody has approved, or whose approver may not approve any more, asks and leaves the rest to people. The incident is
// mitigated once they have gone on.
func TestProposes(t *testing.T) {
	t.Parallel()
	for name, lets := range map[string]func(h *house){
		"nobody has approved it": func(h *house) { h.apply(t, acting, false) },
		"the approver is gone": func(h *house) {
			h.apply(t, acting, true)
			h.as(t, access.Local("root"), func(tx *state.Tx) (trail.Change, error) { return h.access.Disable(tx, h.second.ID) })
		},
		"it is written so": func(h *house) { h.apply(t, least, true) },
	} {
		h := open(t)
		lets(h)
		h.fire(t, "income", alert.Page)
		got := h.run(t)
		try := h.last(t)
		if got != "rollback proposed" || h.champion(t) != "2" || try.Release == "" || try.Command != "tallystick release promote "+try.Release {
			t.Errorf("%s: %s, champion %s, %+v", name, got, h.champion(t), try)
			continue
		}
		h.promote(t, try.Release)
		if got := h.run(t); got != "rollback done" {
			t.Errorf("%s: %s", name, got)
		}
		if all, err := h.incidents.Incidents(t.Context(), incident.Filter{}); err != nil || len(all) != 1 || all[0].State != incident.Mitigated {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
		h.replays(t)
	}
}

// A freeze keeps the rollback back: the gate says so once, and people can go on when it is over.
func TestRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, acting, true)
	freeze := h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) {
		return h.releases.Freeze(tx, release.Freezing{Environment: "live", Reason: "holidays"})
	}).ID
	h.fire(t, "income", alert.Page)
	for range 3 {
		if got := h.run(t); got != "rollback refused" || h.champion(t) != "2" || h.last(t).Reason != "the gate denied: release.freeze" {
			t.Fatalf("%s: %+v", got, h.last(t))
		}
	}
	decisions, err := h.releases.Decisions(t.Context(), release.Filter{Model: "credit"})
	if err != nil || len(decisions) != 3 { // two promotions, and one denial
		t.Errorf("%d decisions, %v", len(decisions), err)
	}
	h.as(t, h.ops, func(tx *state.Tx) (trail.Change, error) { return h.releases.Lift(tx, freeze, "over") })
	h.promote(t, h.last(t).Release)
	if got := h.run(t); got != "rollback done" {
		t.Errorf("%s: %+v", got, h.last(t))
	}
	h.replays(t)
}

// An alert that is suppressed triggers nothing until it is not; the cool-down skips the next, for good.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	source := strings.Replace(least, "rollback: {}", "retrain: {}, pause: {for: 1h}", 1) + "mode: act\n"
	h.fire(t, "early", alert.Ticket) // before it is in force
	h.apply(t, strings.Replace(source, "drift}", "drift, for: 30m}", 1), true)
	id := h.fire(t, "income", alert.Ticket)
	of := alert.Observation{Rule: "monitor/hourly/drift", Model: "credit", Version: "2", Environment: "live", Subject: "income"}
	h.as(t, h.ops, func(*state.Tx) (trail.Change, error) {
		return &alert.Suppressed{Alert: id, Fingerprint: of.Fingerprint(), Model: "credit", By: "silence 1"}, nil
	})
	h.now = h.now.Add(time.Hour)
	if got := h.run(t); got != "" {
		t.Fatalf("suppressed: %s", got)
	}
	kept := h.as(t, h.ops, func(*state.Tx) (trail.Change, error) {
		return &alert.Unsuppressed{Alert: id, Fingerprint: of.Fingerprint(), Model: "credit"}, nil
	}).Time
	if got := h.run(t); got != "retrain done, pause done" {
		t.Fatalf("%s: %+v", got, h.last(t))
	}
	h.fire(t, "age", alert.Ticket)
	if got := h.run(t); got != "retrain done, pause done" {
		t.Errorf("not for 30 minutes: %s", got)
	}
	h.now = h.now.Add(31 * time.Minute)
	if got := h.run(t); got != "retrain done, pause done, retrain skipped, pause skipped" || !strings.Contains(h.last(t).Reason, "the cool-down lasts until") {
		t.Errorf("%s: %+v", got, h.last(t))
	}
	all, err := h.Retrainings(t.Context(), "credit", 0, 0)
	if err != nil || len(all) != 1 || all[0].Reaction != "back" {
		t.Fatalf("%+v, %v", all, err)
	}
	_, report, err := h.Retraining(t.Context(), all[0].ID)
	if err != nil || tallystick.DigestOf(report) != all[0].Report || strings.Contains(string(report), "east") {
		t.Errorf("%s, %v", report, err)
	}
	h.replays(t)

	r, err := h.Rehearse(t.Context(), []byte(source), h.now.Add(-24*time.Hour), time.Time{})
	if err != nil || r.Looked != 3 || r.Matched != 3 || len(r.Steps) != 6 || r.Steps[0].Would != "act" || r.Steps[2].Would != "skip" {
		t.Errorf("%+v, %v", r, err)
	}
	late := strings.Replace(source, "drift}", "drift, for: 30m}", 1) // which was suppressed then
	r, err = h.Rehearse(t.Context(), []byte(late), h.now.Add(-24*time.Hour), time.Time{})
	if err != nil || r.Matched != 3 || !slices.ContainsFunc(r.Steps, func(s reaction.Rehearsed) bool { return s.Cause == "alert/"+id && s.At.Equal(kept) }) {
		t.Errorf("%+v, %v, want %s at %s", r, err, id, kept)
	}
}

// Nobody lets their own reaction act, neither themselves nor through a token; another document needs another approval.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, acting, false)
	approve := func(who access.Principal) error {
		return h.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := h.Approve(tx, "back", "", "", who)
			return err
		})
	}
	through := h.second
	through.Minter = h.ops.ID
	for name, who := range map[string]access.Principal{"themselves": h.ops, "a token": through, "a program": {ID: "p", Kind: access.KindService}} {
		if err := approve(who); tallystick.CodeOf(err) != tallystick.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.as(t, h.second, func(tx *state.Tx) (trail.Change, error) { return h.Approve(tx, "back", "", "", h.second) })
	if r, _, _, err := h.Reaction(t.Context(), "back"); err != nil || r.ApprovedBy != h.second.ID || r.AppliedBy != h.ops.ID {
		t.Errorf("%+v, %v", r, err)
	}
	h.apply(t, acting+"cooldown: 1h\n", false)
	if r, _, _, err := h.Reaction(t.Context(), "back"); err != nil || !r.Approved.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
	h.replays(t)
}

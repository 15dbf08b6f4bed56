package web_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// packs is the policy of the program, but for low tiers: there it asks for one approval alone, so that a
// release can be played to its end in a test.
func packs() func(tallystick.Tier) (*policy.Pack, error) {
	ours, few := policy.Packs(""), policy.Packs("testdata/policy")
	return func(tier tallystick.Tier) (*policy.Pack, error) {
		if tier == tallystick.TierLow {
			return few(tier)
		}
		return ours(tier)
	}
}

// person adds somebody who has set a passphrase.
func (h *house) person(t testing.TB, name string, roles ...access.Role) access.Principal {
	t.Helper()
	if _, err := h.people.Redeem(t.Context(), h.invite(t, name, roles...), passphrase); err != nil {
		t.Fatal(err)
	}
	u, err := h.people.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return access.Principal{ID: u.ID, Name: u.Name, Kind: u.Kind, Roles: u.Roles}
}

// by commits what somebody proposes, and returns the receipt.
func (h *house) by(t testing.TB, who access.Principal, propose func(*state.Tx) (trail.Change, error)) (receipt trail.Receipt) {
	t.Helper()
	return h.act(t, who, func(tx *state.Tx) ([]trail.Change, error) { return one(propose(tx)) })
}

// act does the same for many changes, and returns the receipt of the last.
func (h *house) act(t testing.TB, who access.Principal, propose func(*state.Tx) ([]trail.Change, error)) (receipt trail.Receipt) {
	t.Helper()
	err := h.workspace.DB.Write(context.WithoutCancel(t.Context()), func(tx *state.Tx) error {
		changes, err := propose(tx)
		for _, c := range changes {
			if err == nil {
				receipt, err = h.workspace.Recorder.Commit(tx, trail.Act{Actor: who.Actor(), Purpose: "a test"}, c)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// released is what furnishReleases leaves.
type released struct{ denied, passing, rejected, promoted, waiver, open, freeze string }

// furnishReleases puts requests in every state into a furnished house.
func (h *house) furnishReleases(t testing.TB) (r released) {
	t.Helper()
	sam, vera, olga := h.person(t, "sam", access.Scientist), h.person(t, "vera", access.Validator, access.Approver), h.person(t, "olga", access.Operator)
	ask := func(model, version, environment, reason string) string {
		a := release.Asking{Model: model, Version: version, Environment: environment, Reason: reason}
		return h.by(t, sam, func(tx *state.Tx) (trail.Change, error) { return h.releases.Ask(tx, a, sam) }).ID
	}
	review := func(request string, verdict release.Opinion, comment string) {
		o := release.Opining{Request: request, Verdict: verdict, Comment: comment}
		h.by(t, vera, func(tx *state.Tx) (trail.Change, error) { return h.releases.Review(tx, o, vera) })
	}
	waive := func(rule string) string {
		w := release.Waiving{
			Model: "credit", Version: "3", Environment: "production", Rule: rule, Owner: "Ada Lovelace", Reason: "the supplier signs from May on",
			Control: "two people look at every release until then", Expires: time.Now().AddDate(0, 2, 0),
		}
		return h.by(t, sam, func(tx *state.Tx) (trail.Change, error) { return h.releases.RequestWaiver(tx, w) }).ID
	}
	r.waiver, r.open = waive("version.signature"), waive("dependency.vulnerabilities")
	h.by(t, vera, func(tx *state.Tx) (trail.Change, error) {
		return h.releases.ReviewWaiver(tx, r.waiver, release.Approve, "until the end of spring", vera)
	})
	r.rejected = ask("credit", "3", "staging", "to be seen by the branch")
	review(r.rejected, release.Reject, "the consent of the 2025 rows ran out")
	r.denied = ask("credit", "3", "production", "better on young applicants")
	review(r.denied, release.Approve, "read the report; the interval holds")
	r.promoted = ask("spam", "9", "staging", "catches the letters of this week")
	review(r.promoted, release.Approve, "looked at a hundred letters")
	j, err := h.releases.Judge(t.Context(), r.promoted)
	if err != nil {
		t.Fatal(err)
	}
	h.act(t, olga, func(tx *state.Tx) ([]trail.Change, error) { return h.releases.Promote(tx, j) })
	r.passing = ask("spam", "9", "production", "a week without complaints")
	review(r.passing, release.Approve, "no complaint in a week")
	r.freeze = h.by(t, olga, func(tx *state.Tx) (trail.Change, error) {
		return h.releases.Freeze(tx, release.Freezing{Environment: "production", Model: "fraud", Reason: "the yearly audit"})
	}).ID
	return r
}

// throngReleases adds requests, waivers and freezes of many people.
func (h *house) throngReleases(t testing.TB) {
	t.Helper()
	for i := range 12 {
		name := fmt.Sprintf("scores-%02d", i)
		who, version := h.person(t, "thronging."+name, access.Scientist, access.Operator), fmt.Sprint(i+4)
		for _, on := range [][3]string{{name, "1", "production"}, {"credit", version, "production"}, {"credit", version, "staging"}} {
			a := release.Asking{Model: on[0], Version: on[1], Environment: on[2], Reason: "one of many"}
			h.by(t, who, func(tx *state.Tx) (trail.Change, error) { return h.releases.Ask(tx, a, who) })
		}
		w := release.Waiving{
			Model: "credit", Version: "3", Environment: "production", Rule: "dependency.pins", Owner: who.ID, Reason: "one of many", Control: "a look", Expires: time.Now().AddDate(0, 1, 0),
		}
		h.by(t, who, func(tx *state.Tx) (trail.Change, error) { return h.releases.RequestWaiver(tx, w) })
		h.by(t, who, func(tx *state.Tx) (trail.Change, error) {
			return h.releases.Freeze(tx, release.Freezing{Model: "credit", Reason: "one of many"})
		})
	}
}

// addresses are those of the pages about releases.
func (r released) addresses() (all []string) {
	for _, id := range []string{r.denied, r.passing, r.rejected, r.promoted} {
		all = append(all, "/releases/"+id)
	}
	return append(all, "/models/credit/versions/3/release?to=production", "/models/churn/releases", "/models/credit/releases", "/models/credit/releases?environment=production",
		"/models/spam/releases", "/models/spam/rollback?in=staging", "/reviews", "/reviews?environment=production&tier=high", "/reviews?tier=limited", "/waivers", "/waivers/"+r.waiver,
		"/waivers/"+r.open, "/models/credit/waivers?version=3&rule=artifact.format", "/models/churn/waivers", "/freezes", "/freezes?state=all")
}

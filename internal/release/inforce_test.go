package release_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestPolicyHistory changes the policy, judges by it, confirms it, and asks what was in force when.
func TestPolicyHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	begin := time.Now()
	adopt := func(o *release.Office, note string) (kinds []string) {
		t.Helper()
		changes, err := o.Adopt(t.Context(), note)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			kind, on := c.Subject()
			kinds = append(kinds, kind.Short()+" "+on.ID)
		}
		if _, err := b.as(t, root, func(*state.Tx) ([]trail.Change, error) { return changes, nil }); err != nil {
			t.Fatal(err)
		}
		return kinds
	}
	changed := []string{"policy.changed low", "policy.changed limited", "policy.changed high"}
	if kinds := adopt(b.Office, "first"); !slices.Equal(kinds, changed) {
		t.Errorf("the first start: %v", kinds)
	}
	if kinds := append(adopt(b.Office, ""), adopt(b.Office, "first")...); kinds != nil {
		t.Errorf("started again: %v", kinds)
	}
	b.ahead.Add(10 * 24 * 3600)
	ada := b.person(t, "ada", access.Scientist)
	b.version(t, ada, "1")
	if _, err := b.promote(t, b.person(t, "olga", access.Operator), b.ask(t, ada, "1"), nil); err != nil {
		t.Fatal(err)
	}
	b.ahead.Add(10 * 24 * 3600)
	later := release.New(b.config(policy.Packs("")))
	if kinds := adopt(later, "rules of our own end"); !slices.Equal(kinds, changed) {
		t.Errorf("another policy: %v", kinds)
	}
	low := func(at, until time.Time) (of []release.PolicyStretch) {
		t.Helper()
		h, err := later.PolicyHistory(t.Context(), at, until)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range h.Stretches {
			if s.Tier == string(tallystick.TierLow) {
				of = append(of, s)
			}
		}
		return of
	}
	all := low(time.Time{}, time.Time{})
	if len(all) != 2 || all[0].Times != 2 || all[0].Note != "first" || !all[0].Until.Equal(all[1].From) || all[0].Said <= all[0].Event || all[1].Note != "rules of our own end" || all[1].ReviewDue {
		t.Fatalf("history %+v", all)
	}
	if c := all[1].Changes; c == nil || !slices.ContainsFunc(c.Removed, func(s string) bool { return strings.HasPrefix(s, "test.approved") }) {
		t.Errorf("changes %+v", c)
	}
	// Five days after the start the change says so, and later the decision says it again.
	at := begin.Add(5 * 24 * time.Hour)
	if s := low(at, at.Add(24*time.Hour)); len(s) != 1 || s[0].Policy != all[0].Policy || s[0].Said != all[0].Event || s[0].Next != all[0].Said {
		t.Errorf("after five days %+v", s)
	}
	if s := low(begin.Add(-24*time.Hour), begin.Add(-time.Hour)); s != nil {
		t.Errorf("before the start %+v", s)
	}
	b.ahead.Add(366 * 24 * 3600)
	if s := low(time.Time{}, time.Time{}); s[0].ReviewDue || !s[1].ReviewDue {
		t.Errorf("after a year %+v", s)
	}
	if kinds := adopt(later, "looked at in the yearly review"); len(kinds) != 3 || kinds[0] != "policy.confirmed low" {
		t.Errorf("confirmed: %v", kinds)
	}
	if s := low(time.Time{}, time.Time{}); len(s) != 2 || s[1].ReviewDue || s[1].Times != 2 {
		t.Errorf("after it was confirmed %+v", s)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}

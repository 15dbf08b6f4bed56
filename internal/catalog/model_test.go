package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (b bench) register(r catalog.ModelRegistration) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.RegisterModel(tx, r, alice.ID) }
}

func (b bench) update(u catalog.ModelUpdate) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.UpdateModel(tx, u) }
}

func (b bench) retire(name, reason, replacement string) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.RetireModel(tx, name, reason, replacement) }
}

func (b bench) model(t testing.TB, name string) catalog.Model {
	t.Helper()
	m, err := b.catalog.Model(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// refused holds what a proposal refuses against the code and the words that it should.
func (b bench) refused(t *testing.T, propose proposal, code tallystick.Code, words string) {
	t.Helper()
	before := b.events(t)
	_, err := b.do(t, propose)
	if tallystick.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), words) {
		t.Errorf("%v (%s), want %s: %q", err, tallystick.CodeOf(err), code, words)
	}
	if strings.Contains(fmt.Sprint(err), "\n") {
		t.Errorf("more than one line: %v", err)
	}
	if n := b.events(t); n != before {
		t.Errorf("the refusal left %d events", n-before)
	}
}

func TestLifeOfAModel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	details := catalog.ModelDetails{
		SREOwner: "bob", PhaseOwners: map[string]string{"monitoring": "dora"}, Purpose: "scores loan applications", AcceptableUse: "with a clerk who decides", Summary: "gradient boosting",
		Answers: harmless(map[string]string{"financial_effect": "minor"}), Labels: map[string]string{"team": "risk"},
	}
	credit := catalog.ModelRegistration{Name: "credit", ModelDetails: details}
	b.must(t, b.register(credit))
	m := b.model(t, "credit")
	want := details
	want.State, want.Owner = catalog.Active, "alice"
	if diff := cmp.Diff(want, m.ModelDetails); diff != "" || m.Tier != tallystick.TierLimited || m.Revision != 1 || m.Event != 1 {
		t.Errorf("registered: %+v\n%s", m, diff)
	}
	if changed, err := b.do(t, b.register(credit)); changed || err != nil {
		t.Errorf("registered again as it is: %v, %v", changed, err)
	}
	other := credit
	other.Purpose = "sends advertisements"
	b.refused(t, b.register(other), tallystick.Conflict, `model "credit" is registered with another intended_purpose`)

	// Heavier answers raise the tier.
	b.must(t, b.update(catalog.ModelUpdate{Model: "credit", IfRevision: 1, Fields: []string{"answers", "owner"}, Details: catalog.ModelDetails{
		Owner: "carol", Purpose: "not looked at", Answers: harmless(map[string]string{"financial_effect": "major"}),
	}}))
	m = b.model(t, "credit")
	if m.Tier != tallystick.TierHigh || m.Owner != "carol" || m.Purpose != details.Purpose || m.Revision != 2 || m.Deciding[0] != "financial_effect=major" {
		t.Errorf("updated: %+v", m)
	}
	b.refused(t, b.update(catalog.ModelUpdate{Model: "credit", IfRevision: 1, Fields: []string{"owner"}}), tallystick.Conflict, "has revision 2, not 1")
	light := catalog.ModelUpdate{Model: "credit", Fields: []string{"answers"}, Details: catalog.ModelDetails{Answers: harmless(nil)}}
	b.refused(t, b.update(light), tallystick.Conflict, `would lower the tier of model "credit" from high to low`)
	light.Fields, light.Details.TierStated = append(light.Fields, "tier_stated"), tallystick.TierHigh
	b.must(t, b.update(light))
	if m = b.model(t, "credit"); m.Tier != tallystick.TierHigh || !strings.Contains(m.TierDecision.Reason, "the owner states it") {
		t.Errorf("lighter answers under a stated tier: %+v", m)
	}
	b.refused(t, b.update(catalog.ModelUpdate{Model: "credit", Fields: []string{"state"}, Details: catalog.ModelDetails{State: catalog.Experimental}}),
		tallystick.Conflict, "would owe no evidence")
	b.refused(t, b.update(catalog.ModelUpdate{Model: "credit", Fields: []string{"state"}, Details: catalog.ModelDetails{State: catalog.Retired}}),
		tallystick.Invalid, "retired with a reason")
	b.refused(t, b.update(catalog.ModelUpdate{Model: "credit", Fields: []string{"colour"}}), tallystick.Invalid, "the fields are state, tier_stated")
	b.refused(t, b.update(catalog.ModelUpdate{Model: "credti"}), tallystick.NotFound, "there is credit")

	// Retirement and coming back.
	b.refused(t, b.retire("credit", "", ""), tallystick.Invalid, "no reason is given")
	b.refused(t, b.retire("credit", "old", "credit"), tallystick.Invalid, "cannot replace itself")
	b.refused(t, b.retire("credit", "old", "credit2"), tallystick.NotFound, "there is credit")
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit2"}), b.retire("credit", "superseded", "credit2"))
	if m = b.model(t, "credit"); m.State != catalog.Retired || m.Replacement != "credit2" || m.Reason != "superseded" {
		t.Errorf("retired: %+v", m)
	}
	b.refused(t, b.retire("credit", "again", ""), tallystick.Conflict, "retired already")
	b.refused(t, b.retire("credit2", "x", "credit"), tallystick.Conflict, "is itself retired")
	b.refused(t, b.version("credit", "9"), tallystick.Conflict, "is retired: superseded")
	b.refused(t, b.update(light), tallystick.Conflict, "is retired")
	b.refused(t, b.audited("credit", "", ""), tallystick.Conflict, "is retired")
	b.refused(t, b.register(credit), tallystick.Conflict, "give a reason")
	credit.Reason = "the replacement is worse"
	b.refused(t, b.register(credit), tallystick.Conflict, "would lower the tier")
	credit.TierStated = tallystick.TierHigh
	b.must(t, b.register(credit))
	if m = b.model(t, "credit"); m.State != catalog.Active || m.Owner != "alice" || m.Replacement != "" || m.Reason != credit.Reason || m.Revision != 5 {
		t.Errorf("registered again: %+v", m)
	}
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

func TestModelsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		details catalog.ModelDetails
		want    string
	}{
		"a state that is none":        {catalog.ModelDetails{State: "asleep"}, "is not experimental, active or retired"},
		"a beginning as retired":      {catalog.ModelDetails{State: catalog.Retired}, "cannot begin as retired"},
		"a tier that is none":         {catalog.ModelDetails{TierStated: "extreme"}, `tier "extreme"`},
		"no supplier":                 {catalog.ModelDetails{ThirdParty: true}, "has no supplier"},
		"a supplier of our own":       {catalog.ModelDetails{Supplier: "Example Ltd"}, "that is our own"},
		"an owner without end":        {catalog.ModelDetails{Owner: strings.Repeat("x", 257)}, "the owner is 257 bytes long"},
		"a purpose that is no text":   {catalog.ModelDetails{Purpose: "a\x00b"}, "is not text"},
		"a phase that is none":        {catalog.ModelDetails{PhaseOwners: map[string]string{"sleep": "bob"}}, "the phases are collection"},
		"a label without a name":      {catalog.ModelDetails{Labels: map[string]string{"": "x"}}, "label name"},
		"a question that there is no": {catalog.ModelDetails{Answers: catalog.Answers{"x": "y"}}, "no question"},
	} {
		t.Run(name, func(t *testing.T) {
			b.refused(t, b.register(catalog.ModelRegistration{Name: "m", ModelDetails: test.details}), tallystick.Invalid, test.want)
		})
	}
}

func TestModelsArePaged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 7 {
		answers := harmless(nil)
		if i%2 == 0 {
			answers["safety"] = "direct"
		}
		b.must(t, b.register(catalog.ModelRegistration{Name: fmt.Sprintf("m%d", i), ModelDetails: catalog.ModelDetails{
			Answers: answers, Owner: fmt.Sprintf("o%d", i%3), Purpose: "Finds 100%", Labels: map[string]string{"team": fmt.Sprintf("t%d", i%2)},
		}}))
	}
	names := func(models []catalog.Model, err error) string {
		if err != nil {
			t.Error(err)
		}
		var names []string
		for _, m := range models {
			names = append(names, m.Name)
		}
		return strings.Join(names, " ")
	}
	for want, f := range map[string]catalog.ModelFilter{
		"m0 m1 m2":             {Limit: 3},
		"m3 m4 m5":             {Limit: 3, After: "m2"},
		"m0 m2 m4 m6":          {Tier: tallystick.TierHigh},
		"m1 m4":                {Owner: "o1"},
		"m1 m3 m5":             {Label: "team=t1"},
		"m0 m1 m2 m3 m4 m5 m6": {Text: "100%", State: catalog.Active},
		"":                     {Text: "1_0"},
		"m4":                   {Text: "M4"},
		"m0 m2":                {Text: "finds 10 m", Label: "team=t0", Limit: 2},
		"m6 m5":                {Text: "fi m 100", Order: catalog.ByName, Descending: true, Limit: 2},
		"m5":                   {Text: "finds m5", Label: "team=t1"},
	} {
		for _, common := range []int{1, 4, 5, 500} { // whichever word leads
			if got := names(b.catalog.Models(t.Context(), f.WithCommon(common))); got != want {
				t.Errorf("%+v, with words common from %d models on: %q, want %q", f, common, got, want)
			}
		}
	}

	// What was evaluated waits behind what never was; tier goes first.
	b.must(t, b.version("m0", "1"), b.version("m2", "1"), b.audit("m0", "1", "a", tallystick.Pass), b.audit("m2", "1", "b", tallystick.Pass))
	b.touch(t, "UPDATE models SET evaluated_ms = evaluated_ms + 1000000000 WHERE name = 'm0'")
	const order = "m4 m6 m2 m0 m1 m3 m5"
	if got := names(b.catalog.Priority(t.Context(), "", 0)); got != order {
		t.Errorf("priority %s", got)
	}
	if got := names(b.catalog.Models(t.Context(), catalog.ModelFilter{EvaluatedBefore: time.Now().Add(-time.Hour)})); got != "m1 m3 m4 m5 m6" {
		t.Errorf("never evaluated: %s", got)
	}
	var pages []string
	for after := ""; ; {
		page := names(b.catalog.Priority(t.Context(), after, 2))
		if page == "" {
			break
		}
		pages = append(pages, page)
		all := strings.Fields(page)
		after = all[len(all)-1]
	}
	if got := strings.Join(pages, " "); got != order {
		t.Errorf("priority by pages: %s", got)
	}
}

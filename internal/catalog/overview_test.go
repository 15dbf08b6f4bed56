package catalog_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// What an inventory says of a model is what its own status says.
func TestOverviewsAgreeWithStatus(t *testing.T) {
	t.Parallel()
	b := settled(t)
	attach := func(model, version string, d catalog.EvidenceDetails) proposal {
		return func(tx *state.Tx) (trail.Change, error) {
			return b.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: model, Version: version, Details: d})
		}
	}
	long := time.Now().AddDate(-2, 0, 0).UnixMilli()
	b.must(t, b.audited("fraud", tallystick.TierHigh, "bob"), b.version("fraud", "7"), b.audit("fraud", "7", "old", tallystick.Fail), b.audit("fraud", "7", "new", tallystick.Pass),
		attach("fraud", "", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "model-card", Digest: digest("card")}),
		attach("fraud", "7", catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: digest("scan"), ProducedMS: long}),
		attach("fraud", "7", catalog.EvidenceDetails{Kind: catalog.SignatureEvidence, Digest: digest("signature"), Subject: digest("other files")}),
		b.audited("spam", tallystick.TierLow, "eve"))
	b.acted(t, b.assign("lab", "1", catalog.Champion, false))
	b.acted(t, b.assign("production", "2", catalog.Champion, true)) // raises a finding

	models, err := b.catalog.Models(t.Context(), catalog.ModelFilter{})
	if err != nil {
		t.Fatal(err)
	}
	overviews := func(models []catalog.Model) (all []catalog.Overview, err error) {
		err = b.db.Read(t.Context(), func(tx *state.Tx) error {
			all, err = b.catalog.OverviewsIn(tx, models, func(e catalog.Evidence, _ catalog.Version) (catalog.Evidence, catalog.ItemState) {
				return e, catalog.Present
			})
			return err
		})
		return all, err
	}
	all, err := overviews(models)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d overviews, %v", len(all), err)
	}
	for i, o := range all {
		s, err := b.catalog.Status(t.Context(), o.Name, "")
		if err != nil {
			t.Fatal(err)
		}
		var first *catalog.Item
		if j := slices.IndexFunc(s.Items, func(item catalog.Item) bool { return item.State != catalog.Present }); j >= 0 {
			first = &s.Items[j]
		}
		if want, got := asJSON(t, first), asJSON(t, o.First); got != want {
			t.Errorf("%s: the first of them is %s; in its status %s", o.Name, got, want)
		}
		if o.Name != models[i].Name || o.Owes != len(s.Items) || o.Missing != s.Missing || o.Stale != s.Stale || (o.First == nil) != s.Complete() {
			t.Errorf("%s: overview %d owed, %d missing, %d stale; status %s", o.Name, o.Owes, o.Missing, o.Stale, s.Words)
		}
	}
	if o := all[0]; o.Name != "credit" || o.Findings != 1 || cmp.Diff([]catalog.Place{{"lab", "1", "champion"}, {"production", "2", "champion"}}, o.Places) != "" {
		t.Errorf("credit: %+v", o)
	}
	if o := all[1]; o.Name != "fraud" || o.Verdict != tallystick.Pass || o.Stale != 1 || o.First == nil || o.First.State == catalog.Present {
		t.Errorf("fraud: %+v", o)
	}
	census, err := b.catalog.Census(t.Context())
	want := catalog.Census{Models: 2, High: 1, Experiments: 1, NeverAudited: 1, Findings: 1, Grave: 1}
	if err != nil || census != want {
		t.Errorf("census %+v, %v; want %+v", census, err, want)
	}
	if _, err := overviews(make([]catalog.Model, 201)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too many at once: %v", err)
	}
	empty := setup(t)
	if census, err := empty.catalog.Census(t.Context()); err != nil || census != (catalog.Census{}) {
		t.Errorf("an empty catalog: %+v, %v", census, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

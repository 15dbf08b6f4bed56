package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestDatasets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	terms := catalog.DatasetTerms{
		Owner: "bob", Summary: "all applications", Source: "branch offices", ConsentBasis: catalog.BasisContract, RetentionDays: 730, Guidelines: digest("guidelines"),
		Privacy:         []catalog.ColumnLabel{{Column: "ssn", Label: catalog.LabelPersonal}, {Column: "zip", Label: catalog.LabelNone}},
		AllowedPurposes: []string{"scoring"}, ForbiddenPurposes: []string{"marketing"},
	}
	b.must(t, b.dataset(catalog.DatasetChange{Name: "loans", DatasetTerms: terms}))
	if changed, err := b.do(t, b.dataset(catalog.DatasetChange{Name: "loans", DatasetTerms: terms})); changed || err != nil {
		t.Errorf("registered again: %v, %v", changed, err)
	}
	d, err := b.catalog.Dataset(t.Context(), "loans")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(terms, d.DatasetTerms); diff != "" || d.Label("ssn") != catalog.LabelPersonal || !cmp.Equal(d.Withheld(), []string{"ssn"}) {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	update := func(days int64, revision uint64) proposal {
		changed := terms
		changed.RetentionDays = days
		return func(tx *state.Tx) (trail.Change, error) {
			return b.catalog.UpdateDataset(tx, catalog.DatasetChange{Name: "loans", DatasetTerms: changed, IfRevision: revision})
		}
	}
	if changed, err := b.do(t, update(365, d.Revision)); !changed || err != nil {
		t.Errorf("update: %v, %v", changed, err)
	}
	if changed, err := b.do(t, update(365, d.Revision)); changed || err != nil {
		t.Errorf("the same update: %v, %v", changed, err)
	}
	for name, test := range map[string]struct {
		propose proposal
		want    tallystick.Code
	}{
		"an old revision": {update(30, d.Revision), tallystick.Conflict},
		"other terms":     {b.dataset(catalog.DatasetChange{Name: "loans"}), tallystick.Conflict},
		"a hostile name":  {b.dataset(catalog.DatasetChange{Name: "../loans"}), tallystick.Invalid},
		"a basis":         {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{ConsentBasis: "sure"}}), tallystick.Invalid},
		"a label":         {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{Privacy: []catalog.ColumnLabel{{Column: "a", Label: "hush"}}}}), tallystick.Invalid},
		"two labels": {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{Privacy: []catalog.ColumnLabel{
			{Column: "a", Label: catalog.LabelNone}, {Column: "a", Label: catalog.LabelPersonal},
		}}}), tallystick.Invalid},
		"both purposes": {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{
			AllowedPurposes: []string{"a"}, ForbiddenPurposes: []string{"a"},
		}}), tallystick.Invalid},
		"too much": {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{AllowedPurposes: make([]string, 65)}}), tallystick.Invalid},
		"for ever": {b.dataset(catalog.DatasetChange{Name: "x", DatasetTerms: catalog.DatasetTerms{RetentionDays: 1e9}}), tallystick.Invalid},
	} {
		if changed, err := b.do(t, test.propose); changed || tallystick.CodeOf(err) != test.want {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
	}
	b.must(t, b.dataset(catalog.DatasetChange{Name: "abc"}))
	list, err := b.catalog.Datasets(t.Context(), catalog.DatasetFilter{After: "abc"})
	if err != nil || len(list) != 1 || list[0].Name != "loans" {
		t.Errorf("the second page: %+v, %v", list, err)
	}
	if _, err := b.catalog.Dataset(t.Context(), "loan"); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "loans") {
		t.Errorf("a misspelt data set: %v", err)
	}
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.experiment("credit"), b.version("credit", "1"), b.dataset(catalog.DatasetChange{Name: "loans", DatasetTerms: catalog.DatasetTerms{
		Privacy: []catalog.ColumnLabel{{Column: "name", Label: catalog.LabelSensitive}},
	}}))
	taken := time.Date(2026, 3, 1, 2, 3, 4, 5e6, time.FixedZone("CET", 3600))
	r := catalog.SnapshotRegistration{
		Dataset: "loans", Name: "march", Digest: digest("march"), Rows: 1000, Bytes: 5000, Taken: taken, Profile: loans("march", 1000, 10),
		Sources:   []catalog.Source{{Name: "ledger.csv", Digest: digest("source")}},
		Anomalies: []catalog.Anomaly{{What: "doubles", Rows: 3, Handling: "dropped", Reason: "the same id and time"}},
	}
	b.must(t, b.snapshot(r))
	if changed, err := b.do(t, b.snapshot(r)); changed || err != nil {
		t.Errorf("registered again: %v, %v", changed, err)
	}
	s, err := b.catalog.Snapshot(t.Context(), "loans", "march")
	if err != nil || !s.Taken.Equal(taken) || s.Rows != 1000 || !cmp.Equal(s.Sources, r.Sources) || !cmp.Equal(s.Anomalies, r.Anomalies) {
		t.Fatalf("snapshot: %+v, %v", s, err)
	}
	p, err := b.catalog.Profile(t.Context(), s)
	if err != nil || !cmp.Equal(&p, r.Profile) {
		t.Errorf("profile: %+v, %v", p, err)
	}
	columns, err := b.catalog.Schema(t.Context(), s)
	if err != nil || len(columns) != 3 || columns[1].Name != "income" {
		t.Errorf("schema: %+v, %v", columns, err)
	}
	change := func(f func(r *catalog.SnapshotRegistration)) proposal {
		c := r
		c.Name = "april"
		f(&c)
		return b.snapshot(c)
	}
	for name, test := range map[string]struct {
		propose proposal
		want    tallystick.Code
	}{
		"other data":         {change(func(r *catalog.SnapshotRegistration) { r.Name, r.Digest, r.Profile = "march", digest("x"), nil }), tallystick.Conflict},
		"another's profile":  {change(func(r *catalog.SnapshotRegistration) { r.Digest = digest("x") }), tallystick.Invalid},
		"a shown column":     {change(func(r *catalog.SnapshotRegistration) { r.Profile = shown(r.Profile) }), tallystick.Forbidden},
		"a broken profile":   {change(func(r *catalog.SnapshotRegistration) { r.Profile = &profile.Profile{Digest: r.Digest, Rows: r.Rows} }), tallystick.Invalid},
		"rows":               {change(func(r *catalog.SnapshotRegistration) { r.Rows, r.Profile = -1, nil }), tallystick.Invalid},
		"no digest":          {change(func(r *catalog.SnapshotRegistration) { r.Digest, r.Profile = "", nil }), tallystick.Invalid},
		"no data set":        {change(func(r *catalog.SnapshotRegistration) { r.Dataset = "lones" }), tallystick.NotFound},
		"an empty anomaly":   {change(func(r *catalog.SnapshotRegistration) { r.Anomalies = []catalog.Anomaly{{What: "x"}} }), tallystick.Invalid},
		"a source's digest":  {change(func(r *catalog.SnapshotRegistration) { r.Sources = []catalog.Source{{Name: "x", Digest: "y"}} }), tallystick.Invalid},
		"used, other digest": {b.link(catalog.DataLink{Model: "credit", Version: "1", Role: catalog.TestData, Dataset: "loans", Snapshot: "march", Digest: digest("x")}), tallystick.Conflict},
		"used, no version":   {b.link(catalog.DataLink{Model: "credit", Version: "2", Role: catalog.TestData, Dataset: "loans", Snapshot: "march"}), tallystick.NotFound},
		"used as":            {b.link(catalog.DataLink{Model: "credit", Version: "1", Role: "lunch", Dataset: "loans", Snapshot: "march"}), tallystick.Invalid},
	} {
		if changed, err := b.do(t, test.propose); changed || tallystick.CodeOf(err) != test.want {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
	}
	b.must(t, change(func(r *catalog.SnapshotRegistration) { r.Schema, r.Profile = nil, nil }))
	list, err := b.catalog.Snapshots(t.Context(), catalog.SnapshotFilter{Digest: digest("march")})
	if err != nil || len(list) != 2 || list[0].Name != "april" {
		t.Errorf("by digest: %+v, %v", list, err)
	}
	if _, err := b.catalog.Profile(t.Context(), list[0]); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a profile that nobody gave: %v", err)
	}
	older, err := b.catalog.Snapshots(t.Context(), catalog.SnapshotFilter{Dataset: "loans", After: fmt.Sprint(list[0].Event), Limit: 1})
	if err != nil || len(older) != 1 || older[0].Name != "march" {
		t.Errorf("the second page: %+v, %v", older, err)
	}
	link := b.link(catalog.DataLink{Model: "credit", Version: "1", Role: catalog.TestData, Dataset: "loans", Snapshot: "march"})
	b.must(t, link)
	if changed, err := b.do(t, link); changed || err != nil {
		t.Errorf("linked again: %v, %v", changed, err)
	}
	links, err := b.catalog.Links(t.Context(), catalog.LinkFilter{Dataset: "loans", Snapshot: "march"})
	if err != nil || len(links) != 1 || links[0].Version != "1" || links[0].Digest != digest("march") {
		t.Errorf("what rests on it: %+v, %v", links, err)
	}
	b.touch(t, "UPDATE snapshot_documents SET body = ? WHERE digest = ?", []byte("{}"), string(s.ProfileDigest))
	if _, err := b.catalog.Profile(t.Context(), s); tallystick.CodeOf(err) != tallystick.Internal {
		t.Errorf("a profile that somebody has touched: %v", err)
	}
}

// shown returns the profile with nothing withheld.
func shown(p *profile.Profile) *profile.Profile {
	open := *p
	open.Columns = append([]profile.Column{}, p.Columns...)
	open.Columns[2].Withheld = false
	return &open
}

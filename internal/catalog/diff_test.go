package catalog_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/profile"
)

// loans is a profile of rows applications, of which income lacks the given share.
func loans(name string, rows, missing int64) *profile.Profile {
	income := make([]float64, 101)
	for i := range income {
		income[i] = 1000 + 50*float64(i)
	}
	return &profile.Profile{Schema: profile.Schema, Digest: digest(name), Rows: rows, Columns: []profile.Column{
		{Name: "age", Kind: profile.Category, Distinct: 2, Top: []profile.Value{{Value: "young", Count: rows / 2}, {Value: "old", Count: rows - rows/2}}},
		{Name: "income", Kind: profile.Number, Missing: missing, Distinct: 3000, Numbers: &profile.Numbers{Mean: 3500, SD: 1400, Percentiles: income}},
		{Name: "name", Kind: profile.Text, Withheld: true, Distinct: 4000},
	}}
}

func interval(value, low, high float64) catalog.Metric {
	return catalog.Metric{Value: value, Low: &low, High: &high, N: 1000}
}

// recipe is how a version was made.
func recipe(commit string, seed string, auc catalog.Metric) catalog.VersionDetails {
	return catalog.VersionDetails{CodeCommit: commit, Image: digest("image"), TrainingCutoff: "2026-01-31", Metadata: catalog.Metadata{
		Parameters: map[string]string{"depth": "6", "rate": "0.1"}, Seeds: map[string]string{"numpy": seed},
		Libraries: map[string]string{"xgboost": "2.1.0"}, Hardware: "8 cores", Metrics: map[string]catalog.Metric{"roc_auc": auc},
	}}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

// diffed is a catalog with two snapshots of one data set and versions that rest on them.
func diffed(t *testing.T) bench {
	t.Helper()
	b := setup(t)
	b.must(t, b.experiment("credit"), b.dataset(catalog.DatasetChange{Name: "loans", DatasetTerms: catalog.DatasetTerms{
		Privacy: []catalog.ColumnLabel{{Column: "name", Label: catalog.LabelPersonal}},
	}}))
	for name, missing := range map[string]int64{"2026-01": 40, "2026-02": 1600, "2026-03": 41} {
		b.must(t, b.snapshot(catalog.SnapshotRegistration{Dataset: "loans", Name: name, Digest: digest(name), Rows: 4000, Profile: loans(name, 4000, missing)}))
	}
	for version, made := range map[string]struct {
		details  catalog.VersionDetails
		snapshot string
	}{
		"good":    {recipe(commit, "1", interval(0.80, 0.78, 0.82)), "2026-01"},
		"bad":     {recipe(commit, "1", interval(0.70, 0.68, 0.72)), "2026-02"},
		"next":    {recipe(commit, "1", interval(0.81, 0.79, 0.83)), "2026-03"},
		"tuned":   {recipe(commit, "2", interval(0.80, 0.78, 0.82)), "2026-01"},
		"twin":    {recipe(commit, "1", interval(0.80, 0.78, 0.82)), "2026-01"},
		"rewrite": {recipe(strings.ToUpper(commit), "1", interval(0.80, 0.78, 0.82)), "2026-01"},
		"bare":    {catalog.VersionDetails{}, ""},
	} {
		b.must(t, b.made(t, version, made.details))
		if made.snapshot != "" {
			b.must(t, b.link(catalog.DataLink{Model: "credit", Version: version, Role: catalog.TrainingData, Dataset: "loans", Snapshot: made.snapshot}))
		}
	}
	b.must(t, b.audit("credit", "good", "test", tallystick.Pass), b.audit("credit", "bad", "test", tallystick.Fail))
	return b
}

// TestDiff compares versions that differ in one thing each. The first line is what a person should
// look at.
func TestDiff(t *testing.T) {
	t.Parallel()
	b := diffed(t)
	for to, want := range map[string]struct {
		headline string
		lines    []string // how the first ones begin
		open     string
	}{
		"bad": { // the silent failure of a pipeline
			"code and parameters are the same, the data is not: column income is 40.0 % missing, was 1.0 %",
			[]string{
				"training data loans is snapshot 2026-02 (4000 rows), was 2026-01", "column income is 40.0 % missing", "the last evaluation audit ended in fail, was pass",
				"metric roc_auc is 0.7 [0.68, 0.72] (n 1000), was 0.8 [0.78, 0.82] (n 1000); the intervals have nothing in common", "file model.bin has changed",
			},
			"loans: column name is withheld for privacy",
		},
		"next": {
			"code and parameters are the same, the data is not: training data loans is snapshot 2026-03",
			[]string{"training data loans", "file model.bin", "metric roc_auc is 0.81 [0.79, 0.83] (n 1000), was 0.8 [0.78, 0.82] (n 1000); the intervals overlap"},
			"evidence: not on record of credit@next",
		},
		"tuned":   {"seed numpy is 2, was 1", []string{"seed numpy", "file model.bin"}, "evidence"},
		"twin":    {"code, parameters and data are the same, and the files are not: what made the difference is not on record", []string{"file model.bin"}, "evidence"},
		"rewrite": {"the code is that of commit 0123456789AB, was 0123456789ab", []string{"the code is", "file model.bin"}, "evidence"},
		"good":    {"the files are the same, and nothing on record differs", nil, "sample sizes: on record of neither"},
		"bare":    {"file model.bin has changed", []string{"file model.bin"}, "code commit: not on record of credit@bare"},
	} {
		d, err := b.catalog.Diff(t.Context(), "credit@good", "credit@"+to)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(d.Headline, want.headline) {
			t.Errorf("%s: %s", to, d.Headline)
		}
		if len(d.Lines) != len(want.lines) {
			t.Errorf("%s: %d lines, want %d", to, len(d.Lines), len(want.lines))
		}
		for i, l := range d.Lines {
			if i < len(want.lines) && !strings.HasPrefix(l.Text, want.lines[i]) {
				t.Errorf("%s: line %d is %q, want %q", to, i, l.Text, want.lines[i])
			}
		}
		if !strings.Contains(strings.Join(d.Open, "\n"), want.open) {
			t.Errorf("%s: open is %q, want %q", to, d.Open, want.open)
		}
	}
	for name, code := range map[string]tallystick.Code{"credit@worst": tallystick.NotFound, "credit": tallystick.Invalid, "../x@1": tallystick.Invalid} {
		if _, err := b.catalog.Diff(t.Context(), "credit@good", name); tallystick.CodeOf(err) != code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDiffOfSeveral: snapshots that cannot be paired are named, and their columns left open.
func TestDiffOfSeveral(t *testing.T) {
	t.Parallel()
	b := diffed(t)
	link := func(version, snapshot string) proposal {
		return b.link(catalog.DataLink{Model: "credit", Version: version, Role: catalog.TrainingData, Dataset: "loans", Snapshot: snapshot})
	}
	loose := catalog.VersionDetails{Metadata: catalog.Metadata{Snapshots: []tallystick.Digest{digest("2026-03"), digest("nowhere")}}}
	b.must(t, link("good", "2026-02"), b.made(t, "loose", loose))
	d, err := b.catalog.Diff(t.Context(), "credit@good", "credit@loose")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, l := range d.Lines {
		text.WriteString(l.Text + "\n")
	}
	for _, want := range []string{"does without snapshot 2026-01", "does without snapshot 2026-02", "has snapshot 2026-03 (4000 rows) as well", "it rests on data of digest " + digest("nowhere").Short() + " as well"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no line says %q:\n%s", want, text.String())
		}
	}
	if open := strings.Join(d.Open, "\n"); !strings.Contains(open, "several snapshots differ") || !strings.Contains(open, "no registered snapshot") {
		t.Errorf("open: %s", open)
	}
}

package catalog_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// open returns the kinds of the open findings, sorted.
func (b bench) open(t testing.TB) string {
	t.Helper()
	list, err := b.catalog.Findings(t.Context(), catalog.FindingFilter{Open: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, f := range list {
		kinds = append(kinds, string(f.Kind))
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}

// running is a catalog in which credit@2 is assigned to lab and deployed there as pod.
func running(t testing.TB, c *clock) bench {
	t.Helper()
	b := setupAt(t, c)
	b.must(t, b.experiment("credit"), b.made(t, "1", catalog.VersionDetails{}), b.made(t, "2", catalog.VersionDetails{CodeCommit: commit}), b.version("credit", "draft"),
		b.environment("lab", catalog.Free, 1), b.dataset(catalog.DatasetChange{Name: "loans"}),
		b.snapshot(catalog.SnapshotRegistration{Dataset: "loans", Name: "a", Digest: digest("a"), Rows: 1}),
		b.link(catalog.DataLink{Model: "credit", Version: "2", Role: catalog.TrainingData, Dataset: "loans", Snapshot: "a"}))
	b.acted(t, b.assign("lab", "2", catalog.Champion, false))
	b.acted(t, b.deploy(catalog.DeploymentReport{ID: "pod", Environment: "lab", Model: "credit", Version: "2", Artifact: filesDigest(t, "2"), Image: digest("image"), Configuration: digest("x")}))
	return b
}

// TestReconcile changes one thing at a time in what runs.
func TestReconcile(t *testing.T) {
	t.Parallel()
	b := running(t, &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	right := catalog.Running{
		Model: "credit", Version: "2", Deployment: "pod", Artifact: filesDigest(t, "2"), CodeCommit: commit[:12],
		Image: digest("image"), Configuration: digest("x"), Data: digest("a"),
	}
	observe := func(r ...catalog.Running) acts {
		return b.reconcile(catalog.Observation{Environment: "lab", Running: r, Whole: []string{"credit", "kredit"}})
	}
	if n := b.acted(t, observe(right)); n != 0 || b.open(t) != "" {
		t.Fatalf("nothing is wrong: %d changes, open %q", n, b.open(t))
	}
	for name, test := range map[string]struct {
		change func(r *catalog.Running)
		want   string
	}{
		"other code":          {func(r *catalog.Running) { r.CodeCommit = "fedcba9876543210" }, "code_differs"},
		"other data":          {func(r *catalog.Running) { r.Data = digest("b") }, "data_differs"},
		"other configuration": {func(r *catalog.Running) { r.Configuration = digest("y") }, "configuration_differs"},
		"other image":         {func(r *catalog.Running) { r.Image = digest("other") }, "image_differs"},
		"unknown files":       {func(r *catalog.Running) { r.Artifact = digest("?") }, "artifact_differs not_running"},
		"unknown, unsaid":     {func(r *catalog.Running) { r.Artifact, r.Version = digest("?"), "" }, "not_running unknown_artifact"},
		"another version":     {func(r *catalog.Running) { r.Artifact, r.Version = filesDigest(t, "1"), "1" }, "not_running unassigned_version"}, // of which neither code nor data are on record,
		"one as another":      {func(r *catalog.Running) { r.Artifact, r.CodeCommit, r.Data = filesDigest(t, "1"), "", "" }, "artifact_differs not_running unassigned_version"},
		"the OpenSSF root":    {func(r *catalog.Running) { r.Artifact, r.Version = files(t, "2").Root(), "" }, ""},
		"not looked at": {func(r *catalog.Running) {
			r.Artifact, r.CodeCommit, r.Data, r.Image, r.Configuration = "", "", "", "", ""
		}, "unverifiable"},
		"a draft":       {func(r *catalog.Running) { r.Version, r.Artifact, r.CodeCommit, r.Data = "draft", digest("d"), "", "" }, "not_running unassigned_version unverifiable"},
		"no such model": {func(r *catalog.Running) { r.Model = "kredit" }, "not_running unknown_model"},
	} {
		r := right
		test.change(&r)
		first := b.acted(t, observe(r))
		if got := b.open(t); got != test.want {
			t.Errorf("%s: open %q, want %q", name, got, test.want)
		}
		if n := b.acted(t, observe(r)); n != 0 {
			t.Errorf("%s: observed again makes %d changes", name, n)
		}
		if n := b.acted(t, observe(right)); n != first || b.open(t) != "" {
			t.Errorf("%s: put right by %d changes, want %d; still open: %q", name, n, first, b.open(t))
		}
	}
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

// TestFindingLasts sees one finding again: a repeat leaves no trace for a day, another observation does.
func TestFindingLasts(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := &clock{start}
	b := running(t, c)
	observe := func(configuration string) int {
		return b.acted(t, b.reconcile(catalog.Observation{Environment: "lab", Running: []catalog.Running{{
			Model: "credit", Version: "2", Deployment: "pod", Artifact: filesDigest(t, "2"), Configuration: digest(configuration),
		}}}))
	}
	for i, step := range []struct {
		after         time.Duration
		configuration string
		want          int
	}{
		{0, "y", 1}, {time.Minute, "y", 0}, {24*time.Hour - time.Millisecond, "y", 0}, {24 * time.Hour, "y", 1}, {25 * time.Hour, "z", 1},
	} {
		c.now = start.Add(step.after)
		if n := observe(step.configuration); n != step.want {
			t.Errorf("step %d: %d changes, want %d", i, n, step.want)
		}
	}
	list, err := b.catalog.Findings(t.Context(), catalog.FindingFilter{Environment: "lab"})
	if err != nil || len(list) != 1 {
		t.Fatalf("findings: %+v, %v", list, err)
	}
	f := list[0]
	if f.First != start || f.Last != c.now || f.Observed != string(digest("z")) || f.Expected != string(digest("x")) || f.Severity != catalog.SeverityMedium || f.Subject != "pod" {
		t.Errorf("finding: %+v", f)
	}
	// Every touch of a finding of the model is in the model's history.
	events, err := b.reader.Count(t.Context(), trail.Filter{Model: "credit", Type: trail.FindingSeen})
	if err != nil || events != 2 {
		t.Errorf("%d events, %v", events, err)
	}
	if n := b.acted(t, func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.EndDeployment(tx, "pod", "replaced") }); n != 2 || b.open(t) != "" {
		t.Errorf("the end of the deployment makes %d changes, open %q", n, b.open(t))
	}
	c.now = c.now.Add(time.Hour)
	if n := observe("y"); n != 1 {
		t.Errorf("raised anew: %d changes", n)
	}
	list, err = b.catalog.Findings(t.Context(), catalog.FindingFilter{Model: "credit"})
	if err != nil || len(list) != 2 || !list[0].Open() || list[1].Open() || list[0].Fingerprint != list[1].Fingerprint || list[0].ID == list[1].ID {
		t.Errorf("findings: %+v, %v", list, err)
	}
}

func TestReconcileRefuses(t *testing.T) {
	t.Parallel()
	b := running(t, &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	for name, test := range map[string]struct {
		o    catalog.Observation
		want tallystick.Code
	}{
		"no environment":  {catalog.Observation{Environment: "moon"}, tallystick.NotFound},
		"a hostile model": {catalog.Observation{Environment: "lab", Running: []catalog.Running{{Model: "a b"}}}, tallystick.Invalid},
		"no digest":       {catalog.Observation{Environment: "lab", Running: []catalog.Running{{Model: "credit", Artifact: "x"}}}, tallystick.Invalid},
		"no commit":       {catalog.Observation{Environment: "lab", Running: []catalog.Running{{Model: "credit", CodeCommit: "a b"}}}, tallystick.Invalid},
		"too many":        {catalog.Observation{Environment: "lab", Running: make([]catalog.Running, 1001)}, tallystick.Invalid},
		"nameless":        {catalog.Observation{Environment: "lab", Whole: []string{""}}, tallystick.Invalid},
	} {
		if _, err := b.act(t, b.reconcile(test.o)); tallystick.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A deployment of other files than the version's is a finding at once.
	n := b.acted(t, b.deploy(catalog.DeploymentReport{Environment: "lab", Model: "credit", Version: "2", Artifact: filesDigest(t, "1")}))
	if n != 2 || b.open(t) != string(catalog.ArtifactDiffers) {
		t.Errorf("%d changes, open %q", n, b.open(t))
	}
	// Many copies without an id of their own are one finding.
	var copies []catalog.Running
	for range 50 {
		copies = append(copies, catalog.Running{Model: "credit", Artifact: digest("?")})
	}
	if n := b.acted(t, b.reconcile(catalog.Observation{Environment: "lab", Running: copies})); n != 1 {
		t.Errorf("50 copies: %s", fmt.Sprint(n))
	}
}

// TestFindingsAreDocumented holds the table in docs/findings.md against the kinds.
func TestFindingsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range catalog.FindingKinds() {
		if row := fmt.Sprintf("| `%s` | %s |", kind, kind.Severity()); strings.Count(string(page), row) != 1 {
			t.Errorf("docs/findings.md lacks the row %s", row)
		}
	}
}

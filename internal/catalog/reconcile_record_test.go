package catalog_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// onRecord holds deployments of lab against the record.
func (b bench) onRecord(ids ...string) acts {
	return func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.ReconcileRecord(tx, "lab", ids) }
}

// TestReconcileRecord changes the record around a deployment that nobody looks at.
func TestReconcileRecord(t *testing.T) {
	t.Parallel()
	b := running(t, &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	b.acted(t, b.deploy(catalog.DeploymentReport{ID: "drafted", Environment: "lab", Model: "credit", Version: "draft"}))
	step := func(what string, propose acts, changes int, open string) {
		t.Helper()
		if n := b.acted(t, propose); n != changes || b.open(t) != open {
			t.Errorf("%s: %d changes, want %d; open %q, want %q", what, n, changes, b.open(t), open)
		}
	}
	report := func(change func(r *catalog.Running)) acts {
		r := catalog.Running{Model: "credit", Version: "2", Deployment: "pod", Artifact: filesDigest(t, "2"), Configuration: digest("x")}
		change(&r)
		return b.reconcile(catalog.Observation{Environment: "lab", Running: []catalog.Running{r}})
	}
	step("all is as it should be", b.onRecord("pod", "nobody"), 0, "")
	step("a version that is assigned nowhere", b.onRecord("pod", "drafted"), 1, "unassigned_version")
	step("looked at again", b.onRecord("pod", "drafted"), 0, "unassigned_version")
	step("it is assigned", b.assign("lab", "draft", catalog.Shadow, false), 1, "unassigned_version")
	step("and agrees", b.onRecord("pod", "drafted"), 1, "")

	// What somebody saw counts for more than what was once reported.
	step("other files are seen", report(func(r *catalog.Running) { r.Artifact = digest("?") }), 1, "artifact_differs")
	step("the record knows better", b.onRecord("pod"), 0, "artifact_differs")
	step("another configuration is seen", report(func(r *catalog.Running) { r.Configuration = digest("y") }), 2, "configuration_differs")
	step("the record does not say", b.onRecord("pod"), 0, "configuration_differs")
	step("as deployed", report(func(*catalog.Running) {}), 1, "")

	b.acted(t, func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.EndDeployment(tx, "drafted", "") })
	b.acted(t, b.withdraw("lab", "draft", false))
	step("what has ended", b.onRecord("drafted"), 0, "")
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

func TestReconcileMaking(t *testing.T) {
	t.Parallel()
	b := running(t, &clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	right := catalog.Making{Model: "credit", Version: "2", Run: "r1", CodeCommit: commit, Data: []tallystick.Digest{digest("0"), digest("a")}}
	for name, test := range map[string]struct {
		change func(m *catalog.Making)
		want   string
	}{
		"as registered":    {func(*catalog.Making) {}, ""},
		"a short commit":   {func(m *catalog.Making) { m.CodeCommit = commit[:9] }, ""},
		"other code":       {func(m *catalog.Making) { m.CodeCommit = "fedcba9876543210" }, "code_differs"},
		"other data":       {func(m *catalog.Making) { m.Data = m.Data[:1] }, "data_differs"},
		"nothing is known": {func(m *catalog.Making) { m.CodeCommit, m.Data = "", nil }, ""},
		"no such version":  {func(m *catalog.Making) { m.Version, m.CodeCommit = "9", "fedc" }, ""},
	} {
		observe := func(m catalog.Making) acts {
			return func(tx *state.Tx) ([]trail.Change, error) {
				return b.catalog.ReconcileMaking(tx, []catalog.Making{m})
			}
		}
		m := right
		test.change(&m)
		first := b.acted(t, observe(m))
		if got := b.open(t); got != test.want {
			t.Errorf("%s: open %q, want %q", name, got, test.want)
		}
		// A report of what runs says nothing about how it was made.
		whole := catalog.Observation{Environment: "lab", Whole: []string{"credit"}, Running: []catalog.Running{{Model: "credit", Version: "2", Deployment: "pod", Artifact: filesDigest(t, "2"), CodeCommit: commit, Data: digest("a")}}}
		if n := b.acted(t, b.reconcile(whole)) + b.acted(t, observe(m)); n != 0 {
			t.Errorf("%s: reported and observed again makes %d changes", name, n)
		}
		if n := b.acted(t, observe(right)); n != first || b.open(t) != "" {
			t.Errorf("%s: put right by %d changes, want %d; still open: %q", name, n, first, b.open(t))
		}
	}
}

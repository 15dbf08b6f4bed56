package catalog_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// undoFindings takes migration 0010 back.
const undoFindings = `DROP TABLE finding_steps; DROP INDEX findings_backlog; DROP INDEX findings_backlog_by_model; DROP INDEX findings_backlog_by_place;
DROP INDEX findings_backlog_by_owner; DROP INDEX findings_due; ALTER TABLE findings DROP COLUMN state; ALTER TABLE findings DROP COLUMN owner;
ALTER TABLE findings DROP COLUMN urgency; ALTER TABLE findings DROP COLUMN due_ms; ALTER TABLE findings DROP COLUMN overdue_ms;
ALTER TABLE findings DROP COLUMN reopened; ALTER TABLE findings DROP COLUMN run; ALTER TABLE findings DROP COLUMN suspect;
ALTER TABLE findings DROP COLUMN minter`

// The changes to findings as they were before migration 0010: what stood on the trail, and what they wrote.
type (
	raisedBefore struct {
		Finding     string              `json:"finding"`
		Kind        catalog.FindingKind `json:"kind"`
		Severity    catalog.Severity    `json:"severity"`
		Environment string              `json:"environment,omitempty"`
		Model       string              `json:"model,omitempty"`
		Version     string              `json:"version,omitempty"`
		About       string              `json:"subject,omitempty"`
		Expected    string              `json:"expected,omitempty"`
		Observed    string              `json:"observed,omitempty"`
		Summary     string              `json:"summary,omitempty"`
	}
	seenBefore struct {
		Finding  string `json:"finding"`
		Model    string `json:"model,omitempty"`
		Observed string `json:"observed,omitempty"`
		Summary  string `json:"summary,omitempty"`
	}
	resolvedBefore struct {
		Finding string `json:"finding"`
		Model   string `json:"model,omitempty"`
		Agrees  bool   `json:"agrees"`
		Reason  string `json:"reason,omitempty"`
	}
)

func (f *raisedBefore) Subject() (trail.Type, trail.Resource) {
	return trail.FindingRaised, trail.Resource{Type: "finding", ID: f.Finding}
}

func (f *raisedBefore) Apply(tx *state.Tx, at trail.Mark) error {
	ms := at.Time.UnixMilli()
	_, err := tx.Exec(`INSERT INTO findings (id, fingerprint, kind, severity, environment, model, version, subject, expected, observed, summary,
		first_ms, last_ms, agrees, resolution, event, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?)`,
		at.ID, f.Finding, string(f.Kind), string(f.Severity), f.Environment, f.Model, f.Version, f.About, f.Expected, f.Observed, f.Summary, ms, ms, at.Sequence, at.Sequence)
	return err
}

func (f *seenBefore) Subject() (trail.Type, trail.Resource) {
	return trail.FindingSeen, trail.Resource{Type: "finding", ID: f.Finding}
}

func (f *seenBefore) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE findings SET observed = ?, summary = ?, last_ms = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		f.Observed, f.Summary, at.Time.UnixMilli(), at.Sequence, f.Finding)
}

func (f *resolvedBefore) Subject() (trail.Type, trail.Resource) {
	return trail.FindingResolved, trail.Resource{Type: "finding", ID: f.Finding}
}

func (f *resolvedBefore) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE findings SET resolved_ms = ?, agrees = ?, resolution = ?, last_event = ? WHERE fingerprint = ? AND resolved_ms IS NULL",
		at.Time.UnixMilli(), f.Agrees, f.Reason, at.Sequence, f.Finding)
}

// statements runs SQL in one transaction, as a migration is.
func (b bench) statements(t testing.TB, script string) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *state.Tx) error {
		for statement := range strings.SplitSeq(script, ";") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFindingsFromBefore migrates findings that an installation of schema 9 has raised, seen again and settled: the trail, on which
// nothing changes, makes the same rows, and the findings are worked to their end.
func TestFindingsFromBefore(t *testing.T) {
	t.Parallel()
	dialect := "sqlite"
	if os.Getenv("TALLYSTICK_TEST_STATE") == "postgres" {
		dialect = "postgres"
	}
	migration, err := os.ReadFile(filepath.Join("..", "state", "migrations", dialect, "0010_findings.sql"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := &clock{start}
	b := running(t, c)
	right := catalog.Running{
		Model: "credit", Version: "2", Deployment: "pod", Artifact: filesDigest(t, "2"), CodeCommit: commit[:12],
		Image: digest("image"), Configuration: digest("x"), Data: digest("a"),
	}
	wrong := right
	wrong.CodeCommit, wrong.Image, wrong.Configuration, wrong.Data = "fedcba9876543210", digest("other"), digest("y"), digest("b")
	observe := func(r catalog.Running) acts {
		return b.reconcile(catalog.Observation{Environment: "lab", Running: []catalog.Running{r}, Whole: []string{"credit"}})
	}

	// What a reconciliation proposes is recorded in the form of before.
	var raised []*raisedBefore
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		raised = nil
		changes, err := observe(wrong)(tx)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if _, ok := change.(*catalog.FindingRaised); !ok {
				continue
			}
			data, err := json.Marshal(change)
			if err != nil {
				return err
			}
			var old raisedBefore
			if err := json.Unmarshal(data, &old); err != nil {
				return err
			}
			raised = append(raised, &old)
		}
		return nil
	})
	if err != nil || len(raised) != 4 {
		t.Fatalf("a reconciliation proposes %d findings, %v", len(raised), err)
	}
	byKind := map[catalog.FindingKind]*raisedBefore{}
	b.statements(t, undoFindings)
	record := func(change trail.Change) {
		t.Helper()
		b.must(t, func(*state.Tx) (trail.Change, error) { return change, nil })
		c.now = c.now.Add(time.Hour)
	}
	for _, f := range raised {
		byKind[f.Kind] = f
		record(f)
	}
	if err := b.reader.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Nobody has asked about what follows, so that its columns for questions are not written yet.
	code, image, configuration := byKind["code_differs"], byKind["image_differs"], byKind["configuration_differs"]
	record(&seenBefore{Finding: code.Finding, Model: "credit", Observed: code.Observed, Summary: "still so"})
	record(&resolvedBefore{Finding: image.Finding, Model: "credit", Agrees: true})
	record(&resolvedBefore{Finding: configuration.Finding, Model: "credit", Reason: "agreed with the operator"})
	again := *image
	record(&again)

	b.statements(t, strings.SplitN(string(migration), "-- +goose Up", 2)[1])
	if _, err := b.replay(t); err != nil {
		t.Errorf("the trail and the migrated findings: %v", err)
	}

	ids := map[string]string{}
	for _, f := range b.findings(t, catalog.FindingFilter{Limit: 100}, 5) {
		name := string(f.Kind) + " " + string(f.State)
		ids[name] = f.ID
		want := map[string]string{
			"code_differs open": "raised", "data_differs open": "raised", "image_differs open": "raised",
			"image_differs verified": "raised verified", "configuration_differs resolved": "raised resolved",
		}[name]
		if got := b.steps(t, f.ID); got != want {
			t.Errorf("%s: steps %q, want %q", name, got, want)
		}
		if days := map[catalog.Severity]time.Duration{catalog.SeverityHigh: 30, catalog.SeverityMedium: 90}[f.Severity]; !f.Due.Equal(f.First.Add(days * 24 * time.Hour)) {
			t.Errorf("%s, %s: due %v, raised %v", name, f.Severity, f.Due, f.First)
		}
	}
	if len(ids) != 5 {
		t.Fatalf("findings: %v", ids)
	}

	// Work goes on as with any other.
	c.now = start.Add(31 * 24 * time.Hour)
	if late := b.findings(t, catalog.FindingFilter{Overdue: true}, 2); late[0].Severity != catalog.SeverityHigh {
		t.Errorf("overdue: %+v", late)
	}
	b.acted(t, b.triage(ids["data_differs open"], catalog.FindingTriage{Owner: "usr_bo"}, scientist))
	b.acted(t, b.remediate(ids["data_differs open"], catalog.FindingRemedy{Note: "deployed again"}))
	b.acted(t, b.resolve(ids["code_differs open"], "the report was wrong", reviewer))
	if n := b.acted(t, observe(right)); n != 2 {
		t.Errorf("a reconciliation that finds all right made %d changes", n)
	}
	b.findings(t, catalog.FindingFilter{Open: true}, 0)
	for name, want := range map[string]string{"data_differs open": "raised triaged remediated verified", "code_differs open": "raised resolved", "image_differs open": "raised verified"} {
		if got := b.steps(t, ids[name]); got != want {
			t.Errorf("%s: steps %q in the end, want %q", name, got, want)
		}
	}
	if n, err := b.act(t, b.resolve(ids["configuration_differs resolved"], "once more", reviewer)); n != 0 || err != nil {
		t.Errorf("what was settled before, settled again: %d changes, %v", n, err)
	}
	if _, err := b.replay(t); err != nil {
		t.Errorf("the trail and the findings in the end: %v", err)
	}
}

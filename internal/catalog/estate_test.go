package catalog_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

// acts is a proposal of any number of changes.
type acts func(tx *state.Tx) ([]trail.Change, error)

// act commits what the proposal proposes, and returns how many changes that were.
func (b bench) act(t testing.TB, propose acts) (n int, err error) {
	t.Helper()
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		changes, err := propose(tx)
		if err != nil {
			return err
		}
		n = len(changes)
		for _, change := range changes {
			if _, err := b.recorder.Commit(tx, trail.Act{Actor: alice}, change); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// acted is act for what has to succeed.
func (b bench) acted(t testing.TB, propose acts) int {
	t.Helper()
	n, err := b.act(t, propose)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b bench) dataset(d catalog.DatasetChange) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.RegisterDataset(tx, d) }
}

func (b bench) snapshot(s catalog.SnapshotRegistration) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.RegisterSnapshot(tx, s) }
}

func (b bench) environment(name string, strictness catalog.Strictness, position int64) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{
			Name: name, EnvironmentTerms: catalog.EnvironmentTerms{Strictness: strictness, Position: position, Residency: "EU"},
		})
	}
}

func (b bench) link(l catalog.DataLink) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.LinkSnapshot(tx, l) }
}

func (b bench) assign(environment, version string, role catalog.Role, observed bool) acts {
	return func(tx *state.Tx) ([]trail.Change, error) {
		a := catalog.AssignmentRequest{Environment: environment, Model: "credit", Version: version, Role: role, Observed: observed, Reason: "because"}
		if role == catalog.Canary {
			a.Percent = 10
		}
		return b.catalog.RecordAssignment(tx, a)
	}
}

func (b bench) withdraw(environment, version string, observed bool) acts {
	return func(tx *state.Tx) ([]trail.Change, error) {
		return b.catalog.EndAssignment(tx, catalog.AssignmentEnd{Environment: environment, Model: "credit", Version: version, Observed: observed, Reason: "enough"})
	}
}

func (b bench) deploy(r catalog.DeploymentReport) acts {
	return func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.RecordDeployment(tx, r) }
}

func (b bench) reconcile(o catalog.Observation) acts {
	return func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.Reconcile(tx, o) }
}

func digest(s string) tallystick.Digest { return tallystick.DigestOf([]byte(s)) }

// experiment registers a model that owes nothing.
func (b bench) experiment(model string) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, alice.ID)
	}
}

// files returns the manifest of a version whose one file holds its name.
func files(t testing.TB, version string) artifact.Manifest {
	t.Helper()
	m, err := artifact.NewManifest([]artifact.File{{Name: "model.bin", Digest: digest("model " + version), Size: 9}, {Name: "config.json", Digest: digest("config"), Size: 2}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// filesDigest returns the digest of what files returns.
func filesDigest(t testing.TB, version string) tallystick.Digest {
	t.Helper()
	d, err := files(t, version).Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// made registers a version of credit with its files.
func (b bench) made(t testing.TB, version string, details catalog.VersionDetails) proposal {
	t.Helper()
	m := files(t, version)
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: version, Manifest: m, Details: details})
	}
}

// settled is a catalog with three versions and three environments.
func settled(t testing.TB) bench {
	t.Helper()
	b := setup(t)
	b.must(t, b.experiment("credit"), b.made(t, "1", catalog.VersionDetails{}), b.made(t, "2", catalog.VersionDetails{CodeCommit: "0123456789abcdef"}), b.version("credit", "3"),
		b.environment("lab", catalog.Free, 1), b.environment("staging", catalog.Checked, 2), b.environment("production", catalog.Gated, 3))
	return b
}

// TestEstateReplays walks at random through everything that can be done to the estate. The trail must
// explain every row, and no row may be touched unnoticed.
func TestEstateReplays(t *testing.T) {
	t.Parallel()
	b := settled(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	done, refused := 0, 0
	for i := range 200 {
		var propose acts
		version, place := pick("1", "2", "3"), pick("lab", "staging", "production")
		switch r.IntN(9) {
		case 0:
			propose = single(b.dataset(catalog.DatasetChange{Name: pick("loans", "people"), DatasetTerms: catalog.DatasetTerms{Owner: "bob"}}))
		case 1:
			propose = single(func(tx *state.Tx) (trail.Change, error) {
				return b.catalog.UpdateDataset(tx, catalog.DatasetChange{Name: pick("loans", "people"), DatasetTerms: catalog.DatasetTerms{RetentionDays: r.Int64N(3)}})
			})
		case 2:
			name := pick("a", "b", "c", "d")
			propose = single(b.snapshot(catalog.SnapshotRegistration{
				Dataset: pick("loans", "people"), Name: name, Digest: digest(name), Rows: 10,
				Schema: []catalog.SchemaColumn{{Name: "ssn"}}, Sources: []catalog.Source{{Name: "s3", Digest: digest("s3")}},
				Anomalies: []catalog.Anomaly{{What: "doubles", Rows: 3, Handling: "dropped", Reason: "same id"}},
			}))
		case 3:
			propose = single(b.link(catalog.DataLink{Model: "credit", Version: version, Role: catalog.TrainingData, Dataset: pick("loans", "people"), Snapshot: pick("a", "b", "c", "d")}))
		case 4:
			propose = b.assign(place, version, []catalog.Role{catalog.Champion, catalog.Challenger, catalog.Shadow, catalog.Canary}[r.IntN(4)], r.IntN(2) == 0)
		case 5:
			propose = b.withdraw(place, version, r.IntN(2) == 0)
		case 6:
			propose = b.deploy(catalog.DeploymentReport{
				ID: fmt.Sprint("d", i%20), Environment: place, Model: "credit", Version: version, Replicas: r.Int64N(3), Cluster: "north", Node: "n1", Reporter: "agent",
				Artifact: filesDigest(t, pick("1", "2")), Image: digest("image"), Configuration: digest(pick("x", "y")), Manifest: digest("manifest"),
			})
		case 7:
			propose = func(tx *state.Tx) ([]trail.Change, error) {
				return b.catalog.EndDeployment(tx, fmt.Sprint("d", r.IntN(20)), "scaled down")
			}
		case 8:
			propose = b.reconcile(catalog.Observation{Environment: place, Whole: []string{"credit"}, Running: []catalog.Running{{
				Model: pick("credit", "kredit"), Version: version, Deployment: fmt.Sprint("d", r.IntN(20)), Configuration: digest(pick("x", "y")),
			}}})
		}
		n, err := b.act(t, propose)
		done += n
		switch tallystick.CodeOf(err) {
		case "":
		case tallystick.Conflict, tallystick.Forbidden, tallystick.NotFound:
			refused++
		default:
			t.Fatalf("step %d: %v", i, err)
		}
	}
	if done < 60 || refused < 20 {
		t.Errorf("a dull walk: %d changes, %d refusals", done, refused)
	}
	if _, err := b.replay(t); err != nil {
		t.Fatalf("the trail does not explain the estate: %v", err)
	}
}

// TestEstateIsNotTouchedUnnoticed changes each column of each table behind the trail's back.
func TestEstateIsNotTouchedUnnoticed(t *testing.T) {
	t.Parallel()
	b := settled(t)
	b.must(t, b.dataset(catalog.DatasetChange{Name: "full", DatasetTerms: catalog.DatasetTerms{
		Owner: "bob", Summary: "all", Source: "the branch offices", ConsentBasis: catalog.BasisConsent, RetentionDays: 7, Guidelines: digest("how to label"),
		AllowedPurposes: []string{"scoring"}, ForbiddenPurposes: []string{"marketing"}, Privacy: []catalog.ColumnLabel{{Column: "ssn", Label: catalog.LabelPersonal}},
	}}), b.snapshot(catalog.SnapshotRegistration{
		Dataset: "full", Name: "full", Digest: digest("full"), Bytes: 7, Profile: &profile.Profile{Schema: profile.Schema, Digest: digest("full")},
		Schema: []catalog.SchemaColumn{{Name: "ssn"}}, Sources: []catalog.Source{{Name: "s3"}}, Anomalies: []catalog.Anomaly{{What: "doubles", Handling: "dropped"}},
	}), b.link(catalog.DataLink{Model: "credit", Version: "1", Role: catalog.TrainingData, Dataset: "full", Snapshot: "full"}),
		func(tx *state.Tx) (trail.Change, error) {
			return b.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "full", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free, Residency: "EU", Summary: "all"}})
		})
	b.acted(t, b.assign("production", "1", catalog.Canary, true))
	b.acted(t, b.assign("production", "1", catalog.Champion, true))
	b.acted(t, b.deploy(catalog.DeploymentReport{
		ID: "d", Environment: "production", Model: "credit", Version: "1", Artifact: filesDigest(t, "2"), Image: digest("image"), Configuration: digest("x"), Manifest: digest("manifest"),
		Replicas: 2, Cluster: "north", Node: "n1", Reporter: "agent",
	}))
	b.acted(t, func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.EndDeployment(tx, "d", "") })
	scratch, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }()
	replayer := trail.Replayer{Changes: catalog.Changes(), Tables: catalog.Tables()}
	if _, err := replayer.Check(t.Context(), b.reader, scratch); err != nil {
		t.Fatal(err)
	}
	replayer.Changes = nil // scratch holds them by now: the rest compares
	for _, table := range catalog.Tables() {
		if !slices.Contains([]string{"datasets", "snapshots", "version_snapshots", "environments", "deployments", "assignments"}, table.Name) {
			continue
		}
		for _, column := range slices.Concat(table.Columns, table.Sealed) {
			t.Run(table.Name+"."+column, func(t *testing.T) {
				b.touched(t, table, column, func() error {
					_, err := replayer.Check(t.Context(), b.reader, scratch)
					return err
				})
			})
		}
	}
}

// single turns a proposal of one change into one of any number.
func single(propose proposal) acts {
	return func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
}

// touched changes a column of the first row that has something in it, expects check to notice, and puts
// it back.
func (b bench) touched(t *testing.T, table trail.Table, column string, check func() error) {
	key := "CAST(" + strings.Join(table.Key, " || '@' || ") + " AS TEXT)"
	var row, value string
	err := b.db.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow(fmt.Sprintf("SELECT %s, CAST(%s AS TEXT) FROM %s WHERE %s IS NOT NULL AND CAST(%[2]s AS TEXT) <> '' ORDER BY event LIMIT 1", key, column, table.Name, column)).Scan(&row, &value)
	})
	if err != nil {
		t.Fatalf("no row has a %s: %v", column, err)
	}
	other := map[string]string{"strictness": "CASE strictness WHEN 'free' THEN 'gated' ELSE 'free' END", "role": "'validation'", "severity": "'low'", "observed": "1 - observed", "agrees": "1 - agrees", "state": "CASE state WHEN 'open' THEN 'triaged' ELSE 'open' END"}[column]
	switch {
	case table.Name == "assignments" && column == "role":
		other = "CASE role WHEN 'shadow' THEN 'challenger' ELSE 'shadow' END"
	case table.Name == "findings" && column == "observed", other == "":
		other = "'" + value + "x'"
		if strings.HasSuffix(column, "_ms") || slices.Contains([]string{"position", "replicas", "percent", "row_count", "bytes", "retention_days", "urgency", "reopened"}, column) {
			other = column + " + 1"
		}
		if strings.HasSuffix(column, "event") {
			other = "(SELECT max(sequence) FROM events) - " + column + " % 2"
		}
	}
	restore := fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table.Name, column, key)
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec(fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s = ?", table.Name, column, other, key), row)
		return err
	})
	if err != nil {
		if text := strings.ToLower(err.Error()); !strings.Contains(text, "foreign key") {
			t.Errorf("%s of %s cannot be touched, and not because of what it refers to: %v", column, row, err)
		}
		return
	}
	if err := check(); tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), table.Name) {
		t.Errorf("a touched %s of %s: %v", column, row, err)
	}
	b.touch(t, restore, value, row)
}

func TestEnvironmentIsNotLoosened(t *testing.T) {
	t.Parallel()
	b := settled(t)
	if changed, err := b.do(t, b.environment("lab", catalog.Free, 1)); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	b.must(t, b.environment("lab", catalog.Checked, 1), b.environment("lab", catalog.Free, 1)) // nothing has served there
	b.acted(t, b.assign("lab", "1", catalog.Champion, false))
	b.must(t, b.environment("lab", catalog.Checked, 1))
	if _, err := b.do(t, b.environment("lab", catalog.Free, 1)); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("loosened: %v", err)
	}
	list, err := b.catalog.Environments(t.Context())
	if err != nil || len(list) != 3 || list[0].Name != "lab" || list[0].Strictness != catalog.Checked || list[2].Name != "production" {
		t.Errorf("environments: %+v, %v", list, err)
	}
	_, err = b.catalog.Environment(t.Context(), "prodution")
	if tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "production") {
		t.Errorf("a misspelt environment: %v", err)
	}
	if _, err := b.do(t, b.environment("lab", "lax", 1)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("an unknown strictness: %v", err)
	}
}

// TestStrictness: what may be assigned where, and what becomes of a fact that nobody was asked about.
func TestStrictness(t *testing.T) {
	t.Parallel()
	b := settled(t)
	b.must(t, b.audit("credit", "1", "data", tallystick.Fail), b.audit("credit", "2", "data", tallystick.Pass),
		b.made(t, "4", catalog.VersionDetails{}), b.made(t, "5", catalog.VersionDetails{}), func(tx *state.Tx) (trail.Change, error) {
			return b.catalog.MarkVersion(tx, catalog.VersionMark{Model: "credit", Version: "5", State: catalog.Withdrawn, Reason: "leaks"})
		})
	for name, test := range map[string]struct {
		propose acts
		want    tallystick.Code
		word    string
	}{
		"gated":                 {b.assign("production", "2", catalog.Champion, false), tallystick.Forbidden, "gated"},
		"gated, withdrawal":     {b.withdraw("production", "1", false), "", ""}, // it does not serve
		"checked, failed":       {b.assign("staging", "1", catalog.Champion, false), tallystick.Conflict, "ended in fail"},
		"checked, not audited":  {b.assign("staging", "4", catalog.Champion, false), tallystick.Conflict, "tallystick audit FILE --model credit@4"},
		"checked, a draft":      {b.assign("staging", "3", catalog.Champion, false), tallystick.Conflict, "tallystick register credit@3"},
		"withdrawn":             {b.assign("lab", "5", catalog.Champion, false), tallystick.Conflict, "withdrawn"},
		"no such version":       {b.assign("lab", "9", catalog.Champion, false), tallystick.NotFound, "9"},
		"no such environment":   {b.assign("stagin", "1", catalog.Champion, false), tallystick.NotFound, "staging"},
		"no such role":          {b.assign("lab", "1", "king", false), tallystick.Invalid, "king"},
		"withdrawn before":      {b.withdraw("lab", "1", false), "", ""},
		"withdrawn, no version": {b.withdraw("lab", "9", false), tallystick.NotFound, ""},
	} {
		n, err := b.act(t, test.propose)
		if tallystick.CodeOf(err) != test.want || n != 0 || err != nil && !strings.Contains(err.Error(), test.word) {
			t.Errorf("%s: %d changes, %v", name, n, err)
		}
	}
	if n := b.acted(t, b.assign("staging", "2", catalog.Champion, false)); n != 1 {
		t.Errorf("checked and passed: %d changes", n)
	}
	if n := b.acted(t, b.assign("production", "1", catalog.Champion, true)); n != 2 {
		t.Errorf("observed in a gated environment: %d changes, want an assignment and a finding", n)
	}
	if n := b.acted(t, b.assign("production", "1", catalog.Champion, true)); n != 0 {
		t.Errorf("observed again: %d changes", n)
	}
	if _, err := b.act(t, b.withdraw("production", "1", false)); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("withdrawn from a gated environment: %v", err)
	}
	findings, err := b.catalog.Findings(t.Context(), catalog.FindingFilter{Model: "credit", Open: true})
	if err != nil || len(findings) != 1 || findings[0].Kind != catalog.OutOfBand || findings[0].Version != "1" {
		t.Fatalf("findings: %+v, %v", findings, err)
	}
	resolve := func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.ResolveFinding(tx, findings[0].ID, catalog.FindingEnd{Reason: "rolled back, see the incident"}, catalog.FindingHand{ID: "eve"})
	}
	b.must(t, resolve)
	if changed, err := b.do(t, resolve); changed || err != nil {
		t.Errorf("resolved again: %v, %v", changed, err)
	}
	f, err := b.catalog.Finding(t.Context(), findings[0].ID)
	if err != nil || f.Open() || f.Agrees || !strings.Contains(f.Resolution, "rolled back") {
		t.Errorf("resolved: %+v, %v", f, err)
	}
}

// clock is a time that a test sets.
type clock struct{ now time.Time }

func setupAt(t testing.TB, c *clock) bench {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db"), Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "example.test/ledger"})
	if err != nil {
		t.Fatal(err)
	}
	reader := trail.NewReader(db, "example.test/ledger")
	return bench{db, catalog.New(db, reader), recorder, reader}
}

// TestAssignmentsAt asks what served at moments, from just before a change to just after it.
func TestAssignmentsAt(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC) }
	c := &clock{day(1)}
	b := setupAt(t, c)
	b.must(t, b.experiment("credit"), b.version("credit", "1"), b.version("credit", "2"), b.version("credit", "3"), b.environment("lab", catalog.Free, 1))
	for i, step := range []acts{
		b.assign("lab", "1", catalog.Champion, false), // day 2
		b.assign("lab", "2", catalog.Canary, false),
		b.assign("lab", "3", catalog.Shadow, false),
		b.assign("lab", "2", catalog.Champion, false), // day 5: ends 1 and its own canary
		b.withdraw("lab", "3", false),
	} {
		c.now = day(2 + i)
		b.acted(t, step)
	}
	for at, want := range map[time.Time]string{
		day(1):                        "",
		day(2):                        "1 champion",
		day(3):                        "2 canary, 1 champion",
		day(5).Add(-time.Millisecond): "3 shadow, 2 canary, 1 champion",
		day(5):                        "2 champion, 3 shadow",
		day(6):                        "2 champion",
		day(30):                       "2 champion",
	} {
		list, err := b.catalog.Assignments(t.Context(), catalog.AssignmentFilter{Environment: "lab", Model: "credit", At: at})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list {
			got = append(got, a.Version+" "+string(a.Role))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", at, got, want)
		}
	}
	all, err := b.catalog.Assignments(t.Context(), catalog.AssignmentFilter{Model: "credit", Limit: 3})
	if err != nil || len(all) != 3 || !all[0].Serving() {
		t.Fatalf("the newest three: %+v, %v", all, err)
	}
	rest, err := b.catalog.Assignments(t.Context(), catalog.AssignmentFilter{Model: "credit", After: fmt.Sprint(all[2].Event)})
	if err != nil || len(rest) != 1 || rest[0].Version != "1" || rest[0].Until != day(5) || rest[0].EndEvent == 0 {
		t.Errorf("the rest: %+v, %v", rest, err)
	}
	if _, err := b.catalog.Assignments(t.Context(), catalog.AssignmentFilter{After: "x"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a wrong page key: %v", err)
	}
	c.now = day(1) // a clock that goes back
	b.acted(t, b.assign("lab", "1", catalog.Champion, false))
	back, err := b.catalog.Assignments(t.Context(), catalog.AssignmentFilter{Model: "credit", Version: "2", Limit: 1})
	if err != nil || back[0].Until.Before(back[0].From) {
		t.Errorf("an interval that ends before it begins: %+v, %v", back, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	b := settled(t)
	b.must(t, b.audit("credit", "1", "data", tallystick.Pass), b.audit("credit", "2", "data", tallystick.Fail))
	for _, version := range []string{"1", "2", "3"} {
		b.acted(t, b.assign("lab", version, catalog.Champion, false))
	}
	b.must(t, b.audit("credit", "1", "later data", tallystick.Fail))
	for version, want := range map[string][2]string{ // by hand, and let in by the gate
		"1": {"its last audit ended in fail", "its last audit ended in fail"},
		"2": {"its last audit ended in fail", ""},
		"3": {"its last audit ended in nothing: there is none", ""},
	} {
		err := b.db.Read(t.Context(), func(tx *state.Tx) error {
			all, err := b.catalog.ChampionsIn(tx, "lab", "credit")
			if err != nil {
				return err
			}
			a := all[slices.IndexFunc(all, func(a catalog.Assignment) bool { return a.Version == version })]
			for i, letIn := range []bool{false, true} {
				if faults, err := b.catalog.FaultsIn(tx, a, letIn); err != nil || strings.Join(faults, "; ") != want[i] {
					t.Errorf("version %s, let in by the gate %t: %q, %v; want %q", version, letIn, faults, err, want[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	b := settled(t)
	r := catalog.DeploymentReport{ID: "pod-1", Environment: "lab", Model: "credit", Version: "1", Image: digest("image"), Replicas: 2, Cluster: "north", Reporter: "agent"}
	b.acted(t, b.deploy(r))
	if n := b.acted(t, b.deploy(r)); n != 0 {
		t.Errorf("reported again: %d changes", n)
	}
	anonymous := r
	anonymous.ID, anonymous.Reporter, anonymous.Replicas = "", "somebody else", 3
	b.acted(t, b.deploy(anonymous)) // the one that is known, scaled
	other := r
	other.Image = digest("another image")
	if _, err := b.act(t, b.deploy(other)); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("another image: %v", err)
	}
	d, err := b.catalog.Deployment(t.Context(), "pod-1")
	if err != nil || d.Replicas != 3 || !d.Running() || d.Reporter != "agent" {
		t.Fatalf("deployment: %+v, %v", d, err)
	}
	end := func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.EndDeployment(tx, "pod-1", "") }
	b.acted(t, end)
	if n := b.acted(t, end); n != 0 {
		t.Errorf("ended again: %d changes", n)
	}
	if _, err := b.act(t, b.deploy(r)); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a deployment that comes back: %v", err)
	}
	b.acted(t, b.deploy(anonymous)) // a new one
	list, err := b.catalog.Deployments(t.Context(), catalog.DeploymentFilter{Model: "credit", Environment: "lab"})
	if err != nil || len(list) != 2 || list[1].ID != "pod-1" || list[1].Running() || len(list[0].ID) != 36 {
		t.Errorf("deployments: %+v, %v", list, err)
	}
	for name, bad := range map[string]catalog.DeploymentReport{
		"a digest":   {Environment: "lab", Model: "credit", Version: "1", Image: "latest"},
		"a cluster":  {Environment: "lab", Model: "credit", Version: "1", Cluster: "a\x00b"},
		"an id":      {ID: "a b", Environment: "lab", Model: "credit", Version: "1"},
		"a number":   {Environment: "lab", Model: "credit", Version: "1", Replicas: -1},
		"not UTF-8":  {Environment: "lab", Model: "credit", Version: "1", Node: "\xff"},
		"a long one": {Environment: "lab", Model: "credit", Version: "1", Node: strings.Repeat("x", 300)},
	} {
		if _, err := b.act(t, b.deploy(bad)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

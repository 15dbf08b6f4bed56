package catalog_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

type bench struct {
	db       *state.DB
	catalog  *catalog.Catalog
	recorder *trail.Recorder
	reader   *trail.Reader
}

func setup(t testing.TB) bench { return setupBy(t, time.Now) }

// setupBy is an empty catalog with a clock of its own.
func setupBy(t testing.TB, now func() time.Time) bench {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "example.test/ledger", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	reader := trail.NewReader(db, "example.test/ledger")
	return bench{db, catalog.New(db, reader), recorder, reader}
}

var alice = trail.Actor{ID: "alice", Kind: "person"}

type proposal func(tx *state.Tx) (trail.Change, error)

// do commits what the proposal proposes, and reports whether it was anything.
func (b bench) do(t testing.TB, propose proposal) (changed bool, err error) {
	t.Helper()
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		change, err := propose(tx)
		if changed = change != nil; err != nil || !changed {
			return err
		}
		_, err = b.recorder.Commit(tx, trail.Act{Actor: alice}, change)
		return err
	})
	return changed && err == nil, err
}

// must does what has to succeed.
func (b bench) must(t testing.TB, proposals ...proposal) {
	t.Helper()
	for _, propose := range proposals {
		if _, err := b.do(t, propose); err != nil {
			t.Fatal(err)
		}
	}
}

func (b bench) audited(model string, tier tallystick.Tier, owner string) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterAudited(tx, catalog.AuditedModel{Model: model, Tier: tier, Owner: owner, Actor: alice.ID})
	}
}

func (b bench) version(model, version string) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version, Draft: true})
	}
}

func (b bench) criteria(content string) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.CommitCriteria(tx, catalog.CriteriaCommitted{Digest: tallystick.DigestOf([]byte(content)), Name: "limits", File: content + ".yaml"})
	}
}

func (b bench) audit(model, version, data string, verdict tallystick.Verdict) proposal {
	return func(*state.Tx) (trail.Change, error) {
		return &catalog.AuditCompleted{
			Model: model, Version: version, Data: tallystick.DigestOf([]byte(data)), Policy: tallystick.DigestOf(nil),
			Report: tallystick.DigestOf([]byte("report of " + data)), Verdict: verdict, Rows: 1000,
		}, nil
	}
}

func (b bench) events(t testing.TB) int {
	t.Helper()
	n, err := b.reader.Count(t.Context(), trail.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func TestRegisterAuditedOnceAndRaise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.audited("credit", "", ""), b.version("credit", "1"))
	m, err := b.catalog.Model(t.Context(), "credit")
	if err != nil || m.Owner != "alice" || m.Tier != tallystick.TierLimited {
		t.Fatalf("register: %+v, %v", m, err)
	}
	for name, again := range map[string]proposal{"model": b.audited("credit", "", ""), "version": b.version("credit", "1")} {
		if changed, err := b.do(t, again); changed || err != nil {
			t.Errorf("registering the %s again: %v, %v", name, changed, err)
		}
	}
	if changed, err := b.do(t, b.audited("credit", tallystick.TierHigh, "")); !changed || err != nil {
		t.Errorf("raising: %v, %v", changed, err)
	}
	if m, err := b.catalog.Model(t.Context(), "credit"); err != nil || m.Tier != tallystick.TierHigh || m.Owner != "alice" {
		t.Errorf("raised model: %+v, %v", m, err)
	}
	for name, test := range map[string]struct {
		propose proposal
		want    tallystick.Code
	}{
		"a lower tier":             {b.audited("credit", tallystick.TierLow, ""), tallystick.Conflict},
		"another owner":            {b.audited("credit", "", "bob"), tallystick.Conflict},
		"a hostile name":           {b.audited("../x", "", ""), tallystick.Invalid},
		"a version of no model":    {b.version("debit", "1"), tallystick.NotFound},
		"a version without a name": {b.version("credit", ""), tallystick.Invalid},
	} {
		if _, err := b.do(t, test.propose); tallystick.CodeOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.events(t); n != 3 {
		t.Errorf("%d events, want 3: a refusal leaves nothing behind", n)
	}
}

func TestCriteriaCountFromTheFirstCommitment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	digest := tallystick.DigestOf([]byte("limits"))
	if _, err := b.catalog.Criteria(t.Context(), digest); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("criteria before their commitment: %v", err)
	}
	b.must(t, b.criteria("limits"))
	first, err := b.catalog.Criteria(t.Context(), digest)
	if err != nil || first.Sequence != 1 || first.Name != "limits" {
		t.Fatalf("commit: %+v, %v", first, err)
	}
	if changed, err := b.do(t, b.criteria("limits")); changed || err != nil {
		t.Errorf("commit again: %v, %v", changed, err)
	}
}

func TestFirstEvaluation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.audited("credit", "", ""), b.version("credit", "1"), b.audit("credit", "1", "data", tallystick.Fail), b.audit("credit", "1", "data", tallystick.Pass))
	if first, err := b.catalog.FirstEvaluation(t.Context(), tallystick.DigestOf([]byte("data"))); err != nil || first != 3 {
		t.Errorf("first audit at %d, %v", first, err)
	}
	if none, err := b.catalog.FirstEvaluation(t.Context(), tallystick.DigestOf(nil)); err != nil || none != 0 {
		t.Errorf("data that was never audited: %d, %v", none, err)
	}
}

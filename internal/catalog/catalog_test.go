package catalog_test

import (
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type bench struct {
	db       *state.DB
	catalog  *catalog.Catalog
	recorder *trail.Recorder
	reader   *trail.Reader
}

func setup(t *testing.T) bench {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "example.test/ledger"})
	if err != nil {
		t.Fatal(err)
	}
	return bench{db, catalog.New(db, recorder), recorder, trail.NewReader(db, "example.test/ledger")}
}

var alice = trail.Actor{ID: "alice", Kind: "person"}

func (b bench) register(t *testing.T, r catalog.Registration) (m catalog.Model, err error) {
	t.Helper()
	r.Actor = alice
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		m, err = b.catalog.Register(tx, r)
		return err
	})
	return m, err
}

func (b bench) events(t *testing.T) int {
	t.Helper()
	events, err := b.reader.Events(t.Context(), trail.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return len(events)
}

func TestRegisterOnceAndRaise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m, err := b.register(t, catalog.Registration{Model: "credit", Version: "1", Tier: tallystick.TierLimited})
	if err != nil || m.Owner != "alice" || m.Tier != tallystick.TierLimited {
		t.Fatalf("register: %+v, %v", m, err)
	}
	if n := b.events(t); n != 2 {
		t.Errorf("%d events after a model and a version, want 2", n)
	}
	if _, err := b.register(t, catalog.Registration{Model: "credit", Version: "1"}); err != nil || b.events(t) != 2 {
		t.Errorf("registering again: %v, %d events", err, b.events(t))
	}
	if m, err := b.register(t, catalog.Registration{Model: "credit", Version: "1", Tier: tallystick.TierHigh}); err != nil || m.Tier != tallystick.TierHigh {
		t.Errorf("raising: %+v, %v", m, err)
	}
	if m, err := b.catalog.Model(t.Context(), "credit"); err != nil || m.Tier != tallystick.TierHigh || m.Owner != "alice" {
		t.Errorf("raised model: %+v, %v", m, err)
	}
	for name, r := range map[string]catalog.Registration{
		"a lower tier":  {Model: "credit", Version: "1", Tier: tallystick.TierLow},
		"another owner": {Model: "credit", Version: "2", Owner: "bob"},
	} {
		if _, err := b.register(t, r); tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.register(t, catalog.Registration{Model: "../x", Version: "1"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a hostile name: %v", err)
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
	first, fresh, err := b.catalog.CommitCriteria(t.Context(), digest, "limits", "limits.yaml", alice)
	if err != nil || !fresh || first.Sequence != 1 {
		t.Fatalf("commit: %+v, %v, %v", first, fresh, err)
	}
	again, fresh, err := b.catalog.CommitCriteria(t.Context(), digest, "other", "other.yaml", alice)
	if err != nil || fresh || again != first {
		t.Errorf("commit again: %+v, %v, %v", again, fresh, err)
	}
}

func TestFirstEvaluation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	data := tallystick.DigestOf([]byte("data"))
	if _, err := b.register(t, catalog.Registration{Model: "credit", Version: "1"}); err != nil {
		t.Fatal(err)
	}
	for i, sequence := range []uint64{2, 1} {
		err := b.db.Write(t.Context(), func(tx *state.Tx) error {
			return b.catalog.AddEvaluation(tx, catalog.Evaluation{
				ID: string(rune('a' + i)), Model: "credit", Version: "1", Data: data, Report: data, Policy: data, Verdict: tallystick.Fail, Sequence: sequence,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if first, err := b.catalog.FirstEvaluation(t.Context(), data); err != nil || first != 1 {
		t.Errorf("first audit at %d, %v", first, err)
	}
	if none, err := b.catalog.FirstEvaluation(t.Context(), tallystick.DigestOf(nil)); err != nil || none != 0 {
		t.Errorf("data that was never audited: %d, %v", none, err)
	}
}

package trail

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

const origin = "tallystick.test/trail"

// open returns a database in a new directory and a recorder over it.
func open(t testing.TB) (*state.DB, *Recorder) {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "state.db"))
}

func reopen(t testing.TB, path string) (*state.DB, *Recorder) {
	t.Helper()
	return connect(t, state.Config{Path: path})
}

// databases runs a test on each kind of database. fresh returns the configuration of one that is
// empty.
func databases(t *testing.T, test func(t *testing.T, fresh func(testing.TB) state.Config)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, func(t testing.TB) state.Config {
			return state.Config{Path: filepath.Join(t.TempDir(), "state.db")}
		})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, func(t testing.TB) state.Config { return state.Config{URL: postgrestest.New(t)} })
	})
}

func connect(t testing.TB, config state.Config) (*state.DB, *Recorder) {
	t.Helper()
	db, err := state.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	recorder, err := NewRecorder(RecorderConfig{DB: db, Source: origin})
	if err != nil {
		t.Fatal(err)
	}
	return db, recorder
}

var someDigest = string(tallystick.DigestOf([]byte("some data")))

// entry returns an ordinary event.
func entry() Entry {
	return Entry{
		Type:        AuditCompleted,
		Actor:       Actor{ID: "ada@example.org", Kind: "person"},
		Resource:    Resource{Type: "version", ID: "compas@1"},
		Outcome:     tallystick.Success,
		Purpose:     "release",
		Description: "audited two years of predictions",
		Context:     map[string]any{"program": "tallystick 0.1"},
		Data: map[string]any{
			"model": "compas", "version": "1", "verdict": "fail", "rows": 7214,
			"data_digest": someDigest, "policy_digest": someDigest, "report_digest": someDigest,
			"statements": []string{someDigest},
			"files":      []string{"data/compas.csv"},
		},
	}
}

// registration returns an event of a kind that is recorded together with a change of the state.
func registration() Entry {
	return Entry{
		Type:        ModelRegistered,
		Actor:       Actor{ID: "ada@example.org", Kind: "person"},
		Resource:    Resource{Type: "model", ID: "compas"},
		Outcome:     tallystick.Success,
		Description: "registered for the review of the year",
		Data:        map[string]any{"model": "compas", "tier": "high", "owner": "grace@example.org"},
	}
}

func record(t testing.TB, r *Recorder, e Entry) Receipt {
	t.Helper()
	receipt, err := r.Record(context.WithoutCancel(t.Context()), e)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

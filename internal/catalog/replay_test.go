package catalog_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (b bench) replay(t testing.TB) (changes uint64, err error) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }()
	return trail.Replayer{Changes: catalog.Changes(), Tables: catalog.Tables()}.Check(t.Context(), b.reader, scratch)
}

// touch runs a statement behind the trail's back.
func (b bench) touch(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplayFindsTouches changes the catalog behind the trail's back, in every way that would change
// what the gate asks for or believes.
func TestReplayFindsTouches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, want string }{
		"untouched":         {"", ""},
		"a lower tier":      {"UPDATE models SET tier = 'low'", `models credit: its tier is "low" in the database and "high" on the trail`},
		"another owner":     {"UPDATE models SET owner = 'mallory'", `models credit: its owner is "mallory" in the database and "alice" on the trail`},
		"a version renamed": {"UPDATE versions SET version = '3' WHERE version = '2'", "versions credit@2 stands on the trail and not in the database"},
		"a version from nowhere": {`INSERT INTO versions SELECT model, '9', state, digest, root, files, bytes, same_as, training_cutoff, code_commit, image_digest,
			run, trigger_kind, trigger_id, changelog, justification, metadata, reason, created_ms, created, event FROM versions WHERE version = '1'`, "versions credit@9 stands in the database and not on the trail"},
		"an audit taken out": {"DELETE FROM evaluations", "stands on the trail and not in the database"},
		"a better verdict":   {"UPDATE evaluations SET verdict = 'pass'", `its verdict is "pass" in the database and "fail" on the trail`},
		"other data":         {"UPDATE evaluations SET data_digest = policy_digest", "its data_digest is"},
		"criteria taken out": {"DELETE FROM criteria", "criteria sha256:"},
		"earlier criteria":   {"UPDATE criteria SET event = 1", `its event is "1" in the database`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.must(t, b.audited("credit", "", ""), b.version("credit", "1"), b.audited("credit", tallystick.TierHigh, ""), b.version("credit", "2"),
				b.criteria("limits"), b.audit("credit", "1", "data", tallystick.Fail))
			if test.change != "" {
				b.touch(t, test.change)
			}
			changes, err := b.replay(t)
			switch {
			case test.want == "" && (err != nil || changes != 6):
				t.Errorf("%d changes, %v", changes, err)
			case test.want != "" && (tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestReplayAfterErasure forgets who owns a model, on the trail and in the catalog: both still agree, and the
// changes that follow are not disturbed.
func TestReplayAfterErasure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{Owner: "bob", Purpose: "scores"}}),
		b.update(catalog.ModelUpdate{Model: "credit", Fields: []string{"sre_owner"}, Details: catalog.ModelDetails{SREOwner: "carol"}}))
	err := b.db.Write(t.Context(), func(tx *state.Tx) error {
		var raw []byte
		if err := tx.QueryRow("SELECT disclosures FROM events WHERE sequence = 1").Scan(&raw); err != nil {
			return err
		}
		var openings [][]json.RawMessage // salt, pointer, value
		if err := json.Unmarshal(raw, &openings); err != nil {
			return err
		}
		kept := slices.DeleteFunc(openings, func(o []json.RawMessage) bool { return string(o[1]) == `"/owner"` })
		raw, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE events SET disclosures = ? WHERE sequence = 1", raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.touch(t, "UPDATE models SET owner = ''")
	if changes, err := b.replay(t); err != nil || changes != 2 {
		t.Errorf("%d changes, %v", changes, err)
	}
	b.touch(t, "UPDATE models SET sre_owner = 'mallory'")
	if _, err := b.replay(t); err == nil || !strings.Contains(err.Error(), "sre_owner") {
		t.Errorf("another SRE owner: %v", err)
	}
}

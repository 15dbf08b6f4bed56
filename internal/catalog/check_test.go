package catalog_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestCheck changes the catalog behind the trail's back, in every way that would change what the gate
// asks for or believes.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, want string }{
		"untouched":              {"", ""},
		"a lower tier":           {"UPDATE models SET tier = 'low'", "model credit reads tier low, event 3 in the catalog and tier high, event 3 on the trail"},
		"another owner":          {"UPDATE models SET owner = 'mallory'", "owner of model credit reads mallory in the catalog and alice"},
		"a version renamed":      {"UPDATE versions SET version = '3' WHERE version = '2'", "version credit@2 stands on the trail (event 4) and not in the catalog"},
		"a version from nowhere": {"INSERT INTO versions VALUES ('credit', '9', 0, 1)", "version credit@9 stands in the catalog and not on the trail"},
		"an audit taken out":     {"DELETE FROM evaluations", "audit of event 6 stands on the trail"},
		"a better verdict":       {"UPDATE evaluations SET verdict = 'pass'", "audit of event 6 reads pass of credit@1"},
		"other data":             {"UPDATE evaluations SET data_digest = policy_digest", "audit of event 6 reads fail of credit@1, data sha256:"},
		"criteria taken out":     {"DELETE FROM criteria", "criteria sha256:"},
		"earlier criteria":       {"UPDATE criteria SET event = 1", "reads event 1, "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := filled(t)
			err := b.db.Write(t.Context(), func(tx *state.Tx) error {
				if test.change == "" {
					return nil
				}
				_, err := tx.Exec(test.change)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := b.catalog.Check(t.Context(), b.reader)
			switch {
			case test.want == "" && (err != nil || rows != 6): // a model and its owner, two versions, an audit, criteria
				t.Errorf("%d rows, %v", rows, err)
			case test.want != "" && (tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// filled is a catalog with something in every table.
func filled(t *testing.T) bench {
	t.Helper()
	b := setup(t)
	for _, r := range []catalog.Registration{
		{Model: "credit", Version: "1"}, {Model: "credit", Version: "1", Tier: tallystick.TierHigh}, {Model: "credit", Version: "2"},
	} {
		if _, err := b.register(t, r); err != nil {
			t.Fatal(err)
		}
	}
	digest := tallystick.DigestOf([]byte("data"))
	if _, _, err := b.catalog.CommitCriteria(t.Context(), digest, "limits", "limits.yaml", alice); err != nil {
		t.Fatal(err)
	}
	err := b.db.Write(t.Context(), func(tx *state.Tx) error {
		receipt, err := b.recorder.RecordIn(tx, trail.Entry{
			Type: trail.AuditCompleted, Actor: alice, Resource: trail.Resource{Type: "version", ID: "credit@1"}, Outcome: tallystick.Success,
			Data: map[string]any{
				"model": "credit", "version": "1", "data_digest": digest, "policy_digest": tallystick.DigestOf(nil), "report_digest": digest, "verdict": "fail",
			},
		})
		if err != nil {
			return err
		}
		return b.catalog.AddEvaluation(tx, catalog.Evaluation{
			ID: "a", Model: "credit", Version: "1", Data: digest, Report: digest, Policy: tallystick.DigestOf(nil), Verdict: tallystick.Fail, Sequence: receipt.Sequence,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// The files of a pack are all that somebody else's engine needs: loaded as `opa eval -d builtin
// -d custom -d tier` loads them, with OPA's own capabilities, each rule comes out the same.
func TestFilesReplayWithPlainOPA(t *testing.T) {
	t.Parallel()
	custom := writePolicy(t, map[string]string{"owner.rego": ownerRule, "data.yaml": "house: {days: 30}\n"})
	pack := load(t, custom, tallystick.TierHigh)
	dir := t.TempDir()
	for _, file := range pack.Files() {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := loader.NewFileLoader().All([]string{filepath.Join(dir, "builtin"), filepath.Join(dir, "custom"), filepath.Join(dir, "tier")})
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := loaded.Compiler()
	if err != nil {
		t.Fatal(err)
	}
	store, err := loaded.Store()
	if err != nil {
		t.Fatal(err)
	}
	input := set(t, sound(t, tallystick.TierHigh), "limits.performance.roc_auc.min", 0.7)
	for i, rule := range evaluate(t, pack, input).Rules {
		if pack.Rules()[i].About == policy.AboutRelease {
			continue // nothing is released: the gate does not ask the rule
		}
		query := "data.tallystick.rules." + strings.ReplaceAll(rule.ID, "-", "_") + ".result"
		if rule.ID == "house.owner" {
			query = "data.house.rules.owner.result"
		}
		results, err := rego.New(rego.Compiler(compiler), rego.Store(store), rego.Query(query), rego.Input(input)).Eval(t.Context())
		if err != nil || len(results) != 1 {
			t.Fatalf("%s: %d results: %v", rule.ID, len(results), err)
		}
		got := results[0].Expressions[0].Value.(map[string]any)
		if policy.Status(got["status"].(string)) != rule.Status || got["message"] != rule.Message {
			t.Errorf("%s: plain OPA says %v: %v; the gate %s: %s", rule.ID, got["status"], got["message"], rule.Status, rule.Message)
		}
	}
}

package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func TestBuiltinPolicyTests(t *testing.T) {
	t.Parallel()
	results, err := policy.Test(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, r := range results {
		tested[strings.TrimSuffix(r.Package, "_test")] = true
		if r.Status != policy.Pass {
			t.Errorf("%s %s.%s is %s: %s", r.Source, r.Package, r.Name, r.Status, r.Message)
		}
	}
	for _, rule := range load(t, "", tallystick.TierLow).Rules() {
		if !tested["tallystick.rules."+strings.ReplaceAll(rule.ID, "-", "_")] {
			t.Errorf("no Rego test for %s", rule.ID)
		}
	}
}

func TestUsersTests(t *testing.T) {
	t.Parallel()
	dir := writePolicy(t, map[string]string{
		"owner.rego": ownerRule,
		"owner_test.rego": `package house.rules.owner_test
import data.house.rules.owner
test_named if owner.result.status == "pass" with input as {"model": {"owner": "ada"}}
test_wrong if owner.result.status == "pass" with input as {"model": {"owner": ""}}
test_error if to_number(input.text) == 1 with input as {"text": "x"}
todo_test_later if false
`,
	})
	results, err := policy.Test(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]policy.Status{}
	for _, r := range results {
		got[r.Name] = r.Status
		if r.Name == "test_wrong" && (!strings.Contains(r.Message, "line 4") || !strings.HasSuffix(r.Source, "owner_test.rego:4")) {
			t.Errorf("%s: %s", r.Source, r.Message)
		}
	}
	for name, want := range map[string]policy.Status{
		"test_named": policy.Pass, "test_wrong": policy.Fail, "test_error": policy.Error, "todo_test_later": policy.Skip,
	} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d tests ran, want the user's 4", len(got))
	}
	untested := writePolicy(t, map[string]string{"owner.rego": ownerRule})
	if _, err := policy.Test(t.Context(), untested); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a directory without tests: %v", err)
	}
}

const ownerRule = `# METADATA
# title: The model has an owner
# description: Somebody answers for it.
# custom:
#   id: house.owner
#   severity: high
#   remediation: Name the owner with --owner NAME.
package house.rules.owner

result := {"status": "pass", "message": sprintf("%s answers for it.", [input.model.owner])} if input.model.owner != ""

result := {"status": "fail", "message": "Nobody answers for it."} if input.model.owner == ""
`

func writePolicy(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

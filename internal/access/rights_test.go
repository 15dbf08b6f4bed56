package access

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

func TestTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "table.md")
	if *update {
		if err := os.WriteFile(path, []byte(Table()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), Table()); diff != "" {
		t.Errorf("the table has changed (-update rewrites it):\n%s", diff)
	}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[Action]bool{}
	granted := map[Role]bool{}
	for _, r := range Rights() {
		if seen[r.Action] {
			t.Errorf("%s stands in the table twice", r.Action)
		}
		seen[r.Action] = true
		if r.Doc == "" || len(r.Roles) == 0 {
			t.Errorf("%s: doc %q, roles %v", r.Action, r.Doc, r.Roles)
		}
		order := -1
		for _, role := range r.Roles {
			at := slices.Index(Roles(), role)
			if at <= order {
				t.Errorf("%s: role %s is not known, or out of order", r.Action, role)
			}
			order = at
			granted[role] = true
		}
	}
	for _, role := range Roles() {
		if !granted[role] || role.Doc() == "" {
			t.Errorf("role %s has no right or no doc", role)
		}
	}
}

// TestDuties fixes what the separation of duties rests on, whatever else changes in the table.
func TestDuties(t *testing.T) {
	t.Parallel()
	never := map[Role][]Action{
		Viewer:    {ModelRegister, VersionRegister, ArtifactRead, ArtifactWrite, EvidenceAttach, FindingWrite, AssignmentRecord, UserManage, PolicyChange},
		Scientist: {AssignmentRecord, DeploymentRecord, EnvironmentManage, PolicyChange, UsageRuleWrite, FindingClose, UserManage, KeyManage},
		Auditor:   {ModelRegister, ModelUpdate, VersionRegister, ArtifactWrite, EvidenceAttach, AssignmentRecord, PolicyChange, UserManage},
		Approver:  {ModelRegister, VersionRegister, AssignmentRecord, UserManage, EvidenceAttach},
		Operator:  {VersionRegister, EvidenceAttach, PolicyChange, UserManage, FindingClose},
		Admin:     {AssignmentRecord, DeploymentRecord, FindingClose},
		Service:   {TokenCreate, UserManage, UserRead, PolicyChange, KeyManage, FindingClose, TrailDisclose, BundleExport},
	}
	for role, actions := range never {
		for _, a := range actions {
			if slices.Contains(right(a).Roles, role) {
				t.Errorf("%s may %s", role, a)
			}
		}
	}
	for _, a := range []Action{UserManage, KeyManage, SettingsChange} {
		if diff := cmp.Diff([]Role{Admin}, right(a).Roles); diff != "" {
			t.Errorf("%s: %s", a, diff)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, role := range Roles() {
		if got, err := ParseRole(string(role)); got != role || err != nil {
			t.Errorf("%s: %s, %v", role, got, err)
		}
	}
	for _, a := range Actions() {
		if got, err := ParseAction(string(a)); got != a || err != nil {
			t.Errorf("%s: %s, %v", a, got, err)
		}
	}
	for _, name := range []string{"", "Admin", "admin ", "root"} {
		if _, err := ParseRole(name); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("role %q: %v", name, err)
		}
		if _, err := ParseAction(name); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("action %q: %v", name, err)
		}
	}
}

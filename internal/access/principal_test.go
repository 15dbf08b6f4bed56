package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestAllows asks for every action by every role, by itself and through a token with another scope.
func TestAllows(t *testing.T) {
	t.Parallel()
	for _, role := range Roles() {
		for _, row := range Rights() {
			p := Principal{ID: "usr_1", Kind: KindPerson, Roles: []Role{role}}
			want := slices.Contains(row.Roles, role)
			err := p.Allows(row.Action, trail.Resource{Type: "model", ID: "credit"})
			if (err == nil) != want {
				t.Errorf("%s, %s: %v, want allowed %v", role, row.Action, err, want)
			}
			if err != nil && (tallystick.CodeOf(err) != tallystick.Forbidden || !strings.Contains(err.Error(), string(row.Action)) || !strings.Contains(err.Error(), string(row.Roles[0]))) {
				t.Errorf("%s, %s: %v does not say what is asked for and who may", role, row.Action, err)
			}
			p.Scopes = []Action{row.Action}
			if err := p.Allows(row.Action, trail.Resource{}); (err == nil) != want {
				t.Errorf("%s, %s, in scope: %v, want allowed %v", role, row.Action, err, want)
			}
			p.Scopes = slices.DeleteFunc(Actions(), func(a Action) bool { return a == row.Action })
			if err := p.Allows(row.Action, trail.Resource{}); tallystick.CodeOf(err) != tallystick.Forbidden {
				t.Errorf("%s, %s, out of scope: %v", role, row.Action, err)
			}
		}
	}
}

func TestAllowsWho(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		p      Principal
		action Action
		want   tallystick.Code
	}{
		{"nobody", Principal{}, CatalogRead, tallystick.Unauthorized},
		{"nobody with a role", Principal{Roles: []Role{Admin}}, CatalogRead, tallystick.Unauthorized},
		{"no role", Principal{ID: "usr_1", Kind: KindPerson}, CatalogRead, tallystick.Forbidden},
		{"two roles", Principal{ID: "usr_1", Kind: KindPerson, Roles: []Role{Viewer, Operator}}, AssignmentRecord, ""},
		{"an unknown role", Principal{ID: "usr_1", Kind: KindPerson, Roles: []Role{"root"}}, CatalogRead, tallystick.Forbidden},
		{"an unknown action", Local("ada"), "model.destroy", tallystick.Forbidden},
		{"a local user", Local("ada"), UserManage, ""},
		{"a local user with the duty of an operator", Local("ada"), AssignmentRecord, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := test.p.Allows(test.action, trail.Resource{}); tallystick.CodeOf(err) != test.want {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func BenchmarkAllows(b *testing.B) {
	p := Principal{ID: "usr_1", Kind: KindPerson, Roles: []Role{Viewer, Scientist}}
	for b.Loop() {
		if err := p.Allows(VersionRegister, trail.Resource{}); err != nil {
			b.Fatal(err)
		}
	}
}

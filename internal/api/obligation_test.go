package api_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
)

// Whoever may read the catalog may ask what it owes, and nobody else. A refusal names no model.
func TestObligationRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := h.as("ana", access.Admin, access.Scientist)
	ask(t, admin, "POST", "/models", map[string]any{"name": "credit", "owner": "ana"}).want(t, 200)
	paths := map[string]string{"get-obligations": "/models/credit/obligations?framework=gdpr", "list-gaps": "/obligations/gaps?framework=gdpr"}
	may := map[access.Role]bool{}
	for _, right := range access.Rights() {
		for _, role := range right.Roles {
			may[role] = may[role] || right.Action == access.CatalogRead
		}
	}
	for operation, path := range paths {
		if action, named := actions[operation]; named && action != access.CatalogRead {
			t.Errorf("%s asks for %s", operation, action)
		}
		if a := ask(t, h.as("nobody"), "GET", path, nil); a.StatusCode != 401 || strings.Contains(a.String(), "items") {
			t.Errorf("%s as nobody: %s", operation, a)
		}
		for _, role := range access.Roles() {
			want := map[bool]int{true: 200, false: 403}[may[role]]
			if a := ask(t, h.as(string(role), role), "GET", path, nil); a.StatusCode != want {
				t.Errorf("%s as %s: %s, want %d", operation, role, a, want)
			}
		}
	}
}

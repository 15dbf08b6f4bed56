package api_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
)

// TestUnknownNames: an empty list for a name that nobody knows would look like an answer. What is on
// the trail alone is known.
func TestUnknownNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, eve, root := h.as("ada", access.Scientist), h.as("eve", access.Auditor), h.as("root", access.Admin)
	ask(t, root, "PUT", "/environments/lab", map[string]any{"strictness": "free", "position": 0}).want(t, 200)
	h.version(t, "credit", "m.bin", "bytes")
	ask(t, ada, "PATCH", "/models/credit", map[string]any{"owner": "ada"}).want(t, 200)
	ask(t, ada, "POST", "/datasets", map[string]any{"name": "loans", "owner": "ada"}).want(t, 200)
	// Attempts, which leave events and nothing else.
	ask(t, eve, "POST", "/models/ghost/versions", map[string]any{"version": "1"}).want(t, 403)
	ask(t, eve, "POST", "/models/credit/versions", map[string]any{"version": "ghost"}).want(t, 403)
	ask(t, eve, "PUT", "/environments/ghost", map[string]any{"strictness": "free", "position": 1}).want(t, 403)
	if err := h.Workspace.Trail.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"/findings", "/releases", "/decisions", "/waivers", "/freezes", "/assignments", "/deployments"} {
		for query, near := range map[string]string{
			"model=cradit": "there is credit", "environment=lob": "there is lab", "model=credit&version=7": "there is 1", "version=7": "there is 1",
		} {
			if list == "/findings" && strings.Contains(query, "version") {
				continue
			}
			if p := ask(t, eve, "GET", list+"?"+query, nil).want(t, 404).problem(t); !strings.Contains(p.Hint, near) {
				t.Errorf("%s?%s: hint %q, want %q", list, query, p.Hint, near)
			}
		}
		for _, query := range []string{"model=credit", "environment=lab", "model=ghost", "environment=ghost", "version=1"} {
			ask(t, eve, "GET", list+"?"+query, nil).want(t, 200)
		}
		if list != "/findings" {
			ask(t, eve, "GET", list+"?model=credit&version=ghost", nil).want(t, 200)
		}
	}
	self := read[struct{ ID string }](t, ask(t, eve, "GET", "/self", nil).want(t, 200))
	for path, status := range map[string]int{
		"/snapshots?dataset=loens": 404, "/snapshots?dataset=loans": 200,
		"/models/cradit/evidence": 404, "/models/credit/evidence?version=7": 404, "/models/credit/evidence?version=1": 200,
		"/models?owner=nobody": 404, "/models?owner=ada": 200, "/findings?owner=nobody": 404, "/findings?owner=ada": 200,
		"/obligations/gaps?owner=nobody": 404, "/obligations/gaps?owner=validator": 200, "/obligations/gaps?owner=ada": 200,
		"/events?model=cradit": 404, "/events?model=ghost": 200, "/events?resource=model/cradit": 404, "/events?resource=version/credit@7": 404,
		"/events?resource=version/credit@ghost": 200, "/events?resource=token/none": 404, "/events?actor=nobody": 404, "/events?model=credit&outcome=failed": 200,
		"/models/credit/history?version=7": 404, "/models/credit/history?version=ghost": 200, "/models/ghost/history": 200, "/models/cradit/history": 404,
		"/models/credit/history?version=1&outcome=failed": 200, "/models/credit/history?actor=nobody": 404, "/models/credit/history?actor=" + self.ID: 200,
	} {
		got := ask(t, eve, "GET", path, nil).want(t, status)
		ask(t, eve, "GET", path, nil).want(t, status) // that somebody asked makes no name known
		if status == 404 && got.problem(t).Hint == "" {
			t.Errorf("%s: no hint", path)
		}
	}
}

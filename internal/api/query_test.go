package api_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
)

// TestQueriesOfLists counts the queries behind each list before and after there is much more in it: there
// are no more of them.
func TestQueriesOfLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, root := h.as("ada", access.Scientist, access.Operator, access.Auditor), h.as("root", access.Admin)
	post := func(path string, body map[string]any) { ask(t, ada, "POST", path, body).want(t, 200) }
	ask(t, root, "PUT", "/environments/lab", map[string]any{"strictness": "free", "position": 0}).want(t, 200)
	fill := func(from, until int) {
		for i := from; i < until; i++ {
			model, set, version := fmt.Sprintf("model-%02d", i), fmt.Sprintf("set-%02d", i), fmt.Sprint(i+2)
			h.version(t, model, "m.bin", model)
			post("/models/model-00/versions", map[string]any{"version": version, "manifest": []any{map[string]any{"name": "m.bin", "digest": tallystick.DigestOf([]byte(version)), "size": 1}}})
			post("/datasets", map[string]any{"name": set, "owner": "ada"})
			post("/datasets/"+set+"/snapshots", map[string]any{"name": "1", "digest": tallystick.DigestOf([]byte(set)), "rows": 1})
			for _, on := range [][2]string{{model, "1"}, {"model-00", version}} {
				post("/assignments", map[string]any{"environment": "lab", "model": on[0], "version": on[1], "role": "shadow"})
				post("/deployments", map[string]any{"deployment": on[0] + "-" + on[1], "environment": "lab", "model": on[0], "version": on[1], "replicas": 1, "artifact_digest": tallystick.DigestOf([]byte("others"))})
			}
		}
	}
	fill(0, 2)
	type look struct{ queries, bytes int }
	get := func(path string) look {
		if err := h.Workspace.Trail.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		h.Workspace.DB.Observe(func(query string) {
			if !strings.Contains(query, "FROM events v WHERE v.sequence IN (?") { // a page of events is read in up to four shares
				n.Add(1)
			}
		})
		got := ask(t, ada, "GET", path, nil).want(t, 200)
		h.Workspace.DB.Observe(nil)
		return look{int(n.Load()), len(got.body)}
	}
	lists := []string{
		"/models", "/models?order=priority", "/models?text=model", "/models/model-00/versions", "/models/model-00/history", "/models/model-00/history?version=1", "/datasets", "/snapshots?dataset=set-00",
		"/deployments", "/deployments?model=model-00", "/assignments", "/assignments?environment=lab&now=true", "/findings", "/findings?model=model-00", "/events", "/events?newest=true", "/events?model=model-00", "/environments",
	}
	before := map[string]look{}
	for _, list := range lists {
		before[list] = get(list)
	}
	fill(2, 20)
	grown := 0
	for _, list := range lists {
		after := get(list)
		if after.queries > before[list].queries {
			t.Errorf("%s: %d queries where %d were enough for less", list, after.queries, before[list].queries)
		}
		if after.bytes > before[list].bytes {
			grown++
		}
	}
	if grown < len(lists)-3 {
		t.Errorf("only %d of %d lists are longer than before", grown, len(lists))
	}
}

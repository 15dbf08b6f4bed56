package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestQueriesOfPages counts the queries behind each page before and after there is much more to show:
// there are no more of them.
func TestQueriesOfPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	released := h.furnishReleases(t)
	b := h.as(t, access.Auditor)
	type look struct{ queries, bytes int }
	visit := func(page string) look {
		if err := h.workspace.Trail.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		h.workspace.DB.Observe(func(query string) {
			// Rights are asked for anew every two seconds, and a page of events is read in up to four shares.
			if !strings.Contains(query, "FROM sessions s JOIN users u") && !strings.Contains(query, "FROM events v WHERE v.sequence IN (?") {
				n.Add(1)
			}
		})
		got := b.get(page)
		h.workspace.DB.Observe(nil)
		if got.Code != http.StatusOK {
			t.Fatalf("%s: %d", page, got.Code)
		}
		return look{int(n.Load()), got.Body.Len()}
	}
	// The first visit to a page may look for more.
	least := func(page string) look {
		seen := visit(page)
		for range 3 {
			if again := visit(page); again.queries < seen.queries {
				seen = again
			}
		}
		return seen
	}
	pages := []string{
		"/", "/?sort=name", "/?q=s", "/models/credit", "/models/credit/versions", "/models/credit/versions/3", "/models/credit/history", "/findings", "/findings?state=all", "/cases", "/cases?state=all&model=credit",
		"/lineage", "/lineage?kind=version", "/trail", "/trail?model=credit", "/trail?type=model.registered",
		"/reviews", "/models/credit/releases", "/models/credit/waivers", "/freezes?state=all", "/releases/" + released.denied,
	}
	h.complain(t, refusal, casework.Opening{Reason: "a complaint"})
	before := map[string]look{}
	for _, page := range pages {
		before[page] = least(page)
	}
	h.throng(t)
	h.throngReleases(t)
	for range 20 {
		h.complain(t, refusal, casework.Opening{Reason: "a complaint"})
	}
	grown := 0
	for _, page := range pages {
		after := least(page)
		if after.queries > before[page].queries {
			t.Errorf("%s: %d queries where %d were enough for less", page, after.queries, before[page].queries)
		}
		if after.bytes > before[page].bytes+1000 {
			grown++
		}
	}
	if grown < len(pages)-3 {
		t.Errorf("only %d of %d pages show more than before", grown, len(pages))
	}
}

// throng adds more of everything: models that serve with findings, versions of credit and what befell them.
func (h *house) throng(t *testing.T) {
	t.Helper()
	for i := range 12 {
		name, version := fmt.Sprintf("scores-%02d", i), fmt.Sprint(i+4)
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
			return one(h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: catalog.ModelDetails{Owner: "Ada Lovelace", Summary: "One of many"}}, "usr_test"))
		})
		h.register(t, name, "1", 0)
		h.register(t, "credit", version, i%9)
		for _, on := range [][2]string{{name, "1"}, {"credit", version}, {"credit", "3"}} {
			h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
				return one(h.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: on[0], Version: on[1], Details: catalog.EvidenceDetails{
					Kind: catalog.EvaluationEvidence, Digest: digest(name + on[1]), Verdict: tallystick.Fail,
				}}))
			})
		}
		for _, on := range [][2]string{{name, "1"}, {"credit", version}, {"credit", "3"}} {
			h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
				return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "lab", Model: on[0], Version: on[1], Role: catalog.Shadow, Observed: true})
			})
			h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
				return h.catalog.RecordDeployment(tx, catalog.DeploymentReport{
					ID: fmt.Sprintf("%s-%s-%d", on[0], on[1], i), Environment: "production", Model: on[0], Version: on[1], Replicas: 1, Artifact: digest("no such files"),
				})
			})
		}
	}
}

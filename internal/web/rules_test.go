package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestRulesPage tells which bodies are kept and which predictions people look at; without rules, how to have some.
func TestRulesPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Viewer)
	const address = "/models/credit/rules"
	page := b.get(address)
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "tallystick body rule define credit sample") {
		t.Errorf("without rules: %d %s", page.Code, page.Body)
	}
	margin := 0.05
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(body.Define(tx, body.KeepRule{Model: "credit", Name: "rare", Terms: selection.Terms{Where: []string{"f_income < 3"}, Share: 0.25, Strata: []string{"f_region"}, AtLeast: 3}}))
	})
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.cases.DefineRule(tx, casework.CaseRule{Model: "credit", Name: "unsure", Terms: selection.Terms{Margin: &margin, Share: 1}, Second: 0.5, Queue: "specialists"}))
	})
	told := b.get(address).Body.String()
	for _, want := range []string{"f_income &lt; 3", "25", "f_region", "score within 0.05 of the threshold", "50", "168 h", "specialists", "1,000"} {
		if !strings.Contains(told, want) {
			t.Errorf("the page has no %q:\n%s", want, told)
		}
	}
	if !strings.Contains(b.get("/models/credit").Body.String(), address) {
		t.Error("the page of the model does not lead to its rules")
	}
	if got := b.get("/models/nobody/rules").Code; got != http.StatusNotFound {
		t.Errorf("rules of a model that is not there: %d", got)
	}
}

package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestBlindOpinion: until somebody else has given the second opinion, no door opens the first to anybody but who
// gave it, whatever rights and tokens he has. Then who may open sealed fields may open it.
func TestBlindOpinion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.version(t, "credit", "model.bin", "weights")
	ids := h.predicted(t, `{"model":"credit","version":"1","output":"deny"}`, `{"model":"credit","version":"1","output":"deny"}`)
	first := h.as("ann", access.Approver, access.Auditor)
	judge := func(who http.Handler, id, answer, rationale string) {
		t.Helper()
		ask(t, who, "POST", "/cases/"+id+"/judgement", map[string]any{"answer": answer, "rationale": rationale}, "Tallystick-Purpose", "complaint 12").want(t, 200)
	}
	var cases []string
	for n, id := range ids {
		opened := read[casework.Case](t, ask(t, first, "POST", "/cases", map[string]any{"prediction": id.String(), "reason": "a complaint", "second": true}).want(t, 200))
		judge(first, opened.ID, fmt.Sprint("secret answer ", n), fmt.Sprint("secret reason ", n))
		cases = append(cases, opened.ID)
	}
	found, err := h.Workspace.Trail.Events(t.Context(), trail.Filter{Type: trail.CaseJudged})
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	doors := map[string]string{
		"case": "/cases/" + cases[0], "cases": "/cases?state=second", "event": "/events/" + found[0].ID, "events": "/events?type=case.judged", "events of the model": "/events?model=credit&limit=1000",
		"events of the case": "/events?resource=case/" + cases[0], "history": "/models/credit/history?limit=100", "explanation": "/predictions/" + ids[0].String() + "/explanation",
		"letter": "/predictions/" + ids[0].String() + "/letter", "labels": "/models/credit/labels/" + ids[0].String(), "workload": "/cases/workload",
		"package": "/models/credit/package?for=me&disclose=true", "whole package": "/models/credit/package?for=me&disclose=true&complete=true",
	}
	everyone := map[string]http.Handler{
		"who will judge":                         h.as("bob", access.Validator),
		"who will judge and opens sealed fields": h.as("cleo", access.Approver, access.Auditor),
		"an auditor":                             h.as("mia", access.Auditor),
		"an admin":                               h.as("root", access.Admin),
	}
	// told returns which of the two first opinions an answer tells.
	told := func(who http.Handler, path string) (told [2]bool) {
		t.Helper()
		body := ask(t, who, "GET", path, nil, "Tallystick-Purpose", "to judge").body
		for n := range told {
			told[n] = bytes.Contains(body, fmt.Append(nil, "secret answer ", n)) || bytes.Contains(body, fmt.Append(nil, "secret reason ", n))
		}
		return told
	}
	for name, who := range everyone {
		for door, path := range doors {
			if told(who, path) != [2]bool{} {
				t.Errorf("%s is told by %s", name, door)
			}
		}
	}
	if !told(first, doors["event"])[0] || !told(first, doors["case"])[0] || told(first, doors["package"])[0] {
		t.Error("who gave it sees it, but no package has it")
	}
	event := read[struct {
		Actor string
		Data  map[string]any
	}](t, ask(t, everyone["an auditor"], "GET", doors["event"], nil).want(t, 200))
	if event.Actor != "usr_ann" || event.Data["rationale"].(map[string]any)["commitment"] == "" || event.Data["state"] != "second" {
		t.Errorf("an auditor sees who gave it, and the commitments: %v", event)
	}

	judge(everyone["who will judge"], cases[0], "grant", "another reason")
	if got := told(everyone["who will judge"], doors["case"]); got != [2]bool{true, false} {
		t.Errorf("the second judge then sees %t", got)
	}
	for _, door := range []string{"event", "events", "events of the model", "package", "whole package"} {
		if got := told(everyone["an auditor"], doors[door]); got != [2]bool{true, false} {
			t.Errorf("an auditor is then told %t by %s", got, door)
		}
		if door != "package" && door != "whole package" && told(everyone["who will judge"], doors[door]) != [2]bool{} {
			t.Errorf("who may not open sealed fields is told by %s", door)
		}
	}
}

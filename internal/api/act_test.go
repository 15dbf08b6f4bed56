package api_test

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
)

// A repetition is the same body, however it is written. Members that are there are not the same as members
// that are not, though both be empty.
func TestPatchRepetition(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit", "summary": "a", "labels": map[string]string{"team": "risk"}}).want(t, 200)
	patch := func(key, body string, status int) answer {
		t.Helper()
		return ask(t, ada, "PATCH", "/models/credit", body, "Idempotency-Key", key).want(t, status)
	}
	first := patch("k", `{"summary":"b","labels":{"x":"1","y":"2"}}`, 200)
	again := patch("k", `{ "labels": {"y": "2", "x": "\u0031"}, "summary": "b" }`, 200)
	if again.Header.Get("Tallystick-Repeated") != "true" || again.Header.Get("Tallystick-Event") != first.Header.Get("Tallystick-Event") {
		t.Errorf("written in another way: %s %v", again, again.Header)
	}
	patch("k", `{"summary":"b","labels":{"x":"1","y":"2"},"acceptable_use":""}`, 400)
	patch("k", `{"labels":{"x":"1","y":"2"}}`, 400)
	patch("empty", `{}`, 200)
	patch("empty", `{"summary":""}`, 400)
	if m := read[catalog.Model](t, patch("other", `{"summary":""}`, 200)); m.Summary != "" || m.Labels["x"] != "1" {
		t.Errorf("the summary alone was to be emptied: %+v", m)
	}
}

// What a registration answers is said by its event alone: it is the model as it stands then, and a
// repetition gets it again when the model has moved on.
func TestRegistrationAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	for _, body := range []map[string]any{
		{"name": "plain"},
		{
			"name": "full", "state": "experimental", "tier_stated": "high", "third_party": true, "supplier": "s", "supplier_contract": "c", "owner": "o", "sre_owner": "e",
			"answers": map[string]string{"safety": "direct"}, "phase_owners": map[string]string{"training": "p"}, "labels": map[string]string{"a": "<b>"},
			"intended_purpose": "i", "acceptable_use": "u", "summary": "s",
		},
	} {
		path, key := "/models/"+body["name"].(string), body["name"].(string)
		first := ask(t, ada, "POST", "/models", body, "Idempotency-Key", key).want(t, 200)
		if stands := ask(t, ada, "GET", path, nil).want(t, 200); !bytes.Equal(first.body, stands.body) {
			t.Errorf("answered %s, and the model is %s", first.body, stands.body)
		}
		ask(t, ada, "PATCH", path, map[string]any{"summary": "moved on"}).want(t, 200)
		again := ask(t, ada, "POST", "/models", body, "Idempotency-Key", key).want(t, 200)
		if !bytes.Equal(first.body, again.body) || again.Header.Get("Tallystick-Repeated") != "true" || again.Header.Get("Tallystick-Event") != first.Header.Get("Tallystick-Event") {
			t.Errorf("answered %s, and again %s %v", first.body, again.body, again.Header)
		}
	}
}

// Every act says which event tells of it: also those by which people come and go.
func TestActsSayTheirEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	root, door := h.as("root", access.Admin), h.as("")
	const passphrase = "seven green kettles on a wall"
	told := map[string]bool{}
	say := func(a answer) answer {
		t.Helper()
		a.want(t, 200)
		id := a.Header.Get("Tallystick-Event")
		event := read[struct {
			ID       string
			Sequence uint64
		}](t, ask(t, root, "GET", "/events/"+id, nil).want(t, 200))
		if event.ID != id || a.Header.Get("Tallystick-Sequence") != strconv.FormatUint(event.Sequence, 10) || told[id] {
			t.Errorf("%s: event %q (%+v), place %q", a, id, event, a.Header.Get("Tallystick-Sequence"))
		}
		told[id] = true
		return a
	}
	invited := read[api.Invitation](t, say(ask(t, root, "POST", "/users", map[string]any{"name": "ada", "roles": []string{"scientist"}})))
	invited.Link = read[api.Invitation](t, say(ask(t, root, "POST", "/users/ada/enrolment", nil))).Link
	say(ask(t, door, "POST", "/enrolments/redemption", map[string]any{"link": invited.Link, "passphrase": passphrase}))
	session := read[api.Opened](t, say(ask(t, door, "POST", "/sessions", map[string]any{"name": "ada", "passphrase": passphrase}))).Secret
	minted := read[api.Minted](t, say(ask(t, door, "POST", "/tokens", map[string]any{}, "Authorization", "Bearer "+session)))
	say(ask(t, root, "PUT", "/users/ada/roles/viewer", nil))
	say(ask(t, root, "DELETE", "/users/ada/roles/viewer", nil))
	say(ask(t, door, "DELETE", "/tokens/"+minted.Token.ID, nil, "Authorization", "Bearer "+session))
	say(ask(t, door, "DELETE", "/sessions/current", nil, "Authorization", "Bearer "+session))
	say(ask(t, root, "POST", "/users/ada/disablement", nil))
}

// Where there is nothing, and where there is something for another method, a problem document says so.
func TestStray(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	door := h.as("nobody")
	for _, path := range []string{"/nothing", "/models/credit/nothing/at/all", "", "/"} {
		if p := ask(t, door, "GET", path, nil).want(t, 404).problem(t); p.Code != "not_found" || p.Hint == "" {
			t.Errorf("%q: %+v", path, p)
		}
	}
	a := ask(t, door, "DELETE", "/models", nil).want(t, 405)
	if p := a.problem(t); p.Code != "invalid" || a.Header.Get("Allow") != "GET, POST" {
		t.Errorf("%s, Allow %q", a, a.Header.Get("Allow"))
	}
}

// What is JSON is not offered as bytes too.
func TestMediaTypes(t *testing.T) {
	t.Parallel()
	d := read[document](t, ask(t, newHouse(t).as("nobody"), "GET", "/openapi.json", nil).want(t, 200))
	for path, methods := range d.Paths {
		for _, op := range methods {
			if kinds := slices.Collect(maps.Keys(op.RequestBody.Content)); len(kinds) > 1 && slices.Contains(kinds, "application/octet-stream") {
				t.Errorf("%s at %s takes %v", op.OperationID, path, kinds)
			}
		}
	}
	if content := d.Paths["/api/v1/models/{model}"]["patch"].RequestBody.Content; content["application/json"].Schema.Ref == "" {
		t.Errorf("update-model takes %+v", content)
	}
}

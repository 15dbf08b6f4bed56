package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// refusal is a decision with words of strangers in every place.
const refusal = `{"model":"credit","version":"3","environment":"lab","subject":"<i>p-1</i>","features":{"income":30500,"<b>age</b>":34,"note":"<script>alert(1)</script>","region":"north"},
	"attributions":{"income":-0.21,"<b>age</b>":0.04,"debt":-0.02},"score":0.41,"threshold":0.5,"rule":"<u>approve</u> at or above","output":"<img src=x>","decided_by":"automated","rationale":"<em>income</em> is low"}`

// reads counts the times that somebody was shown a prediction.
func (h *house) reads(t testing.TB) (n int) {
	t.Helper()
	page, err := h.workspace.Trail.Events(t.Context(), trail.Filter{Type: trail.PredictionRead})
	if err != nil {
		t.Fatal(err)
	}
	return len(page)
}

// TestPredictionOnPages reads the explanation of one decision, with what each role may see and do.
func TestPredictionOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	ids := h.predict(t, refusal, `{"model":"credit","version":"3"}`, `{"model":"credit","version":"3","score":-37.5,"threshold":12,"features":{"a":1},"attributions":{"a":2}}`, `{"model":"credit","version":"3","score":1e308,"threshold":-1e308}`)
	address, as := "/predictions/"+ids[0].String(), map[access.Role]*browser{}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b, before := h.as(t, role), h.reads(t)
		as[role] = b
		for _, id := range ids {
			for _, at := range []string{"/predictions/" + id.String(), "/predictions/" + id.String() + "/letter"} {
				got := b.get(at)
				if role == access.Viewer {
					if got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), "30500") {
						t.Errorf("%s as %s: %d", at, role, got.Code)
					}
				} else if got.Code != http.StatusOK {
					t.Errorf("%s as %s: %d\n%s", at, role, got.Code, got.Body)
				}
				if faults := check(parse(t, got.Body.String())); len(faults) > 0 && !strings.HasSuffix(at, "letter") {
					t.Errorf("%s as %s: %q", at, role, faults)
				}
			}
		}
		if read := h.reads(t) - before; role != access.Viewer && read != 2*len(ids) || role == access.Viewer && read != 0 {
			t.Errorf("%s: %d reads are on the trail", role, read)
		}
		if role == access.Viewer { // nor by a form that is refused
			values := form(t, b.get("/").Body.String(), "/sign-out")
			if got := b.post(address+"/case", values); got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), "30500") {
				t.Errorf("a form of %s: %d", role, got.Code)
			}
		}
	}
	b := as[access.Validator]
	page := b.get(address + "?purpose=complaint+17").Body.String()
	for _, raw := range []string{"<script>alert", "<img src=x>", "<b>age", "<u>approve", "<em>income", "<i>p-1"} {
		if strings.Contains(page, raw) {
			t.Errorf("the page holds %s as it is", raw)
		}
	}
	b.says(address+"?purpose=complaint+17", "The score was 0.41, below the threshold of 0.5", "It was decided by the machine alone", "-0.21", "+0.04", "30500", "debt", "not on record", "tallystick prove prediction",
		"Nobody has said yet how it turned out", "for complaint 17", "What is not on record", "served in lab as champion")
	b.says("/predictions/"+ids[1].String(), "What the model said is not on record", "What the model was given is not on record")
	if letter := b.get(address + "/letter"); letter.Header().Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.Contains(letter.Body.String(), "0.41") {
		t.Errorf("the letter: %v\n%s", letter.Header(), letter.Body)
	}
	if got := b.get("/predictions?id=" + ids[0].String() + "&purpose=a+complaint"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != address+"?purpose=a+complaint" {
		t.Errorf("looked up: %d to %s", got.Code, got.Header().Get("Location"))
	}
	for at, status := range map[string]int{
		"/predictions/1": http.StatusBadRequest, "/predictions?id=x": http.StatusBadRequest, "/predictions": http.StatusBadRequest, "/predictions/019a0000-0000-7000-8000-000000000000": http.StatusNotFound,
		address + "?purpose=" + strings.Repeat("x", 1001): http.StatusBadRequest, "/predictions/019a0000-0000-7000-8000-000000000000/letter": http.StatusNotFound,
	} {
		if got := b.get(at); got.Code != status {
			t.Errorf("%.60s: %d, want %d", at, got.Code, status)
		}
	}
	// Whoever doubts it has people look.
	if got := b.post(address+"/case", url.Values{"reason": {"x"}}); got.Code != http.StatusForbidden && got.Code != http.StatusBadRequest {
		t.Errorf("without the session's word: %d", got.Code)
	}
	status, _, page := b.submit(address, address+"/case", url.Values{"reason": {"he <b>complains</b>"}, "queue": {"no queue/"}})
	if status != http.StatusBadRequest || !strings.Contains(page, "he &lt;b&gt;complains") {
		t.Errorf("a bad queue: %d\n%s", status, text(parse(t, page)))
	}
	status, at, page := b.submit(address, address+"/case", url.Values{"reason": {"he <b>complains</b>"}, "second": {""}})
	if status != http.StatusSeeOther || !strings.HasPrefix(at, "/cases/") {
		t.Fatalf("opened: %d to %q\n%s", status, at, page)
	}
	b.says(at, "You opened a case", "he <b>complains</b>", "waits for an opinion")
	b.says(address, "he <b>complains</b>", "is open")
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// TestBodiesOnPages: a page says what became of a body, and shows none.
func TestBodiesOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	const line = `{"model":"credit","version":"3","request_body":{"type":"text/plain","text":"confidential"}}`
	dropped := h.predict(t, line)[0]
	define := func(tx *state.Tx) ([]trail.Change, error) {
		change, err := body.Define(tx, body.KeepRule{Model: "credit", Name: "whole", Terms: selection.Terms{Share: 1}})
		return []trail.Change{change}, err
	}
	if _, err := registry.New(h.workspace.DB, h.workspace.Recorder).Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.BodyRuleManage, Propose: define}); err != nil {
		t.Fatal(err)
	}
	kept, b := h.predict(t, line)[0], h.as(t, access.Validator)
	for id, want := range map[string]string{dropped.String(): "was not kept as it was", kept.String(): "tallystick body show " + kept.String()} {
		got := b.get("/predictions/" + id)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) || strings.Contains(got.Body.String(), "confidential") {
			t.Errorf("%d, want %q:\n%s", got.Code, want, got.Body)
		}
		if faults := check(parse(t, got.Body.String())); len(faults) > 0 {
			t.Errorf("%q", faults)
		}
	}
}

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/incident"
)

// TestIncidentWorkedOnPages plays an incident on pages alone: somebody opens it, works it by the runbook, stops the harm,
// removes the cause and writes the post-mortem; another person accepts that.
func TestIncidentWorkedOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	viewer, author, second := h.as(t, access.Viewer), h.as(t, access.Operator), h.as(t, access.Validator)
	asked := url.Values{"model": {"credit"}, "version": {"3"}, "title": {"<i>half</i> are refused"}, "severity": {"critical"}, "runbook": {"drift"}}
	if got := author.post("/incidents", asked); got.Code != http.StatusBadRequest && got.Code != http.StatusForbidden {
		t.Errorf("opened without the session's word: %d", got.Code)
	}
	status, _, page := viewer.submit("/incidents", "/incidents", url.Values{"model": {"nobody"}, "title": {"<i>half</i>"}})
	if status != http.StatusNotFound || !strings.Contains(page, "&lt;i&gt;half") || !strings.Contains(page, "role=\"alert\"") {
		t.Errorf("an incident of no model: %d\n%s", status, text(parse(t, page)))
	}
	status, at, page := author.submit("/incidents", "/incidents", asked)
	if status != http.StatusSeeOther || !strings.HasPrefix(at, "/incidents/") {
		t.Fatalf("opened: %d to %s\n%s", status, at, text(parse(t, page)))
	}
	address, _, _ := strings.Cut(at, "?")
	author.says(at, "<i>half</i> are refused", "You opened an incident of credit", "Somebody says that they work on it", "critical")
	author.says("/incidents?state=open&environment=", "<i>half</i> are refused")
	author.says("/incidents?state=closed", "No incident is like this")

	refuse := func(act string, fill url.Values, want int, says ...string) {
		t.Helper()
		status, _, page := author.submit(address, address+"/"+act, fill)
		body := text(parse(t, page))
		for _, s := range append(says, "Nothing was changed") {
			if !strings.Contains(body, s) && !strings.Contains(page, s) {
				t.Errorf("%s does not say %q:\n%s", act, s, body)
			}
		}
		if faults := check(parse(t, page)); status != want || len(faults) > 0 {
			t.Errorf("%s: %d, want %d; %q", act, status, want, faults)
		}
	}
	do := func(who *browser, act string, fill url.Values, says ...string) {
		t.Helper()
		status, at, page := who.submit(address, address+"/"+act, fill)
		if status != http.StatusSeeOther {
			t.Fatalf("%s: %d\n%s", act, status, text(parse(t, page)))
		}
		if faults := check(parse(t, who.get(at).Body.String())); len(faults) > 0 {
			t.Errorf("after %s: %q", act, faults)
		}
		who.says(at, says...)
	}
	for _, act := range []string{"acknowledgement", "notes", "triage", "steps", "links", "mitigation", "resolution", "reopening", "traces", "report", "closing"} {
		if got := author.post(address+"/"+act, url.Values{"note": {"x"}}); got.Code != http.StatusBadRequest && got.Code != http.StatusForbidden {
			t.Errorf("%s without the session's word: %d", act, got.Code)
		}
		values := form(t, viewer.get("/").Body.String(), "/sign-out")
		values.Set("note", "x")
		if got := viewer.post(address+"/"+act, values); got.Code != http.StatusForbidden {
			t.Errorf("%s by a viewer: %d", act, got.Code)
		}
	}
	do(author, "acknowledgement", nil, "acknowledged", "Stop the harm")
	refuse("notes", url.Values{"note": {" "}}, http.StatusBadRequest, "What was seen or done is not said")
	do(author, "notes", url.Values{"note": {"the <b>feed</b> changed"}}, "the <b>feed</b> changed")
	refuse("triage", url.Values{"severity": {"low"}, "lead": {"Grace"}}, http.StatusBadRequest, "Why the severity is low", `value="Grace"`)
	do(author, "triage", url.Values{"severity": {"high"}, "lead": {"Grace <Hopper>"}, "note": {"a few only"}}, "Grace <Hopper>", "high")
	refuse("steps", url.Values{"step": {"1"}, "as": {"skipped"}, "note": {""}}, http.StatusBadRequest, "Why the step is passed over")
	do(author, "steps", url.Values{"step": {"1"}, "as": {"done"}, "note": {"it moved"}}, "Done", "it moved")
	refuse("links", url.Values{"kind": {"monitor"}, "target": {"no-such"}, "note": {"kept <i>"}}, http.StatusNotFound, "no-such", "kept &lt;i&gt;")
	do(author, "links", url.Values{"kind": {"test"}, "target": {"ci/relp_codes"}}, "ci/relp_codes")
	refuse("mitigation", url.Values{"means": {"magic"}, "note": {"typed"}}, http.StatusBadRequest, "no way in which harm is stopped", ">typed</textarea>")
	do(author, "mitigation", url.Values{"means": {"rollback"}, "note": {"back to 2"}}, "mitigated", "Find the cause")
	do(author, "reopening", url.Values{"note": {"it goes on"}}, "acknowledged", "reopened 1 time")
	do(author, "mitigation", url.Values{"means": {"traffic"}, "note": {"shut"}}, "mitigated")
	do(author, "traces", nil, "Find the cause")
	do(author, "resolution", url.Values{"cause": {string(incident.Causes()[0])}, "note": {"the codes are mapped"}}, "resolved", "Write the post-mortem")
	answers := url.Values{}
	for _, q := range incident.Questions() {
		answers.Set(q.Key, "of "+q.Key+" <i>this</i>")
	}
	short := url.Values{}
	for key := range answers {
		short.Set(key, answers.Get(key))
	}
	short.Set("why", "")
	refuse("report", short, http.StatusBadRequest, "has no answer", "of harm &lt;i&gt;this")
	short.Set("why", "because\n## of this")
	refuse("report", short, http.StatusBadRequest, "begins with ##")
	do(author, "report", answers, "of prevention <i>this</i>", "Somebody else reads the post-mortem")
	if page := author.get(address).Body.String(); strings.Contains(page, address+"/closing") {
		t.Error("who wrote the post-mortem is offered to accept it")
	}
	if got := author.get(address + "/post-mortem"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "of prevention") || !strings.HasPrefix(got.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the document: %d\n%s", got.Code, got.Body)
	}
	do(second, "closing", url.Values{"note": {""}}, "closed", "accepted")
	if page := second.get(address).Body.String(); strings.Contains(page, `action="`+address+"/") {
		t.Error("a closed incident has forms")
	}
	if got := author.post(address+"/nonsense", form(t, author.get("/").Body.String(), "/sign-out")); got.Code != http.StatusNotFound {
		t.Errorf("an act that there is not: %d", got.Code)
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
)

// TestFindingOnPages works a finding on pages alone: an operator triages it and puts it right, a scientist may not
// dismiss it, an auditor settles it.
func TestFindingOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	list, err := h.catalog.Findings(t.Context(), catalog.FindingFilter{Open: true})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d findings, %v", len(list), err)
	}
	address := "/findings/" + list[0].ID
	as := map[access.Role]*browser{}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b := h.as(t, role)
		as[role] = b
		for _, at := range []string{address, "/findings", "/findings?overdue=true", "/findings?state=remediated", "/findings?severity=critical&owner=bo", "/findings?kind=rule_failed"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
		}
		works := strings.Contains(b.get(address).Body.String(), `action="`+address+`/triage"`)
		if works != (role != access.Viewer) {
			t.Errorf("%s may triage: %t", role, works)
		}
		ends := strings.Contains(b.get(address).Body.String(), `action="`+address+`/end"`)
		if ends != (role == access.Validator || role == access.Auditor) {
			t.Errorf("%s may settle: %t", role, ends)
		}
	}
	operator, auditor := as[access.Operator], as[access.Auditor]
	operator.says("/findings", "Nobody’s yet", "Critical")
	operator.says(address, "Next:", "say who is to put it right", "Raised")
	stale := form(t, operator.get(address).Body.String(), address+"/triage")
	status, _, page := operator.submit(address, address+"/triage", url.Values{"owner": {"Ada & co"}, "severity": {"low"}, "note": {"harmless <i>I think"}})
	if status != http.StatusForbidden || !strings.Contains(page, "lowered by a reviewer alone") || !strings.Contains(page, "harmless &lt;i&gt;I think") || !strings.Contains(page, "Ada &amp; co") {
		t.Errorf("lowered: %d\n%s", status, text(parse(t, page)))
	}
	status, at, page := operator.submit(address, address+"/triage", url.Values{"owner": {"Ada & co"}})
	if status != http.StatusSeeOther {
		t.Fatalf("triaged: %d\n%s", status, page)
	}
	operator.says(at, "You triaged a finding", "Ada & co", "put it right and say so")
	stale.Set("owner", "bo")
	if got := operator.post(address+"/triage", stale); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "somebody has changed it") {
		t.Errorf("triaged from an old page: %d", got.Code)
	}
	if got := operator.post(address+"/triage", url.Values{"owner": {"bo"}}); got.Code != http.StatusForbidden && got.Code != http.StatusBadRequest {
		t.Errorf("without the session's word: %d", got.Code)
	}
	if status, at, page = operator.submit(address, address+"/remedy", url.Values{"note": {"deployed again"}, "ticket": {"RISK-12"}}); status != http.StatusSeeOther {
		t.Fatalf("put right: %d\n%s", status, page)
	}
	operator.says(at, "is put right", "deployed again", "RISK-12", "the next reconciliation shows")
	if status, at, page = auditor.submit(address, address+"/end", url.Values{"as": {"resolved"}, "reason": {"looked at the cluster"}}); status != http.StatusSeeOther {
		t.Fatalf("settled: %d\n%s", status, page)
	}
	auditor.says(at, "You resolved a finding", "looked at the cluster", "resolved")
	if strings.Contains(auditor.get(address).Body.String(), "<h2 id=\"part\">") {
		t.Error("a settled finding has forms")
	}
	if got := auditor.get("/findings/nothing"); got.Code != http.StatusNotFound {
		t.Errorf("no such finding: %d", got.Code)
	}
}

// TestBrowserSeesFindings looks at the backlog and a finding without scripts.
func TestBrowserSeesFindings(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	list, err := h.catalog.Findings(t.Context(), catalog.FindingFilter{Open: true})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d findings, %v", len(list), err)
	}
	eve := walkers(t, h)("eve", access.Validator)
	eve.open("/findings")
	eve.says("what presses most first", "Critical")
	eve.picture("findings")
	eve.open("/findings/" + list[0].ID)
	eve.says("Your part", "What became of it")
	eve.picture("finding")
}

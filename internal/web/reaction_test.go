package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const retrains = `apiVersion: tallystick/v1
kind: Reaction
name: credit-retrain
model: credit
# <script>alert(1)</script>
when: {alert: {rule: monitor/*/*, subject: ["*"]}}
do:
  - retrain: {window: 7d}
  - pause: {for: 24h}
most: 2 per incident
mode: act
`

// apply puts a reaction in force, in somebody's name.
func (h *house) apply(t testing.TB, who access.Principal, name, document string) {
	t.Helper()
	change, err := h.reactions.PrepareApply(t.Context(), name, []byte(document), who)
	if err != nil {
		t.Fatal(err)
	}
	h.by(t, who, func(tx *state.Tx) (trail.Change, error) { return h.reactions.ProposeApply(tx, change) })
}

// TestReactionsOnPages: everybody sees what is done by itself and what was tried; who did not write a reaction and may approve
// it lets it act on its page, and what it did then leads to the report.
func TestReactionsOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	author := h.person(t, "author", access.Operator)
	as := map[access.Role]*browser{}
	for _, role := range access.Roles() {
		if role != access.Service {
			as[role] = h.as(t, role)
		}
	}
	as[access.Viewer].says("/reactions", "Nothing is done by itself")
	h.apply(t, author, "credit-retrain", retrains)
	const address = "/reactions/credit-retrain"
	for role, b := range as {
		page := b.get(address).Body.String()
		if faults := check(parse(t, page)); len(faults) > 0 || strings.Contains(page, "<script>alert(1)") {
			t.Errorf("as %s: %q", role, faults)
		}
		approves := role == access.Validator || role == access.Approver
		if got := strings.Contains(page, `action="`+address+`/approval"`); got != approves {
			t.Errorf("%s has the form of an approval: %t", role, got)
		}
		values := form(t, b.get("/").Body.String(), "/sign-out")
		values.Set("digest", strings.Repeat("0", 64))
		if got := b.post(address+"/approval", values); got.Code == http.StatusSeeOther {
			t.Errorf("%s approved a document that is not in force", role)
		}
	}
	approver := as[access.Approver]
	approver.says("/reactions", "credit-retrain", "An alert of monitor/*/* fires", "freeze releases for 1d", "proposes until it is approved")
	approver.says(address, "proposes until it is approved", "2 times for an incident", "by nobody", "Next", "author", "<script>alert(1)</script>")
	status, at, page := approver.submit(address, address+"/approval", url.Values{"comment": {"tried on the <b>last</b> quarter"}})
	if status != http.StatusSeeOther {
		t.Fatalf("approved: %d\n%s", status, text(parse(t, page)))
	}
	approver.says(at, "acts by itself", "You approved", "Nothing yet")
	h.fire(t)
	if outcome, err := h.reactions.Run(t.Context()); err != nil || outcome == "" {
		t.Fatal(outcome, err)
	}
	tries, err := h.reactions.Tries(t.Context(), reaction.TryFilter{State: "done"})
	if err != nil || len(tries) != 2 {
		t.Fatalf("%+v, %v", tries, err)
	}
	viewer := as[access.Viewer]
	for _, at := range []string{"/reactions", address} {
		viewer.says(at, "Retrain", "Pause", "credit-hourly", "the report", "done")
	}
	report := "/retrainings/" + tries[1].Retrain
	for role, b := range as {
		for _, at := range []string{"/reactions", "/reactions?model=credit", address, report, "/alerts", "/models/credit"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
		}
	}
	viewer.says(report, "Train credit anew", "What drifted", "credit-hourly", "by the reaction credit-retrain", "tallystick predictions export")
	if got := viewer.get(report + "/report"); got.Code != http.StatusOK || got.Header().Get("Content-Type") != "application/json" || !strings.Contains(got.Body.String(), reaction.ReportSchema) {
		t.Errorf("the report: %d, %v", got.Code, got.Header())
	}
	operator := as[access.Operator]
	if status, at, page = operator.submit(address, address+"/removal", nil); status != http.StatusSeeOther {
		t.Fatalf("removed: %d\n%s", status, text(parse(t, page)))
	}
	operator.says(at, "does nothing any more", "Retrain")
	operator.says("/reactions?model=credit", "Nothing is done by itself", "What was tried")
	for at, want := range map[string]int{"/reactions/none": http.StatusNotFound, "/retrainings/none": http.StatusNotFound, "/reactions?before=x": http.StatusBadRequest} {
		if got := operator.get(at); got.Code != want {
			t.Errorf("%s: %d, want %d", at, got.Code, want)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

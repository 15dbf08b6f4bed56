package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
)

// fire lets alerts of credit fire by what its monitors judged, and returns those that fire, the one about the hostile
// feature first.
func (h *house) fire(t testing.TB) []alert.Alert {
	t.Helper()
	h.behave(t)
	if _, err := h.alerts.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := h.alerts.Alerts(t.Context(), alert.Filter{State: alert.Firing})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d alerts fire, %v", len(found), err)
	}
	for i, a := range found {
		if a.Subject == hostile {
			found[0], found[i] = found[i], found[0]
			return found
		}
	}
	t.Fatalf("nothing fires about the feature: %+v", found)
	return nil
}

// TestAlertsOnPages shows what fires to everybody, what it says to those who may read predictions, and lets those silence
// and resolve it who may.
func TestAlertsOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	quiet := h.as(t, access.Auditor)
	quiet.says("/alerts", "Nothing fires, nothing is pending")
	firing := h.fire(t)
	address := "/alerts/" + firing[0].ID
	as := map[access.Role]*browser{access.Auditor: quiet}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		if as[role] == nil {
			as[role] = h.as(t, role)
		}
		b := as[role]
		for _, at := range []string{"/alerts", "/alerts?model=credit&severity=page", "/alerts?state=resolved", "/alerts?state=firing&environment=nowhere", address, "/silences", "/silences?state=all&model=credit", "/models/credit"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
			if body := page.Body.String(); strings.Contains(body, "<script>alert(1)") {
				t.Errorf("%s as %s holds markup of a name", at, role)
			}
		}
		page := b.get(address).Body.String()
		manages := role == access.Scientist || role == access.Validator || role == access.Approver || role == access.Operator
		for _, act := range []string{"/silence", "/resolution"} {
			if got := strings.Contains(page, `action="`+address+act+`"`); got != manages {
				t.Errorf("%s has the form %s: %t", role, act, got)
			}
		}
		if reads := strings.Contains(text(parse(t, page)), firing[0].Words); reads != (role != access.Viewer) {
			t.Errorf("%s is told what the alert says: %t", role, reads)
		}
	}
	operator, viewer := as[access.Operator], as[access.Viewer]
	operator.says("/alerts", "Firing", "of "+hostile, "monitor credit-hourly", "ticket")
	operator.says("/models/credit", "of "+hostile)
	if nav := operator.get("/trail").Body.String(); !strings.Contains(nav, `<span class="n bad"`) {
		t.Error("no page says how much fires")
	}
	for _, act := range []string{"/silence", "/resolution"} {
		if got := operator.post(address+act, url.Values{"reason": {"x"}}); got.Code != http.StatusBadRequest && got.Code != http.StatusForbidden {
			t.Errorf("%s without the session's word: %d", act, got.Code)
		}
		values := form(t, viewer.get("/").Body.String(), "/sign-out")
		values.Set("reason", "x")
		values.Set("for", "2h")
		values.Set("conditions", `model="credit"`)
		if got := viewer.post(address+act, values); got.Code != http.StatusForbidden {
			t.Errorf("%s by a viewer: %d", act, got.Code)
		}
	}
	conditions := strings.Join(firing[0].Conditions(), "\n")
	status, _, page := operator.submit(address, address+"/silence", url.Values{"conditions": {conditions + "\nnonsense"}, "reason": {"<i>maintenance</i>"}, "for": {"4h"}})
	if status != http.StatusBadRequest || !strings.Contains(page, "nonsense") || !strings.Contains(page, `value="&lt;i&gt;maintenance`) || !strings.Contains(page, `value="4h" selected`) {
		t.Errorf("a condition that is none: %d\n%s", status, text(parse(t, page)))
	}
	status, at, page := operator.submit(address, address+"/silence", url.Values{"conditions": {conditions}, "reason": {"<i>maintenance</i>"}, "for": {"4h"}})
	if status != http.StatusSeeOther {
		t.Fatalf("silenced: %d\n%s", status, text(parse(t, page)))
	}
	operator.says(at, "nobody: a silence", "kept back")
	operator.says("/alerts", "nobody is told: a silence", "1 silence kept")
	operator.says("/silences", "<i>maintenance</i>", "Holds", `model="credit"`)
	silences, err := h.alerts.Silences(t.Context(), false, 0, 10)
	if err != nil || len(silences) != 1 {
		t.Fatalf("%d silences, %v", len(silences), err)
	}
	end := "/silences/" + silences[0].ID + "/end"
	if strings.Contains(viewer.get("/silences").Body.String(), end) {
		t.Error("a viewer is offered to end a silence")
	}
	if status, at, page = operator.submit("/silences", end, nil); status != http.StatusSeeOther {
		t.Fatalf("ended: %d\n%s", status, text(parse(t, page)))
	}
	operator.says(at, "Nothing is silenced", "You let notifications of alert")
	operator.says(address, "as routes say")
	if status, _, page = operator.submit(address, address+"/resolution", url.Values{"reason": {""}}); status != http.StatusBadRequest || !strings.Contains(page, "is not said") {
		t.Errorf("resolved without a reason: %d\n%s", status, text(parse(t, page)))
	}
	if status, at, page = operator.submit(address, address+"/resolution", url.Values{"reason": {"the <b>feed</b> is back"}}); status != http.StatusSeeOther {
		t.Fatalf("resolved: %d\n%s", status, text(parse(t, page)))
	}
	operator.says(at, "resolved", "it is over")
	operator.says("/alerts", "Resolved in the last 24 hours", "resolved by hand: the <b>feed</b> is back")
	if strings.Contains(operator.get(address).Body.String(), address+"/resolution") {
		t.Error("what is over can be resolved")
	}
	for at, want := range map[string]int{"/alerts/nothing": http.StatusNotFound, "/alerts?state=odd": http.StatusBadRequest, "/alerts?before=x": http.StatusBadRequest, "/silences?before=x": http.StatusBadRequest} {
		if got := operator.get(at); got.Code != want {
			t.Errorf("%s: %d, want %d", at, got.Code, want)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// complain opens a case about a prediction and returns the address of its page.
func (h *house) complain(t testing.TB, line string, o casework.Opening) string {
	t.Helper()
	r, err := prediction.ParseJSON([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	r.ID = h.predict(t, line)[0]
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.cases.Open(tx, &r, o)) })
	list, err := h.cases.Cases(t.Context(), casework.Filter{Prediction: r.ID.String()})
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	return "/cases/" + list[0].ID
}

// TestCaseOnPages works a case on pages alone: one person claims it and gives an opinion, another gives theirs
// without a word of the first, a third decides.
func TestCaseOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	address := h.complain(t, refusal, casework.Opening{Reason: "he <b>complains</b>", Queue: "loans", Second: true})
	as := map[access.Role]*browser{}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b := h.as(t, role)
		as[role] = b
		if role == access.Viewer {
			for _, at := range []string{"/cases", address} {
				if got := b.get(at); got.Code != http.StatusForbidden {
					t.Errorf("%s as %s: %d", at, role, got.Code)
				}
			}
			if page := b.get("/models/credit").Body.String(); strings.Contains(page, `href="/cases`) {
				t.Error("a viewer is led to cases")
			}
			continue
		}
		for _, at := range []string{address, "/cases", "/cases?model=credit&queue=loans", "/cases?state=all&mine=yes", "/cases?overdue=yes", "/cases?state=decided", "/cases?model=nobody"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
		}
		page := b.get(address).Body.String()
		if works := strings.Contains(page, `action="`+address+`/opinion"`); works != (role == access.Validator || role == access.Approver || role == access.Operator) {
			t.Errorf("%s may judge: %t", role, works)
		}
		for _, raw := range []string{"<script>alert", "<img src=x>", "<b>"} {
			if strings.Contains(page, raw) {
				t.Errorf("the page of %s holds %s as it is", role, raw)
			}
		}
	}
	first, second, third := as[access.Validator], as[access.Approver], as[access.Operator]
	first.says("/cases", "he <b>complains</b>", "loans", "credit@3", "waits for an opinion")
	first.says(address, "A second person gives an opinion after you", "The score was 0.41", "30500")
	for _, act := range []string{"claim", "return", "opinion"} {
		if got := first.post(address+"/"+act, url.Values{"answer": {"x"}, "rationale": {"x"}}); got.Code != http.StatusBadRequest && got.Code != http.StatusForbidden {
			t.Errorf("%s without the session's word: %d", act, got.Code)
		}
		viewer := as[access.Viewer]
		values := form(t, viewer.get("/").Body.String(), "/sign-out")
		values.Set("answer", "x")
		values.Set("rationale", "x")
		if got := viewer.post(address+"/"+act, values); got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), "30500") {
			t.Errorf("%s by a viewer: %d", act, got.Code)
		}
	}
	stale := form(t, second.get(address).Body.String(), address+"/opinion")
	status, at, page := first.submit(address, address+"/claim", nil)
	if status != http.StatusSeeOther {
		t.Fatalf("claimed: %d\n%s", status, page)
	}
	first.says(at, "You took the case", "you, until", "Give it back")
	first.says("/cases?mine=yes", "he <b>complains</b>")
	second.says(address, "Somebody else works on case")
	stale.Set("answer", "approve")
	stale.Set("rationale", "typed for <i>nothing</i>")
	if got := second.post(address+"/opinion", stale); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "Somebody else works on") || !strings.Contains(got.Body.String(), "typed for &lt;i&gt;nothing") {
		t.Errorf("an opinion on what is claimed: %d\n%s", got.Code, text(parse(t, got.Body.String())))
	}
	if status, at, page = first.submit(address, address+"/return", nil); status != http.StatusSeeOther {
		t.Fatalf("given back: %d\n%s", status, page)
	}
	first.says(at, "nobody")
	status, _, page = first.submit(address, address+"/opinion", url.Values{"answer": {"approve"}, "rationale": {" "}})
	if status != http.StatusBadRequest || !strings.Contains(page, "does not say why") || !strings.Contains(page, `value="approve"`) {
		t.Errorf("without a rationale: %d\n%s", status, text(parse(t, page)))
	}
	if status, at, page = first.submit(address, address+"/opinion", url.Values{"answer": {"approve"}, "rationale": {"the <i>wrong</i> year"}}); status != http.StatusSeeOther {
		t.Fatalf("judged: %d\n%s", status, page)
	}
	first.says(at, "You gave opinion 1", "the <i>wrong</i> year", "Nobody but you sees it", "You have given your opinion")

	// Blind: nobody but who gave it sees the first opinion, on any page that is about it.
	event := strings.TrimPrefix(at, address+"?done=")
	for role, b := range as {
		if role == access.Viewer || b == first {
			continue
		}
		for _, where := range []string{address, "/cases", "/cases?state=all", "/predictions/" + h.caseOf(t, address).Prediction, "/models/credit/history", "/trail?model=credit", "/trail/" + event} {
			page := b.get(where)
			if body := text(parse(t, page.Body.String())); page.Code != http.StatusOK || strings.Contains(body, "wrong") || strings.Contains(strings.ReplaceAll(body, "approver", ""), "approve ") && where == address {
				t.Errorf("%s as %s tells the first opinion: %d\n%s", where, role, page.Code, body)
			}
		}
	}
	h.person(t, "both", access.Approver, access.Auditor) // may judge, and may open what is sealed
	both := h.browser(t)
	if got := both.post("/sign-in", url.Values{"name": {"both"}, "passphrase": {passphrase}}); got.Code != http.StatusSeeOther {
		t.Fatalf("sign in: %d", got.Code)
	}
	if page := text(parse(t, both.get("/trail/"+event).Body.String())); strings.Contains(page, "wrong") || !strings.Contains(page, "rationale") {
		t.Errorf("who may still judge is told the first opinion:\n%s", page)
	}
	as[access.Auditor].says("/trail/"+event, "stays closed to all but who gave it")
	second.says(address, "It is kept from you until the second is", "waits for a second opinion")
	if status, at, page = second.submit(address, address+"/opinion", url.Values{"answer": {"decline"}, "rationale": {"the file is right"}}); status != http.StatusSeeOther {
		t.Fatalf("judged twice: %d\n%s", status, page)
	}
	both.says("/trail/"+event, "wrong")
	as[access.Auditor].says("/trail/"+event, "wrong")
	second.says(at, "the <i>wrong</i> year", "the file is right", "waits for a third person")
	if status, at, page = third.submit(address, address+"/opinion", url.Values{"answer": {"approve"}, "rationale": {"the first has it"}}); status != http.StatusSeeOther {
		t.Fatalf("judged a third time: %d\n%s", status, page)
	}
	third.says(at, "the first has it", "The answerapprove", "not what the model said")
	third.says("/cases?state=decided", "the answer is approve", "The model was right0 % of 1", "Two reviewers agree0 % of 1")
	third.says("/predictions/"+h.caseOf(t, address).Prediction, "approve counts now by case ", "the answer is approve")
	if strings.Contains(third.get(address).Body.String(), `<h2 id="part">`) {
		t.Error("a decided case has forms")
	}
	for at, status := range map[string]int{"/cases/nothing": http.StatusNotFound, "/cases?after=x": http.StatusBadRequest, "/cases?state=nonsense": http.StatusOK} {
		if got := third.get(at); got.Code != status {
			t.Errorf("%s: %d, want %d", at, got.Code, status)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// caseOf returns the case of a page.
func (h *house) caseOf(t testing.TB, address string) casework.Case {
	t.Helper()
	c, _, err := h.cases.Case(t.Context(), strings.TrimPrefix(address, "/cases/"), access.Principal{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAnswerKinds gives answers of the kind of what the model said, so that they can be compared.
func TestAnswerKinds(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Validator)
	for line, want := range map[string]string{
		`{"model":"credit","version":"3","output":"1"}`:  `"1"`,
		`{"model":"credit","version":"3","output":1}`:    `1`,
		`{"model":"credit","version":"3","output":true}`: `1`,
		`{"model":"credit","version":"3"}`:               `1`,
	} {
		address := h.complain(t, line, casework.Opening{Reason: "a look"})
		if status, _, page := b.submit(address, address+"/opinion", url.Values{"answer": {"1"}, "rationale": {"so it is"}, "second": {""}}); status != http.StatusSeeOther {
			t.Fatalf("%s: %d\n%s", line, status, page)
		}
		if c := h.caseOf(t, address); string(c.Outcome) != want || c.State != casework.Decided {
			t.Errorf("%s: %s, %s", line, c.Outcome, c.State)
		}
	}
}

// TestBrowserDecidesCase has somebody doubt a decision and another person judge it, in a browser without scripts.
func TestBrowserDecidesCase(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	h.complain(t, `{"model":"fraud","version":"2026-03","score":7.25,"threshold":5,"output":"hold"}`, casework.Opening{Reason: "chosen for training", Queue: "payments"})
	id := h.predict(t, `{"model":"credit","version":"3","environment":"lab","subject":"p-20817","features":{"income":30500,"age":34,"debt":1200,"region":"north","employed_years":2.5},
		"attributions":{"income":-0.21,"age":0.04,"debt":-0.02,"employed_years":-0.09},"score":0.41,"threshold":0.5,"rule":"approve at or above the threshold","output":"decline","decided_by":"automated"}`)[0]
	enter := walkers(t, h)
	eve := enter("eve", access.Scientist)
	eve.open("/predictions/" + id.String())
	eve.says("The score was 0.41, below the threshold of 0.5.", "employed_years")
	eve.picture("prediction")
	eve.do(chromedp.SendKeys(chromedp.CSS("#reason"), "She says that her income is higher"), chromedp.Click(chromedp.CSS("form[action$=case] button")), chromedp.WaitVisible(chromedp.CSS(".done")))
	eve.says("You opened a case", "She says that her income is higher")
	vic := enter("vic", access.Validator)
	vic.open("/cases")
	vic.says("She says that her income is higher", "chosen for training")
	vic.picture("cases")
	vic.do(chromedp.Click(chromedp.CSS("tbody tr:last-child th a")), chromedp.WaitVisible(chromedp.CSS("#rationale")))
	vic.picture("case")
	vic.do(chromedp.SendKeys(chromedp.CSS("#answer"), "approve"), chromedp.SendKeys(chromedp.CSS("#rationale"), "The income was read from the wrong year"),
		chromedp.Click(chromedp.CSS("form[action$=opinion] button")), chromedp.WaitVisible(chromedp.CSS(".done")))
	vic.says("You gave opinion 1", "The income was read from the wrong year", "not what the model said")
	vic.picture("case-decided")
	vic.open("/predictions/" + id.String())
	vic.says("counts now")
	vic.picture("prediction-after")
}

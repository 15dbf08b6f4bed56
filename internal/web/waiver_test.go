package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// says fails unless a page shows what is wanted.
func (b *browser) says(address string, wants ...string) {
	b.t.Helper()
	page := text(parse(b.t, b.get(address).Body.String()))
	for _, want := range wants {
		if !strings.Contains(page, want) {
			b.t.Errorf("%s does not say %q:\n%s", address, want, page)
		}
	}
}

// TestWaiverOnPages asks for a waiver from a rule that keeps a release out, has it approved by somebody else,
// and ends it.
func TestWaiverOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	r := h.furnishReleases(t)
	author, second := h.as(t, access.Scientist, access.Approver), h.as(t, access.Validator)
	ask := ""
	for _, a := range all(parse(t, author.get("/releases/"+r.denied).Body.String()), "a") {
		if text(a) == "ask for a waiver" && strings.Contains(attribute(a, "href"), "artifact.format") {
			ask = attribute(a, "href")
		}
	}
	if ask == "" {
		t.Fatal("the page of the release does not lead to a waiver")
	}
	filled := url.Values{"owner": {"Ada Lovelace"}, "reason": {"nobody has <looked> yet"}, "control": {""}}
	if status, _, page := author.submit(ask, "/models/credit/waivers", filled); status != http.StatusBadRequest || !strings.Contains(page, "nobody has &lt;looked&gt; yet") || !strings.Contains(page, "without compensating control is none") {
		t.Errorf("without a control: %d", status)
	}
	filled.Set("control", "two people look at it")
	status, at, page := author.submit(ask, "/models/credit/waivers", filled)
	if status != http.StatusSeeOther {
		t.Fatalf("asking: %d\n%s", status, page)
	}
	author.says(at, "You asked for a waiver of the rule artifact.format for credit@3 in production", "You own this waiver or asked for it: somebody else has to review it")
	address, _, _ := strings.Cut(at, "?")
	second.says("/reviews", "artifact.format for credit@3 in production")
	if status, at, page = second.submit(address, address+"/review", url.Values{"verdict": {"approve"}, "comment": {"bearable for a month"}}); status != http.StatusSeeOther {
		t.Fatalf("approving: %d\n%s", status, page)
	}
	second.says(at, "You reviewed a waiver for credit@3: approve", "in force", "bearable for a month")
	second.says("/releases/"+r.denied, "waived")
	if status, at, page = second.submit(address, address+"/revocation", url.Values{"reason": {"the files were looked at"}}); status != http.StatusSeeOther {
		t.Fatalf("revoking: %d\n%s", status, page)
	}
	second.says(at, "You revoked a waiver for credit@3", "not waived: revoked")
}

// TestFreezeOnPages freezes production, which keeps a release out, and lifts that again.
func TestFreezeOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	r := h.furnishReleases(t)
	operator, viewer := h.as(t, access.Operator), h.as(t, access.Viewer)
	viewer.says("/freezes", "the yearly audit", "You may not declare and lift freezes")
	if status, _, page := operator.submit("/freezes", "/freezes", url.Values{"model": {"sapm"}, "reason": {"incident 12"}}); status != http.StatusNotFound || !strings.Contains(page, "incident 12") {
		t.Errorf("of an unknown model: %d", status)
	}
	status, at, page := operator.submit("/freezes", "/freezes", url.Values{"environment": {"production"}, "reason": {"incident 12"}})
	if status != http.StatusSeeOther {
		t.Fatalf("freezing: %d\n%s", status, page)
	}
	operator.says(at, "You declared a freeze of production", "incident 12")
	operator.says("/releases/"+r.passing, "Denied: 1 of 1 rule keeps it out", "Frozen in production")
	operator.says("/models/spam/releases", "frozen")
	freezes, err := h.releases.Freezes(t.Context(), release.Filter{Open: true, Environment: "production", Limit: 1})
	if err != nil || len(freezes) != 1 {
		t.Fatal(freezes, err)
	}
	if status, at, page = operator.submit("/freezes", "/freezes/"+freezes[0].ID+"/end", url.Values{"reason": {"it is over"}}); status != http.StatusSeeOther {
		t.Fatalf("lifting: %d\n%s", status, page)
	}
	operator.says(at, "You lifted a freeze")
	operator.says("/releases/"+r.passing, "The gate lets it in")
}

// TestRollbackOnPages goes back to the champion before, asked for and carried out at once.
func TestRollbackOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	h.furnishReleases(t)
	olga := access.Principal{ID: "usr_olga", Kind: access.KindPerson}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(&catalog.AuditCompleted{
			Model: "spam", Version: "9", Data: digest("letters"), Policy: digest("policy"), Report: digest("an audit of spam"), Verdict: tallystick.Pass, Rows: 1000,
		}, nil)
	})
	h.register(t, "spam", "10", 1)
	h.act(t, olga, func(tx *state.Tx) ([]trail.Change, error) {
		return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "staging", Model: "spam", Version: "10", Role: catalog.Champion, Observed: true})
	})
	operator, scientist := h.as(t, access.Operator), h.as(t, access.Scientist)
	scientist.says("/models/spam/rollback?in=staging", "You may not carry out a request")
	operator.says("/models/spam/releases", "roll back")
	address := "/models/spam/rollback"
	if status, _, page := operator.submit(address+"?in=staging", address, url.Values{"reason": {"loses letters"}, "version": {"8"}}); status != http.StatusConflict || !strings.Contains(page, "loses letters") {
		t.Errorf("to another version than complies: %d\n%s", status, page)
	}
	status, at, page := operator.submit(address+"?in=staging", address, url.Values{"reason": {"loses letters"}})
	if status != http.StatusSeeOther {
		t.Fatalf("rolling back: %d\n%s", status, text(parse(t, page)))
	}
	operator.says(at, "spam@9 back to staging", "loses letters")
}

// TestFormsOfOtherSites sends every form about releases from another site: none is carried out.
func TestFormsOfOtherSites(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	r := h.furnishReleases(t)
	b := h.as(t, access.Approver, access.Operator, access.Scientist)
	before, err := h.workspace.Trail.Count(t.Context(), trail.Filter{Since: h.started.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{
		"/models/spam/releases", "/models/spam/rollback", "/models/spam/waivers", "/releases/" + r.denied + "/review", "/releases/" + r.denied + "/withdrawal",
		"/releases/" + r.passing + "/promotion", "/waivers/" + r.open + "/review", "/waivers/" + r.open + "/revocation", "/freezes", "/freezes/" + r.freeze + "/end",
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("verdict=approve&comment=x&reason=x&environment=production&version=9"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := b.do(request); got.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", address, got.Code)
		}
		if got := b.post(address, url.Values{"verdict": {"approve"}, "comment": {"x"}, "reason": {"x"}, "environment": {"production"}, "version": {"9"}}); got.Code != http.StatusForbidden {
			t.Errorf("%s without the token of the session: %d", address, got.Code)
		}
	}
	after, err := h.workspace.Trail.Count(t.Context(), trail.Filter{Since: h.started.Add(-time.Hour)})
	if err != nil || after != before {
		t.Errorf("%d events, %d before, %v", after, before, err)
	}
}

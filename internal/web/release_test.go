package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/release"
)

// form returns what the form of an action on a page would send, as it is filled in.
func form(t testing.TB, page, action string) url.Values {
	t.Helper()
	for _, f := range all(parse(t, page), "form") {
		if attribute(f, "action") != action || attribute(f, "method") != "post" {
			continue
		}
		values := url.Values{}
		for _, n := range all(f, "") {
			switch {
			case n.Data == "input":
				values.Set(attribute(n, "name"), attribute(n, "value"))
			case n.Data == "textarea":
				values.Set(attribute(n, "name"), text(n))
			case n.Data == "select":
				values.Set(attribute(n, "name"), chosen(n))
			}
		}
		return values
	}
	t.Fatalf("there is no form for %s:\n%s", action, page)
	return nil
}

func chosen(list *html.Node) string {
	value := ""
	for i, o := range all(list, "option") {
		is := attribute(o, "value")
		if is == "" {
			is = text(o)
		}
		for _, a := range o.Attr {
			if a.Key == "selected" || i == 0 {
				value = is
			}
		}
		if i == 0 && value == "" {
			value = is
		}
	}
	return value
}

// submit fills in a form of a page and sends it.
func (b *browser) submit(address, action string, fill url.Values) (status int, location, page string) {
	b.t.Helper()
	values := form(b.t, b.get(address).Body.String(), action)
	for name, value := range fill {
		values[name] = value
	}
	got := b.post(action, values)
	return got.Code, got.Header().Get("Location"), got.Body.String()
}

// TestReleaseOnPages plays a release on pages alone: the author asks and cannot approve, a second person
// approves, an operator carries it out.
func TestReleaseOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	author, second, operator := h.as(t, access.Scientist, access.Approver), h.as(t, access.Approver), h.as(t, access.Operator)
	status, at, _ := author.submit("/models/spam/versions/9/release", "/models/spam/releases", url.Values{"environment": {"production"}, "reason": {"fewer letters are lost"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(at, "/releases/") {
		t.Fatalf("asking: %d to %q", status, at)
	}
	address, _, _ := strings.Cut(at, "?")
	says := func(b *browser, address string, wants ...string) {
		t.Helper()
		page := text(parse(t, b.get(address).Body.String()))
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q:\n%s", address, want, page)
			}
		}
	}
	says(author, at, "You asked that spam@9 be let into production as champion", "Denied: 1 of 1 rule keeps it out.", "the author of a release does not approve it", "You may not carry out a request")
	// Whoever sends the form all the same is refused, and loses nothing of what they wrote.
	refusal := form(t, author.get(address).Body.String(), address+"/review")
	refusal.Set("verdict", "approve")
	refusal.Set("comment", "I am sure of it & <b>glad</b>")
	if got := author.post(address+"/review", refusal); got.Code != http.StatusForbidden || form(t, got.Body.String(), address+"/review").Get("comment") != refusal.Get("comment") {
		t.Errorf("the author approves: %d\n%s", got.Code, text(parse(t, got.Body.String())))
	}
	says(operator, address, "The gate denies it as things are")
	status, at, page := second.submit(address, address+"/review", url.Values{"verdict": {"approve"}, "comment": {"read a hundred letters"}})
	if status != http.StatusSeeOther {
		t.Fatalf("approving: %d\n%s", status, page)
	}
	says(second, at, "You reviewed the release of spam@9 into production: approve", "The gate lets it in: 1 of 1 rule pass", "read a hundred letters")
	stale := form(t, second.get(address).Body.String(), address+"/review")
	if status, at, page = operator.submit(address, address+"/promotion", nil); status != http.StatusSeeOther {
		t.Fatalf("promoting: %d\n%s", status, page)
	}
	says(operator, at, "Let in on ", "You put spam@9 into production as champion")
	// A second look that comes too late is told what has happened meanwhile, and keeps its words.
	stale.Set("verdict", "reject")
	stale.Set("comment", "I have found a hole in it")
	got := second.post(address+"/review", stale)
	if page := got.Body.String(); got.Code != http.StatusConflict || !strings.Contains(text(parse(t, page)), "was promoted on") || !strings.Contains(page, "I have found a hole in it") || !strings.Contains(page, "Since you opened the page") {
		t.Errorf("a late rejection: %d\n%s", got.Code, text(parse(t, page)))
	}
}

// TestFormsAreCarriedOutOnce sends one form twice, one of another session, and one without a rationale.
func TestFormsAreCarriedOutOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	r := h.furnishReleases(t)
	b := h.as(t, access.Approver)
	address := "/releases/" + r.denied
	values := form(t, b.get(address).Body.String(), address+"/review")
	values.Set("verdict", "approve")
	if got := b.post(address+"/review", values); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "A review says why.") {
		t.Errorf("without a rationale: %d", got.Code)
	}
	values.Set("comment", "looked at all of it")
	first, again := b.post(address+"/review", values), b.post(address+"/review", values)
	if at := first.Header().Get("Location"); first.Code != http.StatusSeeOther || at == "" || again.Header().Get("Location") != at {
		t.Errorf("twice: %d to %q, %d to %q", first.Code, first.Header().Get("Location"), again.Code, again.Header().Get("Location"))
	}
	_, reviews, err := h.releases.Request(t.Context(), r.denied)
	if err != nil || len(reviews) != 2 || reviews[1].Verdict != release.Approve {
		t.Errorf("reviews %+v, %v", reviews, err)
	}
	values.Set("csrf", "another")
	if got := b.post(address+"/review", values); got.Code != http.StatusForbidden {
		t.Errorf("of another session: %d", got.Code)
	}
}

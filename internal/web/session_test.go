package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	h := open(t)
	link := h.invite(t, "ada", access.Viewer)
	b := h.browser(t)
	if got := b.get("/trail?type=user.added"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/sign-in?next=%2Ftrail%3Ftype%3Duser.added" {
		t.Fatalf("a stranger: %d %s", got.Code, got.Header().Get("Location"))
	}
	if got := b.get("/enrol?link=" + link); !strings.Contains(got.Body.String(), link) {
		t.Error("the link is not in its form")
	}
	differ := url.Values{"link": {link}, "passphrase": {passphrase}, "repeated": {"another"}}
	if got := b.post("/enrol", differ); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "differ") || strings.Contains(got.Body.String(), passphrase) {
		t.Errorf("two passphrases: %d", got.Code)
	}
	same := url.Values{"link": {"https://example.org/enrol?link=" + link}, "passphrase": {passphrase}, "repeated": {passphrase}}
	if got := b.post("/enrol", same); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/sign-in" {
		t.Fatalf("enrol: %d\n%s", got.Code, got.Body)
	}
	if got := b.post("/enrol", same); got.Code != http.StatusConflict {
		t.Errorf("a link that was used: %d", got.Code)
	}
	wrong := b.post("/sign-in", url.Values{"name": {"ada"}, "passphrase": {"wrong"}, "next": {"//evil.example"}})
	unknown := b.post("/sign-in", url.Values{"name": {"eve"}, "passphrase": {"wrong"}})
	if wrong.Code != http.StatusUnauthorized || unknown.Code != http.StatusUnauthorized || len(b.cookies) > 0 {
		t.Errorf("wrong passphrase %d, unknown name %d", wrong.Code, unknown.Code)
	}
	if strings.Contains(wrong.Body.String(), "evil.example") {
		t.Error("an address elsewhere is kept")
	}
	in := b.post("/sign-in", url.Values{"name": {"ada"}, "passphrase": {passphrase}, "next": {"/findings"}})
	if in.Code != http.StatusSeeOther || in.Header().Get("Location") != "/findings" {
		t.Fatalf("sign in: %d %s", in.Code, in.Body)
	}
	c := in.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	stolen := map[string]string{c.Name: c.Value}
	page := b.get("/findings")
	csrf := ""
	for _, n := range all(parse(t, page.Body.String()), "input") {
		if attribute(n, "name") == "csrf" {
			csrf = attribute(n, "value")
		}
	}
	if got := b.post("/sign-out", url.Values{"csrf": {"guess"}}); got.Code != http.StatusForbidden {
		t.Errorf("sign out by a guess: %d", got.Code)
	}
	if got := b.post("/sign-out", url.Values{"csrf": {csrf}}); got.Code != http.StatusSeeOther || len(b.cookies) > 0 {
		t.Errorf("sign out: %d, cookies %v", got.Code, b.cookies)
	}
	b.cookies = stolen
	if got := b.get("/"); got.Code != http.StatusSeeOther {
		t.Errorf("the session goes on after its end: %d", got.Code)
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// What comes from another site changes nothing, and a link from there opens.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.as(t, access.Viewer)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/theme", strings.NewReader("theme=dark"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := b.do(r); got.Code != http.StatusForbidden || b.cookies["tallystick_theme"] != "" {
		t.Errorf("a form of another site: %d", got.Code)
	}
	r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/trail?model=credit", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := h.browser(t).do(r); got.Code != http.StatusOK || got.Header().Get("Refresh") != "0; url=/trail?model=credit" {
		t.Errorf("a link of another site: %d %q", got.Code, got.Header().Get("Refresh"))
	}
	for _, back := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/\tx", ""} {
		if got := b.post("/theme", url.Values{"theme": {"light"}, "back": {back}}); got.Header().Get("Location") != "/" {
			t.Errorf("back to %q leads to %q", back, got.Header().Get("Location"))
		}
	}
	if got := b.post("/theme", url.Values{"theme": {"light"}, "back": {"/trail"}}); got.Header().Get("Location") != "/trail" || b.cookies["tallystick_theme"] != "light" {
		t.Errorf("theme: %q %v", got.Header().Get("Location"), b.cookies)
	}
}

// A token is for programs: it opens no page.
func TestCookieHoldsASession(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser(t)
	for _, cookie := range []string{"", "nonsense", access.NewSecret(access.SessionSecret, h.started).Reveal(), access.NewSecret(access.TokenSecret, h.started).Reveal()} {
		b.cookies = map[string]string{"tallystick_session": cookie}
		if got := b.get("/"); got.Code != http.StatusSeeOther {
			t.Errorf("cookie %.8q: %d", cookie, got.Code)
		}
	}
}

func TestHeadersAndFiles(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.browser(t)
	page := b.get("/sign-in")
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(policy, "unsafe") || page.Header().Get("X-Content-Type-Options") != "nosniff" || page.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", page.Header())
	}
	root := parse(t, page.Body.String())
	files := 0
	for _, n := range append(all(root, "link"), all(root, "script")...) {
		address := attribute(n, "href") + attribute(n, "src")
		got := b.get(address)
		if got.Code != http.StatusOK || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") || got.Body.Len() == 0 {
			t.Errorf("%s: %d %v", address, got.Code, got.Header())
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		r.Header.Set("If-None-Match", got.Header().Get("ETag"))
		if again := b.do(r); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s again: %d", address, again.Code)
		}
		files++
	}
	if files < 4 {
		t.Errorf("%d files", files)
	}
}

// Names and words that somebody else has chosen stay words.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	h := open(t)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)> ` + "\u202eoverride"
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: "victim", ModelDetails: catalog.ModelDetails{
			Owner: `<b onclick=x>`, Purpose: `"><script>alert(1)</script>`, Summary: `<img src=x onerror=alert(1)>`, Labels: map[string]string{"a": "</dd><script>"},
		}}, "usr_test"))
	})
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return h.lineage.Record(tx, lineage.Batch{Origin: "test", Nodes: []lineage.Node{{Ref: lineage.Ref{Kind: lineage.Run, ID: evil}, Label: evil, Model: "victim"}},
			Edges: []lineage.Edge{{From: lineage.Ref{Kind: lineage.Source, ID: "javascript:alert(1)"}, To: lineage.Ref{Kind: lineage.Run, ID: evil}, Relation: lineage.Read, Reason: evil}}})
	})
	b := h.as(t, access.Auditor)
	for _, address := range []string{
		"/", "/?q=" + url.QueryEscape(evil), "/models/victim", "/models/" + url.PathEscape(evil), "/models/victim/history", "/lineage", "/lineage?node=" + url.QueryEscape("run:"+evil),
		"/trail", "/trail?model=" + url.QueryEscape(evil), "/trail?type=" + url.QueryEscape(evil), "/trail/4", "/trail/5", "/findings?model=" + url.QueryEscape(evil), "/sign-in?next=" + url.QueryEscape(evil), "/enrol?link=" + url.QueryEscape(evil), "/" + url.PathEscape(evil),
	} {
		got := b.get(address)
		if got.Code >= http.StatusInternalServerError {
			t.Errorf("%s: %d", address, got.Code)
		}
		page := got.Body.String()
		root := parse(t, page)
		for _, n := range append(append(all(root, "script"), all(root, "img")...), all(root, "b")...) {
			if n.Data != "script" || !strings.HasPrefix(attribute(n, "src"), "/static/") {
				t.Errorf("%s holds an element %s of somebody else's", address, n.Data)
			}
		}
		if strings.ContainsRune(page, '\u202e') {
			t.Errorf("%s reorders its text", address)
		}
		for _, fault := range check(root) {
			t.Errorf("%s: %s", address, fault)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

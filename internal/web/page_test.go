package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/trail"
)

// addresses are those of every page of a furnished house.
var addresses = []string{
	"/", "/?q=credit", "/?tier=high&state=active", "/?sort=name", "/?q=nothing+like+this", "/models/credit", "/models/churn", "/models/triage", "/models/embedding-study",
	"/models/credit/versions", "/models/churn/versions", "/models/credit/versions/3", "/models/credit/versions/1", "/models/spam/versions/9",
	"/models/credit/history", "/models/credit/diff?from=2&to=3", "/models/credit/diff?from=3&to=3", "/models/credit/history?at=2026-01-01", "/models/credit/history?version=3&outcome=success", "/models/credit/history?quiet=yes",
	"/lineage", "/lineage?kind=run", "/lineage?kind=column", "/lineage?node=version:credit@3", "/lineage?node=version:credit@3&way=up&depth=1", "/lineage?node=code:4f2a9c1d&way=down",
	"/trail", "/trail?type=model.registered", "/trail?model=credit&outcome=success&since=2026-01-01&until=2036-01-01", "/trail?model=nobody", "/trail/1", "/trail/12",
	"/models/credit/obligations", "/models/credit/obligations?framework=eu-ai-act&version=1", "/models/credit/obligations?framework=nist-ai-rmf&state=missing", "/models/spam/obligations?framework=gdpr&ahead=true", "/models/churn/obligations?framework=sr-26-2&state=present", "/obligations", "/obligations?framework=eu-ai-act&tier=high&ahead=true", "/obligations?owner=nobody",
	"/findings", "/findings?state=all&model=credit", "/findings?model=spam", "/alerts", "/silences", "/incidents", "/objectives", "/objectives?model=credit", "/comparisons", "/comparisons?model=credit", "/reactions", "/reactions?model=credit", "/sign-in", "/enrol",
}

// parse reads a page, which must be one document.
func parse(t testing.TB, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// all returns the elements of a name, whatever it is if it is empty.
func all(root *html.Node, name string) (found []*html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (name == "" || n.Data == name) {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return ""
	}
	return n.Attr[i].Val
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// check says what is wrong with the structure of a page.
func check(root *html.Node) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, one := range []string{"main", "h1", "header", "footer", "title"} {
		if n := len(all(root, one)); n != 1 && !(one == "title" && n > 1) { // pictures have titles too
			fault("%d elements %s", n, one)
		}
	}
	if lang := attribute(all(root, "html")[0], "lang"); lang != "en" {
		fault("the language is %q", lang)
	}
	ids := map[string]int{}
	level := 0
	for _, n := range all(root, "") {
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				fault("%s has the attribute %s", n.Data, a.Key)
			}
			if strings.Contains(a.Val, "ZgotmplZ") || strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
				fault("%s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if next := int(n.Data[1] - '0'); next > level+1 {
				fault("%s %q follows h%d", n.Data, text(n), level)
			} else {
				level = next
			}
		}
		switch n.Data {
		case "style":
			fault("a style element")
		case "script":
			if attribute(n, "src") == "" || attribute(n, "type") != "module" || n.FirstChild != nil {
				fault("a script that is no module of its own")
			}
		case "th":
			if attribute(n, "scope") == "" {
				fault("th %q has no scope", text(n))
			}
		case "time":
			if !strings.HasSuffix(attribute(n, "datetime"), "Z") {
				fault("time %q is not for machines", text(n))
			}
		case "a", "button":
			if text(n) == "" && attribute(n, "aria-label") == "" {
				fault("%s without a name", n.Data)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			fault("%d elements have the id %s", n, id)
		}
	}
	labelled := map[string]bool{}
	for _, n := range all(root, "label") {
		labelled[attribute(n, "for")] = true
	}
	for _, n := range slices.Concat(all(root, "input"), all(root, "select"), all(root, "textarea")) {
		if attribute(n, "type") != "hidden" && !labelled[attribute(n, "id")] {
			fault("%s %q has no label", n.Data, attribute(n, "name"))
		}
	}
	return faults
}

// Every page of every role is well made, and every link on it leads somewhere.
func TestPagesOfEveryRole(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	addresses := slices.Concat(addresses, h.furnishReleases(t).addresses())
	if _, err := h.workspace.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue // a program, which has no session
		}
		b := h.as(t, role)
		seen := map[string]bool{}
		for _, address := range addresses {
			got := b.get(address)
			if got.Code != http.StatusOK {
				t.Errorf("%s %s: %d\n%s", role, address, got.Code, got.Body)
				continue
			}
			root := parse(t, got.Body.String())
			for _, fault := range check(root) {
				t.Errorf("%s %s: %s", role, address, fault)
			}
			for _, a := range all(root, "a") {
				seen[attribute(a, "href")] = true
			}
			for _, l := range all(root, "link") {
				seen[attribute(l, "href")] = true
			}
			// Who acted, what for and other sealed words are for those who may disclose.
			may := access.Principal{ID: "x", Roles: []access.Role{role}}.Allows(access.TrailDisclose, trail.Resource{}) == nil
			// The page of a release names who had part in it: nobody could review without.
			named := strings.HasPrefix(address, "/releases/")
			if page := got.Body.String(); !may && (strings.Contains(page, "usr_test") && !named || strings.Contains(page, "a test")) {
				t.Errorf("%s %s shows what is sealed", role, address)
			}
		}
		if role != access.Auditor && role != access.Viewer {
			continue
		}
		for link := range seen {
			if u, err := url.Parse(link); err != nil || u.Host != "" || strings.HasPrefix(link, "#") || strings.Contains(link, "churn/versions/1") || strings.Contains(link, "nobody") {
				continue
			}
			link, _, _ := strings.Cut(link, "#")
			if got := b.get(link); got.Code != http.StatusOK {
				t.Errorf("%s: the link %s leads to %d", role, link, got.Code)
			}
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

func TestWhatPagesSay(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Viewer)
	for address, wants := range map[string][]string{
		"/":                                      {"5 models are in use, 2 of high risk: 3 were never audited, and 2 findings are open, all of them grave.", "6 missing, 4 not counting", "production 2"},
		"/?q=LOANS":                              {"credit", "Order by what should be audited first"},
		"/models/credit":                         {"Ada Lovelace", "tallystick model scan PATH --model credit@3", "High, because", "artifact differs", "credit@3 (tier high) owes 14 things"},
		"/models/churn":                          {"It has no version yet", "tallystick register churn@1 PATH", "nobody has answered"},
		"/models/credit/versions/3":              {"0.8011 to 0.8231", "model.safetensors", "48.2 MB", "other files", "Drift of the age of applicants", "What differs from 2"},
		"/lineage?node=version:credit@3":         {"0198c4 trained credit@3", "credit@3 was deployed as credit-lab-1", "Data flows downwards"},
		"/lineage?node=version:credit@3&depth=1": {"upstream goes on beyond 1 step"},
		"/lineage?node=column:applications/2026-05%23postcode": {"Features made from it", "region", "forbidden for marketing; basis: contract"},
		"/trail?type=model.registered":                         {"Model registered", "sealed"},
		"/trail?model=nobody":                                  {"No event is like this."},
		"/findings":                                            {"critical", "what runs in production"},
	} {
		page := text(parse(t, b.get(address).Body.String()))
		for _, want := range wants {
			if !strings.Contains(strings.ToLower(page), strings.ToLower(want)) {
				t.Errorf("%s does not say %q:\n%s", address, want, page)
			}
		}
	}
}

func TestEmptyHouse(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.as(t, access.Viewer)
	for address, want := range map[string]string{"/": "tallystick model register", "/lineage": "tallystick run", "/findings": "No finding is open"} {
		if page := text(parse(t, b.get(address).Body.String())); !strings.Contains(page, want) {
			t.Errorf("%s does not say %q:\n%s", address, want, page)
		}
	}
}

func TestWrongAddresses(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Viewer)
	for address, status := range map[string]int{
		"/models/credti": http.StatusNotFound, "/models/credit/versions/4": http.StatusNotFound, "/trail/999999": http.StatusNotFound, "/nothing": http.StatusNotFound,
		"/lineage?node=version": http.StatusBadRequest, "/lineage?node=run:unknown": http.StatusNotFound, "/trail?type=nonsense": http.StatusBadRequest,
		"/trail?since=yesterday": http.StatusBadRequest, "/trail?before=-1": http.StatusBadRequest, "/trail?actor=usr_test": http.StatusForbidden,
		"/findings?after=x": http.StatusBadRequest, "/?after=nobody": http.StatusNotFound, "/static/000000000000/page.css": http.StatusNotFound,
		"/models/credit/history?at=never": http.StatusBadRequest, "/models/nobody/history": http.StatusNotFound, "/models/credit/diff?from=1": http.StatusBadRequest, "/models/credit/diff?from=1&to=9": http.StatusNotFound, "/models/%00/versions": http.StatusBadRequest,
	} { // a model that nobody registered leaves events when it is asked for, so links to it stay
		got := b.get(address)
		if got.Code != status {
			t.Errorf("%s: %d, want %d\n%s", address, got.Code, status, got.Body)
			continue
		}
		if strings.HasPrefix(address, "/static/") {
			continue
		}
		for _, fault := range check(parse(t, got.Body.String())) {
			t.Errorf("%s: %s", address, fault)
		}
	}
	if page := text(parse(t, b.get("/models/credti").Body.String())); !strings.Contains(page, `Model "credti" is not registered`) || !strings.Contains(page, "credit") {
		t.Error(page)
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// Whoever may see who acted reads names; whoever may not reads none.
func TestPagesNamePeople(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	auditor, viewer := h.as(t, access.Auditor), h.as(t, access.Viewer)
	name := "testpagesnamepeople.auditor"
	events, err := h.workspace.Trail.Events(t.Context(), trail.Filter{Type: trail.SessionOpened, Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	event := fmt.Sprintf("/trail/%d", events[0].Sequence)
	for address, want := range map[string]string{event: name + " signed in</bdi>.", "/trail?type=session.opened": `">` + name + "</bdi>", "/trail?actor=" + name: `">` + name + "</bdi>"} {
		if page := auditor.get(address); !strings.Contains(page.Body.String(), want) {
			t.Errorf("%s does not say %q", address, want)
		}
	}
	for _, address := range []string{event, "/trail?type=session.opened"} {
		if page := viewer.get(address).Body.String(); strings.Contains(page, name) {
			t.Errorf("%s names who acted to who may not see it", address)
		}
	}
}

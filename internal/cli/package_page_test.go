package cli_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var hiddenField = regexp.MustCompile(`name="(csrf|once)" value="([^"]*)"`)

// TestPackagePage: an auditor gets a package by the browser alone, and it verifies; others are told why not.
func TestPackagePage(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program several times")
	}
	t.Parallel()
	h := newHome(t)
	s := h.serve(nil)
	admin := s.firstAdmin(h)
	c := s.client(admin)
	s.must(c.Post(t.Context(), "/models", map[string]any{"name": "credit", "owner": "ada", "state": "experimental"}, nil))
	s.addPerson(c, "aud", "auditor")
	s.addPerson(c, "sam", "scientist")
	type answer struct {
		status int
		kind   string // media type
		body   string
	}
	visit := func(name string) (page string, send func(url.Values) answer) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		fetch := func(method, address string, form url.Values) answer {
			r, err := http.NewRequestWithContext(t.Context(), method, s.address+address, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			if form != nil {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			got, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			body, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			return answer{got.StatusCode, got.Header.Get("Content-Type"), string(body)}
		}
		fetch(http.MethodPost, "/sign-in", url.Values{"name": {name}, "passphrase": {passphrase}})
		page = fetch(http.MethodGet, "/models/credit/package", nil).body
		return page, func(form url.Values) answer {
			for _, field := range hiddenField.FindAllStringSubmatch(page, -1) {
				form.Set(field[1], field[2])
			}
			return fetch(http.MethodPost, "/models/credit/package", form)
		}
	}
	if page, _ := visit("sam"); strings.Contains(page, "Make the package") || !strings.Contains(page, "bundle.export") {
		t.Errorf("a scientist is offered a package, or not told why not:\n%s", page)
	}
	page, send := visit("aud")
	if !strings.Contains(page, "Make the package") {
		t.Fatalf("an auditor is offered none:\n%s", page)
	}
	if got := send(url.Values{"for": {"the auditor"}, "from": {"yesterday"}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "is no day") || !strings.Contains(got.body, "the auditor") {
		t.Errorf("a wrong day: %+v", got)
	}
	got := send(url.Values{"for": {"the auditor"}, "purpose": {"yearly"}, "disclose": {"yes"}})
	if got.status != http.StatusOK || got.kind != "application/zip" {
		t.Fatalf("the package: %d %s\n%.2000s", got.status, got.kind, got.body)
	}
	file := filepath.Join(h.dir, "credit.tally")
	if err := os.WriteFile(file, []byte(got.body), 0o600); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if said := h.run(0, "verify", file); !strings.Contains(said, "verified") {
		t.Errorf("the package does not verify:\n%s", said)
	}
}

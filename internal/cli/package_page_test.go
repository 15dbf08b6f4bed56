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
	visit := func(name string) (page string, send func(url.Values) (*http.Response, []byte)) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		fetch := func(r *http.Response, err error) (*http.Response, []byte) {
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			return r, body
		}
		fetch(browser.PostForm(s.address+"/sign-in", url.Values{"name": {name}, "passphrase": {passphrase}}))
		_, body := fetch(browser.Get(s.address + "/models/credit/package"))
		return string(body), func(form url.Values) (*http.Response, []byte) {
			for _, field := range hiddenField.FindAllStringSubmatch(string(body), -1) {
				form.Set(field[1], field[2])
			}
			return fetch(browser.PostForm(s.address+"/models/credit/package", form))
		}
	}
	if page, _ := visit("sam"); strings.Contains(page, "Make the package") || !strings.Contains(page, "bundle.export") {
		t.Errorf("a scientist is offered a package, or not told why not:\n%s", page)
	}
	page, send := visit("aud")
	if !strings.Contains(page, "Make the package") {
		t.Fatalf("an auditor is offered none:\n%s", page)
	}
	if r, body := send(url.Values{"for": {"the auditor"}, "from": {"yesterday"}}); r.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "is no day") || !strings.Contains(string(body), "the auditor") {
		t.Errorf("a wrong day: %s\n%s", r.Status, body)
	}
	r, body := send(url.Values{"for": {"the auditor"}, "purpose": {"yearly"}, "disclose": {"yes"}})
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/zip" {
		t.Fatalf("the package: %s\n%s", r.Status, body)
	}
	file := filepath.Join(h.dir, "credit.tally")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if said := h.run(0, "verify", file); !strings.Contains(said, "verified") {
		t.Errorf("the package does not verify:\n%s", said)
	}
}

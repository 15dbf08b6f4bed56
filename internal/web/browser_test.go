package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
)

// A real browser recomputes the proof of an event, and does not if a single digit is another.
func TestBrowserChecksProof(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs chromium: apt install chromium")
	}
	h := open(t)
	h.furnish(t)
	if _, err := h.workspace.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := h.as(t, access.Viewer)
	root := ""
	for _, n := range all(parse(t, b.get("/trail/12").Body.String()), "div") {
		if attribute(n, "data-root") != "" {
			root = attribute(n, "data-root")
		}
	}
	if len(root) != 64 {
		t.Fatalf("root hash %q", root)
	}
	other := map[bool]string{true: "1", false: "0"}[root[0] == '0'] + root[1:]
	const click = `<script type="module">
		await new Promise((done) => addEventListener('load', done));
		document.querySelector('[data-proof] button').click();
	</script></body>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := strings.Replace(b.get("/trail/12").Body.String(), "</body>", click, 1)
		switch r.URL.Path {
		case "/true":
		case "/false":
			page = strings.Replace(page, `data-root="`+root, `data-root="`+other, 1)
		default:
			h.pages.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(s.Close)
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // a child of the browser may still write there
	for path, want := range map[string]string{"/true": "✓ Checked here", "/false": "✕ The leaf and its proof do not lead"} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+profile,
			"--virtual-time-budget=5000", "--dump-dom", s.URL+path).Output()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
}

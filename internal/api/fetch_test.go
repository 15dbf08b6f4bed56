package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	const content = "weights"
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/inward":
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		case "/short":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, content)
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("x", 2000))
		default:
			_, _ = io.WriteString(w, content)
		}
	}))
	t.Cleanup(files.Close)
	allowed, err := dial.ParseAllowList([]string{files.URL, "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	closed := h.as("ada", access.Scientist)
	h.Fetch = dial.New(dial.Config{Allow: allowed, MaxBytes: 1000})
	ada, eve := h.as("ada", access.Scientist), h.as("eve", access.Viewer)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit"}).want(t, 200)
	const path = "/models/credit/artifacts"
	at := func(name string) map[string]any { return map[string]any{"url": files.URL + name} }

	for _, refusal := range []struct {
		by     http.Handler
		body   any
		status int
	}{
		{closed, at("/a"), 403},
		{eve, at("/a"), 403},
		{ada, at("/inward"), 403},
		{ada, at("/short"), 503},
		{ada, at("/large"), 400},
		{ada, map[string]any{"url": files.URL + "/a", "digest": tallystick.DigestOf([]byte("other"))}, 400},
		{ada, map[string]any{"url": strings.Replace(files.URL, "//", "//ana:secret@", 1)}, 400},
		{ada, map[string]any{"url": "http://169.254.169.254/latest"}, 403},
		{ada, map[string]any{"url": "file:///etc/passwd"}, 400},
		{ada, map[string]any{"url": ""}, 400},
		{ada, map[string]any{}, 422},
		{ada, map[string]any{"url": files.URL, "digest": "sha256:0"}, 422},
	} {
		denied := h.count(t, trail.CommandRefused)
		a := ask(t, refusal.by, "POST", path, refusal.body).want(t, refusal.status)
		if strings.Contains(a.String(), "secret") {
			t.Errorf("%s", a)
		}
		if on := h.count(t, trail.CommandRefused) - denied; (refusal.status == 403) != (on == 1) {
			t.Errorf("%v: %d refusals on the trail", refusal.body, on)
		}
	}
	ask(t, ada, "POST", "/models/none/artifacts", at("/a")).want(t, 404)
	if names := h.stored(t); len(names) > 0 || h.count(t, trail.ArtifactFetched) > 0 {
		t.Fatalf("left behind: %v", names)
	}

	d := tallystick.DigestOf([]byte(content))
	for i, body := range []map[string]any{{"url": files.URL + "/a?signature=hidden#hidden"}, {"url": files.URL + "/a", "digest": d}} {
		found := read[struct {
			Digest tallystick.Digest
			Size   int64
		}](t, ask(t, ada, "POST", path, body).want(t, 200))
		if found.Digest != d || found.Size != int64(len(content)) {
			t.Errorf("%+v", found)
		}
		events, err := h.Workspace.Trail.Events(t.Context(), trail.Filter{Type: trail.ArtifactFetched, Model: "credit", Limit: 10})
		if err != nil || len(events) != i+1 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		leaf := string(events[i].Leaf)
		if !strings.Contains(leaf, `"url":"`+files.URL+`/a"`) || strings.Contains(leaf, "hidden") || !strings.Contains(leaf, string(d)) || strings.Contains(leaf, `"digest_given":true`) != (i == 1) {
			t.Errorf("%s", leaf)
		}
	}
}

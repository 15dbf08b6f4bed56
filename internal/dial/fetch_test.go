package dial_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	other, otherHost := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "other", r.Header) })
	server, hostPort := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/file":
			_, _ = io.WriteString(w, "content")
		case path == "/partial":
			w.WriteHeader(http.StatusPartialContent)
		case path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		case path == "/private":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
		case path == "/other":
			http.Redirect(w, r, other.URL+"/x", http.StatusMovedPermanently)
		case path == "/local":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case path == "/credentials":
			http.Redirect(w, r, "http://ana:secret@"+r.Host+"/file", http.StatusFound)
		case strings.HasPrefix(path, "/hops/"):
			if n, _ := strconv.Atoi(strings.TrimPrefix(path, "/hops/")); n > 0 {
				http.Redirect(w, r, fmt.Sprint("/hops/", n-1), http.StatusSeeOther)
				return
			}
			_, _ = io.WriteString(w, "content")
		default:
			status, _ := strconv.Atoi(strings.TrimPrefix(path, "/"))
			w.WriteHeader(status)
		}
	})
	c := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "127.0.0.0/8", "http://169.254.169.254")})
	for path, want := range map[string]tallystick.Code{
		"/file": "", "/hops/1": "", "/hops/5": "", "/hops/6": tallystick.Invalid, "/partial": tallystick.Invalid, "/nowhere": tallystick.Invalid,
		"/private": tallystick.Forbidden, "/other": tallystick.Forbidden, "/local": tallystick.Invalid, "/credentials": tallystick.Forbidden,
		"/404": tallystick.NotFound, "/410": tallystick.NotFound, "/401": tallystick.Invalid, "/500": tallystick.Invalid, "/503": tallystick.Unavailable, "/429": tallystick.Unavailable, "/204": tallystick.Invalid,
	} {
		answer, err := c.Fetch(t.Context(), server.URL+path)
		if tallystick.CodeOf(err) != want || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if err == nil {
			if content, err := io.ReadAll(answer.Body); err != nil || string(content) != "content" {
				t.Errorf("%s: %q, %v", path, content, err)
			}
			_ = answer.Body.Close()
		}
	}
	both := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "127.0.0.0/8", "http://"+otherHost)})
	if answer, err := both.Fetch(t.Context(), server.URL+"/other"); err != nil {
		t.Error(err)
	} else {
		_ = answer.Body.Close()
	}
}

// TestFetchStaysSecure: what began over https is not fetched over http.
func TestFetchStaysSecure(t *testing.T) {
	t.Parallel()
	plain, plainHost := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "content") })
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	c := dial.New(dial.Config{
		Allow: allow(t, strings.TrimPrefix(secure.URL, "https://"), "http://"+plainHost, "127.0.0.0/8"),
		Roots: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
	})
	if _, err := c.Fetch(t.Context(), secure.URL); tallystick.CodeOf(err) != tallystick.Forbidden || !strings.Contains(err.Error(), "from https to") { //nolint:bodyclose // there is none with an error
		t.Error(err)
	}
}

// TestIdle: a host that falls silent in the middle of a body is not waited for.
func TestIdle(t *testing.T) {
	t.Parallel()
	server, hostPort := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "part")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "127.0.0.0/8"), Idle: 20 * time.Millisecond})
	answer, err := c.Fetch(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(answer.Body)
	if tallystick.CodeOf(err) != tallystick.Unavailable || string(content) != "part" {
		t.Errorf("%q, %v", content, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://models.example.org/a/b.bin":                         "https://models.example.org/a/b.bin",
		"https://models.example.org/b.bin?X-Signature=secret#secret": "https://models.example.org/b.bin",
		"https://models.example.org/b%20c.bin?":                      "https://models.example.org/b%20c.bin",
		"https://ana:secret@models.example.org/b.bin":                "",
		"https://secret@models.example.org/b.bin":                    "",
		"file:///etc/secret":                                         "",
		"models.example.org/secret":                                  "",
		"https:secret":                                               "",
		"https://models.example.org/%zz?secret":                      "",
	} {
		got, err := dial.Shown(raw)
		if got != want || (err == nil) != (want != "") || err != nil && tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
		if strings.Contains(raw, "@") && strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

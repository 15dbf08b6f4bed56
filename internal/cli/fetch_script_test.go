package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// posted is what was posted to the server of files of a script, by path, in the order in which it came.
type posted struct {
	mu   sync.Mutex
	came map[string][]json.RawMessage
}

const postedKey = "posted"

// cmdFiles starts a server of files at $FILES: /credit.bin is one, /moved leads to it, /inward leads to
// the metadata service of a cloud, and /circle leads to itself. Of what is posted to it /shut takes nothing and every
// other path all; JSON is kept.
//
// files take PATH N FILE waits, a minute at most, until JSON was posted to a path N times, and writes it to a file as one
// list. More than N is a failure, unless N has a + behind it.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value(postedKey).(*posted)
	switch {
	case !neg && len(args) == 1 && args[0] == "start":
		p.start(ts)
	case !neg && len(args) == 4 && args[0] == "take":
		number, more := strings.CutSuffix(args[2], "+")
		n, err := strconv.Atoi(number)
		ts.Check(err)
		p.take(ts, args[1], n, more, args[3])
	default:
		ts.Fatalf("usage: files start|take PATH N[+] FILE")
	}
}

func (p *posted) start(ts *testscript.TestScript) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /credit.bin", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "weights\n") })
	mux.Handle("GET /moved", http.RedirectHandler("/credit.bin?signature=2", http.StatusFound))
	mux.Handle("GET /inward", http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	mux.Handle("GET /circle", http.RedirectHandler("/circle", http.StatusFound))
	mux.HandleFunc("GET /", http.NotFound) // which is there, though not for every method
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && json.Valid(body) {
			p.mu.Lock()
			p.came[r.URL.Path] = append(p.came[r.URL.Path], bytes.TrimSpace(body))
			p.mu.Unlock()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /shut", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("FILES", server.URL)
}

func (p *posted) take(ts *testscript.TestScript, path string, n int, more bool, file string) {
	var came []json.RawMessage
	for deadline := time.Now().Add(time.Minute); len(came) < n && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		p.mu.Lock()
		came = p.came[path]
		p.mu.Unlock()
	}
	list, err := json.MarshalIndent(came, "", "  ")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), list, 0o600))
	if len(came) < n || len(came) > n && !more {
		ts.Fatalf("%d times something was posted to %s, want %d:\n%s", len(came), path, n, list)
	}
}

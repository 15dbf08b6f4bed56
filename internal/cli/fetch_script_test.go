package cli

import (
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFiles starts a server of files at $FILES: /credit.bin is one, /moved leads to it, /inward leads to
// the metadata service of a cloud, and /circle leads to itself. Of what is posted to it /inbox takes all
// and /shut nothing.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || args[0] != "start" {
		ts.Fatalf("usage: files start")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/credit.bin", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "weights\n") })
	mux.Handle("/moved", http.RedirectHandler("/credit.bin?signature=2", http.StatusFound))
	mux.Handle("/inward", http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	mux.Handle("/circle", http.RedirectHandler("/circle", http.StatusFound))
	mux.HandleFunc("POST /inbox", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /shut", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("FILES", server.URL)
}

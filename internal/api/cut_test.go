package api_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/trail"
)

// stored returns the files of the store of artifacts, with those that have no name yet.
func (h house) stored(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(h.dir, "artifacts"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestCutUpload: a connection that ends in the middle of a body leaves nothing, in the store or on the
// trail; the next try begins anew.
func TestCutUpload(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit"}).want(t, 200)
	answered := make(chan bool, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ada.ServeHTTP(w, r)
		answered <- true
	}))
	defer server.Close()
	content := strings.Repeat("weights ", 1<<17)
	d := tallystick.DigestOf([]byte(content))
	path := "/models/credit/artifacts/" + string(d)
	for _, length := range []string{fmt.Sprint("Content-Length: ", len(content)), "Transfer-Encoding: chunked"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "PUT %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n%s\r\nExpect: 100-continue\r\n\r\n", api.Prefix, path, length)
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q, %v", line, err)
		}
		half := content[:len(content)/2]
		if strings.HasPrefix(length, "Transfer") {
			half = fmt.Sprintf("%x\r\n%s\r\n", len(half), half)
		}
		if _, err := conn.Write([]byte(half)); err != nil {
			t.Fatal(err)
		}
		if names := h.stored(t); len(names) != 1 {
			t.Errorf("while it is written there are %v", names)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-answered:
		case <-time.After(2 * time.Minute):
			t.Fatal("the server still waits")
		}
		if names := h.stored(t); len(names) > 0 || h.count(t, trail.ArtifactUploaded) > 0 {
			t.Errorf("%s: left behind: %v, and %d events", length, names, h.count(t, trail.ArtifactUploaded))
		}
	}
	// A body that is shorter than its digest, and said to be whole.
	ask(t, ada, "PUT", path, content[:100], "Content-Type", "application/octet-stream").want(t, 400)
	if names := h.stored(t); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	ask(t, ada, "PUT", path, content, "Content-Type", "application/octet-stream").want(t, 200)
	if names := h.stored(t); len(names) != 1 || h.count(t, trail.ArtifactUploaded) != 1 {
		t.Errorf("at the end: %v", names)
	}
}

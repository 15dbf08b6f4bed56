package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

// TestSlowBatches: a batch that does not come is let go, and the room that it had is free again.
func TestSlowBatches(t *testing.T) {
	t.Parallel()
	k := newIntake()
	k.wait = 100 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, release, err := k.read(w, r)
		release()
		w.WriteHeader(tallystick.CodeOf(err).HTTPStatus())
	}))
	defer server.Close()
	t.Run("slow", func(t *testing.T) { // ends when all have
		for name, header := range map[string]string{
			"announced": "Content-Length: 100000", "large": fmt.Sprint("Content-Length: ", maxBatch-1), "in chunks": "Transfer-Encoding: chunked",
			"packed": "Content-Encoding: gzip\r\nContent-Length: 100000", "packed otherwise": "Content-Encoding: zstd\r\nTransfer-Encoding: chunked",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n\r\n1", header)
				from := bufio.NewReader(conn)
				answer, err := http.ReadResponse(from, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				if _, err := io.Copy(io.Discard, from); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("answered %v, then %v", answer, err)
				}
			})
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left != maxIntake {
		t.Errorf("%d bytes are still held", maxIntake-k.left)
	}
}

package cloudevents_test

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

	"github.com/tallystick/tallystick/internal/journal"
)

// TestSlowBodies: events whose body does not come are let go, more of them than are read at once, and others are
// taken then; one that is too large is refused.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	h.SetBodyWait(100 * time.Millisecond)
	server := httptest.NewServer(h)
	defer server.Close()
	t.Run("slow", func(t *testing.T) { // ends when all have
		for n := range 6 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
					t.Fatal(err)
				}
				fmt.Fprint(conn, "POST /cloudevents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 100000\r\n\r\n1")
				from := bufio.NewReader(conn)
				answer, err := http.ReadResponse(from, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				if _, err := io.Copy(io.Discard, from); err != nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
					t.Errorf("answered %v, then %v", answer, err)
				}
			})
		}
	})
	h.SetBodyWait(2 * time.Minute)
	if w := h.post(t, strings.Repeat(" ", 8<<20+1)); w.Code != http.StatusBadRequest {
		t.Errorf("too large: %d %s", w.Code, w.Body)
	}
	if w := h.post(t, "{}", "Ce-Id", "1", "Ce-Type", "of.another", "Ce-Source", "x", "Ce-Specversion", "1.0"); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

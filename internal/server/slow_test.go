package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience is after how long a test gives up that waits for something to happen.
const patience = 2 * time.Minute

// open sends the beginning of a request and returns the connection.
func (r *running) open(t *testing.T, beginning string) net.Conn {
	t.Helper()
	address := strings.TrimPrefix(r.url, "http://")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, strings.ReplaceAll(beginning, "\n", "\r\n"), address); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestSlowBodies: a sender whose body does not come is let go, whether a handler reads it or answers without; one
// whose body has come has all the time that the answer takes.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	r := run(t, newFake(), func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusUnauthorized)
		case "/read":
			if _, err := io.ReadAll(r.Body); err != nil {
				w.WriteHeader(http.StatusRequestTimeout)
			}
		case "/slow":
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
			waiting, cancel := context.WithTimeout(r.Context(), time.Second) // ten times what a body has
			defer cancel()
			<-waiting.Done()
			if r.Context().Err() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
	}, func(c *Config) { c.unsafeBodyWait = 100 * time.Millisecond })
	r.get(t, "/", "") // it listens
	for path, status := range map[string]int{"/refused": http.StatusUnauthorized, "/read": http.StatusRequestTimeout} {
		for name, length := range map[string]string{"announced": "Content-Length: 100000", "in chunks": "Transfer-Encoding: chunked"} {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				conn := r.open(t, "POST "+path+" HTTP/1.1\nHost: %s\n"+length+"\n\n1")
				from := bufio.NewReader(conn)
				answer, err := http.ReadResponse(from, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				if _, err := io.ReadAll(from); err != nil || answer.StatusCode != status || !answer.Close {
					t.Errorf("answered %v, then %v: the connection is still open", answer, err)
				}
			})
		}
	}
	t.Run("slow answer", func(t *testing.T) {
		t.Parallel()
		answer, err := http.ReadResponse(bufio.NewReader(r.open(t, "POST /slow HTTP/1.1\nHost: %s\nContent-Length: 1\n\n1")), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("answered %v", answer)
		}
	})
}

// TestManyConnections: of more connections than there may be, the others wait until one ends.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	l, err := limited(t.Context(), "127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third was accepted")
	default:
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third := <-accepted
	if third == nil {
		t.Fatal("the third was not accepted")
	}
	_, _ = second.Close(), third.Close()
}

// TestLargeHead: who sends a head that is too large reads why not, and then the end, rather than a reset.
func TestLargeHead(t *testing.T) {
	t.Parallel()
	r := run(t, newFake(), func(http.ResponseWriter, *http.Request) {}, nil)
	r.get(t, "/", "") // it listens
	conn := r.open(t, "GET /?"+strings.Repeat("x", 200<<10)+" HTTP/1.1\nHost: %s\n\n")
	said, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(said), "HTTP/1.1 431 ") {
		t.Errorf("read %q, then %v", said, err)
	}
}

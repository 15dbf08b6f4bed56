package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// each runs a test over a network, and in process.
func each(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, c *client.Client)) {
	t.Helper()
	t.Run("network", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		test(t, dial(t, server.URL, nil))
	})
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		test(t, dial(t, "http://localhost", client.Handler{Handler: handler}))
	})
}

func dial(t *testing.T, server string, transport http.RoundTripper) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Server: server, Token: "secret", Transport: transport, Purpose: "test", UserAgent: "tester"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServers(t *testing.T) {
	t.Parallel()
	for server, fine := range map[string]bool{
		"https://models.example.org": true, "https://models.example.org/": true, "https://10.0.0.5:8750": true,
		"http://127.0.0.1:8750": true, "http://127.8.8.8": true, "http://[::1]:8750": true, "http://localhost": true, "http://LOCALHOST:80": true,
		// In the clear over a network:
		"http://models.example.org": false, "http://10.0.0.5:8750": false, "http://localhost.example.org": false, "http://0.0.0.0:8750": false, "http://[fe80::1]": false, "http://127.0.0.1.example.org": false,
		// No servers:
		"": false, "models.example.org": false, "ftp://models.example.org": false, "https://": false, "https://ana:pass@models.example.org": false, "https://models.example.org/api": false, "https://models.example.org?a=b": false,
	} {
		for _, token := range []string{"", "secret"} {
			_, err := client.New(client.Config{Server: server, Token: token})
			var told *tallystick.Error
			if (err == nil) != fine || err != nil && (!errors.As(err, &told) || told.Code != tallystick.Invalid || told.Hint == "") {
				t.Errorf("server %q with token %q: %v", server, token, err)
			}
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	each(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Tallystick-Event", "e1")
		w.Header().Set("Tallystick-Sequence", "7")
		_ = json.NewEncoder(w).Encode([]string{
			r.Method, r.URL.RequestURI(), string(body), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Tallystick-Purpose"), r.UserAgent(),
			strconv.FormatBool(r.Header.Get("Idempotency-Key") != ""),
		})
	}, func(t *testing.T, c *client.Client) {
		var got [5][]string
		var receipts [5]client.Receipt
		errs := make([]error, 5)
		in := map[string]int{"a": 1}
		errs[0] = c.Get(t.Context(), "/models/a%2Fb?x=y", &got[0])
		receipts[1], errs[1] = c.Post(t.Context(), "/models", in, &got[1])
		receipts[2], errs[2] = c.Patch(t.Context(), "/models", in, &got[2])
		receipts[3], errs[3] = c.Put(t.Context(), "/models", in, &got[3])
		receipts[4], errs[4] = c.Delete(t.Context(), "/models", &got[4])
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		var want [5][]string
		for i, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
			want[i] = []string{method, "/api/v1/models", `{"a":1}`, "Bearer secret", "application/json", "test", "tester", "true"}
			if i == 0 || i == 4 {
				want[i][2], want[i][4] = "", ""
			}
			if i > 0 && receipts[i] != (client.Receipt{Event: "e1", Sequence: "7"}) {
				t.Errorf("%s: receipt %+v", method, receipts[i])
			}
		}
		want[0][1], want[0][7] = "/api/v1/models/a%2Fb?x=y", "false"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status        int
		body          string
		code          tallystick.Code
		message, hint string
	}{
		{409, `{"title":"Conflict","detail":"model is retired","code":"conflict","hint":"register it again"}`, tallystick.Conflict, "model is retired", "register it again"},
		{403, `{"title":"Forbidden","detail":"not yours","code":"forbidden"}`, tallystick.Forbidden, "not yours", ""},
		{500, `{"title":"x","detail":"a fault of ours","code":"internal","instance":"urn:uuid:1"}`, tallystick.Internal, "a fault of ours (urn:uuid:1)", ""},
		{422, `{"title":"Unprocessable Entity","detail":"validation","errors":[{"message":"too long","location":"body.name"}]}`, tallystick.Invalid, "validation; name: too long", ""},
		{401, `{"title":"Unauthorized","detail":"no token"}`, tallystick.Unauthorized, "no token", ""},
		{404, "404 page not found", tallystick.NotFound, "the server answered 404 Not Found", ""},
		{412, "", tallystick.Conflict, "the server answered 412 Precondition Failed", ""},
		{413, "<html>", tallystick.Invalid, "the server answered 413 Request Entity Too Large", ""},
		{500, `{"title":3}`, tallystick.Internal, "the server answered 500 Internal Server Error", ""},
	} {
		each(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}, func(t *testing.T, c *client.Client) {
			_, posted := c.Post(t.Context(), "/models", nil, nil)
			_, loaded := c.Download(t.Context(), "/models")
			for _, err := range []error{posted, loaded, c.Get(t.Context(), "/models", nil)} {
				var told *tallystick.Error
				if !errors.As(err, &told) || told.Code != test.code || told.Message != test.message || told.Hint != test.hint {
					t.Errorf("%d %s: %#v", test.status, test.body, err)
				}
			}
		})
	}
}

// TestRepetition: what may pass is tried again with the same key, and nothing else is.
func TestRepetition(t *testing.T) {
	t.Parallel()
	cut := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	say := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	for name, test := range map[string]struct {
		answer   func(http.ResponseWriter)
		repeated bool
	}{
		"cut": {cut, true}, "429": {say(429), true}, "502": {say(502), true}, "503": {say(503), true}, "504": {say(504), true},
		"400": {say(400), false}, "401": {say(401), false}, "409": {say(409), false}, "500": {say(500), false},
		"cut in the middle": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			keys := map[string][]string{} // by path
			each(t, func(w http.ResponseWriter, r *http.Request) {
				path := r.URL.Path + " " + r.RemoteAddr[:3] // one for each way
				mu.Lock()
				keys[path] = append(keys[path], r.Header.Get("Idempotency-Key"))
				n := len(keys[path])
				mu.Unlock()
				if n <= 2 {
					test.answer(w)
				}
			}, func(t *testing.T, c *client.Client) {
				_, err := c.Post(t.Context(), "/first", map[string]int{}, nil)
				_, other := c.Post(t.Context(), "/second", nil, nil)
				if test.repeated != (err == nil) || test.repeated != (other == nil) {
					t.Errorf("%v, %v", err, other)
				}
			})
			t.Cleanup(func() {
				if len(keys) != 4 {
					t.Errorf("asked %v", keys)
				}
				seen := map[string]bool{}
				for path, used := range keys {
					want := 1
					if test.repeated {
						want = 3
					}
					if len(used) != want || used[0] == "" || seen[used[0]] || len(slices.Compact(slices.Clone(used))) != 1 {
						t.Errorf("%s was asked with the keys %q", path, used)
					}
					seen[used[0]] = true
				}
			})
		})
	}
}

// TestRetryAfter: a server says when to come back, in bounds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field         func() string
		tries         int
		least, atMost time.Duration // until the end
	}{
		"none":        {func() string { return "" }, 4, 600 * time.Millisecond, 3 * time.Second},
		"seconds":     {func() string { return "7" }, 4, 21 * time.Second, 22 * time.Second},
		"date":        {func() string { return time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat) }, 4, 24 * time.Second, 28 * time.Second},
		"past":        {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, 4, 600 * time.Millisecond, 3 * time.Second},
		"none at all": {func() string { return "soon" }, 4, 600 * time.Millisecond, 3 * time.Second},
		"too long":    {func() string { return "3600" }, 1, 0, 0},
		"never":       {func() string { return "99999999999999999999" }, 4, 600 * time.Millisecond, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				c := dial(t, "http://localhost", client.Handler{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					asked++
					w.Header().Set("Retry-After", test.field())
					w.WriteHeader(http.StatusServiceUnavailable)
				})})
				began := time.Now()
				err := c.Get(t.Context(), "/models", nil)
				if took := time.Since(began); tallystick.CodeOf(err) != tallystick.Unavailable || asked != test.tries || took < test.least || took > test.atMost {
					t.Errorf("asked %d times in %s: %v", asked, took, err)
				}
			})
		})
	}
}

// TestNoUseToWait: who has less time than the server asks for is told at once.
func TestNoUseToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := dial(t, "http://localhost", client.Handler{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "10")
			w.WriteHeader(http.StatusServiceUnavailable)
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := c.Get(ctx, "/models", nil); tallystick.CodeOf(err) != tallystick.Unavailable || time.Since(began) > 0 {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestItems(t *testing.T) {
	t.Parallel()
	each(t, func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		switch {
		case r.URL.Query().Get("kind") != "odd":
			http.Error(w, "the query was lost", http.StatusBadRequest)
		case strings.HasSuffix(r.URL.Path, "/broken") && after >= 6:
			http.Error(w, "", http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, "/circle"):
			_, _ = io.WriteString(w, `{"items":[1],"next":"here"}`)
		case after >= 9:
			_, _ = io.WriteString(w, `{"items":[]}`)
		default:
			fmt.Fprintf(w, `{"items":[%d,%d,%d],"next":"%d"}`, after, after+1, after+2, after+3)
		}
	}, func(t *testing.T, c *client.Client) {
		query := url.Values{"kind": {"odd"}}
		for limit, want := range map[int]int{0: 9, 1: 1, 3: 3, 4: 4, 9: 9, 100: 9} {
			items, err := client.List[int](t.Context(), c, "/numbers", query, limit)
			if err != nil || len(items) != want || !slices.IsSorted(items) {
				t.Errorf("limit %d: %v %v", limit, items, err)
			}
		}
		var walked []int
		var last error
		for item, err := range client.Items[int](t.Context(), c, "/broken", query) {
			if last = err; err == nil {
				walked = append(walked, item)
			}
		}
		if len(walked) != 6 || tallystick.CodeOf(last) != tallystick.NotFound {
			t.Errorf("walked over %v, then %v", walked, last)
		}
		if items, err := client.List[int](t.Context(), c, "/circle", query, 0); err == nil {
			t.Errorf("a list that leads back to itself: %v", items)
		}
		if diff := cmp.Diff(url.Values{"kind": {"odd"}}, query); diff != "" {
			t.Errorf("the caller's query: %s", diff)
		}
	})
}

// TestRedirect: no token goes where a server points.
func TestRedirect(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		each(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/api/v1/models?secret=1", status)
		}, func(t *testing.T, c *client.Client) {
			_, posted := c.Post(t.Context(), "/models", map[string]int{}, nil)
			_, loaded := c.Download(t.Context(), "/models")
			sent := c.Upload(t.Context(), "/models", 3, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("abc")), nil }, nil)
			for _, err := range []error{posted, loaded, sent, c.Get(t.Context(), "/models", nil)} {
				if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), other.URL) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%d: %v", status, err)
				}
			}
			if len(asked) > 0 {
				t.Errorf("%d was followed, with the token %q", status, <-asked)
			}
		})
	}
}

// TestAnswerLimit: a server cannot fill the memory of who asks.
func TestAnswerLimit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads 64 MiB")
	}
	each(t, func(w http.ResponseWriter, _ *http.Request) {
		piece := []byte(strings.Repeat(" ", 1<<20))
		for range 1 << 20 {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}, func(t *testing.T, c *client.Client) {
		if err := c.Get(t.Context(), "/models", new(any)); err == nil || !strings.Contains(err.Error(), "larger than") {
			t.Error(err)
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	err := dial(t, server.URL, nil).Get(t.Context(), "/models", nil)
	if tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "does not prove who it is") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dial(t, gone.URL, nil).Get(t.Context(), "/models", nil); tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), gone.URL) {
		t.Errorf("no server: %v", err)
	}
	if err := dial(t, gone.URL, nil).Get(ended, "/models", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is told %v", err)
	}
}

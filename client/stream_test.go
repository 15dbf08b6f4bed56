package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// TestUploadStreams: what is sent arrives before the rest is there.
func TestUploadStreams(t *testing.T) {
	t.Parallel()
	each(t, func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 100_000)
		if _, err := io.ReadFull(r.Body, piece); err != nil {
			t.Error(err)
		}
		_ = http.NewResponseController(w).EnableFullDuplex() // in process it is so anyway
		w.Header().Set("Got", "first")
		_ = http.NewResponseController(w).Flush()
		n, err := io.Copy(w, r.Body)
		if n != 100_000 || err != nil {
			t.Errorf("%d bytes more, %v", n, err)
		}
	}, func(t *testing.T, c *client.Client) {
		first, second := bytes.Repeat([]byte("1"), 100_000), []byte(`"`+strings.Repeat("2", 99_998)+`"`)
		body, w := io.Pipe()
		go func() {
			_, _ = w.Write(first) // returns once it was read
			_, _ = w.Write(second)
			_ = w.Close()
		}()
		var got string
		if err := c.Upload(t.Context(), "/x", 200_000, func() (io.ReadCloser, error) { return body, nil }, &got); err != nil || len(got) != 99_998 {
			t.Errorf("%d bytes came back, %v", len(got), err)
		}
	})
}

// TestDownloadStreams: what was sent can be read before the rest is there.
func TestDownloadStreams(t *testing.T) {
	t.Parallel()
	next := make(chan bool)
	each(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-next:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "second")
	}, func(t *testing.T, c *client.Client) {
		r, err := c.Download(t.Context(), "/x")
		if err != nil {
			t.Fatal(err)
		}
		piece := make([]byte, 5)
		if _, err := io.ReadFull(r, piece); err != nil || string(piece) != "first" {
			t.Fatalf("%q %v", piece, err)
		}
		next <- true
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "second" {
			t.Errorf("%q %v", rest, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRefusedUpload: a body that nobody wants is not sent.
func TestRefusedUpload(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(server.Close)
	var read atomic.Int64
	err := dial(t, server.URL, nil).Upload(t.Context(), "/x", 1<<30, func() (io.ReadCloser, error) { return io.NopCloser(endless{&read}), nil }, nil)
	if tallystick.CodeOf(err) != tallystick.Forbidden || read.Load() > 0 {
		t.Errorf("%d bytes were sent: %v", read.Load(), err)
	}
}

// endless is a body without end; it counts.
type endless struct{ read *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// TestLengths: a body that is not as long as was said is no body.
func TestLengths(t *testing.T) {
	t.Parallel()
	each(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil && r.ContentLength > 5 {
			t.Errorf("a shorter body than %d was taken", r.ContentLength)
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}, func(t *testing.T, c *client.Client) {
		for size, fine := range map[int64]bool{0: false, 4: false, 5: true, 6: false, 1 << 20: false} {
			tries := 0
			err := c.Upload(t.Context(), "/x", size, func() (io.ReadCloser, error) { tries++; return io.NopCloser(strings.NewReader("12345")), nil }, nil)
			if (err == nil) != fine || tries > 1 {
				t.Errorf("5 bytes sent as %d: %v after %d tries", size, err, tries)
			}
			if !fine && tallystick.CodeOf(err) != tallystick.Invalid {
				t.Errorf("5 bytes sent as %d: %v", size, err)
			}
		}
	})
}

// TestCutDownload: a part is never taken for the whole.
func TestCutDownload(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"aborted": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
			panic(http.ErrAbortHandler)
		},
		"panicked": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
			panic(http.ErrHandlerTimeout)
		},
		"too short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2000000")
			_, _ = w.Write(make([]byte, 1<<20))
		},
		"at once":       func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"nothing of it": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, handler, func(t *testing.T, c *client.Client) {
				r, err := c.Download(t.Context(), "/x")
				if err != nil {
					return
				}
				defer r.Close()
				if n, err := io.Copy(io.Discard, r); err == nil {
					t.Errorf("%d bytes came as if they were all", n)
				}
			})
		})
	}
}

// TestGone: a handler is told when nobody waits for it any longer.
func TestGone(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(ctx context.Context, cancel func(), c *client.Client) error{
		"before the answer": func(ctx context.Context, cancel func(), c *client.Client) error {
			time.AfterFunc(20*time.Millisecond, cancel)
			err := c.Get(ctx, "/wait", nil)
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return errors.Join(errors.New("not told of its own end"), err)
		},
		"in an upload": func(ctx context.Context, cancel func(), c *client.Client) error {
			time.AfterFunc(20*time.Millisecond, cancel)
			body := func() (io.ReadCloser, error) { return io.NopCloser(endless{new(atomic.Int64)}), nil }
			if err := c.Upload(ctx, "/read", 1<<50, body, nil); !errors.Is(err, context.Canceled) {
				return errors.Join(errors.New("not told of its own end"), err)
			}
			return nil
		},
		"in a download": func(ctx context.Context, _ func(), c *client.Client) error {
			r, err := c.Download(ctx, "/write")
			if err == nil {
				_, err = io.ReadFull(r, make([]byte, 10))
			}
			if err == nil {
				err = r.Close()
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 2)
			each(t, func(w http.ResponseWriter, r *http.Request) {
				var err error
				switch r.URL.Path {
				case "/api/v1/read":
					_, err = io.Copy(io.Discard, r.Body)
				case "/api/v1/write":
					for err == nil {
						_, err = w.Write(make([]byte, 1<<16))
					}
				default:
					<-r.Context().Done()
					err = r.Context().Err()
				}
				ended <- err
			}, func(t *testing.T, c *client.Client) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if err := leave(ctx, cancel, c); err != nil {
					t.Error(err)
				}
				select {
				case err := <-ended:
					if err == nil {
						t.Error("the handler took it for the end")
					}
				case <-time.After(2 * time.Minute):
					t.Error("the handler still waits")
				}
			})
		})
	}
}

// TestStall: a server that has fallen silent does not hold anybody for ever.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(begin bool) *client.Client {
			return dial(t, "http://localhost", client.Handler{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if begin {
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})})
		}
		began := time.Now()
		r, err := silent(true).Download(t.Context(), "/x")
		if err == nil {
			_, err = io.ReadAll(r)
			_ = r.Close()
		}
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "no byte has moved") || took != time.Minute {
			t.Errorf("a download ends after %s with %v", took, err)
		}
		if err := silent(true).Get(t.Context(), "/x", nil); tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "no byte has moved") {
			t.Error(err)
		}
		began = time.Now()
		err = silent(false).Upload(t.Context(), "/x", 1<<30, func() (io.ReadCloser, error) { return io.NopCloser(endless{new(atomic.Int64)}), nil }, nil)
		if took := time.Since(began); tallystick.CodeOf(err) != tallystick.Unavailable || took < 4*time.Minute || took > 5*time.Minute {
			t.Errorf("an upload that is not read ends after %s with %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := silent(false).Get(ctx, "/x", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestLikeANetwork compares what handlers' answers look like with and without a network between.
func TestLikeANetwork(t *testing.T) {
	t.Parallel()
	type seen struct {
		Status  string
		Length  int64
		Header  http.Header
		Body    string
		Trailer http.Header
		Failed  bool
	}
	look := func(t *testing.T, transport http.RoundTripper, server, method string) (s seen) {
		r, err := http.NewRequestWithContext(t.Context(), method, server, strings.NewReader("asked"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := transport.RoundTrip(r)
		if err != nil {
			return seen{Failed: true}
		}
		body, err := io.ReadAll(a.Body)
		_ = a.Body.Close()
		a.Header.Del("Date")
		if len(a.Trailer) == 0 {
			a.Trailer = nil
		}
		return seen{a.Status, a.ContentLength, a.Header, string(body), a.Trailer, err != nil}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"small":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"large":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20)) },
		"status":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"twice": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot)
		},
		"hint first": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		},
		"late header": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.Header().Set("Late", "1")
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			_ = http.NewResponseController(w).Flush()
			w.Header().Set("Late", "1")
			_, _ = io.WriteString(w, "b")
		},
		"length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = io.WriteString(w, "abc")
		},
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, err := io.WriteString(w, "abcd")
			_, _ = io.WriteString(w, "abc")
			if !errors.Is(err, http.ErrContentLength) {
				panic(err)
			}
		},
		"too short": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "3") },
		"no content": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "a"); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		},
		"trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Digest, Absent")
			_, _ = io.WriteString(w, "abc")
			w.Header().Set("Digest", "1")
			w.Header().Set(http.TrailerPrefix+"Other", "2")
		},
		"aborted": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"held": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			panic(http.ErrAbortHandler)
		},
		"cut":  func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); panic(http.ErrAbortHandler) },
		"echo": func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) },
		"informed": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Method+r.RequestURI+r.URL.Path+r.Proto)
		},
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(handler)
				defer server.Close()
				over := look(t, &http.Transport{DisableCompression: true}, server.URL+"/a%20b?c", method)
				in := look(t, client.Handler{Handler: handler}, server.URL+"/a%20b?c", method)
				if diff := cmp.Diff(over, in); diff != "" {
					t.Errorf("-network +in process\n%s", diff)
				}
			})
		}
	}
}

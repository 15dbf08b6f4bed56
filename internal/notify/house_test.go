package notify

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

const origin = "notify.test/1"

// A process of this binary with roleVariable set plays a server that is killed.
const (
	roleVariable    = "TALLYSTICK_NOTIFY_ROLE"
	addressVariable = "TALLYSTICK_NOTIFY_ADDRESS"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(roleVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := courierUntilKilled(dir, os.Getenv(addressVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// house is a database with a store over it.
type house struct {
	db       *state.DB
	recorder *trail.Recorder
	reader   *trail.Reader
	store    *Store
	vault    string
	logs     *logBuffer
}

var alice = trail.Act{Actor: trail.Actor{ID: "alice-secret-name", Kind: "person"}}

func openHouse(ctx context.Context, config state.Config, vault string) (h house, err error) {
	if h.db, err = state.Open(ctx, config); err != nil {
		return h, err
	}
	if h.recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: h.db, Source: origin}); err != nil {
		return h, err
	}
	h.reader = trail.NewReader(h.db, origin)
	h.vault, h.logs = vault, new(logBuffer)
	h.store = NewStore(StoreConfig{DB: h.db, Vault: NewVault(vault)})
	return h, nil
}

func newHouse(t testing.TB) house {
	t.Helper()
	dir := t.TempDir()
	config := state.Config{Path: filepath.Join(dir, "state.db")}
	if url := postgrestest.IfChosen(t); url != "" {
		config = state.Config{URL: url}
	}
	h, err := openHouse(t.Context(), config, filepath.Join(dir, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h house) commit(ctx context.Context, propose func(tx *state.Tx) (trail.Change, error)) error {
	return h.db.Write(ctx, func(tx *state.Tx) error {
		change, err := propose(tx)
		if err != nil || change == nil {
			return err
		}
		_, err = h.recorder.Commit(tx, alice, change)
		return err
	})
}

// subscribe makes a subscription and returns the secret of a webhook.
func (h house) subscribe(t testing.TB, name string, channel Channel, to Address, change func(*New)) string {
	t.Helper()
	n := New{Name: name, Channel: channel, Topics: []string{"finding"}}
	var err error
	if n.Address, err = h.store.KeepAddress(channel, to); err != nil {
		t.Fatal(err)
	}
	if channel == Webhook {
		if n.Secret, err = h.store.KeepSecret(); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(&n)
	}
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Subscribe(tx, n) }); err != nil {
		t.Fatal(err)
	}
	return n.Secret.Secret.Reveal()
}

// raise records that a finding was raised, and returns the id of the event.
func (h house) raise(t testing.TB, model, environment string) string {
	t.Helper()
	r, err := h.recorder.Record(context.WithoutCancel(t.Context()), trail.Entry{
		Type: trail.FindingRaised, Actor: alice.Actor, Resource: trail.Resource{Type: "finding", ID: "f-" + model}, Outcome: tallystick.Success,
		Purpose: "sealed purpose", Description: "sealed description",
		Data: map[string]any{
			"finding": "f-" + model, "kind": "out_of_band", "severity": "high", "model": model, "version": "4", "environment": environment,
			"observed": "<!channel> [x](http://evil.example)\r\nBcc: eve@example.org", "summary": "sealed summary",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func (h house) subscription(t testing.TB, name string) Subscription {
	t.Helper()
	s, err := h.store.Subscription(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// courier starts a courier that may speak to 127.0.0.1 on the given ports, and returns how to stop it.
func (h house) courier(t testing.TB, change func(*CourierConfig), allow ...string) (c *Courier, stop func()) {
	t.Helper()
	return h.run(t, h.config(t, change, nil, allow...))
}

// run lets a courier run until the test ends, or stop is called.
func (h house) run(t testing.TB, config CourierConfig) (c *Courier, stop func()) {
	t.Helper()
	c = NewCourier(config)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return c, stop
}

func (h house) config(t testing.TB, change func(*CourierConfig), roots *x509.CertPool, allow ...string) CourierConfig {
	t.Helper()
	list, err := dial.ParseAllowList(append(allow, "127.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	config := CourierConfig{
		Store: h.store, Trail: h.reader, Source: origin, Base: "https://tallystick.example.org",
		Client: dial.New(dial.Config{Allow: list, MaxBytes: 1 << 20, Header: 2 * time.Second, Total: 3 * time.Second, Roots: roots}),
		Logger: slog.New(slog.NewTextHandler(h.logs, nil)), delay: func(int) time.Duration { return time.Millisecond },
	}
	if change != nil {
		change(&config)
	}
	return config
}

// logBuffer holds what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// got is a request that a receiver has got.
type got struct {
	http.Header
	path string
	body []byte
}

// receiver is an HTTP server that hands on what it gets. answer decides what it says; nil: 204.
type receiver struct {
	*httptest.Server
	got chan got
}

func newReceiver(t testing.TB, answer func(w http.ResponseWriter, r *http.Request, n int)) *receiver {
	t.Helper()
	in := &receiver{got: make(chan got, 10_000)}
	var mu sync.Mutex
	n := 0
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		n++
		this := n
		mu.Unlock()
		in.got <- got{r.Header, r.URL.Path, body}
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, r, this)
	}))
	t.Cleanup(in.Close)
	return in
}

// entry returns the entry of an allow-list for the receiver.
func (r *receiver) entry() string { return r.URL }

func (r *receiver) next(t testing.TB) got {
	t.Helper()
	select {
	case g := <-r.got:
		return g
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing was received")
	}
	return got{}
}

// verify checks a webhook with the reference library of Standard Webhooks.
func (g got) verify(t testing.TB, secret string) {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = wh.Verify(g.body, g.Header)
	}
	if err != nil {
		t.Errorf("webhook %s: %v", g.Get("Webhook-Id"), err)
	}
}

// until waits until a condition holds.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to this: " + what)
		}
	}
}

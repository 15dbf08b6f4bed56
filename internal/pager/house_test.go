package pager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/pager"
)

// rows are alerts as the office has them.
type rows struct {
	mu  sync.Mutex
	all []alert.Alert
}

func (r *rows) Alerts(_ context.Context, f alert.Filter) (found []alert.Alert, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.all {
		if a.State == f.State && !(a.State == alert.Ended && a.Resolved.Before(f.ResolvedSince)) {
			found = append(found, a)
		}
	}
	slices.Reverse(found) // what was raised last first
	return found, nil
}

func (r *rows) change(id string, change func(*alert.Alert)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.all {
		if r.all[i].ID == id {
			change(&r.all[i])
		}
	}
}

// fire adds an alert about a feature of credit; an empty one is about the whole window.
func (r *rows) fire(id, subject string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rule := "monitor/hourly/drift"
	if subject == "" {
		rule = "monitor/hourly/volume"
	}
	r.all = append(r.all, alert.Alert{
		ID: id, Rule: rule, Model: "credit", Version: "3", Environment: "production", Subject: subject, Severity: alert.Page, State: alert.Firing, Verdict: tallystick.Fail,
		Words: subject + " = 17 rises from 5.2 % to 69.6 % of rows", Runbook: "runbooks/drift.md", Fired: time.Now().Add(-time.Second), Labels: []string{"team=risk"},
	})
}

func (r *rows) resolve(id string) {
	r.change(id, func(a *alert.Alert) { a.State, a.Resolved, a.SuppressedBy = alert.Ended, time.Now(), "" })
}

type models struct{}

func (models) Model(context.Context, string) (catalog.Model, error) {
	return catalog.Model{Name: "credit", ModelDetails: catalog.ModelDetails{Owner: "ana", SREOwner: "sam"}, TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}}, nil
}

// hook is a receiver over HTTP that keeps what it was told.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	told []message
	bad  int // answers with an error that still come first

	during func() // called while a sender waits for its answer; may be nil
}

// message is what Alertmanager sends to a webhook, as far as tests look at it.
type message struct {
	Receiver    string            `json:"receiver"`
	Status      string            `json:"status"`
	GroupLabels map[string]string `json:"groupLabels"`
	Alerts      []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// String writes a message as receiver, status, and the subject of each alert with its status.
func (m message) String() string {
	var parts []string
	for _, a := range m.Alerts {
		subject := a.Labels["subject"]
		if subject == "" {
			subject = "all"
		}
		parts = append(parts, subject+" "+a.Status)
	}
	return m.Receiver + " " + m.Status + ": " + strings.Join(parts, ", ")
}

func newHook(t testing.TB) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.bad > 0 {
			h.bad--
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if h.told = append(h.told, m); h.during != nil {
			h.during()
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, m := range h.told {
		out = append(out, m.String())
	}
	return strings.Join(out, "\n")
}

// waits until the receiver was told what is wanted, and no more in the time of two groups after that.
func (h *hook) waits(t testing.TB, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); h.said() != want && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(700 * time.Millisecond) //nolint:forbidigo // that nothing more is told shows in time alone
	if got := h.said(); got != want {
		t.Fatalf("told:\n%s\nwant:\n%s", got, want)
	}
}

// ends waits until a group is told to be over, and no more comes; want is what was told of each subject, what did not change
// between two messages once.
func (h *hook) ends(t testing.TB, want string) {
	t.Helper()
	over := func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.told[len(h.told)-1].Status == "resolved"
	}
	for end := time.Now().Add(20 * time.Second); !over() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(700 * time.Millisecond) //nolint:forbidigo // that nothing more is told shows in time alone
	h.mu.Lock()
	defer h.mu.Unlock()
	turns := map[string][]string{}
	for _, m := range h.told {
		for _, a := range m.Alerts {
			subject := a.Labels["subject"]
			if is := turns[subject]; len(is) == 0 || is[len(is)-1] != a.Status {
				turns[subject] = append(is, a.Status)
			}
		}
	}
	var got []string
	for _, subject := range slices.Sorted(maps.Keys(turns)) {
		got = append(got, subject+" "+strings.Join(turns[subject], ", "))
	}
	if got := strings.Join(got, "; "); got != want || h.told[len(h.told)-1].Status != "resolved" {
		t.Fatalf("told:\n%s\nwant:\n%s", got, want)
	}
}

// station is a manager over rows, with a configuration of the test.
type station struct {
	*rows
	dir     string
	config  string
	client  *dial.Client
	changed chan struct{}
	log     bytes.Buffer
}

func newStation(t testing.TB, config string, allow ...string) *station {
	t.Helper()
	s := &station{rows: &rows{}, dir: t.TempDir(), changed: make(chan struct{}, 1)}
	list, err := dial.ParseAllowList(append(allow, "127.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	s.client = dial.New(dial.Config{Allow: list})
	s.config = filepath.Join(s.dir, "alertmanager.yml")
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// run lets a manager work until the function that it returns is called.
func (s *station) run(t testing.TB) (stop func()) {
	t.Helper()
	c, err := pager.Load(s.config, s.client)
	if err != nil {
		t.Fatal(err)
	}
	m, err := pager.NewManager(pager.ManagerConfig{
		Reader: s.reader(), Config: c, Dir: filepath.Join(s.dir, "pager"), Dialer: s.client, Changed: s.changed, Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (s *station) reader() pager.Reader {
	return pager.Reader{Alerts: s.rows, Models: models{}, Base: "https://tallystick.example.org"}
}

func (s *station) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

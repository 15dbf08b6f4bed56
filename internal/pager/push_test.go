package pager_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/pager"
)

// TestPush: what fires is pushed again and again until some minutes from now, what has resolved with its end; what is
// suppressed is not, unless it was before.
func TestPush(t *testing.T) {
	t.Parallel()
	type posted struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
		GeneratorURL        string
	}
	var got []posted
	refuse := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			http.Error(w, "no\nroom", http.StatusInternalServerError)
			return
		}
		if r.URL.Path != "/am/api/v2/alerts" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s, %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		got = nil
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	s := newStation(t, "", server.URL)
	p, err := pager.NewPusher(s.reader(), s.client, s.client, server.URL+"/am/", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	push := func() {
		t.Helper()
		got = nil
		if err := p.Push(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.fire("1", "income")
	s.fire("2", "RELP")
	s.change("2", func(a *alert.Alert) { a.SuppressedBy = "silence x" })
	push()
	if len(got) != 1 || got[0].Labels["subject"] != "income" || got[0].Labels["alertname"] != "drift" || got[0].Labels["owner"] != "ana" || got[0].GeneratorURL != "https://tallystick.example.org/alerts/1" {
		t.Fatalf("pushed %+v", got)
	}
	if left := time.Until(got[0].EndsAt); left < 3*time.Minute || left > 5*time.Minute || got[0].StartsAt.IsZero() {
		t.Errorf("it ends in %v", left)
	}
	s.change("1", func(a *alert.Alert) { a.SuppressedBy = "silence y" })
	push()
	if len(got) != 1 {
		t.Errorf("one that was pushed before: %+v", got)
	}
	s.resolve("1")
	push()
	if len(got) != 1 || time.Until(got[0].EndsAt) > 0 {
		t.Errorf("resolved: %+v", got)
	}
	refuse = true
	if err := p.Push(t.Context()); err == nil || !strings.Contains(err.Error(), "/am/api/v2/alerts answers 500 Internal Server Error: no room") {
		t.Errorf("err = %v", err)
	}
	for _, target := range []string{"ftp://x", "https://", "https://elsewhere.example.org"} {
		if _, err := pager.NewPusher(s.reader(), s.client, s.client, target, nil); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", target, err)
		}
	}
}

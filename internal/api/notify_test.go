package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/notify"
)

func (h house) vaultFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(h.dir, "notify"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(files)
}

// TestSubscriptions: a secret is shown once and an address never; what is refused leaves no file behind.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	operator, auditor, scientist := h.as("olga", access.Operator), h.as("aud", access.Auditor), h.as("ada", access.Scientist)
	body := map[string]any{
		"name": "tickets", "channel": "webhook", "topics": []string{"finding"},
		"address": map[string]any{"url": "https://hooks.example.org/path-secret", "authorization": "Bearer header-secret"},
	}
	ask(t, scientist, "POST", "/subscriptions", body).want(t, 403)
	if n := h.vaultFiles(t); n != 0 {
		t.Errorf("%d files after a refusal", n)
	}
	made := ask(t, operator, "POST", "/subscriptions", body, "Idempotency-Key", "k").want(t, 200)
	if s := read[api.Subscribed](t, made); !strings.HasPrefix(s.Secret, "whsec_") || s.Subscription.Host != "hooks.example.org" || made.Header.Get("Tallystick-Event") == "" {
		t.Errorf("made %s", made)
	}
	ask(t, operator, "POST", "/subscriptions", body, "Idempotency-Key", "k").want(t, 409) // the secret is shown once
	ask(t, operator, "POST", "/subscriptions", body).want(t, 409)
	ask(t, operator, "PATCH", "/subscriptions/tickets", map[string]any{"state": "paused", "topics": []string{"key"}}).want(t, 400)
	ask(t, operator, "PATCH", "/subscriptions/nothing", map[string]any{"address": body["address"]}).want(t, 404)
	ask(t, operator, "PATCH", "/subscriptions/tickets", map[string]any{"topics": []string{"nothing"}, "address": body["address"]}).want(t, 400)
	ask(t, operator, "PATCH", "/subscriptions/tickets", map[string]any{"address": map[string]any{"to": []string{"a@example.org"}}}).want(t, 400)
	if n := h.vaultFiles(t); n != 2 {
		t.Errorf("%d files, want the address and the secret", n)
	}
	ask(t, operator, "PATCH", "/subscriptions/tickets", map[string]any{"state": "paused"}).want(t, 200)
	ask(t, operator, "POST", "/subscriptions/tickets/test", nil).want(t, 409) // paused
	ask(t, operator, "PATCH", "/subscriptions/tickets", map[string]any{"state": "active"}).want(t, 200)
	rotated := ask(t, operator, "POST", "/subscriptions/tickets/secret", map[string]any{"hours": 1}).want(t, 200)
	ask(t, operator, "POST", "/subscriptions/tickets/test", nil).want(t, 200)
	ask(t, operator, "POST", "/subscriptions/tickets/retry", map[string]any{"skip": 1}).want(t, 409) // nothing was tried
	ask(t, auditor, "POST", "/subscriptions/tickets/retry", map[string]any{}).want(t, 403)
	list := ask(t, auditor, "GET", "/subscriptions", nil).want(t, 200)
	one := read[notify.Subscription](t, ask(t, auditor, "GET", "/subscriptions/tickets", nil).want(t, 200))
	if len(one.Signing) != 2 || one.Delivery.Status != notify.Delivering || one.State != notify.Active {
		t.Errorf("subscription %+v", one)
	}
	events := ask(t, auditor, "GET", "/events?limit=100", nil).want(t, 200)
	for _, hidden := range []string{"path-secret", "header-secret", read[api.Subscribed](t, made).Secret, read[api.Subscribed](t, rotated).Secret} {
		if strings.Contains(string(list.body), hidden) || strings.Contains(string(events.body), hidden) {
			t.Errorf("%q is shown", hidden)
		}
	}
	ask(t, operator, "DELETE", "/subscriptions/tickets", nil).want(t, 200)
	ask(t, auditor, "GET", "/subscriptions/tickets/deliveries", nil).want(t, 404)
}

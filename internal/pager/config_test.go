package pager_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/common/model"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/pager"
)

// TestExample: the example is a configuration with which a manager begins, and it routes as its comments say; the example
// of a policy is one.
func TestExample(t *testing.T) {
	t.Parallel()
	const dir = "../../examples/alerting"
	allow, err := dial.ParseAllowList([]string{"mail.example.org:587", "jira.example.org", "hooks.example.org", "events.pagerduty.com", "slack.com"})
	if err != nil {
		t.Fatal(err)
	}
	client := dial.New(dial.Config{Allow: allow})
	c, err := pager.Load(filepath.Join(dir, "alertmanager.yml"), client)
	if err != nil {
		t.Fatal(err)
	}
	manager, err := pager.NewManager(pager.ManagerConfig{Reader: pager.Reader{Models: models{}}, Config: c, Dir: t.TempDir(), Dialer: client, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for severity, want := range map[alert.Severity]string{alert.Page: "pager ana", alert.Ticket: "issues ana"} { // of a model of high risk that ana owns
		got, err := manager.Receivers(t.Context(), alert.Alert{Rule: "monitor/watch/drift", Model: "credit", Severity: severity})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("of a %s are told %v, %v; want %s", severity, got, err, want)
		}
	}
	for _, tt := range []struct{ labels, want string }{
		{"severity=page owner=bo", "pager"},
		{"severity=page owner=ana", "pager ana"},
		{"severity=ticket tier=high owner=bo", "issues"},
		{"severity=ticket tier=low owner=bo", "owners"},
	} {
		labels := model.LabelSet{}
		for _, l := range strings.Fields(tt.labels) {
			name, value, _ := strings.Cut(l, "=")
			labels[model.LabelName(name)] = model.LabelValue(value)
		}
		var got []string
		for _, r := range dispatch.NewRoute(c.Route, nil).Match(labels) {
			got = append(got, r.RouteOpts.Receiver)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s goes to %v, want %s", tt.labels, got, tt.want)
		}
	}
	policy, err := os.ReadFile(filepath.Join(dir, "policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alert.ParsePolicy(policy, "policy.yaml"); err != nil {
		t.Error(err)
	}
}

// TestRefused: a configuration that cannot be, or that speaks to hosts that nobody allowed, ends the start in one line.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, config, want string }{
		{"no route", "receivers: [{name: a}]\n", "no route"},
		{"empty route", "route: {receiver: a, routes: [null]}\nreceivers: [{name: a}]\n", "is empty"},
		{"unknown key", "rout: {}\n", "rout"},
		{"unknown receiver", "route: {receiver: b}\nreceivers: [{name: a}]\n", `undefined receiver "b"`},
		{"host not allowed", "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'https://elsewhere.example.org/x'}]}]\n", `receiver "a": `},
		{"plain HTTP", "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://hooks.example.org/x'}]}]\n", `receiver "a": `},
		{"mail server not allowed", "global: {smtp_smarthost: 'mail.example.org:25', smtp_from: a@b.org}\nroute: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: x@y.org}]}]\n", `receiver "a": `},
		{"not built in", "route: {receiver: a}\nreceivers: [{name: a, telegram_configs: [{bot_token: x, chat_id: 1}]}]\n", "has telegram_configs, which are not built in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, tt.config, "hooks.example.org")
			_, err := pager.Load(s.config, s.client)
			if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "alertmanager.yml") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if _, err := pager.Load(filepath.Join(t.TempDir(), "none.yml"), dial.New(dial.Config{})); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("err = %v", err)
	}
}

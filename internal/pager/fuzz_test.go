package pager_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/pager"
)

// FuzzLoad shows that no configuration of alerts brings a start down: it is refused in one line that names the file, or
// a manager can be made with it. The reader is Alertmanager's own.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("../../examples/alerting/alertmanager.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	for _, receiver := range []string{
		"webhook_configs: [{url: 'https://hooks.example.org/x', max_alerts: 3}]", "email_configs: [{to: a@b.org}]", "slack_configs: [{api_url: 'https://hooks.example.org'}]",
		"pagerduty_configs: [{routing_key: x}]", "jira_configs: [{}]", "telegram_configs: [{}]", "webhook_configs: [{url_file: /nowhere}]",
	} {
		f.Add([]byte("route: {receiver: a, group_by: [model], routes: [{matchers: ['severity=page'], receiver: a}]}\nreceivers: [{name: a, " + receiver + "}]\ninhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d], equal: [model]}]\n"))
	}
	allow, err := dial.ParseAllowList([]string{"hooks.example.org"})
	if err != nil {
		f.Fatal(err)
	}
	client := dial.New(dial.Config{Allow: allow})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "alertmanager.yml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c, err := pager.Load(file, client)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d bytes took %v", len(data), took)
		}
		if err == nil && len(c.Templates) > 0 { // they name other files
			return
		}
		if err == nil {
			_, err = pager.NewManager(pager.ManagerConfig{Config: c, Dir: dir, Dialer: client, Logger: slog.New(slog.DiscardHandler)})
		} else if !strings.Contains(err.Error(), file) {
			t.Errorf("the file is not named: %v", err)
		}
		if err != nil && (tallystick.CodeOf(err) != tallystick.Invalid || strings.Contains(err.Error(), "\n") || len(err.Error()) > 4_000) {
			t.Errorf("not one line about what is invalid: %q", err)
		}
	})
}

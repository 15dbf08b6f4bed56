package pager_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/alert"
)

const routes = `
route:
  receiver: owners
  group_by: [model, version]
  group_wait: 300ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
- name: owners
  webhook_configs:
  - url: %s
`

// TestTold: a group is told once when it fires, of what joins it, and when it has resolved; who answers for the model is a
// label, and the words say what changed.
func TestTold(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL), h.URL)
	h.bad = 1 // a receiver that is down for a moment is told nevertheless
	s.fire("1", "income")
	s.fire("2", "RELP")
	s.run(t)
	const first = "owners firing: RELP firing, income firing"
	h.waits(t, first)
	m := h.told[0]
	relp := m.Alerts[0]
	if m.GroupLabels["model"] != "credit" || relp.Labels["owner"] != "ana" || relp.Labels["sre"] != "sam" || relp.Labels["tier"] != "high" || relp.Labels["team"] != "risk" || relp.Labels["alertname"] != "drift" {
		t.Errorf("labels = %v of group %v", relp.Labels, m.GroupLabels)
	}
	if relp.Annotations["description"] != "RELP = 17 rises from 5.2 % to 69.6 % of rows" || relp.Annotations["summary"] != "drift of RELP: credit@3 in production" || relp.Annotations["runbook_url"] != "runbooks/drift.md" {
		t.Errorf("annotations = %v", relp.Annotations)
	}
	s.fire("3", "AGEP")
	s.wake()
	const second = first + "\nowners firing: AGEP firing, RELP firing, income firing"
	h.waits(t, second)
	s.resolve("1")
	s.resolve("2")
	s.resolve("3")
	s.wake()
	// Alertmanager takes alerts one by one: a group may be told of the first ends before the last is there.
	h.ends(t, "AGEP firing, resolved; RELP firing, resolved; income firing, resolved")
}

// TestRestart: what was told is not told again by the next process, and what resolved while none ran is.
func TestRestart(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL), h.URL)
	s.fire("1", "income")
	stop := s.run(t)
	const first = "owners firing: income firing"
	h.waits(t, first)
	stop()
	stop = s.run(t)
	h.waits(t, first)
	stop()
	s.resolve("1")
	stop = s.run(t)
	h.waits(t, first+"\nowners resolved: income resolved")
	stop()
	// A log that cannot be read is put aside, and what fires is told again rather than never.
	s.fire("2", "income")
	path := filepath.Join(s.dir, "pager", "told")
	if err := os.WriteFile(path, []byte("no log"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t)
	h.waits(t, first+"\nowners resolved: income resolved\nowners firing: income firing")
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
}

// TestKilledWhileTelling: whoever was told, and by a process that was killed before it noted so, is told of the end even if
// nothing fires when the next one begins; and what fires anew then is not taken for what was told before.
func TestKilledWhileTelling(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL), h.URL)
	path := filepath.Join(s.dir, "pager", "told")
	var then []byte // what the file holds while the receiver has not answered
	h.during = func() {
		var err error
		if then, err = os.ReadFile(path); err != nil {
			t.Error(err)
		}
	}
	killed := func(stop func()) {
		t.Helper()
		stop()
		if err := os.WriteFile(path, then, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.fire("1", "income")
	stop := s.run(t)
	told := "owners firing: income firing"
	h.waits(t, told)
	killed(stop)
	s.resolve("1")
	stop = s.run(t)
	told += "\nowners resolved: income resolved"
	h.waits(t, told)
	killed(stop)
	s.fire("2", "income")
	stop = s.run(t)
	told += "\nowners firing: income firing"
	h.waits(t, told)
	killed(stop)
	s.run(t)
	h.waits(t, told+"\nowners firing: income firing") // the same once more: nobody knows whether it was heard
}

// TestEndOfTheNewest: of alerts with the same labels that ended while no process ran, the newest is what is over.
func TestEndOfTheNewest(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL), h.URL)
	s.fire("1", "income")
	s.resolve("1")
	s.fire("2", "income")
	s.change("2", func(a *alert.Alert) { a.Evidence = "newest" })
	stop := s.run(t)
	const first = "owners firing: income firing"
	h.waits(t, first)
	stop()
	s.resolve("2")
	s.run(t)
	h.waits(t, first+"\nowners resolved: income resolved")
	if got := h.told[1].Alerts[0].Annotations["evidence"]; got != "newest" {
		t.Errorf("what is over is %q", got)
	}
}

// TestSuppressedIsNotTold: what the rows say is suppressed is kept back, and told once it is not.
func TestSuppressedIsNotTold(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL), h.URL)
	s.fire("1", "income")
	s.fire("2", "RELP")
	s.fire("3", "AGEP")
	s.change("1", func(a *alert.Alert) { a.SuppressedBy = "silence x" })
	s.change("3", func(a *alert.Alert) { a.SuppressedBy = "silence x" })
	s.run(t)
	const first = "owners firing: RELP firing"
	h.waits(t, first)
	s.resolve("3") // nobody was told of it, and nobody is told that it is over
	s.wake()
	h.waits(t, first)
	s.change("1", func(a *alert.Alert) { a.SuppressedBy = "" })
	s.wake()
	h.waits(t, first+"\nowners firing: RELP firing, income firing")
}

// TestInhibition: rules of the file keep alerts about features back while the whole window is wrong, and routes take pages
// to those who run the service.
func TestInhibition(t *testing.T) {
	t.Parallel()
	h := newHook(t)
	s := newStation(t, fmt.Sprintf(routes, h.URL)+`
- name: sre
  webhook_configs:
  - url: `+h.URL+`
inhibit_rules:
- source_matchers: [alertname=~"volume|telemetry"]
  target_matchers: [subject!=""]
  equal: [model, version, environment]
`, h.URL)
	config, _ := os.ReadFile(s.config)
	routed := strings.Replace(string(config), "  repeat_interval: 1h\n", "  repeat_interval: 1h\n  routes:\n  - matchers: [severity=page, sre=sam]\n    receiver: sre\n", 1)
	if err := os.WriteFile(s.config, []byte(routed), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fire("1", "income")
	s.fire("2", "")
	s.run(t)
	h.waits(t, "sre firing: all firing")
	s.resolve("2")
	s.wake()
	h.waits(t, "sre firing: all firing\nsre firing: all resolved, income firing")
}

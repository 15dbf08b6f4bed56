package alert_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const head = "apiVersion: tallystick/v1\nkind: AlertPolicy\n"

func (h *house) apply(t testing.TB, lines string) {
	t.Helper()
	_, name, _ := strings.Cut(lines, "name: ")
	name, _, _ = strings.Cut(name, "\n")
	change, err := h.PreparePolicy(t.Context(), name, []byte(head+lines))
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		change, err := h.ProposePolicy(tx, change)
		if change == nil {
			return nil, err
		}
		return []trail.Change{change}, err
	})
}

// TestPolicy: the first rule that matches counts, those of the model before those of all.
func TestPolicy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, `name: everything
rules:
- match: {rule: monitor/*/drift}
  fires: 3 of 4
  severity: ticket
`)
	h.apply(t, `name: credit
model: credit
rules:
- match: {rule: "monitor/*/drift", subject: [age, inc*], environment: production}
  severity: page
  on: warn
  fires: 1
  clears: 1
  labels: {team: risk, desk: "7"}
  runbook: runbooks/drift.md
`)
	h.judge(drift(0, tallystick.Warn))
	other := drift(0, tallystick.Fail)
	other.Subject = "region"
	h.judge(other)
	h.run(t)
	all := h.alerts(t, alert.Filter{})
	if len(all) != 2 {
		t.Fatalf("alerts = %+v", all)
	}
	if a := all[1]; a.State != alert.Firing || a.Severity != alert.Page || a.Runbook != "runbooks/drift.md" || strings.Join(a.Labels, " ") != "desk=7 team=risk" || a.All()["team"] != "risk" {
		t.Errorf("by the model's policy: %+v", a)
	}
	if a := all[0]; a.State != alert.Pending || a.Severity != alert.Ticket {
		t.Errorf("by the policy for all: %+v", a)
	}
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		change, err := h.RemovePolicy(tx, "credit")
		return []trail.Change{change}, err
	})
	if p, doc, err := h.Policy(t.Context(), "credit"); err != nil || !p.Removed || doc != nil {
		t.Errorf("removed: %+v, %v, %v", p, doc, err)
	}
	h.judge(drift(1, tallystick.Pass)) // by the other rule one good window is not enough
	h.run(t)
	if a := h.alerts(t, alert.Filter{State: alert.Firing}); len(a) != 1 {
		t.Errorf("firing = %+v", a)
	}
	h.replays(t)
}

// TestPolicyRefused: what is wrong is named with its line.
func TestPolicyRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lines, want string }{
		{"name: x\n", "policy.yaml:1: the alert policy has no rules"},
		{"rules: [{severity: page}]\n", "the alert policy has no name"},
		{"name: x\nrules:\n- severty: page\n", `policy.yaml:5: rules[0] has no key "severty"; did you mean "severity"`},
		{"name: x\nrules:\n- severity: loud\n", "policy.yaml:5:"},
		{"name: x\nrules:\n- fires: 3 of 2\n", "policy.yaml:5: rules[0].fires: 3 of 2 windows cannot be"},
		{"name: x\nrules:\n- fires: often\n", "must be such as 2 of 3"},
		{"name: x\nrules:\n- fires: 2 of 100\n", "2 of 100 windows cannot be"},
		{"name: x\nrules:\n- clears: 0\n", "policy.yaml:5:"},
		{"name: x\nrules:\n- match: {rule: '['}\n", `"[" is no pattern`},
		{"name: x\nrules:\n- labels: {model: fraud}\n", "every alert has its own model"},
		{"name: x\nrules:\n- labels: {a-b: c}\n", `"a-b" cannot name a label`},
		{"name: x\nmost: 5000\n", "more than 999 alerts"},
		{"name: ../x\nmost: 5\n", `policy name "../x" is not usable`},
	} {
		_, err := alert.ParsePolicy([]byte(head+tt.lines), "policy.yaml")
		if err == nil || tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", tt.lines, err, tt.want)
		}
	}
}

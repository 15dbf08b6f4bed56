package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

// TestRulesThatReadTheTime names them: what they make of it stands apart. None about an audit does, or reads who asks.
func TestRulesThatReadTheTime(t *testing.T) {
	t.Parallel()
	want := []string{
		"audit.current", "dependency.vulnerabilities", "evidence.owed", "release.approvals", "release.findings", "release.served", "release.waivers",
	}
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
		pack, err := Load("", tier)
		if err != nil {
			t.Fatal(err)
		}
		var timed []string
		for i, rule := range pack.rules {
			reads := pack.reads[i]
			t.Logf("%s: %q", rule.ID, reads.paths)
			if reads.any || len(reads.paths) == 0 || rule.About == AboutAudit && slices.Contains(reads.members, "release") {
				t.Errorf("%s reads %+v", rule.ID, reads)
			}
			if !reads.steady() {
				timed = append(timed, rule.ID)
				if !reads.apart() {
					t.Errorf("%s reads the time beside its timed document", rule.ID)
				}
			}
		}
		slices.Sort(timed)
		if !slices.Equal(timed, want) {
			t.Errorf("%s: these read the time: %q, want %q", tier, timed, want)
		}
	}
}

// TestTimedDocuments: a rule is remembered by its timed document only if nothing else of the rule depends on the time.
func TestTimedDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body  string
		apart bool
	}{
		"apart": {`timed := time.parse_rfc3339_ns(input.now) > 0

result := {"status": "pass", "message": "day"} if timed`, true},
		"in parts": {`timed.day := substring(input.now, 0, 10)

timed.days contains day if some day in input.limits.days

result := {"status": "pass", "message": timed.day}`, true},
		"beside it": {`timed := time.parse_rfc3339_ns(input.now) > 0

result := {"status": "pass", "message": input.now} if timed`, false},
		"with another input": {`timed := time.parse_rfc3339_ns(input.now) > input.report.rows

result := {"status": "pass", "message": "day"} if timed with input.report as input.criteria`, false},
		"a function": {`timed(x) := concat(x, [input.now, "day"])

result := {"status": "pass", "message": timed(" ")}`, false},
		"through a library": {`timed := input.now

result := {"status": "pass", "message": data.house.lib.said}`, true},
	} {
		dir := t.TempDir()
		rule := "# METADATA\n# title: It is day\n# custom:\n#   id: house.day\n#   severity: low\n#   remediation: Wait.\npackage house.day\n\n" + test.body + "\n"
		for file, text := range map[string]string{"day.rego": rule, "lib.rego": "package house.lib\n\nsaid := data.house.day.timed\n"} {
			if file == "lib.rego" && name != "through a library" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pack, err := Load(dir, tallystick.TierLow)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		i := slices.IndexFunc(pack.rules, func(d Definition) bool { return d.ID == "house.day" })
		if reads := pack.reads[i]; reads.steady() || reads.apart() != test.apart {
			t.Errorf("%s: remembered by its timed document: %v, want %v; it reads %q", name, reads.apart(), test.apart, reads.paths)
		}
	}
}

// TestRememberedAnswersFollowTheirFacts asks about two reports in turn, with a rule that reads the time beside: each gets its own answer.
func TestRememberedAnswersFollowTheirFacts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rule := `# METADATA
# title: It is day
# custom:
#   id: house.day
#   severity: low
#   remediation: Wait.
package house.day

result := {"status": "pass", "message": input.now}
`
	if err := os.WriteFile(filepath.Join(dir, "day.rego"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	timed, err := Load(dir, tallystick.TierLow)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(timed.rules, func(d Definition) bool { return d.ID == "house.day" }); timed.reads[i].steady() {
		t.Fatalf("of a rule that reads the time: %+v", timed.reads[i])
	}
	pack, err := Load("", tallystick.TierLow)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for range 2 {
		for _, rows := range []int{10, 20} {
			in := Input{Model: Model{Name: "credit", Version: "1", Tier: tallystick.TierLow}, Report: map[string]any{"rows": rows}, Limits: map[string]any{}, Criteria: map[string]any{}}
			fresh, err := Canonical(in, at)
			if err != nil {
				t.Fatal(err)
			}
			want, err := pack.Replay(t.Context(), fresh)
			if err != nil {
				t.Fatal(err)
			}
			got, err := pack.Evaluate(t.Context(), in, at)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("remembered %+v, %v; want %+v", got, err, want)
			}
		}
	}
}

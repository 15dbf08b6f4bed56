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

// TestAuditRulesReadNoTime keeps what the rules about an audit answered worth remembering: none of ours reads the time, or who asks.
func TestAuditRulesReadNoTime(t *testing.T) {
	t.Parallel()
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
		pack, err := Load("", tier)
		if err != nil {
			t.Fatal(err)
		}
		reads := pack.reads[AboutAudit]
		if len(reads) == 0 || slices.Contains(reads, "release") || slices.Contains(reads, "now") {
			t.Errorf("%s: the rules about an audit read %q", tier, reads)
		}
		t.Logf("%s: %q", tier, reads)
		if released := pack.readBy(AboutRelease); released != nil {
			t.Errorf("%s: the rules about a release read %q and not the time", tier, released)
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
	if err != nil || timed.reads[AboutAudit] != nil {
		t.Fatalf("with a rule that reads the time: %q, %v", timed.reads, err)
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

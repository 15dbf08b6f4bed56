package policy_test

import (
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func TestSoundEvidencePasses(t *testing.T) {
	t.Parallel()
	for _, tier := range allTiers {
		pack := load(t, "", tier)
		decision := evaluate(t, pack, sound(t, tier))
		if decision.Verdict != tallystick.Pass {
			t.Errorf("%s: %s", tier, decision.Words)
		}
		for i, rule := range decision.Rules {
			want := policy.Pass
			if pack.Rules()[i].About == policy.AboutRelease {
				want = policy.Skip
			}
			if rule.Status != want {
				t.Errorf("%s: %s is %s: %s", tier, rule.ID, rule.Status, rule.Message)
			}
		}
	}
}

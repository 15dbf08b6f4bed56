package policy_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func TestLoadedReadsOnce(t *testing.T) {
	t.Parallel()
	dir := writePolicy(t, map[string]string{"a.rego": ownerRule})
	packs, err := policy.Loaded(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.rego"), []byte("package house\n\nresult := {"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
		if p, err := packs(tier); err != nil || p.Tier() != tier {
			t.Errorf("tier %s: %v", tier, err)
		}
	}
	if _, err := policy.Loaded(t.Context(), dir); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("read again it is %v", err)
	}
}

func TestLoadedEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	if _, err := policy.Loaded(ctx, writePolicy(t, map[string]string{"a.rego": ownerRule})); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("without time to compile: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := policy.Loaded(ctx, writePolicy(t, map[string]string{"a.rego": ownerRule})); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

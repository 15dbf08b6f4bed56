package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/drift"
)

// Every drift limit that a contract can state reaches the thresholds of drift.
func TestDriftLimitsReachDrift(t *testing.T) {
	t.Parallel()
	p := func(x float64) *float64 { return &x }
	stated := contract.DriftLimits{WarnPSI: p(0.11), FailPSI: p(0.31), WarnWassersteinSD: p(0.12), WarnLInfinity: p(0.13)}
	want := drift.Defaults()
	want.WarnPSI, want.FailPSI, want.WarnWasserstein, want.WarnLInfinity, want.Origin = 0.11, 0.31, 0.12, 0.13, "contract"
	got := driftThresholds(Config{Contract: &contract.Contract{Limits: contract.Limits{Drift: stated}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

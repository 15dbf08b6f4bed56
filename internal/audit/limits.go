package audit

import (
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/fairness"
)

// fairnessLimits returns the default limits with what the contract states in their place.
func fairnessLimits(stated contract.Limits, limits fairness.Limits) fairness.Limits {
	f := stated.Fairness
	set(&limits.Gap, f.Gap)
	set(&limits.Ratio, f.FourFifths)
	set(&limits.Judged, f.JudgedFrom)
	if f.Gap != nil || f.FourFifths != nil || f.JudgedFrom != nil {
		limits.Origin = "contract"
	}
	return limits
}

// driftThresholds returns the default thresholds with what the contract states in their place.
func driftThresholds(cfg Config) drift.Thresholds {
	th := drift.Defaults()
	if cfg.Contract == nil {
		return th
	}
	d := cfg.Contract.Limits.Drift
	set(&th.WarnPSI, d.WarnPSI)
	set(&th.FailPSI, d.FailPSI)
	set(&th.WarnWasserstein, d.WarnWassersteinSD)
	set(&th.WarnLInfinity, d.WarnLInfinity)
	if d != (contract.DriftLimits{}) {
		th.Origin = "contract"
	}
	return th
}

func set[T any](to *T, stated *T) {
	if stated != nil {
		*to = *stated
	}
}

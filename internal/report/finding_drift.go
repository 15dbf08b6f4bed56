package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/wording"
)

// judged reports whether v says that something is wrong or may be.
func judged(v tallystick.Verdict) bool { return v != "" && v != tallystick.Pass }

// byDrift orders features with the one that drifted most first.
func byDrift(features []drift.Feature) []drift.Feature {
	ordered := slices.Clone(features)
	slices.SortStableFunc(ordered, func(a, b drift.Feature) int {
		return cmp.Or(cmp.Compare(verdictOrder(b.Verdict), verdictOrder(a.Verdict)), cmp.Compare(effect(b), effect(a)), cmp.Compare(a.Name, b.Name))
	})
	return ordered
}

func effect(f drift.Feature) float64 {
	if f.PSI.Valid() {
		return float64(f.PSI)
	}
	return -1
}

// topChange says the largest change of the feature that drifted most:
// "RELP = 17 rises from 5.0 % to 69.8 %".
func topChange(d *drift.Drift) string {
	if d == nil {
		return ""
	}
	for _, f := range byDrift(d.Features) {
		if f.Role == "feature" && (f.Verdict == tallystick.Fail || f.Verdict == tallystick.Warn) {
			return changeWords(f)
		}
	}
	return ""
}

func changeWords(f drift.Feature) string {
	if f.Top == nil {
		return fmt.Sprintf("%s drifts (PSI %s)", f.Name, optional(f.PSI, 2))
	}
	return strings.TrimSuffix(f.Top.Words(f.Name, f.Kind), " of rows")
}

func driftedNames(d *drift.Drift) []string {
	var names []string
	for _, f := range byDrift(d.Features) {
		if f.Verdict == tallystick.Fail || f.Verdict == tallystick.Warn {
			names = append(names, fmt.Sprintf("%s (PSI %s)", f.Name, optional(f.PSI, 2)))
		}
	}
	return names
}

func driftFindings(d *Document) []candidate {
	if d.Drift == nil || len(d.Drift.Features) == 0 {
		return nil
	}
	features := byDrift(d.Drift.Features)
	c := candidate{Finding: Finding{Area: "drift", Verdict: d.Drift.Verdict}, judgedBy: "drift.reference"}
	names := driftedNames(d.Drift)
	switch {
	case len(names) > 0:
		c.Words = fmt.Sprintf("%d of %s drift against the reference: %s. Most of all, %s.",
			len(names), plural(len(features), "column"), list(names, 4), changeWords(features[0]))
		c.short = fmt.Sprintf("%d of %s drift against the reference: %s.", len(names), plural(len(features), "column"), changeWords(features[0]))
	case judged(d.Drift.Verdict):
		c.Words = wording.Sentence(cmp.Or(features[0].Words, "Drift could not be judged"))
	default:
		words := "Nothing drifts against the reference"
		if len(d.Windows) > 0 {
			words = "Over the whole file nothing drifts against the reference" // windows may
		}
		c.Words = fmt.Sprintf("%s: of %s the largest PSI is %s (%s).",
			words, plural(len(features), "column"), figure.Number(effect(features[0])), features[0].Name)
	}
	return []candidate{c}
}

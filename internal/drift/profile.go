package drift

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/window"
)

// FromProfile compares every feature of a window with its reference, from counts alone: the rows that
// Compare gives, in the order of the reference, to be ended by Judge. Decile PSI, chi-square and the
// shares are exact. KS and the p-value come from bins: KS is at most ErrorBound too small and p
// never too small, so that bins do not alarm where values would not. Method says so, and how far off
// the Wasserstein distance can be.
func FromProfile(p *window.Profile) []Feature { return NewBaseline(p.Reference()).Features(p) }

// Baseline is a reference made ready for many windows: the names of its bins are written once. Many
// goroutines may use it.
type Baseline struct {
	reference *window.Reference
	labels    [][]string // by feature, of numbers
}

// NewBaseline returns the baseline of a reference.
func NewBaseline(r *window.Reference) *Baseline {
	b := &Baseline{r, make([][]string, len(r.Features))}
	for i, f := range r.Features {
		if f.Kind == window.KindNumber {
			b.labels[i] = BinLabels(f.Number.DecileEdges())
		}
	}
	return b
}

// Features is FromProfile for a profile of the baseline's reference.
func (b *Baseline) Features(p *window.Profile) []Feature {
	features := make([]Feature, 0, len(b.labels))
	for i, f := range b.reference.Features {
		if f.Kind == window.KindNumber {
			features = append(features, fromNumber(p, i, b.labels[i]))
		} else {
			features = append(features, fromCategory(p, i))
		}
	}
	return features
}

func fromNumber(p *window.Profile, i int, labels []string) Feature {
	f := p.Reference().Features[i]
	c := p.Compare(i)
	counted := fmt.Sprintf("counted in %d bins at reference quantiles, ks within %.2g, wasserstein within %.2g", len(f.Number.Counts), c.KSBound, c.W1Bound)
	if n := p.Clamped(i) + f.Number.Clamped; n > 0 {
		counted += fmt.Sprintf(" but for %d values more than a million interquartile ranges away", n)
	}
	return numberRow{f.Name, f.Role, labels, f.Missing + f.Number.NaN + f.Number.Infinite, p.Missing(i), counted}.feature(c)
}

func fromCategory(p *window.Profile, i int) Feature {
	f, c := p.Reference().Features[i], p.Category(i)
	unseen := make([]string, 0, len(c.Unseen))
	for _, u := range c.Unseen {
		unseen = append(unseen, u.Value)
	}
	counted := "exact"
	if !c.Complete {
		counted = fmt.Sprintf("exact, of the reference's %d most frequent values", len(c.Values))
	}
	return categoryRow{f.Name, f.Role, c.Values, c.Reference, c.Current, unseen, c.Complete, counted}.feature()
}

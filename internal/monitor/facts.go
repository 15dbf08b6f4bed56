package monitor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
)

// The roles of what is compared.
const (
	roleScore  = window.RoleScore
	roleOutput = window.RoleOutput
)

// confidence is that of every interval of a share, which are exact: a limit near 0 is passed by chance no oftener than they say.
const confidence = 0.99

// facts are what checks judge by.
type facts struct {
	*Seen
	document *Document
	window   Window
	unpinned bool // whether it was said that there is no reference

	compared []drift.Feature
	places   map[[2]string]int // of features in the reference, by role and name
}

// features are those of the reference that are judged, compared with the window: scores and outputs first, which show
// best that something has changed (Rabanser et al., NeurIPS 2019), then features by name.
func (f *facts) features() []drift.Feature {
	return f.comparedBy(f.document.Checks.Drift)
}

func (f *facts) comparedBy(th drift.Thresholds) []drift.Feature {
	if f.compared != nil || f.Profile == nil {
		return f.compared
	}
	f.compared = drift.Judge(f.compare(f.Profile), f.Profile.Reference().Rows, f.Predictions, th).Features
	order(f.compared)
	f.places = make(map[[2]string]int, len(f.Profile.Reference().Features))
	for i, feature := range f.Profile.Reference().Features {
		f.places[[2]string{feature.Role, feature.Name}] = i
	}
	return f.compared
}

// compare compares the features that are judged, in the order of the reference.
func (f *facts) compare(p *window.Profile) []drift.Feature {
	reference := p.Reference()
	compared := make([]drift.Feature, 0, len(reference.Features))
	for i, feature := range drift.FromProfile(p) {
		if f.document.Checks.judged(&reference.Features[i]) {
			compared = append(compared, feature)
		}
	}
	return compared
}

// order puts scores and outputs first, then features by name.
func order(features []drift.Feature) {
	slices.SortStableFunc(features, func(a, b drift.Feature) int {
		if a.Role != b.Role {
			return priority(a.Role) - priority(b.Role)
		}
		return strings.Compare(a.Name, b.Name)
	})
}

// place returns where a feature is in the reference.
func (f *facts) place(moved *drift.Feature) int { return f.places[[2]string{moved.Role, moved.Name}] }

func priority(role string) int {
	return slices.Index([]string{roleScore, roleOutput, window.RoleFeature}, role)
}

// withoutReference says that a check has nothing to compare with.
func (f *facts) withoutReference(key string) Row {
	return Row{
		Check: key, Method: key + "/1", N: f.Predictions, Measure: "psi", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient,
		Words: fmt.Sprintf("No reference is pinned for %s: nothing to compare with.", f.document.Model),
	}
}

// few reports whether there is too little to judge.
func (f *facts) few(n int64) bool {
	th := f.document.Checks.Drift
	return n < th.MinRows || f.Profile.Reference().Rows < th.MinReference
}

// share judges a share that may be at most so high: the interval decides, and one that crosses is inconclusive.
func (f *facts) share(r *Row, p stat.Proportion, most float64) {
	if p.N < f.document.Checks.Drift.MinRows {
		r.Value, r.Verdict = stat.Number(math.NaN()), tallystick.Insufficient
		return
	}
	i := p.Exact(confidence)
	r.Value, r.Low, r.High = stat.Number(p.Rate()), &i.Low, &i.High
	switch {
	case i.Low > most:
		r.Verdict = tallystick.Fail
	case i.High <= most, most == 0 && p.K == 0: // no interval ends at nothing
		r.Verdict = tallystick.Pass
	default:
		r.Verdict = tallystick.Inconclusive
	}
}

// rare judges a share that is none, or nearly, while all is well: its lower end decides, so that one odd row of a small
// window does not.
func (f *facts) rare(r *Row, p stat.Proportion, l Limits) {
	r.Value, r.Verdict = stat.Number(p.Rate()), tallystick.Pass
	if p.K == 0 {
		return
	}
	i := p.Exact(confidence)
	r.Low, r.High = &i.Low, &i.High
	switch {
	case i.Low > l.Fail:
		r.Verdict = tallystick.Fail
	case i.Low > l.Warn:
		r.Verdict = tallystick.Warn
	}
}

func number(x float64) *float64 { return &x }

// valid returns a number, nil if it is none.
func valid(n stat.Number) *float64 {
	if !n.Valid() {
		return nil
	}
	return number(float64(n))
}

package drift

import (
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// manyCategories is the number of categories beyond which PSI and Jensen-Shannon drown in
// sampling noise, and the largest change of one share is looked at instead.
const manyCategories = 50

// Numbers is the reference of a number column, made ready once for any number of windows.
type Numbers struct {
	name, role string
	reference  *stat.Reference
	missing    int64
}

// NewNumbers returns the reference of a number column. NaN and infinities among values count as
// missing beside the missing ones. It returns an Invalid error if nothing finite is left.
func NewNumbers(name, role string, values []float64, missing int64) (*Numbers, error) {
	r, err := stat.NewReference(values)
	if err != nil {
		return nil, err
	}
	return &Numbers{name, role, r, missing + int64(len(values)) - r.N()}, nil
}

// Reference returns the sample itself.
func (n *Numbers) Reference() *stat.Reference { return n.reference }

// Compare compares a window of the column; missing values are not among values. The result waits
// for Judge: its verdict depends on the other features of the window.
func (n *Numbers) Compare(values []float64, missing int64) Feature {
	return n.feature(n.reference.Compare(values), missing)
}

// CompareTally is Compare for a window whose values were counted by a tally of Reference, NaN
// standing for the missing ones. What the counts leave open is stated as a bound.
func (n *Numbers) CompareTally(t *stat.Tally) Feature { return n.feature(t.Result(), 0) }

// SettleTally is CompareTally where the values themselves are at hand, which leaves nothing open. It
// returns quantiles of them as well, which takes no second look.
func (n *Numbers) SettleTally(t *stat.Tally, values []float64, qs ...float64) (Feature, []float64) {
	c, quantiles := t.Settle(values, qs...)
	return n.feature(c, 0), quantiles
}

// feature reads what was compared, exactly or by a tally.
func (n *Numbers) feature(c stat.TwoSample, missing int64) Feature {
	counted := "exact"
	if c.KSBound > 0 || c.W1Bound > 0 {
		counted = fmt.Sprintf("counted at 65,536 reference quantiles, ks within %.2g, wasserstein within %.2g", c.KSBound, c.W1Bound)
	}
	r := numberRow{name: n.name, role: n.role, labels: BinLabels(n.reference.Edges()), missingReference: n.missing, missing: missing + c.Dropped, counted: counted}
	return r.feature(c)
}

// numberRow is what a comparison of two samples of a number does not say itself.
type numberRow struct {
	name, role                string
	labels                    []string // of the decile bins, and of the missing values
	missingReference, missing int64    // rows without a finite value
	counted                   string   // how, for Method
}

func (r numberRow) feature(c stat.TwoSample) Feature {
	reference, current := append(c.ReferenceBins, r.missingReference), append(c.Bins, r.missing)
	d := stat.Diverge(reference, current)
	f := newFeature(r.name, r.role, "number", reference, current, d)
	p, tests := withMissing(c, r.missingReference, r.missing)
	f.KS, f.P, f.ErrorBound = stat.Number(c.KS), stat.Number(p), stat.Number(c.KSBound)
	f.Wasserstein, f.WassersteinSD = stat.Number(c.W1), stat.Number(c.W1SD)
	f.Method = tests + ", wasserstein, psi over reference deciles; " + r.counted
	f.bins(r.labels, reference, current)
	return f
}

// withMissing returns the p-value of a number column, and what it is of. KS sees only the values
// that are there, so where some are missing the smaller of two p-values counts, its own and that of
// the missing share, doubled because there are two (Bonferroni).
func withMissing(c stat.TwoSample, before, now int64) (p float64, tests string) {
	share := stat.Homogeneity([][]int64{{c.NReference, before}, {c.N, now}}).P
	switch {
	case math.IsNaN(share):
		return c.P, "ks"
	case c.N == 0:
		return share, "chi-square of the missing share"
	}
	return min(1, 2*min(c.P, share)), "ks and chi-square of the missing share (bonferroni)"
}

// Categories is the reference of a category column.
type Categories struct {
	name, role string
	values     []string
	index      map[string]int
	counts     []int64 // by value, then other, then missing
}

// NewCategories returns the reference of a category column: counts[i] rows have values[i].
func NewCategories(name, role string, values []string, counts []int64, missing int64) *Categories {
	c := &Categories{name: name, role: role, index: map[string]int{}}
	for i, value := range values {
		if counts[i] == 0 {
			continue
		}
		c.index[value] = len(c.values)
		c.values, c.counts = append(c.values, value), append(c.counts, counts[i])
	}
	c.counts = append(c.counts, 0, missing)
	return c
}

// Compare compares a window in which counts[i] rows have values[i].
func (c *Categories) Compare(values []string, counts []int64, missing int64) Feature {
	other := len(c.values)
	current := make([]int64, other+2)
	current[other+1] = missing
	var unseen []string
	for i, value := range values {
		if at, ok := c.index[value]; ok {
			current[at] += counts[i]
		} else if counts[i] > 0 {
			current[other] += counts[i]
			unseen = append(unseen, value)
		}
	}
	return categoryRow{c.name, c.role, c.values, c.counts, current, unseen, true, "exact"}.feature()
}

// categoryRow is a category's counts by value, then other, then missing.
type categoryRow struct {
	name, role         string
	values             []string
	reference, current []int64
	unseen             []string
	complete           bool   // the reference has no value but values
	counted            string // how, for Method
}

func (r categoryRow) feature() Feature {
	d := stat.Diverge(r.reference, r.current)
	f := newFeature(r.name, r.role, "category", r.reference, r.current, d)
	test := stat.Homogeneity([][]int64{r.reference, r.current})
	f.Chi2, f.DOF, f.P = stat.Number(test.Statistic), test.DOF, stat.Number(test.P)
	if d.Cells == 1 {
		f.P = 1 // one value in both: nothing to test, and nothing that could have changed
	}
	f.LInfinity = stat.Number(d.LInfinity)
	if r.complete {
		f.UnseenShare = stat.Number(float64(r.current[len(r.values)]) / float64(f.N))
		f.UnseenExamples = r.unseen[:min(3, len(r.unseen))]
	}
	f.Method = "chi-square homogeneity, psi over the reference's values, other and missing; " + r.counted
	f.bins(append(append([]string{}, r.values...), "(other)", "(missing)"), r.reference, r.current)
	return f
}

func newFeature(name, role, kind string, reference, current []int64, d stat.Divergence) Feature {
	nan := stat.Number(math.NaN())
	f := Feature{
		Name: name, Role: role, Kind: kind, NReference: sum(reference), N: sum(current),
		KS: nan, Wasserstein: nan, WassersteinSD: nan, Chi2: nan, LInfinity: nan,
		PSI: stat.Number(d.PSI), JS: stat.Number(d.JS), TVD: stat.Number(d.TVD), P: nan, PAdjusted: nan, PSICritical: nan,
		Smoothed: d.Smoothed, UnseenShare: nan, MissingRef: nan, Missing: nan,
	}
	last := len(reference) - 1
	if f.NReference > 0 {
		f.MissingRef = stat.Number(float64(reference[last]) / float64(f.NReference))
	}
	if f.N > 0 {
		f.Missing = stat.Number(float64(current[last]) / float64(f.N))
	}
	return f
}

// bins fills in the shares, without cells that both sides leave empty.
func (f *Feature) bins(labels []string, reference, current []int64) {
	if f.N == 0 || f.NReference == 0 {
		return
	}
	f.Bins = make([]Bin, 0, len(labels))
	top := -1
	for i, label := range labels {
		if reference[i] == 0 && current[i] == 0 {
			continue
		}
		b := Bin{label, float64(reference[i]) / float64(f.NReference), float64(current[i]) / float64(f.N)}
		if f.Bins = append(f.Bins, b); top < 0 || math.Abs(b.Current-b.Reference) > math.Abs(f.Bins[top].Current-f.Bins[top].Reference) {
			top = len(f.Bins) - 1
		}
	}
	if top >= 0 {
		b := f.Bins[top]
		f.Top = &b
	}
}

// BinLabels names the bins between edges, and the missing values last: bin i holds what is above edge i-1
// and at most edge i.
func BinLabels(edges []float64) []string {
	written := figure.Edges(edges)
	labels := make([]string, 0, len(edges)+2)
	for i, edge := range written {
		if i == 0 {
			labels = append(labels, "up to "+edge)
		} else {
			labels = append(labels, written[i-1]+" to "+edge)
		}
	}
	return append(labels, "above "+written[len(written)-1], "(missing)")
}

func sum(counts []int64) int64 {
	var total int64
	for _, c := range counts {
		total += c
	}
	return total
}

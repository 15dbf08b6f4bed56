package main

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/stat"
)

// The rules, in the order of ruleNames.
const (
	ours = iota
	oursExact
	ksSmall
	ksLarge
	wassersteinLarge
	jsBins
	ksChunks
)

var ruleNames = []string{
	ours:             "Tallystick, from profiles",
	oursExact:        "Tallystick, from values",
	ksSmall:          "Evidently, reference of 1,000: KS p <= 0.05",
	ksLarge:          "the same against 10,000",
	wassersteinLarge: "Evidently, larger reference: W1/sd >= 0.1",
	jsBins:           "NannyML, default: JS > 0.1",
	ksChunks:         "NannyML, KS: > mean + 3 sd of chunks",
}

// smallReference is the size up to which Evidently tests; beyond it measures distances.
const smallReference = 1000

// rivals holds the reference of one feature as the rules of others want it. They were written down
// from the sources of Evidently at a4aa4c2 (legacy/calculations/stattests: registry.py,
// wasserstein_distance_norm.py, ks_stattest.py) and NannyML (stored copies of 2025; drift/univariate: methods.py,
// calculator.py; thresholds.py), for numbers of more than five distinct values. What they say of a
// whole data set is left out: there one feature of 20 never counts.
type rivals struct {
	exact *drift.Numbers
	small *stat.Reference
	js    jsReference
	ks    ksReference
	limit float64 // of ks
}

func newRivals(values []float64) (*rivals, error) {
	exact, err := drift.NewNumbers("x", "feature", values, 0)
	if err != nil {
		return nil, err
	}
	small, err := stat.NewReference(values[:min(smallReference, len(values))])
	if err != nil {
		return nil, err
	}
	r := &rivals{exact: exact, small: small, js: newJSReference(values), ks: newKSReference(values)}
	r.limit = r.ks.limit(values)
	return r, nil
}

// judge returns the alarms of all rules but ours, which look at all features together.
func (r *rivals) judge(values []float64) (alarms []bool, exact drift.Feature) {
	alarms = make([]bool, len(ruleNames))
	exact = r.exact.Compare(values, 0)
	alarms[ksSmall] = r.small.Compare(values).P <= 0.05
	alarms[ksLarge] = exact.P <= 0.05
	alarms[wassersteinLarge] = exact.WassersteinSD >= 0.1
	alarms[jsBins] = r.js.distance(values) > 0.1
	alarms[ksChunks] = r.ks.d(values) > r.limit
	return alarms, exact
}

// jsReference counts as NannyML does for the Jensen-Shannon distance: up to 50 distinct values, if they
// are at most a tenth of the rows, one by one, others in even bins over the reference as many as Doane
// has it (numpy.histogram_bin_edges), and what lies outside in one more.
type jsReference struct {
	values     []float64 // distinct, or nil
	low, width float64
	counts     []int64
}

func newJSReference(values []float64) jsReference {
	sorted := slices.Sorted(slices.Values(values))
	distinct := slices.Compact(slices.Clone(sorted))
	var r jsReference
	if len(distinct) <= 50 && 10*len(distinct) <= len(values) {
		r.values = distinct
	} else {
		m := stat.MomentsOf(values)
		skew, n := 0.0, float64(len(values))
		for _, v := range values {
			z := (v - m.Mean) / m.SD()
			skew += z * z * z / n
		}
		spread := math.Sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
		bins := math.Ceil(1 + math.Log2(n) + math.Log2(1+math.Abs(skew)/spread))
		r.low, r.width = sorted[0], (sorted[len(sorted)-1]-sorted[0])/bins
		r.counts = make([]int64, int(bins)+1)
	}
	r.counts = r.count(values)
	return r
}

// count returns counts by value or bin, and last of what is in none.
func (r *jsReference) count(values []float64) []int64 {
	counts := make([]int64, max(len(r.values)+1, len(r.counts)))
	last := len(counts) - 1
	for _, v := range values {
		at := last
		if r.values != nil {
			if i, found := slices.BinarySearch(r.values, v); found {
				at = i
			}
		} else if place := (v - r.low) / r.width; place >= 0 && place <= float64(last) {
			at = min(int(place), last-1) // the last bin has both ends
		}
		counts[at]++
	}
	return counts
}

func (r *jsReference) distance(values []float64) float64 {
	return stat.Diverge(r.counts, r.count(values)).JS
}

// ksReference is the D of NannyML against 10,000 rows and more: at quantiles of the reference, one for
// each 500 rows.
type ksReference struct {
	edges []float64 // ascending, but for the least value; the greatest is the one next above
	below []float64 // the share of the reference below each
}

func newKSReference(values []float64) ksReference {
	sorted := slices.Sorted(slices.Values(values))
	bins := max(1, len(values)/500)
	var r ksReference
	for i := 1; i < bins; i++ {
		r.edges = append(r.edges, stat.Quantile(sorted, float64(i)/float64(bins)))
	}
	r.edges = append(r.edges, math.Nextafter(sorted[len(sorted)-1], math.Inf(1))) // that bin has both ends
	r.below = r.shares(values)
	return r
}

// shares returns the share of values below each edge.
func (r *ksReference) shares(values []float64) []float64 {
	shares := make([]float64, len(r.edges))
	for _, v := range values {
		at, _ := slices.BinarySearchFunc(r.edges, v, func(edge, v float64) int {
			if edge <= v {
				return -1
			}
			return 1
		})
		if at < len(shares) {
			shares[at]++
		}
	}
	sum := 0.0
	for i := range shares {
		sum += shares[i]
		shares[i] = sum / float64(len(values))
	}
	return shares
}

func (r *ksReference) d(values []float64) float64 {
	d := 0.0
	for i, share := range r.shares(values) {
		d = max(d, math.Abs(share-r.below[i]))
	}
	return d
}

// limit is the mean D of ten chunks of the reference and three standard deviations.
func (r *ksReference) limit(values []float64) float64 {
	var ds []float64
	for chunk := range slices.Chunk(values, max(1, len(values)/10)) {
		ds = append(ds, r.d(chunk))
	}
	m := stat.MomentsOf(ds)
	return m.Mean + 3*m.SD()
}

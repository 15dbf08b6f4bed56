package query

import (
	"cmp"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
)

// What a question for figures may ask at most.
const (
	maxBy         = 4
	maxFigures    = 16 // of each kind
	maxBinsOf     = 200
	maxGroups     = 10_000 // that figures are kept of
	defaultGroups = 100    // that are told
)

// Figures is a question for figures of the predictions that are chosen, by groups.
type Figures struct {
	Selection
	By         []string    // columns whose values make the groups; hour, day and month too
	Rates      []Condition // the share of which each holds
	Means      []string    // columns of numbers
	Quantiles  []Quantiles
	Histograms []Histogram
	Groups     int // told, those with most predictions; 0: 100
}

// Quantiles are asked for of a column of numbers.
type Quantiles struct {
	Column string
	At     []float64 // each from 0 to 1
}

// Histogram is asked for of a column of numbers.
type Histogram struct {
	Column    string
	Bins      int     // of equal width; 0: 20
	Low, High float64 // both 0: from the smallest to the greatest
}

// Figured is what Aggregate found.
type Figured struct {
	Predictions int64            `json:"predictions" doc:"that were chosen"`
	Files       int              `json:"files" doc:"files that were read for it"`
	Groups      []FiguredGroup   `json:"groups" doc:"those with most predictions first; one without a key if nothing was grouped by"`
	More        int              `json:"more_groups,omitempty" doc:"groups that are not told; at least so many if ungrouped is not 0"`
	Ungrouped   int64            `json:"ungrouped,omitempty" doc:"predictions of groups that came after the ten thousandth, of which no figures are kept"`
	Labels      *label.Watermark `json:"labels,omitempty" doc:"up to where labels were known, if the question needs them"`
}

// FiguredGroup is one combination of values of the columns that were grouped by, with its figures in the order in which
// they were asked for.
type FiguredGroup struct {
	Key        []any         `json:"key,omitempty" doc:"number, text, boolean or null for each column"`
	Count      int64         `json:"count"`
	Rates      []FiguredRate `json:"rates,omitempty"`
	Means      []FiguredMean `json:"means,omitempty"`
	Quantiles  []Quantiled   `json:"quantiles,omitempty"`
	Histograms []FiguredBars `json:"histograms,omitempty"`
}

// FiguredRate is a share with its 95 % interval.
type FiguredRate struct {
	Of    string  `json:"of" doc:"condition"`
	Count int64   `json:"count" doc:"predictions of which it holds"`
	N     int64   `json:"n"`
	Rate  float64 `json:"rate"`
	Low   float64 `json:"low" doc:"of the Wilson interval"`
	High  float64 `json:"high"`
}

// FiguredMean tells of the finite numbers of a column.
type FiguredMean struct {
	Column string   `json:"column"`
	N      int64    `json:"n"`
	Mean   *float64 `json:"mean" doc:"null without numbers"`
	Min    *float64 `json:"min"`
	Max    *float64 `json:"max"`
	Other  int64    `json:"other,omitempty" doc:"values that are no finite numbers"`
}

// Quantiled holds quantiles of the finite numbers of a column.
type Quantiled struct {
	Column string    `json:"column"`
	N      int64     `json:"n"`
	Method string    `json:"method" doc:"exact, or the bins and their error"`
	At     []float64 `json:"at"`
	Values []float64 `json:"values" doc:"empty without numbers"`
}

// FiguredBars count the finite numbers of a column by bins of equal width. A number on an edge is of the bin that
// begins there; the last bin has its upper edge too.
type FiguredBars struct {
	Column string  `json:"column"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Counts []int64 `json:"counts" doc:"empty without numbers"`
	Under  int64   `json:"under,omitempty"`
	Over   int64   `json:"over,omitempty"`
}

func (q *Figures) validate() error {
	if len(q.By) > maxBy {
		return tallystick.Errorf(tallystick.Invalid, "figures are grouped by %d columns, the limit is %d", len(q.By), maxBy)
	}
	if n := max(len(q.Rates), len(q.Means), len(q.Quantiles), len(q.Histograms)); n > maxFigures {
		return tallystick.Errorf(tallystick.Invalid, "%d figures of one kind are asked for, the limit is %d", n, maxFigures)
	}
	for _, name := range q.columns() {
		if err := checkColumn(name); err != nil {
			return err
		}
	}
	for _, k := range q.Quantiles {
		if len(k.At) == 0 || len(k.At) > maxFigures {
			return tallystick.Errorf(tallystick.Invalid, "%d quantiles of %s are asked for, between 1 and %d can be", len(k.At), k.Column, maxFigures)
		}
		for _, at := range k.At {
			if !(at >= 0 && at <= 1) {
				return tallystick.Errorf(tallystick.Invalid, "quantile %v of %s is not between 0 and 1", at, k.Column)
			}
		}
	}
	for i := range q.Histograms {
		h := &q.Histograms[i]
		h.Bins = cmp.Or(h.Bins, 20)
		if h.Bins < 1 || h.Bins > maxBinsOf || !(h.Low <= h.High) || math.IsInf(h.High-h.Low, 0) || h.Low == h.High && h.Low != 0 {
			return tallystick.Errorf(tallystick.Invalid, "a histogram of %s in %d bins from %v to %v is none", h.Column, h.Bins, h.Low, h.High).
				WithHint("use 1 to %d bins", maxBinsOf)
		}
	}
	return nil
}

// columns returns what the question needs but for its conditions.
func (q *Figures) columns() []string {
	all := slices.Concat(q.By, q.Means)
	for _, c := range q.Rates {
		all = append(all, c.Column)
	}
	for _, k := range q.Quantiles {
		all = append(all, k.Column)
	}
	for _, h := range q.Histograms {
		all = append(all, h.Column)
	}
	return all
}

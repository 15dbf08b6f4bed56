package monitor

import (
	"context"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// constantCheck finds features that varied in the reference and have one value now.
type constantCheck struct{}

// luck is the probability below which nobody calls it chance that all rows have one value: of a million features one.
const luck = 1e-6

func (constantCheck) about() About {
	return About{
		Key: "constant", Default: true,
		Method: "whether all rows have one value, and how likely that is by the reference's shares",
		Fails:  "they have, and by chance that is less likely than 1 in a million",
		Why:    "a join that fails and a sensor that is stuck leave the last value, or a default, in every row. What rarely varied may be constant for a while",
	}
}

func (constantCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error { return d.Mapping(node, path) }
}

func (c constantCheck) begin(context.Context, *subject) (*look, error) {
	return &look{feature: func(f *facts, moved *drift.Feature) []Row {
		if shares := sharesOf(&f.Profile.Reference().Features[f.place(moved)]); len(shares) > 1 {
			return []Row{c.row(f, moved, shares)}
		}
		return nil
	}}, nil
}

// sharesOf returns the shares of a reference's values, of its bins if they are numbers; of a constant there is one.
func sharesOf(f *window.Feature) (shares []float64) {
	var counts []int64
	if f.Kind == window.KindCategory {
		counts = append(append(counts, f.Category.Counts...), f.Category.Other)
	} else {
		if f.Number.SD == 0 {
			return nil
		}
		counts = f.Number.Counts
	}
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	for _, n := range counts {
		if n > 0 {
			shares = append(shares, float64(n)/float64(total))
		}
	}
	return shares
}

// allAlike is how likely n rows are to be in one cell, whichever, which is at least how likely they are to have one value.
func allAlike(shares []float64, n int64) (p float64) {
	for _, share := range shares {
		p += math.Pow(share, float64(n))
	}
	return min(p, 1)
}

func (constantCheck) row(f *facts, moved *drift.Feature, shares []float64) Row {
	r := Row{
		Check: "constant", Subject: moved.Name, Role: moved.Role, Method: "constant/1: all rows have one value; p by the shares of the reference's values or bins", Against: moved.NReference,
		Measure: "rows with one value", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Origin: ofDefault,
	}
	constant, value := false, ""
	place := f.place(moved)
	if moved.Kind == window.KindNumber {
		is := f.Profile.Number(place)
		r.N, constant, value = is.N, is.SD == 0, fmt.Sprintf("%.6g", is.Mean)
	} else {
		r.N, constant, value = onlyValue(f.Profile.Category(place))
	}
	if f.few(moved.N) || r.N == 0 {
		r.Words = fmt.Sprintf("%s: too few values to tell whether they vary.", moved.Name)
		return r
	}
	if r.Value, r.Verdict, r.Words = 0, tallystick.Pass, moved.Name+" varies."; !constant {
		return r
	}
	p := allAlike(shares, r.N)
	r.Value, r.P, r.Words = stat.Number(r.N), &p, fmt.Sprintf("%s is %s in all %d rows that have it, and varied in the reference.", moved.Name, value, r.N)
	if p < luck {
		r.Verdict = tallystick.Fail
	} else {
		r.Words = fmt.Sprintf("%s is %s in all %d rows that have it, as can be by chance.", moved.Name, value, r.N)
	}
	return r
}

// onlyValue returns the rows that have a value, and whether that is one and which.
func onlyValue(c window.Category) (n int64, constant bool, value string) {
	kinds := 0
	counts := c.Current[:len(c.Values)]
	for i, rows := range counts {
		if n += rows; rows > 0 {
			kinds, value = kinds+1, c.Values[i]
		}
	}
	if other := c.Current[len(c.Values)]; other > 0 {
		n += other
		kinds += max(1, len(c.Unseen))
		if len(c.Unseen) > 0 {
			value = c.Unseen[0].Value
		}
	}
	return n, kinds == 1, value
}

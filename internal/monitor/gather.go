package monitor

import (
	"context"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/window"
)

// What a reference is made of at most.
const (
	maxReferenceRows   = 2_000_000
	maxReferenceValues = 64 << 20 // of all features together, half a gigabyte
	maxCategoryValues  = 200_000  // different ones of a feature; such a one is no category
	maxOutputs         = 20       // different whole numbers that are classes and not quantities
)

// The columns that are no features.
const (
	columnScore  = "score"
	columnOutput = "output"
)

// Gatherer makes a reference of rows, column by column. What is text or boolean in any row is a category; so is
// what is named as one, and an output of few whole numbers, which are classes.
type Gatherer struct {
	columns []*gathered
	rows    int64
	values  int64
}

// gathered is one column: numbers while it can be one, then counts.
type gathered struct {
	name, role string
	category   bool
	numbers    []float64
	counts     map[string]int64
	missing    int64
	full       bool // too many different values
}

// Column adds a column and returns its place.
func (g *Gatherer) Column(name, role string, category bool) int {
	g.columns = append(g.columns, &gathered{name: name, role: role, category: category, counts: map[string]int64{}})
	return len(g.columns) - 1
}

// AddRows counts rows, and returns an Invalid error once they are too many.
func (g *Gatherer) AddRows(n int64) error {
	if g.rows += n; g.rows > maxReferenceRows || g.values > maxReferenceValues {
		return tallystick.Errorf(tallystick.Invalid, "a reference of more than %d rows, or %d values, is too large", int64(maxReferenceRows), int64(maxReferenceValues)).
			WithHint("a tenth of them says as much: choose a shorter time, or a sample")
	}
	return nil
}

// AddValue takes in what a row has in a column.
func (g *Gatherer) AddValue(column int, v prediction.Value) {
	c := g.columns[column]
	switch {
	case v.IsNull():
		c.missing++
	case v.IsNumber():
		x, _ := v.Float()
		g.AddNumber(column, x)
	default:
		g.AddText(column, v.String())
	}
}

// AddNumber takes in a number.
func (g *Gatherer) AddNumber(column int, x float64) {
	if c := g.columns[column]; c.category {
		c.count(textOf(x), 1)
	} else {
		c.numbers = append(c.numbers, x)
		g.values++
	}
}

// AddText takes in text.
func (g *Gatherer) AddText(column int, text string) {
	c := g.columns[column]
	if !c.category {
		c.toCategory()
	}
	c.count(text, 1)
}

// AddMissing takes in rows without a value.
func (g *Gatherer) AddMissing(column int, n int64) { g.columns[column].missing += n }

func (c *gathered) count(value string, n int64) {
	if _, known := c.counts[value]; !known && len(c.counts) >= maxCategoryValues {
		c.full = true
		return
	}
	c.counts[value] += n
}

func (c *gathered) toCategory() {
	c.category = true
	for _, x := range c.numbers {
		c.count(textOf(x), 1)
	}
	c.numbers = nil
}

// textOf returns a number as records have it.
func textOf(x float64) string { return strings.Trim(prediction.Number(x).String(), `"`) }

// classes reports whether the numbers are few whole ones.
func (c *gathered) classes() bool {
	seen := map[float64]bool{}
	for _, x := range c.numbers {
		if x != float64(int64(x)) {
			return false
		}
		if seen[x] = true; len(seen) > maxOutputs {
			return false
		}
	}
	return true
}

// Build returns the reference. Columns without a single value, and those with so many different texts that they name
// things, are left out and named.
func (g *Gatherer) Build() (r *window.Reference, left []string, err error) {
	b := window.NewBuilder(window.Options{})
	for _, c := range g.columns {
		if c.role == window.RoleOutput && !c.category && c.classes() {
			c.toCategory()
		}
		switch {
		case c.full:
			left = append(left, c.name+" (too many different values)")
			continue
		case c.category && len(c.counts) == 0, !c.category && !slices.ContainsFunc(c.numbers, func(x float64) bool { return x-x == 0 }):
			left = append(left, c.name+" (no value)")
			continue
		case c.category:
			err = b.Category(c.name, c.role, c.counts, c.missing)
		default:
			err = b.Number(c.name, c.role, c.numbers, c.missing)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	r, err = b.Build()
	return r, left, err
}

// gather makes a reference of predictions.
func (o *Office) gather(ctx context.Context, s query.Selection, categories []string) (*window.Reference, []string, error) {
	names, err := o.config.Asker.Features(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	var g Gatherer
	columns := []string{columnScore, columnOutput}
	g.Column(columnScore, window.RoleScore, slices.Contains(categories, columnScore))
	g.Column(columnOutput, window.RoleOutput, slices.Contains(categories, columnOutput))
	for _, name := range names {
		columns = append(columns, "f_"+name)
		g.Column(name, window.RoleFeature, slices.Contains(categories, name))
	}
	for _, name := range categories {
		if name != columnScore && name != columnOutput && !slices.Contains(names, name) {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "no prediction of that time has a feature %.140q", name)
		}
	}
	for b, err := range o.config.Asker.Blocks(ctx, s, columns) {
		if err == nil {
			err = g.AddRows(int64(b.Rows()))
		}
		if err != nil {
			return nil, nil, err
		}
		for i := range columns {
			for k := range b.Rows() {
				g.AddValue(i, b.Value(i, k))
			}
		}
	}
	if g.rows == 0 {
		return nil, nil, tallystick.Errorf(tallystick.NotFound, "there are no such predictions of %s", s.Model).WithHint("`tallystick predictions stats %s --by day` says when there are", s.Model)
	}
	return g.Build()
}

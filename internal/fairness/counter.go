package fairness

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// maxValues bounds the values of one attribute. More are no groups but a measurement.
const maxValues = 200

// Attribute is one protected attribute and its values by code.
type Attribute struct {
	Name      string
	Values    []string
	Reference string // value that the others are compared with; empty: the most frequent
}

// Tally counts the rows of one group by what was true and what was predicted.
type Tally struct {
	stat.Confusion
	// Rows without a label, by prediction.
	UnlabelledPositive, UnlabelledNegative int64
}

// Truth is the label of a row as a binary decision sees it.
type Truth uint8

// The three truths.
const (
	Negative Truth = iota
	Positive
	Unknown // no label, or not yet
)

func (t *Tally) add(truth Truth, predictedPositive bool) {
	switch {
	case truth != Unknown:
		t.Count(predictedPositive, truth == Positive)
	case predictedPositive:
		t.UnlabelledPositive++
	default:
		t.UnlabelledNegative++
	}
}

func (t *Tally) merge(u Tally) {
	t.Merge(u.Confusion)
	t.UnlabelledPositive += u.UnlabelledPositive
	t.UnlabelledNegative += u.UnlabelledNegative
}

// rows counts the rows with a prediction.
func (t Tally) rows() int64 { return t.N() + t.UnlabelledPositive + t.UnlabelledNegative }

// predicted is the share of rows with one prediction, labelled or not: which rows get a label often
// depends on the prediction.
func (t Tally) predicted(positive bool) stat.Proportion {
	p := stat.Proportion{K: t.TP + t.FP + t.UnlabelledPositive, N: t.rows()}
	if !positive {
		p.K = p.N - p.K
	}
	return p
}

func (t Tally) selection() stat.Proportion { return t.predicted(true) }

// Counter tallies rows by every group and every two-way intersection. Tallies are sums, so
// counters of parts of a table can be merged in any order.
type Counter struct {
	attributes []Attribute
	strides    []int
	cells      []Tally // one for every combination of values
}

// maxCells bounds the combinations that a Counter holds.
const maxCells = 1 << 20

// NewCounter returns a Counter for the attributes. It returns an Invalid error for an attribute
// of too many values, and for attributes that together have too many combinations.
func NewCounter(attributes []Attribute) (*Counter, error) {
	c := &Counter{attributes: attributes, strides: make([]int, len(attributes))}
	size := 1
	for i, a := range attributes {
		if len(a.Values) > maxValues {
			return nil, tallystick.Errorf(tallystick.Invalid, "group column %q has %d values", a.Name, len(a.Values)).
				WithHint("at most %d can be compared; put them into classes first", maxValues)
		}
		c.strides[i] = size
		size *= max(1, len(a.Values))
		if size > maxCells {
			return nil, tallystick.Errorf(tallystick.Invalid, "the group columns have more than %d combinations of values", maxCells).
				WithHint("name fewer columns with --group")
		}
	}
	c.cells = make([]Tally, size)
	return c, nil
}

// Add counts one row. codes holds one value code for each attribute, in their order.
func (c *Counter) Add(truth Truth, predictedPositive bool, codes []uint32) {
	cell := 0
	for i, code := range codes {
		cell += c.strides[i] * int(code)
	}
	c.cells[cell].add(truth, predictedPositive)
}

// Merge adds the tallies of d, which has the same attributes.
func (c *Counter) Merge(d *Counter) {
	for i := range c.cells {
		c.cells[i].merge(d.cells[i])
	}
}

// Total returns the tally of all rows.
func (c *Counter) Total() Tally {
	var total Tally
	for _, cell := range c.cells {
		total.merge(cell)
	}
	return total
}

// byValue returns the tallies of one attribute's values.
func (c *Counter) byValue(attribute int) []Tally {
	tallies := make([]Tally, len(c.attributes[attribute].Values))
	for i, cell := range c.cells {
		tallies[c.code(i, attribute)].merge(cell)
	}
	return tallies
}

// byPair returns the tallies of the intersections of two attributes: [a's code][b's code].
func (c *Counter) byPair(a, b int) [][]Tally {
	tallies := make([][]Tally, len(c.attributes[a].Values))
	for i := range tallies {
		tallies[i] = make([]Tally, len(c.attributes[b].Values))
	}
	for i, cell := range c.cells {
		tallies[c.code(i, a)][c.code(i, b)].merge(cell)
	}
	return tallies
}

func (c *Counter) code(cell, attribute int) int {
	return cell / c.strides[attribute] % max(1, len(c.attributes[attribute].Values))
}

package rollup

import (
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/window"
)

// Counter counts predictions by rules. It is for one goroutine.
type Counter struct {
	rules   *Rules
	first   int // place of the rules' first column in a block
	numbers []float64
	texts   map[string]int64
	all     []int
	some    []int
}

// Block is a run of predictions, column by column: a [query.Block].
type Block interface {
	Rows() int
	Value(column, k int) prediction.Value
	Number(column, k int) (float64, bool)
	Text(column, k int) ([]byte, bool)
}

// NewCounter returns a counter for blocks of which the columns of the rules begin at a place.
func NewCounter(rules *Rules, first int) *Counter {
	return &Counter{rules: rules, first: first, texts: map[string]int64{}}
}

// Add counts a block, and the predictions of each slice too.
func (c *Counter) Add(t *Tally, slices []*Tally, b Block) {
	for len(c.all) < b.Rows() {
		c.all = append(c.all, len(c.all))
	}
	rows := c.all[:b.Rows()]
	c.add(t, b, rows)
	for i := range c.rules.Slices {
		c.add(slices[i], b, c.slice(b, rows, i))
	}
}

// AddRows counts some rows of a block, and no slices.
func (c *Counter) AddRows(t *Tally, b Block, rows []int) { c.add(t, b, rows) }

// slice returns those of the rows that are in a slice. They are valid until the next call.
func (c *Counter) slice(b Block, rows []int, i int) []int {
	where := &c.rules.Slices[i]
	column := c.first + c.rules.features() + len(c.rules.Counts) + i
	c.some = c.some[:0]
	for _, k := range rows {
		if where.HoldsOf(b.Value(column, k)) {
			c.some = append(c.some, k)
		}
	}
	return c.some
}

// add counts some rows of a block.
func (c *Counter) add(t *Tally, b Block, rows []int) {
	if len(rows) == 0 {
		return
	}
	t.Predictions += int64(len(rows))
	for i := range c.rules.Counts {
		column := c.first + c.rules.features() + i
		for _, k := range rows {
			if c.rules.Counts[i].HoldsOf(b.Value(column, k)) {
				t.Counts[i]++
			}
		}
	}
	if t.Profile == nil {
		return
	}
	t.Profile.AddRows(int64(len(rows)))
	for i := range c.rules.Reference.Features {
		if c.rules.Reference.Features[i].Kind == window.KindNumber {
			c.addNumbers(t.Profile, i, b, rows)
		} else {
			c.addTexts(t.Profile, i, b, rows)
		}
	}
}

func (c *Counter) addNumbers(p *window.Profile, feature int, b Block, rows []int) {
	c.numbers = c.numbers[:0]
	missing := int64(0)
	for _, k := range rows {
		if x, ok := b.Number(c.first+feature, k); ok {
			c.numbers = append(c.numbers, x)
		} else {
			missing++ // what is no number is as good as missing
		}
	}
	p.AddNumbers(feature, c.numbers)
	p.AddMissing(feature, missing)
}

func (c *Counter) addTexts(p *window.Profile, feature int, b Block, rows []int) {
	clear(c.texts)
	missing := int64(0)
	for _, k := range rows {
		if text, ok := b.Text(c.first+feature, k); ok {
			c.texts[string(text)]++
		} else if v := b.Value(c.first+feature, k); v.IsNull() {
			missing++
		} else {
			c.texts[v.String()]++
		}
	}
	values := slices.Sorted(maps.Keys(c.texts))
	counts := make([]int64, len(values))
	for i, value := range values {
		counts[i] = c.texts[value]
	}
	p.AddCounts(feature, values, counts)
	p.AddMissing(feature, missing)
}

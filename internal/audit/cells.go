package audit

import (
	"cmp"
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/table"
)

// cutter gathers the looked-at rows of one column and cuts them into the cells of a search for
// slices. A nil cutter does nothing.
type cutter struct {
	name    string
	numbers []float64 // NaN where missing
	codes   []uint32
}

// column returns nil for a column in which no slices are looked for.
func (s *search) column(c table.Column, role string) *cutter {
	if s == nil || role != "feature" && role != "group" {
		return nil
	}
	switch c.Kind {
	case table.Number:
		return &cutter{name: c.Name, numbers: make([]float64, 0, s.looked.len())}
	case table.Category:
		return &cutter{name: c.Name, codes: make([]uint32, 0, s.looked.len())}
	}
	return nil
}

func (c *cutter) add(s *strip) {
	if c != nil {
		c.numbers, c.codes = append(c.numbers, s.vector.Float...), append(c.codes, s.vector.Code...)
	}
}

// cut returns the cells: between edges, or the column's own deciles if there are none; or the most
// frequent categories.
func (c *cutter) cut(edges []float64, values []string) *searched {
	switch {
	case c == nil:
		return nil
	case c.codes != nil:
		return c.cutCategories(values)
	}
	if edges == nil {
		edges = ownEdges(c.numbers)
	}
	if len(edges) == 0 {
		return nil
	}
	// Missing values are a cell of their own.
	s := &searched{name: c.name, labels: drift.BinLabels(edges), edges: edges, cell: make([]uint8, len(c.numbers))}
	for i, x := range c.numbers {
		if math.IsNaN(x) {
			s.cell[i] = uint8(len(s.labels) - 1)
			continue
		}
		at := uint8(0)
		for _, edge := range edges { // nine at most, and no branch on what cannot be foretold
			step := uint8(0)
			if edge < x {
				step = 1
			}
			at += step
		}
		s.cell[i] = at
	}
	return s
}

// cutCategories keeps the most frequent values and puts the others together.
func (c *cutter) cutCategories(values []string) *searched {
	counts, order, cellOf := make([]int64, len(values)), make([]int, len(values)), make([]uint8, len(values))
	for _, code := range c.codes {
		if int(code) < len(counts) {
			counts[code]++
		}
	}
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	s := &searched{name: c.name, cell: make([]uint8, len(c.codes)), category: true}
	for rank, code := range order {
		cellOf[code] = uint8(min(rank, sliceCells-1))
		if rank < sliceCells-1 {
			s.labels = append(s.labels, values[code])
		}
	}
	if len(order) >= sliceCells {
		s.labels = append(s.labels, "(other)")
	}
	s.labels = append(s.labels, "(missing)")
	for i, code := range c.codes {
		if int(code) < len(cellOf) {
			s.cell[i] = cellOf[code]
		} else {
			s.cell[i] = uint8(len(s.labels) - 1)
		}
	}
	return s
}

// edgeSample is the number of values from which the cells of a column without reference are made.
const edgeSample = 100_000

// ownEdges returns the distinct deciles of a column's finite values, or of evenly spaced ones.
func ownEdges(values []float64) []float64 {
	step := max(1, len(values)/edgeSample)
	var sample []float64
	for i := 0; i < len(values); i += step {
		if finite(values[i]) {
			sample = append(sample, values[i])
		}
	}
	slices.Sort(sample)
	var edges []float64
	for i := 1; i < 10 && len(sample) > 0; i++ {
		edge := sample[i*(len(sample)-1)/10]
		if len(edges) == 0 || edge > edges[len(edges)-1] {
			edges = append(edges, edge)
		}
	}
	return edges
}

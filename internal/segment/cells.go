package segment

import (
	"slices"

	"github.com/tallystick/tallystick/internal/prediction"
)

// cells are what the records of a row group have in one field or under one name, in the order of the rows.
type cells struct {
	kinds []prediction.Kind // the first n of them, as of bits
	bits  []uint64          // of a number or boolean; of a text, its code
	fixed []byte            // of bytes, one after the other, instead of the two above
	rows  []uint32          // of each value; nil as long as no row is without one
	n     int
	lane  int   // of the cache, 0 to 63
	met   kinds // of all values
	texts *lexicon
}

// firstCells is how many values a column has room for at first. Times four, and again, that is the
// records of a cut of the journal.
const firstCells = 1 << 9

// kinds is a set of kinds.
type kinds uint8

func (k kinds) only(of ...prediction.Kind) bool {
	for _, kind := range of {
		k &^= 1 << kind
	}
	return k == 0
}

// reset empties c. Memory that the last row group did not need is given back.
func (c *cells) reset() {
	if c.n == 0 {
		*c = cells{lane: c.lane}
		return
	}
	c.n, c.fixed, c.rows, c.met = 0, c.fixed[:0], nil, 0
	if c.texts != nil {
		c.texts.reset()
	}
}

// at notes that the next value is of this row.
func (c *cells) at(row int) {
	if c.rows != nil || c.n != row {
		c.sparse(row)
	}
	c.n++
}

// sparse is at where rows are without a value.
func (c *cells) sparse(row int) {
	if c.rows == nil {
		c.rows = make([]uint32, c.n, 2*c.n+16)
		for i := range c.rows {
			c.rows[i] = uint32(i)
		}
	}
	c.rows = append(c.rows, uint32(row))
}

// row returns the row of the value i.
func (c *cells) row(i int) int {
	if c.rows == nil {
		return i
	}
	return int(c.rows[i])
}

// add adds a value of the record in the row.
func (c *cells) add(g *group, row int, v prediction.Raw) {
	bits := v.Bits
	if v.Kind == prediction.Text {
		at, n := v.Span()
		bits = c.code(g, textIn(row, at, n), g.view.Bytes(v))
	}
	c.put(row, v.Kind, bits)
}

// addText adds a text, as the group's texts have it.
func (c *cells) addText(g *group, row int, text uint64) {
	c.put(row, prediction.Text, c.code(g, text, g.text(text)))
}

func (c *cells) code(g *group, text uint64, b []byte) uint64 {
	if c.texts == nil {
		c.texts = newLexicon()
	}
	return uint64(c.texts.code(g, text, b))
}

func (c *cells) put(row int, kind prediction.Kind, bits uint64) {
	n := c.n
	c.at(row)
	if n == len(c.bits) {
		c.grow()
	}
	c.kinds[n], c.bits[n] = kind, bits
	c.met |= 1 << kind
}

// grow makes room in larger steps than append would take, because there are many columns. They all
// grow in step, so each begins in another line of the processor's cache.
func (c *cells) grow() {
	n, pad := min(max(4*len(c.bits), firstCells), groupRows), 64*c.lane
	bits, kinds := make([]uint64, n+pad/8)[pad/8:], make([]prediction.Kind, n+pad)[pad:]
	copy(bits, c.bits)
	copy(kinds, c.kinds)
	c.bits, c.kinds = bits, kinds
}

// addFixed adds bytes, of which every value has as many.
func (c *cells) addFixed(row int, b []byte) {
	c.at(row)
	if len(c.fixed)+len(b) > cap(c.fixed) {
		c.fixed = slices.Grow(c.fixed, min(max(4*len(c.fixed), firstCells*len(b)), groupRows*len(b))-len(c.fixed))
	}
	c.fixed = append(c.fixed, b...)
}

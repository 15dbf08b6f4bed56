package segment

import (
	"encoding/binary"
	"slices"

	"github.com/tallystick/tallystick/internal/prediction"
)

// cells are what the records of a row group have in one field or under one name, in the order of the rows.
type cells struct {
	kinds []prediction.Kind // the first n of them, as of bits
	bits  []uint64          // of a number or boolean; of a text, its place in the group's texts
	fixed []byte            // of bytes, one after the other, instead of the two above
	rows  []uint32          // of each value; nil as long as no row is without one
	n     int
	lane  int // of the cache, 0 to 63

	recent *[64]recentText // texts that came lately, by a hash: one that comes again is the same number
}

// reset empties c. Memory that the last row group did not need is given back.
func (c *cells) reset() {
	if c.n == 0 {
		*c = cells{lane: c.lane}
		return
	}
	c.n, c.fixed, c.rows = 0, c.fixed[:0], nil
	if c.recent != nil {
		clear(c.recent[:])
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
		bits = c.again(g, textIn(row, at, n), g.view.Bytes(v))
	}
	c.put(row, v.Kind, bits)
}

// recentText is a text that came lately. Up to 16 bytes are all in first and last.
type recentText struct {
	first, last uint64
	text        uint64
}

// again returns the number that the text b had when it came before, if that is not long ago.
func (c *cells) again(g *group, text uint64, b []byte) uint64 {
	if c.recent == nil {
		c.recent = new([64]recentText)
	}
	first, last := edges(b)
	known := &c.recent[(first^last+text&0xffff)*0x9e3779b97f4a7c15>>58]
	if known.first == first && known.last == last && uint16(known.text) == uint16(text) &&
		(len(b) <= 16 || string(g.text(known.text)) == string(b)) {
		return known.text
	}
	*known = recentText{first, last, text}
	return text
}

// edges returns the first and the last bytes, which can be the same ones.
func edges(b []byte) (first, last uint64) {
	n := len(b)
	switch {
	case n >= 8:
		return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		return uint64(b[0]) | uint64(b[n/2])<<8, uint64(b[n-1])
	}
	return 0, 0
}

func (c *cells) put(row int, kind prediction.Kind, bits uint64) {
	n := c.n
	c.at(row)
	if n == len(c.bits) {
		c.grow()
	}
	c.kinds[n], c.bits[n] = kind, bits
}

// grow makes room in larger steps than append would take, because there are many columns. They all
// grow in step, so each begins in another line of the processor's cache.
func (c *cells) grow() {
	n, pad := min(256+4*len(c.bits), groupRows), 64*c.lane
	bits, kinds := make([]uint64, n+pad/8)[pad/8:], make([]prediction.Kind, n+pad)[pad:]
	copy(bits, c.bits)
	copy(kinds, c.kinds)
	c.bits, c.kinds = bits, kinds
}

// addFixed adds bytes, of which every value has as many.
func (c *cells) addFixed(row int, b []byte) {
	c.at(row)
	if len(c.fixed)+len(b) > cap(c.fixed) {
		c.fixed = slices.Grow(c.fixed, min(4096+4*len(c.fixed), groupRows*len(b))-len(c.fixed))
	}
	c.fixed = append(c.fixed, b...)
}

// addText adds a text, as the group's texts have it.
func (c *cells) addText(row int, text uint64) { c.put(row, prediction.Text, text) }

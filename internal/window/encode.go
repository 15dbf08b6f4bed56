package window

import (
	"encoding/hex"
	"fmt"

	"github.com/tallystick/tallystick"
)

// magic begins every profile; the digit is the version of the form.
const magic = "tallystick.window.profile/1\n"

// Marshal returns the one binary form of the profile: equal profiles have equal bytes. Whole numbers
// are varints as of Protocol Buffers, signed ones zigzag, of up to 128 bits; lists name the places
// that are not zero by their distance. After the digest of the reference come the rows, and feature by
// feature
//
//	number:   missing, NaN, infinite, clamped, sum of squares; bins: count and sum
//	category: missing, other; vocabulary: count; unseen values: length, bytes, rows; sketch
//
// A sketch with more than half of its registers in use is written whole. It returns an Invalid error
// if the profile has more than 2^40 rows.
func (p *Profile) Marshal() ([]byte, error) {
	e := encoder{append(make([]byte, 0, 4096), magic...)}
	digest, err := hex.DecodeString(p.reference.digest.Hex())
	if err != nil {
		return nil, fmt.Errorf("encode profile: digest of the reference: %w", err)
	}
	e.data = append(e.data, digest...)
	e.count(p.rows)
	if p.rows < 0 || p.rows > maxWindow {
		return nil, tallystick.Errorf(tallystick.Invalid, "profile of %d rows, more than %d", p.rows, int64(maxWindow))
	}
	for i, c := range p.columns {
		if n := c.rows(); n < 0 || n > maxWindow {
			return nil, tallystick.Errorf(tallystick.Invalid, "profile of %d values of %q, more than %d", n, p.reference.Features[i].Name, int64(maxWindow))
		}
		if c.number != nil {
			c.number.encode(&e)
		} else {
			c.category.encode(&e)
		}
	}
	return e.data, nil
}

func (c *numberCounts) encode(e *encoder) {
	e.count(c.missing)
	e.count(c.nan)
	e.count(c.infinite)
	e.count(c.clamped)
	e.signed(c.squares)
	e.list(len(c.cells), func(i int) bool { return c.cells[i].n != 0 }, func(i int) {
		e.count(c.cells[i].n)
		e.signed(c.cells[i].sum)
	})
}

func (c *categoryCounts) encode(e *encoder) {
	e.count(c.missing)
	e.count(c.other)
	e.list(len(c.counts), func(i int) bool { return c.counts[i] != 0 }, func(i int) { e.count(c.counts[i]) })
	e.count(int64(len(c.unseen)))
	for _, u := range c.unseen {
		e.count(int64(len(u.Value)))
		e.data = append(e.data, u.Value...)
		e.count(u.Rows)
	}
	used := 0
	for _, rank := range c.sketch.ranks {
		if rank > 0 {
			used++
		}
	}
	if used > registers/2 {
		e.count(registers)
		e.data = append(e.data, c.sketch.ranks...)
		return
	}
	e.list(len(c.sketch.ranks), func(i int) bool { return c.sketch.ranks[i] != 0 }, func(i int) {
		e.data = append(e.data, c.sketch.ranks[i])
	})
}

// encoder appends to data.
type encoder struct{ data []byte }

func (e *encoder) count(n int64) { e.varint(0, uint64(n)) }

func (e *encoder) signed(x Int128) {
	sign := uint64(x.hi >> 63)
	e.varint((uint64(x.hi)<<1|x.lo>>63)^sign, x.lo<<1^sign)
}

func (e *encoder) varint(hi, lo uint64) {
	for hi > 0 || lo >= 0x80 {
		e.data = append(e.data, byte(lo)|0x80)
		lo, hi = lo>>7|hi<<57, hi>>7
	}
	e.data = append(e.data, byte(lo))
}

// list writes how many of n places are in use, and each with its distance from the one before.
func (e *encoder) list(n int, used func(i int) bool, write func(i int)) {
	total := 0
	for i := range n {
		if used(i) {
			total++
		}
	}
	e.count(int64(total))
	next := 0
	for i := range n {
		if used(i) {
			e.count(int64(i - next))
			write(i)
			next = i + 1
		}
	}
}

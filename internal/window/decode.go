package window

import (
	"encoding/hex"

	"github.com/tallystick/tallystick"
)

// ParseProfile reads what Profile.Marshal wrote. It returns an Invalid error for anything else: a
// profile of another reference, and every second way to write the same.
func (r *Reference) ParseProfile(data []byte) (*Profile, error) {
	d := decoder{data: data}
	if d.text(len(magic)) != magic {
		return nil, tallystick.Errorf(tallystick.Invalid, "profile does not begin as profiles do")
	}
	if digest := d.text(32); hex.EncodeToString([]byte(digest)) != r.digest.Hex() {
		return nil, tallystick.Errorf(tallystick.Invalid, "profile is of another reference than %s", r.digest.Short()).
			WithHint("read it by the reference that counted it")
	}
	p := r.Profile()
	p.rows = d.count(maxWindow)
	for i, c := range p.columns {
		at := d.at
		if c.number != nil {
			c.number.decode(&d)
		} else {
			c.category.decode(&d)
		}
		if d.wrong == "" && c.rows() > maxWindow {
			d.fail("more than 2^40 values")
		}
		if d.wrong != "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "profile at feature %q, from byte %d: %s", r.Features[i].Name, at, d.wrong)
		}
	}
	if d.wrong != "" || d.left() > 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "profile has %d bytes behind its end", d.left())
	}
	return p, nil
}

func (c *numberCounts) decode(d *decoder) {
	c.missing, c.nan, c.infinite = d.count(maxWindow), d.count(maxWindow), d.count(maxWindow)
	c.clamped = d.count(maxWindow)
	c.squares = d.signed()
	var finite int64
	d.list(len(c.cells), func(i int) {
		n := d.positive(maxWindow)
		c.cells[i] = cell{n, d.signed()}
		if !c.cells[i].sum.within(n, clampShift) {
			d.fail("sum out of range")
		}
		finite += n
	})
	if c.clamped > finite || c.squares.hi < 0 || !c.squares.within(min(finite, maxWindow), 2*clampShift) {
		d.fail("sum of squares or clamped values out of range")
	}
}

func (c *categoryCounts) decode(d *decoder) {
	c.missing, c.other = d.count(maxWindow), d.count(maxWindow)
	d.list(len(c.counts), func(i int) { c.counts[i] = d.positive(maxWindow) })
	c.decodeUnseen(d)
	c.decodeSketch(d)
}

func (c *categoryCounts) decodeUnseen(d *decoder) {
	var rows int64
	n := d.count(maxUnseen)
	for i := range int(n) {
		name := d.text(int(d.count(maxValue)))
		u := unseen{valueHash(name), Unseen{name, d.positive(maxWindow)}}
		_, known := c.reference.index[name]
		switch {
		case d.wrong != "":
			return
		case known || ValueName(name) != name:
			d.fail("unseen value is in the vocabulary, or not written as values are")
		case i > 0 && c.unseen[i-1].compare(u) >= 0:
			d.fail("unseen values out of order")
		}
		c.unseen = append(c.unseen, u)
		rows += u.Rows
	}
	if rows > c.other || n < maxUnseen && rows != c.other {
		d.fail("unseen values do not add up")
	}
}

func (c *categoryCounts) decodeSketch(d *decoder) {
	n := int(d.count(registers))
	if n == 0 || d.wrong != "" {
		return
	}
	c.sketch.ranks = make([]uint8, registers)
	if n > registers/2 {
		if n != registers {
			d.fail("sketch is neither whole nor a list")
		}
		used := 0
		copy(c.sketch.ranks, d.text(registers))
		for _, rank := range c.sketch.ranks {
			if rank > maxRank {
				d.fail("sketch has a rank out of range")
			}
			if rank > 0 {
				used++
			}
		}
		if used <= registers/2 {
			d.fail("sketch is whole and could be a list")
		}
		return
	}
	d.places(n, registers, func(i int) {
		if rank := d.text(1); rank != "" {
			c.sketch.ranks[i] = rank[0]
		}
		if c.sketch.ranks[i] == 0 || c.sketch.ranks[i] > maxRank {
			d.fail("sketch has a rank out of range")
		}
	})
}

// decoder takes from data until the first thing that is wrong; from there on all is zero.
type decoder struct {
	data  []byte
	at    int // the next byte: an index, because to move a slice costs more than to read a number
	wrong string
}

func (d *decoder) left() int { return len(d.data) - d.at }

func (d *decoder) fail(wrong string) {
	if d.wrong == "" {
		d.wrong = wrong
	}
	d.at = len(d.data)
}

func (d *decoder) text(n int) string {
	if n > d.left() {
		d.fail("cut short")
		return ""
	}
	d.at += n
	return string(d.data[d.at-n : d.at])
}

func (d *decoder) varint() (hi, lo uint64) {
	for i, b := range d.data[d.at:min(d.at+9, len(d.data))] { // nearly all
		lo |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if b == 0 && i > 0 {
				d.fail("number with leading zeros")
				return 0, 0
			}
			d.at += i + 1
			return 0, lo
		}
	}
	return d.longVarint()
}

func (d *decoder) longVarint() (hi, lo uint64) {
	for i, b := range d.data[d.at:] {
		shift := uint(7 * i)
		part := uint64(b & 0x7f)
		switch {
		case shift < 64:
			lo |= part << shift
			if shift > 57 {
				hi |= part >> (64 - shift)
			}
		case shift < 126:
			hi |= part << (shift - 64)
		case shift == 126 && part < 4:
			hi |= part << 62
		default:
			d.fail("number of more than 128 bits")
			return 0, 0
		}
		if b < 0x80 {
			if b == 0 && i > 0 {
				d.fail("number with leading zeros")
				return 0, 0
			}
			d.at += i + 1
			return hi, lo
		}
	}
	d.fail("cut short")
	return 0, 0
}

func (d *decoder) count(most int64) int64 {
	hi, lo := d.varint()
	if hi > 0 || lo > uint64(most) {
		d.fail("count out of range")
		return 0
	}
	return int64(lo)
}

func (d *decoder) positive(most int64) int64 {
	n := d.count(most)
	if n == 0 {
		d.fail("count of nothing")
	}
	return n
}

func (d *decoder) signed() Int128 {
	hi, lo := d.varint()
	sign := -(lo & 1)
	return Int128{int64(hi>>1 ^ sign), (lo>>1 | hi<<63) ^ sign}
}

// list reads what encoder.list wrote of n places.
func (d *decoder) list(n int, read func(i int)) {
	d.places(int(d.count(int64(n))), n, read)
}

func (d *decoder) places(used, n int, read func(i int)) {
	next := 0
	for range used {
		i := next + int(d.count(int64(n)))
		if i >= n {
			d.fail("place out of range")
		}
		if d.wrong != "" {
			return
		}
		read(i)
		next = i + 1
	}
}

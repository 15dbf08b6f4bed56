package table

import (
	"encoding/binary"
	"fmt"

	"github.com/tallystick/tallystick/internal/wire"
)

// delta decodes DELTA_BINARY_PACKED integers (Encodings.md).
type delta struct {
	data   []byte
	narrow bool // of 32 bits, whose sums wrap around there
	perSub int  // values of a miniblock
	subs   int  // miniblocks of a block

	left   int // values not yet read
	last   int64
	first  bool
	least  int64  // delta of the present block
	widths []byte // of its miniblocks to come
	width  int    // of the present miniblock
	inSub  int    // values left in it
	bits   []byte
	bit    int
}

func newDelta(data []byte, narrow bool) (*delta, error) {
	d := &delta{data: data, narrow: narrow, first: true}
	block, err1 := d.uvarint()
	subs, err2 := d.uvarint()
	count, err3 := d.uvarint()
	first, err4 := d.zigzag()
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return nil, errShort
	}
	if block == 0 || block > 1<<20 || subs == 0 || block%subs != 0 || block/subs%8 != 0 || count > 1<<31 {
		return nil, fmt.Errorf("delta blocks of %d values in %d parts", block, subs)
	}
	d.perSub, d.subs, d.left, d.last = int(block/subs), int(subs), int(count), first
	return d, nil
}

func (d *delta) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		return 0, errShort
	}
	d.data = d.data[n:]
	return v, nil
}

func (d *delta) zigzag() (int64, error) {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		return 0, errShort
	}
	d.data = d.data[n:]
	return v, nil
}

func (d *delta) ints(dst []int64) error {
	if len(dst) > d.left {
		return errShort
	}
	for i := range dst {
		if d.first {
			d.first = false
		} else {
			if d.inSub == 0 {
				if err := d.advance(); err != nil {
					return err
				}
			}
			d.last += d.least + int64(d.packed())
			d.inSub--
		}
		d.left--
		dst[i] = d.last
		if d.narrow {
			dst[i] = int64(int32(d.last))
		}
	}
	return nil
}

// advance begins the next miniblock.
func (d *delta) advance() (err error) {
	if len(d.widths) == 0 {
		if d.least, err = d.zigzag(); err != nil {
			return err
		}
		if len(d.data) < d.subs {
			return errShort
		}
		d.widths, d.data = d.data[:d.subs], d.data[d.subs:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return fmt.Errorf("delta of %d bits", d.width)
	}
	size := d.perSub / 8 * d.width
	if size > len(d.data) {
		// The last miniblock may lack its padding.
		size = len(d.data)
		if size*8 < min(d.perSub, d.left)*d.width {
			return errShort
		}
	}
	d.bits, d.data, d.bit, d.inSub = d.data[:size], d.data[size:], 0, d.perSub
	return nil
}

// packed returns the next packed value of the present miniblock.
func (d *delta) packed() uint64 {
	if d.width == 0 {
		return 0
	}
	v := wire.BitsAt(d.bits, d.bit)
	if got := 64 - d.bit&7; got < d.width {
		v |= wire.BitsAt(d.bits, d.bit+got) << got
	}
	d.bit += d.width
	return v << (64 - d.width) >> (64 - d.width)
}

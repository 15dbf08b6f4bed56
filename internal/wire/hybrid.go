package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFew says that a page ends before its values do.
var ErrFew = errors.New("it has fewer values than it states")

// Rule says whose pages are read.
type Rule uint8

const (
	// Strict is for pages of our own: runs have values, and groups all their bytes.
	Strict Rule = iota
	// Lenient is for anybody's: runs can be empty, and the last group without its padding.
	Lenient
)

// Hybrid reads the RLE / bit-packing hybrid of the format (Encodings.md): definition levels,
// indexes into a dictionary, booleans. The zero value has no values.
type Hybrid struct {
	data  []byte
	width int
	rule  Rule

	repeat int // values left of a run of value
	value  uint32
	packed int    // values left of a bit-packed run
	bits   []byte // of that run
	bit    int    // position in it
}

// NewHybrid reads values of width bits, at most 32.
func NewHybrid(data []byte, width int, rule Rule) (Hybrid, error) {
	if width < 0 || width > 32 {
		return Hybrid{}, fmt.Errorf("values cannot have %d bits", width)
	}
	return Hybrid{data: data, width: width, rule: rule}, nil
}

// Width returns the bits of a value.
func (h *Hybrid) Width() int { return h.width }

// advance begins the next run.
func (h *Hybrid) advance() error {
	header, n := binary.Uvarint(h.data)
	count, packed := header>>1, header&1 == 1
	if n <= 0 || count > 1<<31 || packed && count > 1<<28 {
		return ErrFew
	}
	if h.rule == Strict && (count == 0 || count > 1<<28) {
		return ErrFew
	}
	h.data = h.data[n:]
	if packed {
		return h.advancePacked(int(count))
	}
	size := (h.width + 7) / 8
	if len(h.data) < size {
		return ErrFew
	}
	h.value = 0
	for i, c := range h.data[:size] {
		h.value |= uint32(c) << (8 * i)
	}
	if h.width < 32 && h.value >= 1<<h.width {
		return fmt.Errorf("value %d has more than %d bits", h.value, h.width)
	}
	h.repeat, h.data = int(count), h.data[size:]
	return nil
}

// advancePacked begins a run of groups of eight values.
func (h *Hybrid) advancePacked(groups int) error {
	h.packed, h.bit = groups*8, 0
	size := groups * h.width
	if size > len(h.data) {
		if h.rule == Strict {
			h.packed = 0
			return ErrFew
		}
		size = len(h.data)
		h.packed = size * 8 / h.width
	}
	h.bits, h.data = h.data[:size], h.data[size:]
	return nil
}

// Read decodes the next len(dst) values.
func (h *Hybrid) Read(dst []uint32) error {
	for len(dst) > 0 {
		switch {
		case h.repeat > 0:
			n := min(h.repeat, len(dst))
			for i := range dst[:n] {
				dst[i] = h.value
			}
			h.repeat -= n
			dst = dst[n:]
		case h.packed > 0:
			n := min(h.packed, len(dst))
			h.unpack(dst[:n])
			h.packed -= n
			dst = dst[n:]
		default:
			if err := h.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpack decodes values of the open run.
func (h *Hybrid) unpack(dst []uint32) {
	mask := uint64(1)<<h.width - 1
	if h.bit&7 == 0 && h.width <= 16 {
		dst = h.unpackGroups(dst)
	}
	for i := range dst {
		dst[i] = uint32(BitsAt(h.bits, h.bit) & mask)
		h.bit += h.width
	}
}

// unpackGroups decodes groups of eight values, which begin at a byte, four at a time, and returns what is
// left over.
func (h *Hybrid) unpackGroups(dst []uint32) []uint32 {
	width := uint(h.width)
	mask := uint32(1)<<width - 1
	half, shift := 4*width/8, 4*width%8
	at := h.bit / 8
	for len(dst) >= 8 && at+int(half)+8 <= len(h.bits) {
		low := binary.LittleEndian.Uint64(h.bits[at:])
		high := binary.LittleEndian.Uint64(h.bits[at+int(half):]) >> shift
		d := (*[8]uint32)(dst)
		d[0], d[4] = uint32(low)&mask, uint32(high)&mask
		d[1], d[5] = uint32(low>>(width&63))&mask, uint32(high>>(width&63))&mask
		d[2], d[6] = uint32(low>>(2*width&63))&mask, uint32(high>>(2*width&63))&mask
		d[3], d[7] = uint32(low>>(3*width&63))&mask, uint32(high>>(3*width&63))&mask
		dst = dst[8:]
		at += int(width)
	}
	h.bit = at * 8
	return dst
}

// ReadMissing decodes definition levels of at most 1, of one bit each: it sets missing where the level is 0 and
// returns how many are 1. missing must be all false.
func (h *Hybrid) ReadMissing(missing []bool) (present int, err error) {
	for len(missing) > 0 {
		n := len(missing)
		switch {
		case h.repeat > 0:
			n = min(n, h.repeat)
			h.repeat -= n
			if h.value != 0 {
				present += n
				break
			}
			for i := range missing[:n] {
				missing[i] = true
			}
		case h.packed > 0:
			n = min(n, h.packed)
			h.packed -= n
			for i := range missing[:n] {
				if h.bits[h.bit>>3]>>(h.bit&7)&1 == 0 {
					missing[i] = true
				} else {
					present++
				}
				h.bit++
			}
		default:
			if err := h.advance(); err != nil {
				return 0, err
			}
			n = 0
		}
		missing = missing[n:]
	}
	return present, nil
}

// BitsAt returns the bits of data from the given position on, at least 57 of them where data has so
// many, zeros beyond.
func BitsAt(data []byte, bit int) uint64 {
	at := bit >> 3
	if at+8 <= len(data) {
		return binary.LittleEndian.Uint64(data[at:]) >> (bit & 7)
	}
	var v uint64
	for i := range min(8, max(0, len(data)-at)) {
		v |= uint64(data[at+i]) << (8 * i)
	}
	return v >> (bit & 7)
}

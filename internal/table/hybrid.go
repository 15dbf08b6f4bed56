package table

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errShort = errors.New("it has fewer values than it states")

// hybrid decodes the RLE / bit-packing hybrid of the format (Encodings.md): definition levels,
// dictionary indexes, booleans. Its values have width bits, at most 32.
type hybrid struct {
	data  []byte
	width int

	repeat int // values left of a run of value
	value  uint32
	packed int    // values left of a bit-packed run
	bits   []byte // of that run
	bit    int    // position in it
}

func newHybrid(data []byte, width int) (hybrid, error) {
	if width < 0 || width > 32 {
		return hybrid{}, fmt.Errorf("values cannot have %d bits", width)
	}
	return hybrid{data: data, width: width}, nil
}

// advance begins the next run.
func (h *hybrid) advance() error {
	header, n := binary.Uvarint(h.data)
	if n <= 0 {
		return errShort
	}
	h.data = h.data[n:]
	if header&1 == 0 {
		size := (h.width + 7) / 8
		if len(h.data) < size || header>>1 > 1<<31 {
			return errShort
		}
		h.value = 0
		for i, c := range h.data[:size] {
			h.value |= uint32(c) << (8 * i)
		}
		if h.width < 32 && h.value >= 1<<h.width {
			return fmt.Errorf("value %d has more than %d bits", h.value, h.width)
		}
		h.repeat, h.data = int(header>>1), h.data[size:]
		return nil
	}
	groups := header >> 1 // of eight values
	if groups > 1<<28 {
		return errShort
	}
	h.packed, h.bit = int(groups)*8, 0
	size := int(groups) * h.width
	if size > len(h.data) {
		// Some writers leave out the padding of the last group.
		size = len(h.data)
		h.packed = size * 8 / max(1, h.width)
	}
	h.bits, h.data = h.data[:size], h.data[size:]
	return nil
}

// read decodes the next len(dst) values.
func (h *hybrid) read(dst []uint32) error {
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

func (h *hybrid) unpack(dst []uint32) {
	mask := uint64(1)<<h.width - 1
	for i := range dst {
		dst[i] = uint32(bitsAt(h.bits, h.bit) & mask)
		h.bit += h.width
	}
}

// readMissing decodes definition levels of at most 1: it sets missing where the level is 0 and
// returns how many are 1. missing must be all false.
func (h *hybrid) readMissing(missing []bool) (present int, err error) {
	for len(missing) > 0 {
		n := len(missing)
		switch {
		case h.repeat > 0:
			n = min(n, h.repeat)
			h.repeat -= n
			if h.value == 1 {
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

// bitsAt returns the bits of data from the given position on, at least 57 of them where data has so
// many, zeros beyond.
func bitsAt(data []byte, bit int) uint64 {
	at := bit >> 3
	if at+8 <= len(data) {
		return binary.LittleEndian.Uint64(data[at:]) >> (bit & 7)
	}
	var v uint64
	for i := range min(8, len(data)-at) {
		v |= uint64(data[at+i]) << (8 * i)
	}
	return v >> (bit & 7)
}

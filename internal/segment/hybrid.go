package segment

import "encoding/binary"

var errShort = faultf("a page has fewer values than it states")

// hybrid decodes the RLE / bit-packing hybrid of the format (Encodings.md): definition levels of
// one bit and indexes into a dictionary, of at most 32 bits.
type hybrid struct {
	data  []byte
	width int

	repeat int // values left of a run of value
	value  uint32
	packed int // values left of a bit-packed run
	bits   []byte
	bit    int
}

func newHybrid(data []byte, width int) (hybrid, error) {
	if width > 32 {
		return hybrid{}, faultf("a page has indexes of %d bits", width)
	}
	return hybrid{data: data, width: width}, nil
}

// advance begins the next run.
func (h *hybrid) advance() error {
	header, n := binary.Uvarint(h.data)
	if n <= 0 || header>>1 == 0 || header>>1 > 1<<28 {
		return errShort
	}
	h.data = h.data[n:]
	if header&1 == 0 {
		size := (h.width + 7) / 8
		if len(h.data) < size {
			return errShort
		}
		h.value = 0
		for i, c := range h.data[:size] {
			h.value |= uint32(c) << (8 * i)
		}
		h.repeat, h.data = int(header>>1), h.data[size:]
		return nil
	}
	size := int(header>>1) * h.width // of groups of eight values
	if size > len(h.data) {
		return errShort
	}
	h.packed, h.bit = int(header>>1)*8, 0
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
			mask := uint64(1)<<h.width - 1
			for i := range dst[:n] {
				dst[i] = uint32(bitsAt(h.bits, h.bit) & mask)
				h.bit += h.width
			}
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

// readNulls sets null, which must be all false, where the level is 0 and returns how many are not.
func (h *hybrid) readNulls(null []bool) (present int, err error) {
	for len(null) > 0 {
		n := len(null)
		switch {
		case h.repeat > 0:
			n = min(n, h.repeat)
			h.repeat -= n
			if h.value != 0 {
				present += n
				break
			}
			for i := range null[:n] {
				null[i] = true
			}
		case h.packed > 0:
			n = min(n, h.packed)
			h.packed -= n
			for i := range null[:n] {
				if h.bits[h.bit>>3]>>(h.bit&7)&1 == 0 {
					null[i] = true
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
		null = null[n:]
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
	for i := range min(8, max(0, len(data)-at)) {
		v |= uint64(data[at+i]) << (8 * i)
	}
	return v >> (bit & 7)
}

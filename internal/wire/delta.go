package wire

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Integers in the encoding DELTA_BINARY_PACKED of the format (Encodings.md): differences to the value before, in blocks
// of which each has its smallest difference, and the others as what they are more than that, packed in as few bits as a
// quarter of the block needs.
const (
	deltaBlock   = 128
	deltaMinis   = 4
	deltaMini    = deltaBlock / deltaMinis
	deltaHeader  = "\x80\x01\x04" // 128 and 4 as varints
	maxDeltaBits = 64
)

var errDelta = errors.New("its differences are not as they are written here")

// AppendDelta appends values, of which there is at least one.
func AppendDelta(dst []byte, values []uint64) []byte {
	dst = binary.AppendUvarint(append(dst, deltaHeader...), uint64(len(values)))
	last := values[0]
	dst = binary.AppendVarint(dst, int64(last))
	var more [deltaBlock]uint64
	for rest := values[1:]; len(rest) > 0; {
		n := min(deltaBlock, len(rest))
		least := int64(rest[0] - last)
		for i, v := range rest[:n] {
			more[i] = v - last
			least = min(least, int64(more[i]))
			last = v
		}
		rest = rest[n:]
		dst = binary.AppendVarint(dst, least)
		widths := len(dst)
		dst = append(dst, make([]byte, deltaMinis)...)
		for m := 0; m*deltaMini < n; m++ {
			mini := more[m*deltaMini:][:deltaMini]
			clear(mini[min(deltaMini, n-m*deltaMini):])
			var all uint64
			for i := range min(deltaMini, n-m*deltaMini) {
				mini[i] -= uint64(least)
				all |= mini[i]
			}
			width := bits.Len64(all)
			dst[widths+m] = byte(width)
			dst = appendBits(dst, mini, width)
		}
	}
	return dst
}

// appendBits appends the low bits of values, whose number is a multiple of eight.
func appendBits(dst []byte, values []uint64, width int) []byte {
	var pending uint64
	filled := 0
	for _, v := range values {
		pending |= v << filled
		if filled += width; filled >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, pending)
			filled -= 64
			pending = v >> (width - filled) // of 64 and more bits nothing is left
		}
	}
	for ; filled > 0; filled -= 8 {
		dst = append(dst, byte(pending))
		pending >>= 8
	}
	return dst
}

// ReadDelta decodes what AppendDelta wrote, which must be as many values as dst has, and nothing else.
func ReadDelta(dst []int64, data []byte) error {
	if len(data) < len(deltaHeader) || string(data[:len(deltaHeader)]) != deltaHeader {
		return errDelta
	}
	data = data[len(deltaHeader):]
	count, n := binary.Uvarint(data)
	if n <= 0 || count == 0 || count != uint64(len(dst)) {
		return ErrFew
	}
	data = data[n:]
	last, n := binary.Varint(data)
	if n <= 0 {
		return ErrFew
	}
	data = data[n:]
	dst[0] = last
	for rest := dst[1:]; len(rest) > 0; {
		least, n := binary.Varint(data)
		if n <= 0 || len(data)-n < deltaMinis {
			return ErrFew
		}
		widths := data[n : n+deltaMinis]
		data = data[n+deltaMinis:]
		for _, width := range widths {
			mini := rest[:min(deltaMini, len(rest))]
			size := deltaMini / 8 * int(width)
			if len(mini) == 0 && width > 0 || width > maxDeltaBits {
				return errDelta
			}
			if size > len(data) {
				return ErrFew
			}
			readBits(mini, data[:size], int(width))
			for i, more := range mini {
				last += least + more
				mini[i] = last
			}
			rest, data = rest[len(mini):], data[size:]
		}
	}
	if len(data) > 0 {
		return errDelta
	}
	return nil
}

// readBits reads values of so many bits, which data has.
func readBits(values []int64, data []byte, width int) {
	if width <= 56 {
		mask := uint64(1)<<width - 1
		for i := range values {
			values[i] = int64(BitsAt(data, i*width) & mask)
		}
		return
	}
	for i := range values {
		at := i * width
		low := BitsAt(data, at) & (1<<32 - 1)
		high := BitsAt(data, at+32) & (uint64(1)<<(width-32) - 1)
		values[i] = int64(high<<32 | low)
	}
}

package wire

import (
	"encoding/binary"
)

// AppendHybrid appends values of width bits, at most 32, in the hybrid: as runs where eight or more
// are equal, else packed.
func AppendHybrid(dst []byte, values []uint32, width int) []byte {
	packed := 0 // from here on values wait, in groups of eight
	for i := 0; i < len(values); {
		run := i + 1
		for run < len(values) && values[run] == values[i] {
			run++
		}
		if run-i < 8 {
			i += 8
			continue
		}
		dst = appendPacked(dst, values[packed:i], width)
		dst = AppendRun(dst, values[i], run-i, width)
		i, packed = run, run
	}
	return appendPacked(dst, values[packed:], width)
}

// AppendRun appends count times a value, at least one.
func AppendRun(dst []byte, value uint32, count, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(count)<<1)
	for range (width + 7) / 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

// appendPacked appends values in groups of eight, the last one filled with zeros.
func appendPacked(dst []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	pending, bits := uint64(0), 0
	for _, v := range values {
		pending |= uint64(v) << bits
		if bits += width; bits >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(pending))
			pending >>= 32
			bits -= 32
		}
	}
	for len(dst) < end {
		dst = append(dst, byte(pending))
		pending >>= 8
	}
	return dst[:end]
}

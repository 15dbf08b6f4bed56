package table

import (
	"encoding/binary"
	"math"
)

// segment is one block of one column: a bitmap of missing values if there are any, then the values,
// little-endian: 8 bytes a number or time, width bytes a code, 4 bytes where a text ends and then
// all text.
type segment struct {
	kind   Kind // empty if all values are missing
	nulls  bool
	width  uint8
	size   int
	memory []byte // nil if the segment lies in the file
	offset int64
}

// encode appends the n values of v to dst.
func encode(dst []byte, kind Kind, v *Vector, n int) (segment, []byte) {
	seg := segment{kind: kind}
	missing := 0
	for _, null := range v.Null[:n] {
		if null {
			missing++
		}
	}
	if missing == n {
		return segment{}, dst
	}
	if missing > 0 {
		seg.nulls = true
		start := len(dst)
		dst = append(dst, make([]byte, (n+7)/8)...)
		for j, null := range v.Null[:n] {
			if null {
				dst[start+j/8] |= 1 << (j % 8)
			}
		}
	}
	switch kind {
	case Number:
		for _, x := range v.Float[:n] {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
		}
	case Time:
		for _, x := range v.Time[:n] {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
		}
	case Category:
		dst, seg.width = encodeCodes(dst, v.Code[:n])
	case Text:
		for _, end := range v.ends[:n] {
			dst = binary.LittleEndian.AppendUint32(dst, end)
		}
		dst = append(dst, v.text...)
	}
	return seg, dst
}

// encodeCodes writes codes in as few bytes each as their largest needs. A missing one, all ones, is
// cut to that width: the bitmap tells it.
func encodeCodes(dst []byte, codes []uint32) ([]byte, uint8) {
	largest := uint32(0)
	for _, c := range codes {
		if c != NoCode {
			largest = max(largest, c)
		}
	}
	switch {
	case largest <= math.MaxUint8:
		for _, c := range codes {
			dst = append(dst, byte(c))
		}
		return dst, 1
	case largest <= math.MaxUint16:
		for _, c := range codes {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(c))
		}
		return dst, 2
	}
	for _, c := range codes {
		dst = binary.LittleEndian.AppendUint32(dst, c)
	}
	return dst, 4
}

// decode is the inverse of encode. Text is copied: payload may be a buffer that is used again.
func (seg segment) decode(v *Vector, payload []byte, n int) {
	v.reset()
	v.Null = append(v.Null, make([]bool, n)...)
	if seg.nulls {
		for j := range n {
			v.Null[j] = payload[j/8]>>(j%8)&1 == 1
		}
		payload = payload[(n+7)/8:]
	}
	switch seg.kind {
	case Number:
		for j := range n {
			v.Float = append(v.Float, math.Float64frombits(binary.LittleEndian.Uint64(payload[8*j:])))
		}
	case Time:
		for j := range n {
			v.Time = append(v.Time, int64(binary.LittleEndian.Uint64(payload[8*j:])))
		}
	case Category:
		v.Code = seg.decodeCodes(v.Code, payload, n)
		if seg.nulls {
			for j, null := range v.Null {
				if null {
					v.Code[j] = NoCode
				}
			}
		}
	case Text:
		for j := range n {
			v.ends = append(v.ends, binary.LittleEndian.Uint32(payload[4*j:]))
		}
		v.text = append(v.text, payload[4*n:]...)
	}
}

func (seg segment) decodeCodes(codes []uint32, payload []byte, n int) []uint32 {
	switch seg.width {
	case 1:
		for _, c := range payload[:n] {
			codes = append(codes, uint32(c))
		}
	case 2:
		for j := range n {
			codes = append(codes, uint32(binary.LittleEndian.Uint16(payload[2*j:])))
		}
	default:
		for j := range n {
			codes = append(codes, binary.LittleEndian.Uint32(payload[4*j:]))
		}
	}
	return codes
}

package window

// Size is what one profile of a reference takes at most, whatever it counts.
type Size struct {
	Memory int64 // bytes while it is counted in, without the reference
	Bytes  int64 // of Marshal
}

// Bytes of the varints of a profile of at most 2^40 rows.
const (
	countBytes   = 6  // up to 2^40
	sumBytes     = 12 // up to 2^80 on either side
	squaresBytes = 18 // up to 2^120
	placeBytes   = 2  // up to 4,096
)

// Size returns the bounds. A number with 80 different values and more takes 2.1 KB of memory and at
// most 1.7 KB as bytes; a category at most 17 KB and 8 bytes for each value of its vocabulary.
func (r *Reference) Size() Size {
	s := Size{Memory: 64, Bytes: int64(len(magic)) + 32 + countBytes}
	for _, f := range r.Features {
		s.Memory += 32
		if f.Kind == KindNumber {
			cells := int64(len(f.Number.Edges)) + 1
			s.Memory += 96 + 24*cells
			s.Bytes += 4*countBytes + squaresBytes + placeBytes + cells*(placeBytes+countBytes+sumBytes)
			continue
		}
		values := int64(len(f.Category.Values))
		s.Memory += 128 + 8*values + 2*maxUnseen*32 + maxUnseen*maxValue + registers
		s.Bytes += 2*countBytes + placeBytes + values*(placeBytes+countBytes) +
			placeBytes + maxUnseen*(placeBytes+maxValue+countBytes) + placeBytes + registers
	}
	return s
}

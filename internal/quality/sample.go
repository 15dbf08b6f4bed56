package quality

import "github.com/tallystick/tallystick/internal/stat"

// sample keeps every k-th of the numbers it is given, k being the least power of two for which no
// more than limit are kept. It is the same for the same numbers, and its memory is bounded.
type sample struct {
	limit  int
	stride int64 // 0 stands for 1
	seen   int64
	kept   []float64
}

func (s *sample) add(x float64) {
	if s.take(len(s.kept) == s.limit, func() { s.kept = thin(s.kept) }) {
		s.kept = append(s.kept, x)
	}
}

// take reports whether the next number is kept. Where there is no room it thins what is kept.
func (s *sample) take(full bool, thin func()) bool {
	s.stride = max(1, s.stride)
	at := s.seen
	s.seen++
	if at&(s.stride-1) != 0 {
		return false
	}
	if full {
		thin()
		s.stride *= 2
		return at&(s.stride-1) == 0
	}
	return true
}

// thin keeps every second value.
func thin(values []float64) []float64 {
	for i := 0; i < len(values); i += 2 {
		values[i/2] = values[i]
	}
	return values[:(len(values)+1)/2]
}

// maxPairs is how many pairs of numbers are kept for a rank correlation.
const maxPairs = 1 << 16

// pairs holds the moments of pairs of numbers, exact over all, and a sample of them.
type pairs struct {
	x, y stat.Moments
	xy   float64 // sum of the products of deviations
	sample
	keptY []float64
}

func (p *pairs) add(x, y float64) {
	p.limit = maxPairs
	dx := x - p.x.Mean // from the mean before, as Welford has it
	p.x.Add(x)
	p.y.Add(y)
	p.xy += dx * (y - p.y.Mean)
	if p.take(len(p.kept) == p.limit, func() { p.kept, p.keptY = thin(p.kept), thin(p.keptY) }) {
		p.kept, p.keptY = append(p.kept, x), append(p.keptY, y)
	}
}

package window

import (
	"math"
	"math/bits"
)

const (
	sketchBits = 12
	registers  = 1 << sketchBits
	maxRank    = 64 - sketchBits + 1
)

// sketch is a dense HyperLogLog of 64-bit hashes: per register the largest rank, the number of
// leading zeros and one more, of what fell to it. Its state depends on the set of values alone, which
// the usual corrections by history (HIP) give up. It has no registers while it is empty.
type sketch struct{ ranks []uint8 }

func (s *sketch) add(hash uint64) {
	if s.ranks == nil {
		s.ranks = make([]uint8, registers)
	}
	register, rank := hash>>(64-sketchBits), uint8(bits.LeadingZeros64(hash<<sketchBits|1<<(sketchBits-1))+1)
	s.ranks[register] = max(s.ranks[register], rank)
}

func (s *sketch) merge(o *sketch) {
	if o.ranks == nil {
		return
	}
	if s.ranks == nil {
		s.ranks = make([]uint8, registers)
	}
	for i, rank := range o.ranks {
		s.ranks[i] = max(s.ranks[i], rank)
	}
}

// estimate returns the number of distinct hashes by the estimator of Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches" (arXiv 1702.01284), algorithm 6: no tables of bias,
// no change of formula from few to many.
func (s *sketch) estimate() float64 {
	if s.ranks == nil {
		return 0
	}
	var having [maxRank + 1]float64 // registers by rank
	for _, rank := range s.ranks {
		having[rank]++
	}
	z := registers * tau(1-having[maxRank]/registers)
	for rank := maxRank - 1; rank >= 1; rank-- {
		z = (z + having[rank]) / 2
	}
	z += registers * sigma(having[0]/registers)
	return registers * registers / (2 * math.Ln2 * z)
}

// sigma is x + the sum of x^(2^k) 2^(k-1) from k = 1 on.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	sum, weight := x, 1.0
	for {
		x *= x
		before := sum
		sum += x * weight
		weight += weight
		if sum == before {
			return sum
		}
	}
}

// tau is (1 - x - the sum of (1 - x^(2^-k))^2 2^-k from k = 1 on) / 3.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	sum, weight := 1-x, 1.0
	for {
		x = math.Sqrt(x)
		before := sum
		weight /= 2
		sum -= (1 - x) * (1 - x) * weight
		if sum == before {
			return sum / 3
		}
	}
}

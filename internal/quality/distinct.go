package quality

import (
	"math"
	"math/bits"
)

// MaxExactDistinct is how many different values of a column are counted exactly. Beyond, the
// count is an estimate.
const MaxExactDistinct = 1 << 16

// distinctSet counts how often each key occurred, by open addressing, until it holds
// MaxExactDistinct keys. The zero value is empty.
type distinctSet struct {
	slots []slot // a power of two, at most half full
	size  int
}

// slot is free where count is 0.
type slot struct {
	key   uint64
	count int64
}

// add counts key n times and reports whether there was room.
func (s *distinctSet) add(key uint64, n int64) bool {
	if len(s.slots) > 0 {
		if at := s.find(key); s.slots[at].count != 0 {
			s.slots[at].count += n
			return true
		}
	}
	if s.size >= MaxExactDistinct {
		return false
	}
	if 2*s.size >= len(s.slots) {
		s.grow()
	}
	s.slots[s.find(key)] = slot{key, n}
	s.size++
	return true
}

// find returns the slot of key, or the free one where it belongs.
func (s *distinctSet) find(key uint64) uint64 {
	mask := uint64(len(s.slots) - 1)
	at := mix(key) & mask
	for s.slots[at].count != 0 && s.slots[at].key != key {
		at = (at + 1) & mask
	}
	return at
}

func (s *distinctSet) grow() {
	old := s.slots
	s.slots = make([]slot, max(64, 2*len(old)))
	for _, kept := range old {
		if kept.count != 0 {
			s.slots[s.find(kept.key)] = kept
		}
	}
}

// each calls fn for every key in no order that means anything.
func (s *distinctSet) each(fn func(key uint64, count int64)) {
	for _, kept := range s.slots {
		if kept.count != 0 {
			fn(kept.key, kept.count)
		}
	}
}

// mix spreads a key over all 64 bits (the finalizer of splitmix64, which is a bijection).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hyperLogLog estimates how many different keys it was given (Flajolet et al., AofA 2007), with a
// standard error of 1.04/√16384 = 0.8 %. It is fed only once MaxExactDistinct keys were seen, four
// times its registers, where the plain estimator has no bias worth correcting. Its value does not
// depend on the order of keys.
type hyperLogLog struct{ registers [1 << hllBits]uint8 }

const hllBits = 14

func (h *hyperLogLog) add(key uint64) {
	x := mix(key)
	at := x >> (64 - hllBits)
	rank := uint8(bits.LeadingZeros64(x<<hllBits|1<<(hllBits-1))) + 1
	if rank > h.registers[at] {
		h.registers[at] = rank
	}
}

func (h *hyperLogLog) merge(other *hyperLogLog) {
	for i, rank := range other.registers {
		h.registers[i] = max(h.registers[i], rank)
	}
}

func (h *hyperLogLog) estimate() int64 {
	const m = 1 << hllBits
	var sum float64
	for _, rank := range h.registers {
		sum += math.Ldexp(1, -int(rank))
	}
	return int64(math.Round(0.7213 / (1 + 1.079/m) * m * m / sum))
}

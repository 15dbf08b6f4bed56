package stat

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// ADWIN keeps the longest recent stretch of a stream whose mean has not changed (Bifet and Gavalda,
// SDM 2007, 443-448), in buckets that double in size with age: memory is logarithmic in its length.
// At every check all divisions of the stretch between buckets are tried, and the oldest bucket is
// dropped for as long as some two parts differ by more than chance allows at Delta. Values may have
// any finite size, but the bound supposes that they lie within about [0, 1].
type ADWIN struct {
	Delta float64 `json:"delta"` // chance of a false alarm at one check, by the paper's bound
	Every int64   `json:"every"` // values between checks

	Seen int64 `json:"seen"` // values taken in
	// Levels[i] holds buckets of 2^i values, oldest first.
	Levels [][]Bucket `json:"levels"`
}

// Bucket holds the sum of some values beside each other, and their squared deviations from their
// mean.
type Bucket struct {
	Sum float64 `json:"sum"`
	M2  float64 `json:"m2"`
}

const (
	adwinBuckets = 5  // of one size, before the two oldest become one
	adwinLevels  = 48 // more values than any stream has
	adwinPart    = 5  // values that either part of a division must have
	adwinWarmup  = 10 // values before the first check
)

// NewADWIN returns a detector with the customary settings: delta 0.002, a check at every 32nd
// value.
func NewADWIN() *ADWIN { return &ADWIN{Delta: 0.002, Every: 32} }

// Add takes in the next value and reports whether the mean was found to have changed; what came
// before the change is then forgotten. NaN and infinite values are left out.
func (a *ADWIN) Add(value float64) bool {
	if !isFinite(value) {
		return false
	}
	a.Seen++
	a.insert(Bucket{Sum: value})
	if a.Every <= 0 || a.Seen%a.Every != 0 {
		return false
	}
	changed := false
	for w := a.window(); w.n > adwinWarmup && a.divides(w); w = a.window() {
		a.dropOldest()
		changed = true
	}
	return changed
}

// insert adds a bucket of one value, and joins the two oldest of each size that has too many.
func (a *ADWIN) insert(b Bucket) {
	for i := 0; ; i++ {
		if i == len(a.Levels) {
			a.Levels = append(a.Levels, make([]Bucket, 0, adwinBuckets+1))
		}
		level := append(a.Levels[i], b)
		if len(level) <= adwinBuckets || i == adwinLevels-1 {
			a.Levels[i] = level
			return
		}
		n, d := math.Ldexp(1, i), level[0].Sum-level[1].Sum
		b = Bucket{level[0].Sum + level[1].Sum, level[0].M2 + level[1].M2 + d*d/(2*n)}
		a.Levels[i] = slices.Delete(level, 0, 2)
	}
}

func (a *ADWIN) dropOldest() {
	last := len(a.Levels) - 1
	a.Levels[last] = slices.Delete(a.Levels[last], 0, 1)
	for last >= 0 && len(a.Levels[last]) == 0 {
		a.Levels = a.Levels[:last]
		last--
	}
}

// adwinWindow is the stretch as a whole.
type adwinWindow struct{ n, sum, variance float64 }

func (a *ADWIN) window() adwinWindow {
	w := adwinWindow{n: float64(a.N())}
	for _, level := range a.Levels {
		for _, b := range level {
			w.sum += b.Sum
		}
	}
	mean, m2 := w.sum/w.n, 0.0
	for i, level := range a.Levels {
		size, share := math.Ldexp(1, i), math.Ldexp(1, -i)
		for _, b := range level {
			d := b.Sum*share - mean
			m2 += b.M2 + d*d*size
		}
	}
	w.variance = m2 / w.n
	return w
}

// divides reports whether some division of the stretch has two means too far apart.
func (a *ADWIN) divides(w adwinWindow) bool {
	risk := math.Log(2 * math.Log(w.n) / a.Delta)
	old, oldSum := 0.0, 0.0
	for i, level := range slices.Backward(a.Levels) {
		size := math.Ldexp(1, i)
		for _, b := range level {
			old += size
			oldSum += b.Sum
			recent := w.n - old
			if recent < adwinPart {
				return false
			}
			if old < adwinPart {
				continue
			}
			// Sizes count beyond the least that a part must have.
			m := 1/(old-adwinPart+1) + 1/(recent-adwinPart+1)
			gap, spread := math.Abs(oldSum/old-(w.sum-oldSum)/recent), 2*m*w.variance*risk
			if gap*gap > spread && gap > math.Sqrt(spread)+2./3*m*risk {
				return true
			}
		}
	}
	return false
}

// N returns the length of the stretch.
func (a *ADWIN) N() int64 {
	n := int64(0)
	for i, level := range a.Levels {
		n += int64(len(level)) << i
	}
	return n
}

// Mean returns the mean of the stretch, NaN when empty.
func (a *ADWIN) Mean() float64 {
	w := a.window()
	return w.sum / w.n
}

// UnmarshalJSON reads what json.Marshal wrote, and refuses what no stream leads to.
func (a *ADWIN) UnmarshalJSON(data []byte) error {
	type plain ADWIN
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if !(p.Delta > 0 && p.Delta < 1) || p.Every <= 0 || p.Seen < 0 || len(p.Levels) > adwinLevels {
		return fmt.Errorf("read adwin: delta %v, every %d, seen %d, %d levels", p.Delta, p.Every, p.Seen, len(p.Levels))
	}
	for i, level := range p.Levels {
		if len(level) > adwinBuckets || len(level) == 0 && i == len(p.Levels)-1 {
			return fmt.Errorf("read adwin: %d buckets of one size", len(level))
		}
		for _, b := range level {
			if b.M2 < 0 {
				return fmt.Errorf("read adwin: squared deviations %v", b.M2)
			}
		}
	}
	*a = ADWIN(p)
	return nil
}

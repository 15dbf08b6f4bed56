package quality

import (
	"cmp"
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// Config says what a Profiler looks at.
type Config struct {
	Column table.Column
	Role   string // as Column.Role
	// Dictionary returns the values of a category by code. It is asked once all rows were added.
	Dictionary func() []string
	// Quantiles returns exact quantiles of the finite numbers, where the caller has them anyway; the
	// profiler then counts nothing for them. It is asked once all rows were added. It may be nil.
	Quantiles func(qs ...float64) []float64
	// Reference is the whole profile of the same column in the reference, or nil. It must not
	// change from here on; any number of profilers may share it.
	Reference *Profiler
}

// Profiler gathers the profile of one column, block by block or whole, in bounded memory: at most
// 2 MiB and the dictionary's size, then 16 KiB and 2 KiB for each octave of the numbers. Profilers
// of parts of one table merge. It is for one goroutine at a time.
type Profiler struct {
	cfg  Config
	n    int64
	null int64

	// Numbers.
	nan, posInf, negInf int64
	fractions           int64 // finite numbers that are not whole; 1 or more where their number is of no interest
	moments             stat.Moments
	low, high           float64 // the reference's smallest and largest number
	outside             int64   // numbers, infinite ones included, beyond low or high
	sorted              []float64

	// Times, nanoseconds since 1970 UTC.
	first, last int64

	codes  []int64     // categories: rows of each code
	values distinctSet // other kinds, until it is full
	many   *hyperLogLog
	cells  *magnitudes
}

// NewProfiler returns an empty profile.
func NewProfiler(cfg Config) *Profiler {
	p := &Profiler{cfg: cfg, first: math.MaxInt64, last: math.MinInt64, low: math.Inf(-1), high: math.Inf(1)}
	if r := cfg.Reference; r != nil && r.moments.N > 0 && r.cfg.Column.Kind == table.Number {
		p.low, p.high = r.moments.Min, r.moments.Max
		if r.negInf > 0 {
			p.low = math.Inf(-1)
		}
		if r.posInf > 0 {
			p.high = math.Inf(1)
		}
	}
	return p
}

// N returns the number of rows, missing ones included.
func (p *Profiler) N() int64 { return p.n }

// Add takes in the next n rows.
func (p *Profiler) Add(n int, v *table.Vector) {
	p.unsort()
	p.n += int64(n)
	for _, null := range v.Null {
		if null {
			p.null++
		}
	}
	switch v.Kind {
	case table.Number:
		p.addNumbers(v.Float, v.Null)
	case table.Category:
		p.addCodes(v.Code)
	case table.Time:
		for i, at := range v.Time {
			if v.Null == nil || !v.Null[i] {
				p.first, p.last = min(p.first, at), max(p.last, at)
				p.addKey(uint64(at), 1)
			}
		}
	case table.Text:
		for i := range n {
			if v.Null == nil || !v.Null[i] {
				p.addKey(v.Hash(i), 1)
			}
		}
	}
}

// Sorted is a whole column of numbers that the caller has sorted for its own purposes.
type Sorted struct {
	Finite         []float64 // ascending
	Null           int64
	NaN            int64
	PosInf, NegInf int64
}

// AddSorted takes in numbers that are sorted already, which makes percentiles and the number of
// different values exact and costs less. Finite must not change until Result has returned.
func (p *Profiler) AddSorted(s Sorted) {
	p.unsort()
	empty := p.n == p.null
	p.n += int64(len(s.Finite)) + s.Null + s.NaN + s.PosInf + s.NegInf
	p.null += s.Null
	p.nan += s.NaN
	p.addInfinite(s.PosInf, s.NegInf)
	p.addMoments(stat.MomentsOf(s.Finite), s.Finite)
	p.sorted = s.Finite
	if !empty {
		p.unsort()
	}
}

// unsort gives up the exactness of AddSorted because more rows come.
func (p *Profiler) unsort() {
	p.addFinite(p.sorted)
	p.sorted = nil
}

// numberKey returns the same key for 0 and -0.
func numberKey(x float64) uint64 { return math.Float64bits(x + 0) }

// addKey counts a value n times, exactly as long as there is room.
func (p *Profiler) addKey(key uint64, n int64) {
	if p.many == nil {
		if p.values.add(key, n) {
			return
		}
		p.overflow()
	}
	p.many.add(key)
	if p.cells != nil {
		p.cells.add(math.Float64frombits(key), n)
	}
}

// overflow goes over from exact counts to estimates.
func (p *Profiler) overflow() {
	p.many = new(hyperLogLog)
	if p.cfg.Column.Kind == table.Number && p.cfg.Quantiles == nil {
		p.cells = new(magnitudes)
	}
	exact := p.values
	p.values = distinctSet{}
	exact.each(p.addKey)
}

func (p *Profiler) addCodes(codes []uint32) {
	for _, code := range codes {
		if code == table.NoCode {
			continue
		}
		if int(code) >= len(p.codes) {
			p.codes = append(p.codes, make([]int64, int(code)+1-len(p.codes))...)
		}
		p.codes[code]++
	}
}

// Merge takes in the rows of other, a profile of other rows of the same table against the same
// reference. Other does not change.
func (p *Profiler) Merge(other *Profiler) {
	p.unsort()
	p.n += other.n
	p.null += other.null
	p.nan += other.nan
	p.posInf += other.posInf
	p.negInf += other.negInf
	p.fractions += other.fractions
	p.outside += other.outside
	p.moments.Merge(other.moments)
	p.first, p.last = min(p.first, other.first), max(p.last, other.last)
	if more := len(other.codes) - len(p.codes); more > 0 {
		p.codes = append(p.codes, make([]int64, more)...)
	}
	for code, n := range other.codes {
		p.codes[code] += n
	}
	p.addFinite(other.sorted)
	other.values.each(p.addKey)
	if other.many != nil {
		if p.many == nil {
			p.overflow()
		}
		p.many.merge(other.many)
		if p.cells != nil && other.cells != nil {
			p.cells.merge(other.cells)
		}
	}
}

// distinct returns how many different values there are, infinities included, and whether the
// count is exact.
func (p *Profiler) distinct() (n int64, exact bool) {
	n = int64(min(p.posInf, 1) + min(p.negInf, 1))
	switch {
	case p.cfg.Column.Kind == table.Category:
		for _, count := range p.codes {
			n += min(count, 1)
		}
		return n, true
	case p.sorted != nil:
		for i, x := range p.sorted {
			if i == 0 || x != p.sorted[i-1] {
				n++
			}
		}
		return n, true
	case p.many != nil:
		// An estimate of more values than there are rows is certain to be wrong.
		return min(n+p.many.estimate(), p.n-p.null-p.nan), false
	}
	return n + int64(p.values.size), true
}

// quantiles returns quantiles of the finite numbers and the bound of their relative error.
func (p *Profiler) quantiles(qs ...float64) (values []float64, relativeError float64) {
	switch {
	case p.cfg.Quantiles != nil:
		return p.cfg.Quantiles(qs...), 0
	case p.sorted != nil:
		for _, q := range qs {
			values = append(values, stat.Quantile(p.sorted, q))
		}
		return values, 0
	case p.cells != nil:
		values, relativeError = percentiles(p.cells.cells(), p.cells.n, qs...), PercentileError
	default:
		cells := make([]cell, 0, p.values.size)
		var n int64
		p.values.each(func(key uint64, count int64) {
			cells = append(cells, cell{math.Float64frombits(key), count})
			n += count
		})
		slices.SortFunc(cells, func(a, b cell) int { return cmp.Compare(a.value, b.value) })
		values = percentiles(cells, n, qs...)
	}
	for i := range values {
		values[i] = min(max(values[i], p.moments.Min), p.moments.Max)
	}
	return values, relativeError
}

package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Divergence says how far two distributions over the same cells are apart.
type Divergence struct {
	PSI       float64 // population stability index, symmetric, natural logarithm
	JS        float64 // Jensen-Shannon distance, base 2: 0 to 1
	JSNatural float64 // the same in nats, as SciPy's default: 0 to 0.8326
	Hellinger float64 // 0 to 1
	TVD       float64 // total variation distance: half the sum of absolute differences
	LInfinity float64 // largest absolute difference of a share
	Cells     int     // cells that hold anything in either
	Smoothed  bool    // a cell was empty on one side and got half a count, for PSI alone
}

// Diverge compares two count vectors of equal length. Every field is NaN if a vector is empty or
// has a negative count, or lengths differ.
//
// PSI is infinite where only one side has an empty cell. Such a cell gets half a count on the
// empty side, and the shares of that side are taken of its enlarged total; cells that both sides
// leave empty do not take part.
func Diverge(reference, current []int64) Divergence {
	n, m := total(reference), total(current)
	if n == 0 || m == 0 || len(reference) != len(current) {
		nan := math.NaN()
		return Divergence{PSI: nan, JS: nan, JSNatural: nan, Hellinger: nan, TVD: nan, LInfinity: nan}
	}
	var d Divergence
	emptyR, emptyC := 0, 0
	var js, affinity float64
	for i, r := range reference {
		c := current[i]
		if r == 0 && c == 0 {
			continue
		}
		d.Cells++
		if r == 0 {
			emptyR++
		}
		if c == 0 {
			emptyC++
		}
		p, q := float64(r)/float64(n), float64(c)/float64(m)
		d.TVD += math.Abs(p-q) / 2
		d.LInfinity = max(d.LInfinity, math.Abs(p-q))
		middle := (p + q) / 2
		js += (entropyTerm(p, middle) + entropyTerm(q, middle)) / 2
		root := math.Sqrt(p) - math.Sqrt(q)
		affinity += root * root
	}
	d.JSNatural = math.Sqrt(max(0, js))
	d.JS = math.Sqrt(max(0, js/math.Ln2))
	d.Hellinger = math.Sqrt(affinity / 2)
	d.Smoothed = emptyR+emptyC > 0
	sumR, sumC := float64(n)+float64(emptyR)/2, float64(m)+float64(emptyC)/2
	for i, r := range reference {
		c := current[i]
		if r == 0 && c == 0 {
			continue
		}
		p, q := halfIfEmpty(r)/sumR, halfIfEmpty(c)/sumC
		d.PSI += (q - p) * math.Log(q/p)
	}
	return d
}

// entropyTerm is p log(p/q), 0 at p = 0.
func entropyTerm(p, q float64) float64 {
	if p == 0 {
		return 0
	}
	return p * math.Log(p/q)
}

func halfIfEmpty(count int64) float64 {
	if count == 0 {
		return 0.5
	}
	return float64(count)
}

// total returns the sum of counts, 0 if one is negative.
func total(counts []int64) int64 {
	var sum int64
	for _, c := range counts {
		if c < 0 {
			return 0
		}
		sum += c
	}
	return sum
}

// PSICritical returns the value that the PSI of samples of n and m rows from one distribution over
// cells of equal mass exceeds with probability alpha: the 1-alpha quantile of chi-square with
// cells-1 degrees of freedom times 1/n+1/m (Yurdakul 2018). NaN below two cells or without rows.
func PSICritical(cells int, n, m int64, alpha float64) float64 {
	if cells < 2 || n <= 0 || m <= 0 || !(alpha > 0 && alpha < 1) {
		return math.NaN()
	}
	return distuv.ChiSquared{K: float64(cells - 1)}.Quantile(1-alpha) * (1/float64(n) + 1/float64(m))
}

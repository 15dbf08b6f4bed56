package stat

import (
	"math"
	"sync"
)

// Test is the outcome of a two-sample test.
type Test struct {
	Statistic float64
	P         float64 // two-sided
	Method    string  // how P was computed: "exact" or "asymptotic"
}

// exactPaths bounds n x m of the samples whose Kolmogorov-Smirnov p-value is computed exactly.
const exactPaths = 10_000

// KolmogorovSmirnov compares two samples by D, the largest difference of their distribution
// functions. P is exact by counting paths while n x m is at most 10,000 (conservative with ties),
// else that of a one-sample D at n m/(n+m) rows ([KSTail]), as SciPy's "asymp".
func KolmogorovSmirnov(a, b []float64) Test {
	x, y := sortedFinite(a), sortedFinite(b)
	n, m := int64(len(x)), int64(len(y))
	if n == 0 || m == 0 {
		return Test{math.NaN(), math.NaN(), "none"}
	}
	var largest, i, j int64
	for i < n && j < m {
		v := min(x[i], y[j])
		for i < n && x[i] == v {
			i++
		}
		for j < m && y[j] == v {
			j++
		}
		largest = max(largest, abs(i*m-j*n))
	}
	return ksTest(largest, n, m)
}

// ksTest returns the test of D = gap/(n m).
func ksTest(gap, n, m int64) Test {
	d := float64(gap) / float64(n) / float64(m)
	if n*m <= exactPaths {
		return Test{d, ksExact(gap, int(n), int(m)), "exact"}
	}
	return Test{d, KSTwoSample(d, n, m), "asymptotic"}
}

func abs(n int64) int64 { return max(n, -n) }

// ksExact returns the share of the lattice paths from (0, 0) to (n, m) that somewhere have
// |i m - j n| >= gap, which is P(D >= gap/(n m)) when all orders are alike (Hodges, Arkiv foer
// Matematik 3 (1958) 469-486). Every step adds positive numbers, so that small shares stay exact.
func ksExact(gap int64, n, m int) float64 {
	if gap == 0 {
		return 1
	}
	// outside[j] is the share of the paths to (i, j) that have been outside.
	outside := make([]float64, m+1)
	for i := range n + 1 {
		for j := range m + 1 {
			switch {
			case abs(int64(i)*int64(m)-int64(j)*int64(n)) >= gap:
				outside[j] = 1
			case i == 0 && j == 0:
				outside[j] = 0
			case i == 0:
				outside[j] = outside[j-1]
			case j == 0: // as it was at i-1
			default:
				outside[j] = (float64(i)*outside[j] + float64(j)*outside[j-1]) / float64(i+j)
			}
		}
	}
	return min(1, outside[m])
}

// KSTwoSample returns the asymptotic p-value of a two-sample D of n and m rows.
func KSTwoSample(d float64, n, m int64) float64 {
	rows := math.RoundToEven(float64(n) * float64(m) / float64(n+m))
	return KSTail(d, int64(max(1, rows)))
}

// KSTail returns P(D >= d) for the two-sided one-sample statistic of n rows from a continuous
// distribution, after the choice of methods of Simard and L'Ecuyer, Journal of Statistical Software
// 39(11), 2011. It is exact up to 140 rows, and good to four digits beyond, but that above 4,096
// rows values below 1e-20 lose digits until only the order of magnitude is left at 1e-200.
func KSTail(d float64, n int64) float64 {
	rows := float64(n)
	zz := rows * d * d
	switch {
	case math.IsNaN(d) || n <= 0:
		return math.NaN()
	case rows*d <= 0.5:
		return 1
	case d >= 1:
		return 0
	case n <= 140 && zz <= 4 && d < 0.5:
		return max(0, 1-ksMatrix(d, int(n)))
	case n > 140 && zz < 2.2:
		return max(0, min(1, 1-pelzGood(math.Sqrt(zz), rows)))
	case zz > 370:
		return 0 // below the smallest float64
	}
	return min(1, 2*smirnov(d, n)) // crossing both bounds is beyond the last digit here
}

// smirnovExact bounds the rows for which the sum of smirnov is evaluated term by term.
const smirnovExact = 4096

// smirnov returns P(D+ >= d) for the one-sided statistic of n rows (Birnbaum and Tingey 1951),
// beyond smirnovExact rows by its expansion to order 1/n (Simard and L'Ecuyer, equation 15).
func smirnov(d float64, n int64) float64 {
	rows := float64(n)
	if n > smirnovExact {
		z := (6*rows*d + 1) * (6*rows*d + 1) / (18 * rows)
		return math.Exp(-z - (2*z*z-4*z-1)/(18*rows))
	}
	choose := binomials.of(n)
	most := int64(rows * (1 - d))
	if most >= 1 && 1-d-float64(most)/rows <= 0 { // the last term would be of nothing
		most--
	}
	sum := math.Exp(rows * math.Log1p(-d))
	first, last := heavy(most, func(j int64) float64 { return smirnovTerm(choose, d, rows, j) })
	for j := first; j <= last; j++ {
		sum += d * math.Exp(smirnovTerm(choose, d, rows, j))
	}
	return sum
}

// smirnovTerm returns the logarithm of the j-th term of the sum, over d.
func smirnovTerm(choose []float64, d, rows float64, j int64) float64 {
	k := float64(j)
	return choose[j] + (k-1)*math.Log(d+k/rows) + (rows-k)*math.Log(1-d-k/rows)
}

// negligible is so much smaller, as a logarithm, that 4,096 such terms change no digit of a sum: 1e-26 of the largest.
const negligible = 60

// heavy returns the terms from 1 to most that are not negligible beside the largest. They rise to one maximum and fall, since
// the logarithm of a term is rows times the negative divergence of (k/rows, k/rows+d), which is convex in k, but for
// parts that grow no faster than log k; a test compares with all terms, bit for bit.
func heavy(most int64, log func(j int64) float64) (first, last int64) {
	low, high := int64(1), most
	for high-low > 2 {
		left := low + (high-low)/2
		if log(left) < log(left+1) {
			low = left + 1
		} else {
			high = left
		}
	}
	top := low
	for j := low; j <= high; j++ {
		if log(j) > log(top) {
			top = j
		}
	}
	if most < 1 {
		return 1, 0
	}
	least := log(top) - negligible
	// search is the place next to the top where terms become negligible; the far one is taken to be.
	search := func(near, far int64) int64 {
		for near-far > 1 || far-near > 1 {
			if middle := (near + far) / 2; log(middle) < least {
				far = middle
			} else {
				near = middle
			}
		}
		return near
	}
	return search(top, 0), search(top, most+1)
}

// binomials keeps the logarithms of binomial coefficients of the sizes that were asked for last: the features of a window have
// as many rows.
var binomials = &binomialTable{rows: map[int64][]float64{}}

type binomialTable struct {
	mu   sync.Mutex
	rows map[int64][]float64
}

const maxBinomials = 16 // sizes, each of at most 32 KiB

// of returns the logarithms of n over 0 to n. Nobody changes them.
func (t *binomialTable) of(n int64) []float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.rows[n]; known != nil {
		return known
	}
	if len(t.rows) == maxBinomials {
		clear(t.rows)
	}
	all, sum := make([]float64, n+1), 0.0
	for j := range n {
		k := float64(j + 1)
		sum += math.Log((float64(n) - k + 1) / k)
		all[j+1] = sum
	}
	t.rows[n] = all
	return all
}

// pelzGood returns P(sqrt(n) D < z) by the expansion to order n^-3/2 (Pelz and Good, JRSS B 38
// (1976) 152-156).
func pelzGood(z, n float64) float64 {
	if z < 0.05 {
		return 0
	}
	const terms = 20 // exp(-(pi k)^2/(2 z^2)) is 0 long before for z below 1.5
	z2 := z * z
	z4, z6, z8 := z2*z2, z2*z2*z2, z2*z2*z2*z2
	var k0, k1, k2, k3 float64
	for k := range terms {
		// Half-integers come in pairs of opposite sign, hence the doubled factor below.
		h := math.Pi * (float64(k) + 0.5)
		h2 := h * h
		h4, h6 := h2*h2, h2*h2*h2
		e := math.Exp(-h2 / (2 * z2))
		if e == 0 {
			break
		}
		k0 += e
		k1 += e * (h2 - z2)
		k2 += e * (6*z6 + 2*z4 + h2*(2*z4-5*z2) + h4*(1-2*z2))
		k3 += e * (h6*(5-30*z2) + h4*(212*z4-60*z2) + h2*(135*z4-96*z6) - 30*z6 - 90*z8)
	}
	var whole2, whole3 float64
	for k := 1; k < terms; k++ {
		w := math.Pi * float64(k)
		w2 := w * w
		e := math.Exp(-w2 / (2 * z2))
		if e == 0 {
			break
		}
		whole2 += e * w2
		whole3 += e * (3*w2*z2 - w2*w2)
	}
	factor := math.Sqrt(2 * math.Pi)
	k0 *= factor / z
	k1 *= factor / (6 * z4)
	k2 = factor * (k2/(72*z6*z) - whole2/(36*z2*z))
	k3 = factor * (k3/(6480*z8*z2) + whole3/(216*z6))
	root := math.Sqrt(n)
	return k0 + k1/root + k2/n + k3/(n*root)
}

// ksMatrix returns P(D < d) as an entry of the n-th power of a matrix (Marsaglia, Tsang and Wang,
// Journal of Statistical Software 8(18), 2003). n is small enough that no entry overflows.
func ksMatrix(d float64, n int) float64 {
	k := int(math.Ceil(float64(n) * d))
	h := float64(k) - float64(n)*d
	m := 2*k - 1
	step := make([]float64, m*m)
	for i := range m {
		for j := range min(i+2, m) {
			step[i*m+j] = 1
		}
	}
	power := h
	for i := range m {
		step[i*m] -= power
		step[(m-1)*m+m-1-i] -= power
		power *= h
	}
	if 2*h > 1 {
		step[(m-1)*m] += math.Pow(2*h-1, float64(m))
	}
	for i := range m {
		factorial := 1.0
		for j := i; j >= 0; j-- {
			factorial *= float64(i - j + 1)
			step[i*m+j] /= factorial
		}
	}
	// row times step, n times, keeping the whole at scale by j/n: the product is n!/n^n.
	row, next := make([]float64, m), make([]float64, m)
	row[k-1] = 1
	for times := 1; times <= n; times++ {
		for j := range m {
			sum := 0.0
			for i := max(0, j-1); i < m; i++ {
				sum += row[i] * step[i*m+j]
			}
			next[j] = sum * float64(times) / float64(n)
		}
		row, next = next, row
	}
	return row[k-1]
}

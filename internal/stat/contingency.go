package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ChiSquare is Pearson's test. Every number is NaN where the table has fewer than two rows or
// columns that hold anything.
type ChiSquare struct {
	Statistic float64
	DOF       int
	P         float64
	CramersV  float64 // 0 to 1, without bias correction; NaN for goodness of fit
}

// Homogeneity tests whether the rows of a table of counts share one distribution over columns,
// equally whether rows and columns are independent, without continuity correction. Empty rows and
// columns do not take part.
func Homogeneity(table [][]int64) ChiSquare {
	columns := 0
	for _, row := range table {
		columns = max(columns, len(row))
	}
	rowSums, columnSums := make([]float64, len(table)), make([]float64, columns)
	n := 0.0
	for i, row := range table {
		for j, count := range row {
			rowSums[i] += float64(count)
			columnSums[j] += float64(count)
			n += float64(count)
		}
	}
	r, c := positive(rowSums), positive(columnSums)
	if r < 2 || c < 2 {
		return ChiSquare{Statistic: math.NaN(), P: math.NaN(), CramersV: math.NaN()}
	}
	statistic := 0.0
	for i, row := range table {
		for j, sum := range columnSums {
			expected := rowSums[i] * sum / n
			if expected == 0 {
				continue
			}
			observed := 0.0
			if j < len(row) {
				observed = float64(row[j])
			}
			statistic += (observed - expected) * (observed - expected) / expected
		}
	}
	dof := (r - 1) * (c - 1)
	return ChiSquare{statistic, dof, chiSquareTail(statistic, dof), math.Sqrt(statistic / n / float64(min(r, c)-1))}
}

// GoodnessOfFit tests counts against expected shares, which are scaled to the counts' total. It
// treats expected as known without error: against another sample use Homogeneity. An observation
// where nothing is expected gives statistic +Inf and p 0.
func GoodnessOfFit(observed []int64, expected []float64) ChiSquare {
	none := ChiSquare{Statistic: math.NaN(), P: math.NaN(), CramersV: math.NaN()}
	n, sum := float64(total(observed)), 0.0
	for _, e := range expected {
		if !(e >= 0) {
			return none
		}
		sum += e
	}
	cells := positive(expected)
	if len(observed) != len(expected) || n == 0 || cells < 2 {
		return none
	}
	statistic := 0.0
	for i, o := range observed {
		e := expected[i] / sum * n
		if d := float64(o) - e; d != 0 {
			statistic += d * d / e
		}
	}
	return ChiSquare{statistic, cells - 1, chiSquareTail(statistic, cells-1), math.NaN()}
}

func positive(values []float64) int {
	n := 0
	for _, v := range values {
		if v > 0 {
			n++
		}
	}
	return n
}

// chiSquareTail returns P(chi-square >= x), with its relative precision in the far tail.
func chiSquareTail(x float64, dof int) float64 {
	if math.IsInf(x, 1) {
		return 0
	}
	return mathext.GammaIncRegComp(float64(dof)/2, x/2)
}

// FisherExact tests the independence of a 2 x 2 table [[a, b], [c, d]]. It returns the sample odds
// ratio ad/(bc) and the two-sided p-value: the probability, margins given, of all tables that are
// no more likely than this one, as R and SciPy have it. The odds ratio is NaN where 0/0; p is NaN
// if a count is negative or all are 0.
func FisherExact(a, b, c, d int64) (oddsRatio, p float64) {
	n := a + b + c + d
	if min(a, b, c, d) < 0 || n == 0 {
		return math.NaN(), math.NaN()
	}
	oddsRatio = float64(a) * float64(d) / (float64(b) * float64(c))
	low, high := max(0, a-d), min(a+b, a+c)
	constant := logChoose(n, a+c)
	probability := func(k int64) float64 { // of a table with k in the first cell
		return math.Exp(logChoose(a+b, k) + logChoose(c+d, a+c-k) - constant)
	}
	// The slack keeps tables of equal probability together that rounding has set apart.
	limit := probability(a) * (1 + 1e-7)
	for k := low; k <= high; k++ {
		if q := probability(k); q <= limit {
			p += q
		}
	}
	return oddsRatio, min(1, p)
}

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}

package stat

import "math"

// exactShift bounds the size of samples without ties whose interval uses exact probabilities.
const exactShift = 50

// HodgesLehmann returns by how much values of a lie above those of b: the median of all pairwise
// differences (Annals of Mathematical Statistics 34 (1963) 598-611), with the interval that inverts
// the Mann-Whitney test: two order statistics of the differences, chosen exactly below 50 values
// each without ties, as R's wilcox.test and Kayenta do, else by the normal. N is the smaller
// sample's size. No difference is stored: each order statistic is found by bisection in O(n + m).
func HodgesLehmann(a, b []float64, conf float64) Estimate {
	x, y := sortedFinite(a), sortedFinite(b)
	n, m := len(x), len(y)
	if n == 0 || m == 0 {
		return noEstimate(0, "hodges-lehmann")
	}
	d := differences{x, y}
	pairs := n * m
	value := d.orderStatistic(pairs / 2)
	if pairs%2 == 0 {
		value = value/2 + d.orderStatistic(pairs/2-1)/2
	}
	cut, method := 0, "hodges-lehmann, normal"
	if n < exactShift && m < exactShift && !d.tied() {
		cut, method = mannWhitneyQuantile((1-conf)/2, n, m), "hodges-lehmann, exact"
	} else {
		sd := math.Sqrt(float64(n) * float64(m) / 12 * float64(n+m+1))
		cut = int(math.Floor(float64(pairs)/2 - normalQuantile(conf)*sd))
	}
	cut = max(1, cut)
	if cut > pairs-cut {
		cut = (pairs + 1) / 2
	}
	return Estimate{value, Interval{d.orderStatistic(cut - 1), d.orderStatistic(pairs - cut)}, int64(min(n, m)), method}
}

// CommonLanguage returns the chance that a value of a is above one of b, ties counting one half
// (McGraw and Wong, Psychological Bulletin 111 (1992) 361-365; without their normal distribution).
func CommonLanguage(a, b []float64) float64 {
	n, m := MomentsOf(a).N, MomentsOf(b).N
	return MannWhitney(a, b).Statistic / (float64(n) * float64(m))
}

// differences are all x[i]-y[j] of two ascending samples.
type differences struct{ x, y []float64 }

// atMost counts the differences that are at most limit.
func (d differences) atMost(limit float64) int {
	count, j := 0, len(d.y)
	for _, v := range d.x { // as v grows, more of y is too small
		for j > 0 && v-d.y[len(d.y)-j] > limit {
			j--
		}
		count += j
	}
	return count
}

// orderStatistic returns the k-th smallest difference, from 0.
func (d differences) orderStatistic(k int) float64 {
	low := ordered(d.x[0] - d.y[len(d.y)-1])
	high := ordered(d.x[len(d.x)-1] - d.y[0])
	for low < high {
		middle := low + (high-low)/2
		if d.atMost(unordered(middle)) > k {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return unordered(low)
}

func (d differences) tied() bool {
	i, j := 0, 0
	last := math.Inf(-1)
	for i < len(d.x) || j < len(d.y) {
		var v float64
		if j == len(d.y) || i < len(d.x) && d.x[i] <= d.y[j] {
			v = d.x[i]
			i++
		} else {
			v = d.y[j]
			j++
		}
		if v == last {
			return true
		}
		last = v
	}
	return false
}

// ordered maps floats to integers of the same order, neighbours to neighbours.
func ordered(v float64) uint64 {
	bits := math.Float64bits(v)
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func unordered(u uint64) float64 {
	if u>>63 == 1 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

// mannWhitneyQuantile returns the least u whose probability of U at most u is at least p.
func mannWhitneyQuantile(p float64, n, m int) int {
	sum := 0.0
	for u, share := range mannWhitneyShares(n, m) {
		sum += share
		if sum >= p {
			return u
		}
	}
	return n * m
}

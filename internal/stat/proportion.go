package stat

import "math"

// Proportion is K successes among N trials.
type Proportion struct {
	K int64 `json:"k"`
	N int64 `json:"n"`
}

// Rate returns K/N, NaN without trials.
func (p Proportion) Rate() float64 { return float64(p.K) / float64(p.N) }

// Wilson returns the score interval of the proportion without continuity correction (Wilson,
// JASA 22 (1927) 209-212), NaN bounds without trials.
func (p Proportion) Wilson(conf float64) Interval { return p.wilson(normalQuantile(conf)) }

func (p Proportion) wilson(z float64) Interval {
	if p.N <= 0 {
		return noInterval()
	}
	n, rate := float64(p.N), p.Rate()
	zz := z * z / n
	centre := (rate + zz/2) / (1 + zz)
	half := z / (1 + zz) * math.Sqrt(rate*(1-rate)/n+zz/(4*n))
	interval := Interval{centre - half, centre + half}.clip(0, 1)
	// Rounding would leave 1e-17 where the formula says 0 or 1.
	if p.K == 0 {
		interval.Low = 0
	}
	if p.K == p.N {
		interval.High = 1
	}
	return interval
}

// Estimate returns the rate with its Wilson interval.
func (p Proportion) Estimate() Estimate {
	return Estimate{p.Rate(), p.Wilson(Confidence), p.N, "wilson"}
}

// Newcombe returns the interval of the difference p-q of two independent proportions by the
// hybrid score method (Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10).
func Newcombe(p, q Proportion, conf float64) Interval {
	return newcombe(p, q, normalQuantile(conf))
}

func newcombe(p, q Proportion, z float64) Interval {
	a, b := p.Rate(), q.Rate()
	wp, wq := p.wilson(z), q.wilson(z)
	return Interval{
		a - b - math.Hypot(a-wp.Low, wq.High-b),
		a - b + math.Hypot(wp.High-a, b-wq.Low),
	}
}

// Difference returns p-q of two independent proportions with its Newcombe interval. N is the
// smaller number of trials.
func Difference(p, q Proportion) Estimate {
	return Estimate{p.Rate() - q.Rate(), Newcombe(p, q, Confidence), min(p.N, q.N), "newcombe"}
}

// NewcombeP returns the one-sided p-value of "p-q is at most margin": half of one minus the
// confidence at which the lower Newcombe bound touches the margin, so that it agrees with the
// interval. Where p-q does not exceed the margin it is at least one half.
func NewcombeP(p, q Proportion, margin float64) float64 {
	if p.N <= 0 || q.N <= 0 {
		return math.NaN()
	}
	if p.Rate()-q.Rate() <= margin {
		// The margin lies on the other side: one minus the p-value of the mirrored question.
		return 1 - newcombeTail(q, p, -margin)
	}
	return newcombeTail(p, q, margin)
}

// newcombeTail bisects for z, p-q being at least margin.
func newcombeTail(p, q Proportion, margin float64) float64 {
	low, high := 0.0, 38.0 // the p-value of 38 is at the edge of float64
	for range 100 {
		z := (low + high) / 2
		if newcombe(p, q, z).Low > margin {
			low = z
		} else {
			high = z
		}
	}
	return normalTwoSided(low) / 2
}

// Ratio returns p/q of two independent proportions with the log interval (Katz et al.,
// Biometrics 34 (1978) 469-474). Where one of them has no success or no failure, half a success and
// half a failure are added to both for the interval, and Method says so; the value stays the plain
// ratio, NaN where q has no success. N is the smaller number of trials.
func Ratio(p, q Proportion) Estimate {
	e := Estimate{p.Rate() / q.Rate(), noInterval(), min(p.N, q.N), "katz log"}
	if p.N <= 0 || q.N <= 0 {
		return noEstimate(max(0, e.N), e.Method)
	}
	if q.K == 0 {
		e.Value = math.NaN()
	}
	pk, pn, qk, qn := float64(p.K), float64(p.N), float64(q.K), float64(q.N)
	if p.K == 0 || q.K == 0 || p.K == p.N || q.K == q.N {
		pk, pn, qk, qn = pk+0.5, pn+1, qk+0.5, qn+1
		e.Method = "katz log, half a count added"
	}
	centre := math.Log(pk / pn * qn / qk)
	se := math.Sqrt(max(0, 1/pk-1/pn+1/qk-1/qn))
	log := around(centre, se)
	e.Interval = Interval{math.Exp(log.Low), math.Exp(log.High)}
	return e
}

// TwoProportionZ returns the pooled z statistic of "p and q are equal" and its two-sided p-value.
// Where every trial, or none, succeeded there is no evidence of a difference: z 0, p 1.
func TwoProportionZ(p, q Proportion) (z, pValue float64) {
	if p.N <= 0 || q.N <= 0 {
		return math.NaN(), math.NaN()
	}
	pooled := Proportion{p.K + q.K, p.N + q.N}
	if pooled.K == 0 || pooled.K == pooled.N {
		return 0, 1
	}
	rate := pooled.Rate()
	z = (p.Rate() - q.Rate()) / math.Sqrt(rate*(1-rate)*(1/float64(p.N)+1/float64(q.N)))
	return z, normalTwoSided(z)
}

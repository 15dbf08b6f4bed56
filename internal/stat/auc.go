package stat

import "math"

// ROCAUC returns the area under the ROC curve: the probability that a positive scores above a
// negative, a tie counting one half. The interval is DeLong's (DeLong, DeLong and Clarke-Pearson,
// Biometrics 44 (1988) 837-845), computed from ranks (Sun and Xu, IEEE Signal Processing Letters
// 21 (2014) 1389-1393), on the plain scale and cut to [0, 1]. It is NaN where one label is absent.
//
// Perfect separation leaves DeLong without variance. The interval is then Wilson's for as many
// successes as there are disjoint positive-negative pairs, which are independent.
func (s *Scored) ROCAUC() Estimate {
	return areaOf(s).estimate()
}

// Estimates returns ROCAUC and AveragePrecision, for the price of one.
func (s *Scored) Estimates() (area, precision Estimate) {
	a := areaOf(s)
	return a.estimate(), a.averagePrecision()
}

func (a auc) estimate() Estimate {
	e := Estimate{a.value, noInterval(), int64(a.positive + a.negative), "delong"}
	pairs := int64(min(a.positive, a.negative))
	switch {
	case math.IsNaN(a.value):
	case a.value == 1:
		e.Interval, e.Method = Proportion{pairs, pairs}.Wilson(Confidence), "wilson of disjoint pairs"
	case a.value == 0:
		e.Interval, e.Method = Proportion{0, pairs}.Wilson(Confidence), "wilson of disjoint pairs"
	default:
		e.Interval = around(a.value, math.Sqrt(a.variance)).clip(0, 1)
	}
	return e
}

// AUCDifference returns the ROC AUC of a minus that of b, two independent samples, with the
// interval from their DeLong variances, and the two-sided p-value of "they are equal". N is the
// smaller sample's.
func AUCDifference(a, b *Scored) (difference Estimate, p float64) {
	x, y := areaOf(a), areaOf(b)
	d, se := x.value-y.value, math.Sqrt(x.variance+y.variance)
	e := Estimate{d, around(d, se).clip(-1, 1), min(a.N(), b.N()), "delong, independent samples"}
	if !(se > 0) {
		e.Interval = noInterval()
		return e, math.NaN()
	}
	return e, normalTwoSided(d / se)
}

type auc struct {
	value, variance    float64
	precision          float64 // average precision
	positive, negative int
}

// averagePrecision is the estimate of [Scored.AveragePrecision].
func (a auc) averagePrecision() Estimate {
	const method = "logit"
	if a.positive == 0 {
		return noEstimate(0, method)
	}
	return Estimate{a.precision, logitInterval(a.precision, float64(a.positive)), int64(a.positive), method}
}

// steps walks scores in order: each distinct one, or the cells that they were counted in.
type steps interface {
	labels() (positive, negative int)
	ascending(visit func(score float64, p, n int))
}

// areaOf computes the areas under both curves and DeLong's variance S10/P + S01/N, S10 being the sample variance over
// positives of the share of negatives below them, S01 that over negatives of the share of
// positives above. Variance is NaN below two positives or two negatives.
func areaOf(s steps) auc {
	p, n := s.labels()
	if p == 0 || n == 0 {
		a := auc{math.NaN(), math.NaN(), math.NaN(), p, n}
		if p > 0 {
			a.precision = 1
		}
		return a
	}
	// Placement counts are halves of integers, so their sum is exact far beyond 10^7 rows.
	// Squares are taken around one half of the other sample to keep them small.
	var sum, squaresP, squaresN, precision float64
	belowP, belowN := 0.0, 0.0
	halfP, halfN := float64(p)/2, float64(n)/2
	s.ascending(func(_ float64, tiedP, tiedN int) {
		tp, tn := float64(tiedP), float64(tiedN)
		placeP := belowN + tn/2 // negatives below each of these positives
		placeN := float64(p) - belowP - tp/2
		sum += tp * placeP
		squaresP += tp * (placeP - halfN) * (placeP - halfN)
		squaresN += tn * (placeN - halfP) * (placeN - halfP)
		above := float64(p) - belowP // these and what scores higher
		precision += tp * (above / (above + float64(n) - belowN))
		belowP += tp
		belowN += tn
	})
	fp, fn := float64(p), float64(n)
	value := sum / (fp * fn)
	centre := value - 0.5
	if p < 2 || n < 2 {
		return auc{value, math.NaN(), precision / fp, p, n}
	}
	s10 := (squaresP/(fn*fn) - fp*centre*centre) / (fp - 1)
	s01 := (squaresN/(fp*fp) - fn*centre*centre) / (fn - 1)
	return auc{value, max(0, s10)/fp + max(0, s01)/fn, precision / fp, p, n}
}

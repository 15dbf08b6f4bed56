package stat

import "math"

// Confusion counts binary predictions against labels.
type Confusion struct {
	TP int64 `json:"tp"`
	FP int64 `json:"fp"`
	TN int64 `json:"tn"`
	FN int64 `json:"fn"`
}

// Count takes in one prediction.
func (c *Confusion) Count(predicted, actual bool) {
	switch {
	case predicted && actual:
		c.TP++
	case predicted:
		c.FP++
	case actual:
		c.FN++
	default:
		c.TN++
	}
}

// Merge takes in the predictions of other.
func (c *Confusion) Merge(other Confusion) {
	c.TP += other.TP
	c.FP += other.FP
	c.TN += other.TN
	c.FN += other.FN
}

// N returns the number of predictions.
func (c Confusion) N() int64 { return c.TP + c.FP + c.TN + c.FN }

// Accuracy is the share of predictions that are right.
func (c Confusion) Accuracy() Proportion { return Proportion{c.TP + c.TN, c.N()} }

// BaseRate is the share of positive labels.
func (c Confusion) BaseRate() Proportion { return Proportion{c.TP + c.FN, c.N()} }

// SelectionRate is the share of positive predictions.
func (c Confusion) SelectionRate() Proportion { return Proportion{c.TP + c.FP, c.N()} }

// TPR is the true positive rate: recall, sensitivity.
func (c Confusion) TPR() Proportion { return Proportion{c.TP, c.TP + c.FN} }

// FNR is the false negative rate, 1-TPR.
func (c Confusion) FNR() Proportion { return Proportion{c.FN, c.TP + c.FN} }

// FPR is the false positive rate.
func (c Confusion) FPR() Proportion { return Proportion{c.FP, c.FP + c.TN} }

// TNR is the true negative rate: specificity, 1-FPR.
func (c Confusion) TNR() Proportion { return Proportion{c.TN, c.FP + c.TN} }

// PPV is the positive predictive value: precision.
func (c Confusion) PPV() Proportion { return Proportion{c.TP, c.TP + c.FP} }

// FDR is the false discovery rate, 1-PPV.
func (c Confusion) FDR() Proportion { return Proportion{c.FP, c.TP + c.FP} }

// NPV is the negative predictive value.
func (c Confusion) NPV() Proportion { return Proportion{c.TN, c.TN + c.FN} }

// FOR is the false omission rate, 1-NPV.
func (c Confusion) FOR() Proportion { return Proportion{c.FN, c.TN + c.FN} }

// F1 returns 2TP/(2TP+FP+FN). It is 2J/(1+J) of J = TP/(TP+FP+FN), a proportion of the
// predictions that are not true negatives; the interval is that of J carried through.
func (c Confusion) F1() Estimate {
	jaccard := Proportion{c.TP, c.TP + c.FP + c.FN}
	f1 := func(j float64) float64 { return 2 * j / (1 + j) }
	w := jaccard.Wilson(Confidence)
	return Estimate{f1(jaccard.Rate()), Interval{f1(w.Low), f1(w.High)}, jaccard.N, "wilson of tp/(tp+fp+fn)"}
}

// BalancedAccuracy returns the mean of TPR and TNR, two independent proportions. The interval
// joins their Wilson intervals as Newcombe's method 10 does for a difference (MOVER: Zou and
// Donner, Statistics in Medicine 27 (2008) 1693-1702).
func (c Confusion) BalancedAccuracy() Estimate {
	p, q := c.TPR(), c.TNR()
	a, b := p.Rate(), q.Rate()
	wp, wq := p.Wilson(Confidence), q.Wilson(Confidence)
	mean := (a + b) / 2
	return Estimate{mean, Interval{
		mean - math.Hypot(a-wp.Low, b-wq.Low)/2,
		mean + math.Hypot(wp.High-a, wq.High-b)/2,
	}, c.N(), "mover of wilson"}
}

// MCC returns the Matthews correlation coefficient, the Pearson correlation of prediction and
// label, with the delta-method interval on Fisher's z scale. It is NaN where predictions or labels
// are all alike; an MCC of exactly 1 or -1 has no interval.
func (c Confusion) MCC() Estimate {
	const method = "delta, fisher z"
	n := float64(c.N())
	r, s := c.SelectionRate().Rate(), c.BaseRate().Rate()
	scale := math.Sqrt(r*(1-r)) * math.Sqrt(s*(1-s))
	if c.N() == 0 || scale == 0 {
		return noEstimate(c.N(), method)
	}
	mcc := (float64(c.TP)/n - r*s) / scale
	mcc = max(-1, min(1, mcc))
	e := Estimate{mcc, noInterval(), c.N(), method}
	// Influence of one row on a correlation: xy - rho (x^2+y^2)/2 in standard units.
	variance := 0.0
	for _, cell := range []struct {
		count     int64
		predicted float64
		actual    float64
	}{{c.TP, 1, 1}, {c.FP, 1, 0}, {c.FN, 0, 1}, {c.TN, 0, 0}} {
		x := (cell.predicted - r) / math.Sqrt(r*(1-r))
		y := (cell.actual - s) / math.Sqrt(s*(1-s))
		influence := x*y - mcc*(x*x+y*y)/2
		variance += float64(cell.count) / n * influence * influence
	}
	if slope := 1 - mcc*mcc; slope > 0 {
		z := around(math.Atanh(mcc), math.Sqrt(variance/n)/slope)
		e.Interval = Interval{math.Tanh(z.Low), math.Tanh(z.High)}
	}
	return e
}

package stat

import "math"

// LogitClip is how near to 0 and 1 a probability may come before its logit is taken.
const LogitClip = 1e-6

// Recalibration is the logistic regression of the label on the logit of the score (Cox 1958): a
// slope below 1 means scores that are too extreme, an intercept below 0 scores that are too high.
// Slope 1 and intercept 0 are right.
type Recalibration struct {
	Slope, Intercept Estimate
}

// Recalibration fits by Newton's method with Wald intervals, scores being clipped by [LogitClip].
// Estimates are NaN where scores are no probabilities or there is no finite fit: one label is
// absent, fewer than two scores differ, or scores separate the labels.
func (s *Scored) Recalibration() Recalibration {
	start := logit{0, 1}
	if s.N() > coarseFrom && s.Probabilities() {
		start = coarseFit(s)
	}
	return recalibrate(s, s.Probabilities(), "logistic, wald", start)
}

// logit is intercept and slope of a recalibration.
type logit struct{ a, b float64 }

func recalibrate(s steps, probabilities bool, method string, start logit) Recalibration {
	area := areaOf(s)
	rows := int64(area.positive + area.negative)
	none := Recalibration{Slope: noEstimate(rows, method), Intercept: noEstimate(rows, method)}
	if !(area.value > 0 && area.value < 1) || !probabilities {
		return none
	}
	a, b := start.a, start.b
	for range 25 {
		f := logisticStep(s, a, b)
		det := f.haa*f.hbb - f.hab*f.hab
		if !(det > 1e-12*f.haa*f.hbb) {
			return none
		}
		da := (f.hbb*f.ga - f.hab*f.gb) / det
		db := (f.haa*f.gb - f.hab*f.ga) / det
		// A long first step can overshoot; the likelihood is concave, so a bounded one gets there.
		if step := max(math.Abs(da), math.Abs(db)); step > 5 {
			da, db = da*5/step, db*5/step
		}
		a, b = a+da, b+db
		if math.Abs(da) < 1e-10*(1+math.Abs(a)) && math.Abs(db) < 1e-10*(1+math.Abs(b)) {
			return Recalibration{
				Slope:     Estimate{b, around(b, math.Sqrt(f.haa/det)), rows, method},
				Intercept: Estimate{a, around(a, math.Sqrt(f.hbb/det)), rows, method},
			}
		}
	}
	return none
}

// coarseFrom is the number of rows from which the fit begins where that of the scores in coarseCells
// cells ended, which leaves two or three steps over all rows of about eight.
const (
	coarseFrom  = 1 << 16
	coarseCells = 1 << 12
)

// coarseFit returns a fit near that of the scores, or where one begins anyway.
func coarseFit(s steps) logit {
	h, err := NewScoreHistogram(0, 1, coarseCells)
	if err != nil {
		return logit{0, 1}
	}
	s.ascending(func(score float64, p, n int) {
		cell := min(coarseCells-1, int(score*coarseCells))
		h.positive[cell] += int64(p)
		h.negative[cell] += int64(n)
	})
	if fit := h.Recalibration(); fit.Slope.Valid() {
		return logit{fit.Intercept.Value, fit.Slope.Value}
	}
	return logit{0, 1}
}

// logisticFit is gradient and information of the log-likelihood at one point.
type logisticFit struct{ ga, gb, haa, hab, hbb float64 }

func logisticStep(s steps, a, b float64) logisticFit {
	var f logisticFit
	s.ascending(func(score float64, p, n int) {
		score = max(LogitClip, min(1-LogitClip, score))
		x := math.Log(score / (1 - score))
		mean := 1 / (1 + math.Exp(-a-b*x))
		rows := float64(p + n)
		residual := float64(p) - rows*mean
		weight := rows * mean * (1 - mean)
		f.ga += residual
		f.gb += residual * x
		f.haa += weight
		f.hab += weight * x
		f.hbb += weight * x * x
	})
	return f
}

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
// absent, fewer than two scores differ, or scores separate the labels. More than 65,536 scores are
// put into as many cells by their logits, each standing at the mean of its own, which moves slope
// and intercept by less than 1e-7.
func (s *Scored) Recalibration() Recalibration {
	const method = "logistic, wald"
	if s.separate() || !s.Probabilities() {
		return noRecalibration(s.N(), method)
	}
	return recalibrate(s.logits(logitCells), s.N(), method)
}

// logitCells is the number of logits that a fit walks in each step.
const logitCells = 1 << 16

// logitPoint is the mean logit of some scores, with their labels.
type logitPoint struct {
	x, rows   float64
	positive  float64 // rows
	positiveX float64 // sum of their logits
}

func newLogitPoint(x float64, p, n int) logitPoint {
	return logitPoint{x, float64(p + n), float64(p), float64(p) * x}
}

func logit(score float64) float64 {
	score = max(LogitClip, min(1-LogitClip, score))
	return math.Log(score / (1 - score))
}

// logits returns the logits of the distinct scores, in cells if there are more than limit scores.
func (s *Scored) logits(limit int) []logitPoint {
	var points []logitPoint
	if s.N() <= int64(limit) {
		s.ascending(func(score float64, p, n int) {
			points = append(points, newLogitPoint(logit(score), p, n))
		})
		return points
	}
	// First the sums of each cell.
	points = make([]logitPoint, limit)
	low := logit(0)
	scale := float64(limit) / (logit(1) - low)
	for _, score := range s.positive {
		x := logit(score)
		c := &points[min(limit-1, int((x-low)*scale))]
		c.rows++
		c.x += x
		c.positive++
		c.positiveX += x
	}
	for _, score := range s.negative {
		x := logit(score)
		c := &points[min(limit-1, int((x-low)*scale))]
		c.rows++
		c.x += x
	}
	filled := points[:0]
	for _, c := range points {
		if c.rows > 0 {
			c.x /= c.rows
			filled = append(filled, c)
		}
	}
	return filled
}

func noRecalibration(rows int64, method string) Recalibration {
	return Recalibration{Slope: noEstimate(rows, method), Intercept: noEstimate(rows, method)}
}

func recalibrate(points []logitPoint, rows int64, method string) Recalibration {
	var a, b float64 = 0, 1
	for range 25 {
		f := logisticStep(points, a, b)
		det := f.haa*f.hbb - f.hab*f.hab
		if !(det > 1e-12*f.haa*f.hbb) {
			break
		}
		da := (f.hbb*f.ga - f.hab*f.gb) / det
		db := (f.haa*f.gb - f.hab*f.ga) / det
		// A whole step can overshoot and come back for ever, where some scores are close to 0 or 1.
		// The likelihood is concave, so a short enough one raises it.
		for was := logLikelihood(points, a, b); logLikelihood(points, a+da, b+db) < was-1e-9*math.Abs(was); {
			da, db = da/2, db/2
		}
		a, b = a+da, b+db
		if math.Abs(da) < 1e-10*(1+math.Abs(a)) && math.Abs(db) < 1e-10*(1+math.Abs(b)) {
			return Recalibration{
				Slope:     Estimate{b, around(b, math.Sqrt(f.haa/det)), rows, method},
				Intercept: Estimate{a, around(a, math.Sqrt(f.hbb/det)), rows, method},
			}
		}
	}
	return noRecalibration(rows, method)
}

func logLikelihood(points []logitPoint, a, b float64) float64 {
	sum := 0.0
	for _, p := range points {
		eta := a + b*p.x
		sum += p.positive*a + p.positiveX*b - p.rows*(max(eta, 0)+math.Log1p(math.Exp(-math.Abs(eta))))
	}
	return sum
}

// logisticFit is gradient and information of the log-likelihood at one point.
type logisticFit struct{ ga, gb, haa, hab, hbb float64 }

func logisticStep(points []logitPoint, a, b float64) logisticFit {
	var f logisticFit
	for _, p := range points {
		mean := 1 / (1 + math.Exp(-a-b*p.x))
		weight := p.rows * mean * (1 - mean)
		f.ga += p.positive - p.rows*mean
		f.gb += p.positiveX - p.rows*mean*p.x
		f.haa += weight
		f.hab += weight * p.x
		f.hbb += weight * p.x * p.x
	}
	return f
}

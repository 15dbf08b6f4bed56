package stat

import "fmt"

// N returns the number of scores.
func (h *ScoreHistogram) N() int64 { return h.Positives() + h.Negatives() }

// Estimates returns the area under the ROC curve with DeLong's interval and the average precision
// with the logit one, both computed over the cells and widened by the bound of what the cells hide.
// Method states that bound.
func (h *ScoreHistogram) Estimates() (area, precision Estimate) {
	area, precision = areaOf(h).estimate(), Estimate{N: h.Positives(), Method: "logit"}
	if bounded := h.AveragePrecision(); isFinite(bounded.Value) {
		precision.Value, precision.Interval = bounded.Value, logitInterval(bounded.Value, float64(h.Positives()))
		precision = h.widen(precision, bounded.Bound)
	} else {
		precision = noEstimate(0, precision.Method)
	}
	return h.widen(area, h.ROCAUC().Bound), precision
}

func (h *ScoreHistogram) widen(e Estimate, bound float64) Estimate {
	if !e.Valid() {
		return e
	}
	e.Interval = Interval{e.Interval.Low - bound, e.Interval.High + bound}.clip(0, 1)
	e.Method = fmt.Sprintf("%s; scores counted in %d cells, within %.2g of the exact value", e.Method, len(h.positive), bound)
	return e
}

// ROC returns at most 200 points of the ROC curve over the cells, as [Scored.ROC] does over scores.
func (h *ScoreHistogram) ROC() []Point { return rocOf(h) }

// PrecisionRecall returns at most 200 points of the precision-recall curve over the cells.
func (h *ScoreHistogram) PrecisionRecall() []Point { return precisionRecallOf(h) }

// Recalibration fits as [Scored.Recalibration] does, every score being taken for the middle of its
// cell. The range must lie in [0, 1] for scores that are probabilities.
func (h *ScoreHistogram) Recalibration() Recalibration {
	method := fmt.Sprintf("logistic, wald; scores counted in %d cells", len(h.positive))
	area := areaOf(h).value
	if !(area > 0 && area < 1) || h.low < 0 || h.high > 1 {
		return noRecalibration(h.N(), method)
	}
	var points []logitPoint
	for i, p := range h.positive {
		if n := h.negative[i]; p+n > 0 {
			points = append(points, newLogitPoint(logit(h.at(float64(i)+0.5)), int(p), int(n)))
		}
	}
	return recalibrate(points, h.N(), method)
}

func (h *ScoreHistogram) labels() (positive, negative int) {
	return int(h.Positives()), int(h.Negatives())
}

// at returns the share of the range that lies below a cell's place.
func (h *ScoreHistogram) at(cell float64) float64 {
	return h.low + (h.high-h.low)*(cell/float64(len(h.positive)))
}

// ascending calls visit for each cell that is not empty, with its lower end: whoever predicts
// positive from there on has its scores.
func (h *ScoreHistogram) ascending(visit func(score float64, p, n int)) {
	for i, p := range h.positive {
		if n := h.negative[i]; p+n > 0 {
			visit(h.at(float64(i)), int(p), int(n))
		}
	}
}

// thresholds returns the lower ends of the cells that are not empty.
func (h *ScoreHistogram) thresholds() (n int, at func(rank int) threshold) {
	var all []threshold
	var tp, fp float64
	for i := len(h.positive) - 1; i >= 0; i-- {
		if h.positive[i]+h.negative[i] == 0 {
			continue
		}
		tp += float64(h.positive[i])
		fp += float64(h.negative[i])
		all = append(all, threshold{h.at(float64(i)), tp, fp})
	}
	return len(all), func(rank int) threshold { return all[rank] }
}

package stat

import "math"

// LogLossClip is how near to 0 and 1 a probability may come in the log loss: the float64 epsilon,
// as in scikit-learn.
const LogLossClip = 0x1p-52

// Losses accumulates what probabilities cost against labels, in one pass and mergeable. The zero
// value is empty.
type Losses struct {
	brier, log Moments
	gap        Moments // score minus label
	outside    int64
}

// Add takes in one prediction. A score outside [0, 1] or NaN makes every loss NaN.
func (l *Losses) Add(score float64, positive bool) {
	if !(score >= 0 && score <= 1) {
		l.outside++
		return
	}
	p, label := max(LogLossClip, min(1-LogLossClip, score)), 0.0
	if positive {
		label = 1
		l.log.Add(-math.Log(p))
	} else {
		l.log.Add(-math.Log1p(-p))
	}
	l.brier.Add((score - label) * (score - label))
	l.gap.Add(score - label)
}

// Merge takes in the predictions of other.
func (l *Losses) Merge(other Losses) {
	l.brier.Merge(other.brier)
	l.log.Merge(other.log)
	l.gap.Merge(other.gap)
	l.outside += other.outside
}

// Brier returns the mean squared difference of score and label (0 or 1) with the normal interval
// of a mean.
func (l *Losses) Brier() Estimate { return l.mean(l.brier).clip(0, math.Inf(1)) }

// LogLoss returns the mean negative log-likelihood in nats, scores being clipped by
// [LogLossClip], with the normal interval of a mean.
func (l *Losses) LogLoss() Estimate { return l.mean(l.log).clip(0, math.Inf(1)) }

// InTheLarge returns the mean score minus the observed rate (calibration in the large; 0 is
// right) with the normal interval of a mean of differences.
func (l *Losses) InTheLarge() Estimate { return l.mean(l.gap) }

func (l *Losses) mean(m Moments) Estimate {
	if l.outside > 0 {
		return noEstimate(m.N+l.outside, "normal")
	}
	return meanEstimate(m, "normal")
}

// Losses returns the losses of the scores.
func (s *Scored) Losses() *Losses {
	var l Losses
	l.addAll(s.positive, true)
	l.addAll(s.negative, false)
	return &l
}

// addAll takes in many scores of one label.
func (l *Losses) addAll(scores []float64, positive bool) {
	var gaps, squares, logs [momentsBatch]float64
	for len(scores) > 0 {
		part := scores[:min(momentsBatch, len(scores))]
		scores = scores[len(part):]
		n := 0
		for _, score := range part {
			if !(score >= 0 && score <= 1) {
				l.outside++
				continue
			}
			p := max(LogLossClip, min(1-LogLossClip, score))
			if positive {
				gaps[n], logs[n] = score-1, -math.Log(p)
			} else {
				gaps[n], logs[n] = score, -math.Log1p(-p)
			}
			squares[n] = gaps[n] * gaps[n]
			n++
		}
		l.gap.AddAll(gaps[:n])
		l.brier.AddAll(squares[:n])
		l.log.AddAll(logs[:n])
	}
}

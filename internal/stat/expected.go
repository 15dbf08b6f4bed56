package stat

import (
	"cmp"
	"math"
	"slices"
)

// Expected is what a metric would be on average if each row's label were drawn with its
// probability, and the standard deviation that drawing gives it (delta method).
type Expected struct{ Value, SD float64 }

// ExpectedConfusion is the confusion matrix on average if each row's label were drawn with its
// probability (the CBPE of NannyML: Bialek and others, arXiv 2401.08348).
type ExpectedConfusion struct {
	TP, FP, TN, FN float64

	// Variances of the number of positive labels among the rows predicted positive and negative.
	selected, rejected float64
}

// Count takes in a row whose label is positive with the given probability.
func (c *ExpectedConfusion) Count(predicted bool, probability float64) {
	variance := probability * (1 - probability)
	if predicted {
		c.TP += probability
		c.FP += 1 - probability
		c.selected += variance
	} else {
		c.FN += probability
		c.TN += 1 - probability
		c.rejected += variance
	}
}

// Accuracy is the share of predictions that are right.
func (c ExpectedConfusion) Accuracy() Expected {
	n := c.TP + c.FP + c.TN + c.FN
	return Expected{(c.TP + c.TN) / n, math.Sqrt(c.selected+c.rejected) / n}
}

// Precision is the share of positive predictions that are right.
func (c ExpectedConfusion) Precision() Expected {
	n := c.TP + c.FP
	return Expected{c.TP / n, math.Sqrt(c.selected) / n}
}

// Recall is the share of positive labels that are predicted.
func (c ExpectedConfusion) Recall() Expected {
	n := c.TP + c.FN
	return Expected{c.TP / n, math.Sqrt(c.FN*c.FN*c.selected+c.TP*c.TP*c.rejected) / (n * n)}
}

// FPR is the share of negative labels that are predicted positive.
func (c ExpectedConfusion) FPR() Expected {
	n := c.FP + c.TN
	return Expected{c.FP / n, math.Sqrt(c.TN*c.TN*c.selected+c.FP*c.FP*c.rejected) / (n * n)}
}

// F1 is 2TP/(2TP+FP+FN).
func (c ExpectedConfusion) F1() Expected {
	n := 2*c.TP + c.FP + c.FN // the rows predicted positive, which are known, and the positive labels
	return Expected{2 * c.TP / n, 2 * math.Hypot((n-c.TP)*math.Sqrt(c.selected), c.TP*math.Sqrt(c.rejected)) / (n * n)}
}

// ExpectedROCAUC is the area under the ROC curve of the scores if each row's label were drawn with
// its probability, a tie of scores counting one half. It is NaN without a positive or a negative
// label to expect, and where lengths differ.
func ExpectedROCAUC(scores, probabilities []float64) Expected {
	none := Expected{math.NaN(), math.NaN()}
	if len(scores) != len(probabilities) {
		return none
	}
	order := make([]int, len(scores))
	positives := 0.0
	for i, p := range probabilities {
		order[i] = i
		positives += p
	}
	negatives := float64(len(scores)) - positives
	if !(positives > 0 && negatives > 0) {
		return none
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[i], scores[j]) })
	// tie is the rows of one score: their expected labels, and the sum of p(1-p).
	type tie struct{ positive, negative, variance float64 }
	var ties []tie
	sum, belowN := 0.0, 0.0
	for at := 0; at < len(order); {
		var t tie
		score := scores[order[at]]
		for ; at < len(order) && (scores[order[at]] == score || math.IsNaN(score)); at++ {
			p := probabilities[order[at]]
			t.positive += p
			t.negative += 1 - p
			t.variance += p * (1 - p)
		}
		sum += t.positive * (belowN + t.negative/2)
		belowN += t.negative
		ties = append(ties, t)
	}
	area := sum / (positives * negatives)
	// A label that turns positive gains the negatives below it, and loses the positives above it
	// as a negative.
	variance, belowP, belowN := 0.0, 0.0, 0.0
	for _, t := range ties {
		below := (belowN + t.negative/2) / negatives
		above := (positives - belowP - t.positive/2) / positives
		influence := (below-area)/positives - (above-area)/negatives
		variance += t.variance * influence * influence
		belowP += t.positive
		belowN += t.negative
	}
	return Expected{area, math.Sqrt(variance)}
}

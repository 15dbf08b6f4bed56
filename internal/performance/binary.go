package performance

import "github.com/tallystick/tallystick/internal/stat"

// OfBinary measures binary predictions. scores is nil where there is no score.
func OfBinary(c stat.Confusion, scores *Scores) *Performance {
	positives := c.TP + c.FN
	p := &Performance{
		Task: Binary, N: c.N(), Positives: &positives, Confusion: &c,
		Accuracy: rate(c.Accuracy()), Precision: rate(c.PPV()), Recall: rate(c.TPR()),
		FPR: rate(c.FPR()), FNR: rate(c.FNR()),
		BalancedAccuracy: given(c.BalancedAccuracy()), F1: given(c.F1()), MCC: given(c.MCC()),
	}
	p.nameAbsent("the predictions or the labels of one class are missing")
	if scores == nil || scores.N() == 0 {
		p.absent(noScore, "roc_auc", "average_precision", "log_loss", "brier")
		return p
	}
	if roc, precision := scores.areas(); roc.Valid() {
		p.ROCAUC, p.AveragePrecision = &roc, given(precision)
		p.ROC, p.PR = scores.curves()
	} else {
		p.absent("there are labels of one class only", "roc_auc", "average_precision")
	}
	if !scores.probability {
		p.absent(notProbability, "log_loss", "brier")
		return p
	}
	losses := scores.loss()
	p.LogLoss, p.Brier = given(losses.LogLoss()), given(losses.Brier())
	return p
}

const noScore = "there is no score; name its column with --score"

const notProbability = "the score is no probability: it leaves [0, 1]; --score-max N divides it by N"

// rate returns the share as an estimate, nil where nothing was counted.
func rate(p stat.Proportion) *stat.Estimate { return given(p.Estimate()) }

// given returns nil for an estimate without a value.
func given(e stat.Estimate) *stat.Estimate {
	if !e.Valid() {
		return nil
	}
	return &e
}

func (p *Performance) absent(reason string, metrics ...string) {
	for _, m := range metrics {
		p.Absent = append(p.Absent, Absence{m, reason})
	}
}

// nameAbsent gives the reason for every metric of a confusion matrix that has no value.
func (p *Performance) nameAbsent(reason string) {
	for _, m := range []struct {
		name  string
		value *stat.Estimate
	}{
		{"precision", p.Precision}, {"recall", p.Recall}, {"fpr", p.FPR}, {"fnr", p.FNR},
		{"f1", p.F1}, {"mcc", p.MCC}, {"balanced_accuracy", p.BalancedAccuracy},
	} {
		if m.value == nil {
			p.absent(reason, m.name)
		}
	}
}

// Package performance measures how well predictions match labels: classification, regression and
// ranking metrics with 95 % intervals, and the calibration of scores.
package performance

import (
	"github.com/tallystick/tallystick/internal/stat"
)

// Task is the kind of prediction that a model makes.
type Task string

// The four tasks.
const (
	Binary     Task = "binary"
	Multiclass Task = "multiclass"
	Regression Task = "regression"
	Ranking    Task = "ranking"
)

// Performance is what one set of labelled predictions shows. A metric that the task or the data
// does not allow is nil and has its reason in Absent.
type Performance struct {
	Task Task  `json:"task"`
	N    int64 `json:"n"` // labelled predictions, or queries for Ranking

	// Binary and Multiclass.
	Positives        *int64          `json:"positives,omitempty"`
	Confusion        *stat.Confusion `json:"confusion,omitempty"`
	Matrix           *Matrix         `json:"matrix,omitempty"`
	Accuracy         *stat.Estimate  `json:"accuracy,omitempty"`
	BalancedAccuracy *stat.Estimate  `json:"balanced_accuracy,omitempty"`
	Precision        *stat.Estimate  `json:"precision,omitempty"`
	Recall           *stat.Estimate  `json:"recall,omitempty"`
	F1               *stat.Estimate  `json:"f1,omitempty"`
	FPR              *stat.Estimate  `json:"fpr,omitempty"`
	FNR              *stat.Estimate  `json:"fnr,omitempty"`
	MCC              *stat.Estimate  `json:"mcc,omitempty"`
	Kappa            *stat.Estimate  `json:"kappa,omitempty"`
	ROCAUC           *stat.Estimate  `json:"roc_auc,omitempty"`
	AveragePrecision *stat.Estimate  `json:"average_precision,omitempty"`
	LogLoss          *stat.Estimate  `json:"log_loss,omitempty"`
	Brier            *stat.Estimate  `json:"brier,omitempty"`

	// Regression.
	MAE  *stat.Estimate `json:"mae,omitempty"`
	RMSE *stat.Estimate `json:"rmse,omitempty"`
	Bias *stat.Estimate `json:"bias,omitempty"`
	R2   *stat.Estimate `json:"r2,omitempty"`
	MAPE *stat.Estimate `json:"mape,omitempty"` // as a fraction, over labels other than 0

	// Ranking; the cut-off K is that of every @k metric.
	K              int            `json:"k,omitempty"`
	NDCG           *stat.Estimate `json:"ndcg,omitempty"`
	RecallAtK      *stat.Estimate `json:"recall_at_k,omitempty"`
	PrecisionAtK   *stat.Estimate `json:"precision_at_k,omitempty"`
	MAP            *stat.Estimate `json:"map,omitempty"`
	MRR            *stat.Estimate `json:"mrr,omitempty"`
	HitRate        *stat.Estimate `json:"hit_rate,omitempty"`
	Coverage       *stat.Estimate `json:"coverage,omitempty"`
	PopularityGini *stat.Estimate `json:"popularity_gini,omitempty"`

	// Curves for charts, at most 200 points each.
	ROC []stat.Point `json:"roc_curve,omitempty"`
	PR  []stat.Point `json:"pr_curve,omitempty"`

	Absent []Absence `json:"absent,omitempty"`
}

// Matrix is a confusion matrix over more than two classes: Counts[i][j] rows have the label
// Classes[i] and the prediction Classes[j].
type Matrix struct {
	Classes []string  `json:"classes"`
	Counts  [][]int64 `json:"counts"`
	// ByClass holds the one-against-rest rates of each class, in the order of Classes.
	ByClass []Class `json:"by_class"`
}

// Class holds the one-against-rest rates of one class of a Matrix.
type Class struct {
	Class     string        `json:"class"`
	N         int64         `json:"n"` // rows with this label
	Precision stat.Estimate `json:"precision"`
	Recall    stat.Estimate `json:"recall"`
	F1        stat.Estimate `json:"f1"`
}

// Absence says why a metric is not there.
type Absence struct {
	Metric string `json:"metric"`
	Reason string `json:"reason"`
}

// Metric is one named metric of a Performance.
type Metric struct {
	Name         string // as in JSON
	Title        string // as people say it
	HigherBetter bool
	stat.Estimate
}

// Metrics lists the metrics that are there, in the order in which people read them.
func (p *Performance) Metrics() []Metric {
	if p == nil {
		return nil
	}
	all := []struct {
		name, title  string
		higherBetter bool
		estimate     *stat.Estimate
	}{
		{"accuracy", "Accuracy", true, p.Accuracy},
		{"balanced_accuracy", "Balanced accuracy", true, p.BalancedAccuracy},
		{"precision", "Precision", true, p.Precision},
		{"recall", "Recall", true, p.Recall},
		{"f1", "F1", true, p.F1},
		{"fpr", "False positive rate", false, p.FPR},
		{"fnr", "False negative rate", false, p.FNR},
		{"mcc", "Matthews correlation", true, p.MCC},
		{"kappa", "Cohen's kappa", true, p.Kappa},
		{"roc_auc", "ROC AUC", true, p.ROCAUC},
		{"average_precision", "Average precision", true, p.AveragePrecision},
		{"log_loss", "Log loss", false, p.LogLoss},
		{"brier", "Brier score", false, p.Brier},
		{"mae", "Mean absolute error", false, p.MAE},
		{"rmse", "Root mean squared error", false, p.RMSE},
		{"bias", "Mean error", false, p.Bias},
		{"r2", "R²", true, p.R2},
		{"mape", "Mean absolute percentage error", false, p.MAPE},
		{"ndcg", "NDCG", true, p.NDCG},
		{"recall_at_k", "Recall@k", true, p.RecallAtK},
		{"precision_at_k", "Precision@k", true, p.PrecisionAtK},
		{"map", "Mean average precision", true, p.MAP},
		{"mrr", "Mean reciprocal rank", true, p.MRR},
		{"hit_rate", "Hit rate", true, p.HitRate},
		{"coverage", "Catalogue coverage", true, p.Coverage},
		{"popularity_gini", "Popularity (Gini)", false, p.PopularityGini},
	}
	var metrics []Metric
	for _, m := range all {
		if m.estimate != nil {
			metrics = append(metrics, Metric{m.name, m.title, m.higherBetter, *m.estimate})
		}
	}
	return metrics
}

// Metric returns the metric of that name, if it is there.
func (p *Performance) Metric(name string) (Metric, bool) {
	for _, m := range p.Metrics() {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// WhyAbsent says why a metric is not there.
func (p *Performance) WhyAbsent(name string) string {
	for _, a := range p.Absent {
		if a.Metric == name {
			return a.Reason
		}
	}
	return "it is no metric of this task"
}

// Rarer returns the number of labels of the rarer of two classes, or all rows of another task.
func (p *Performance) Rarer() int64 {
	if p.Positives == nil {
		return p.N
	}
	return min(*p.Positives, p.N-*p.Positives)
}

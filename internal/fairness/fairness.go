// Package fairness compares the error and selection rates of groups: every value of every
// protected attribute and every two-way intersection, with intervals, and verdicts that come
// from the interval and never from the point.
package fairness

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Fairness is the comparison of the groups of one set of predictions.
type Fairness struct {
	// Favourable is the predicted class that is good for a person: "positive" or "negative".
	// It decides which side the four-fifths screen looks at.
	Favourable  string       `json:"favourable"`
	Limits      Limits       `json:"limits"`
	Groups      []Group      `json:"groups"`
	Comparisons []Comparison `json:"comparisons"`
	Summaries   []Summary    `json:"summaries"`
	// Omitted counts the intersections that were left out because they hold fewer than
	// Limits.Shown rows.
	Omitted int64 `json:"omitted_intersections"`
}

// Limits are the thresholds that the verdicts use.
type Limits struct {
	Gap    float64 `json:"gap"`         // largest accepted difference of two rates
	Ratio  float64 `json:"four_fifths"` // least accepted ratio of favourable rates: a screen, not law
	Shown  int64   `json:"shown_from"`  // rows from which an intersection is listed
	Judged int64   `json:"judged_from"` // rows of the rate's denominator from which it is judged
	Alpha  float64 `json:"alpha"`       // family-wise error over the comparisons of one metric (Holm)
	Origin string  `json:"origin"`      // where the thresholds come from
}

// Group is one value of an attribute, or one intersection of two ("race & sex", "Asian & Male").
// Attribute "all" is everybody. A rate whose denominator is zero is null.
type Group struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	N         int64  `json:"n"` // labelled rows
	// Predicted counts the rows with a prediction, labelled or not: selection needs no label, and
	// often only the selected are ever labelled.
	Predicted int64 `json:"predicted"`
	TP        int64 `json:"tp"`
	FP        int64 `json:"fp"`
	TN        int64 `json:"tn"`
	FN        int64 `json:"fn"`

	BaseRate         stat.Number   `json:"base_rate"` // share of positive labels
	BaseRateCI       stat.Interval `json:"base_rate_ci"`
	SelectionRate    stat.Number   `json:"selection_rate"` // share of positive predictions, of Predicted
	SelectionRateCI  stat.Interval `json:"selection_rate_ci"`
	FavourableRate   stat.Number   `json:"favourable_rate"`
	FavourableRateCI stat.Interval `json:"favourable_rate_ci"`
	Accuracy         stat.Number   `json:"accuracy"`
	AccuracyCI       stat.Interval `json:"accuracy_ci"`
	TPR              stat.Number   `json:"tpr"`
	TPRCI            stat.Interval `json:"tpr_ci"`
	FPR              stat.Number   `json:"fpr"`
	FPRCI            stat.Interval `json:"fpr_ci"`
	FNR              stat.Number   `json:"fnr"`
	FNRCI            stat.Interval `json:"fnr_ci"`
	TNR              stat.Number   `json:"tnr"`
	TNRCI            stat.Interval `json:"tnr_ci"`
	PPV              stat.Number   `json:"ppv"`
	PPVCI            stat.Interval `json:"ppv_ci"`
	NPV              stat.Number   `json:"npv"`
	NPVCI            stat.Interval `json:"npv_ci"`
	FOR              stat.Number   `json:"for"`
	FORCI            stat.Interval `json:"for_ci"`

	ROCAUC   stat.Number   `json:"roc_auc"` // null without a score
	ROCAUCCI stat.Interval `json:"roc_auc_ci"`
}

// Comparison sets one group against the reference group of its attribute.
type Comparison struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
	Reference string `json:"reference"`
	// Metric is the name that Fairlearn uses for the idea, with its rate: demographic_parity,
	// equal_opportunity (TPR), false_positive_rate, false_negative_rate, predictive_parity (PPV),
	// false_omission_rate, accuracy, four_fifths.
	Metric     string             `json:"metric"`
	Rate       stat.Number        `json:"rate"`           // of Value
	RateOfRef  stat.Number        `json:"reference_rate"` // of Reference
	N          int64              `json:"n"`              // denominator of Rate
	NRef       int64              `json:"n_reference"`    // denominator of RateOfRef
	Difference stat.Number        `json:"difference"`     // Rate - RateOfRef
	DiffCI     stat.Interval      `json:"difference_ci"`  // Newcombe
	Ratio      stat.Number        `json:"ratio"`
	RatioCI    stat.Interval      `json:"ratio_ci"` // log method
	P          stat.Number        `json:"p"`        // one-sided, against "the gap is within the limit"
	PAdjusted  stat.Number        `json:"p_adjusted"`
	Threshold  float64            `json:"threshold"`
	Verdict    tallystick.Verdict `json:"verdict"`
	Method     string             `json:"method"`
	Words      string             `json:"words"` // one sentence that names groups, rates and interval
}

// Summary holds the extreme-to-extreme figures of one attribute, as Fairlearn computes them, over
// the groups that are large enough to judge.
type Summary struct {
	Attribute              string             `json:"attribute"`
	Reference              string             `json:"reference"` // reference group of the comparisons
	DemographicParityDiff  stat.Number        `json:"demographic_parity_difference"`
	DemographicParityRatio stat.Number        `json:"demographic_parity_ratio"`
	FavourableRatio        stat.Number        `json:"favourable_ratio"` // four-fifths screen, least over greatest
	EqualizedOddsDiff      stat.Number        `json:"equalized_odds_difference"`
	EqualizedOddsRatio     stat.Number        `json:"equalized_odds_ratio"`
	EqualOpportunityDiff   stat.Number        `json:"equal_opportunity_difference"`
	PredictiveParityDiff   stat.Number        `json:"predictive_parity_difference"`
	GroupsJudged           int                `json:"groups_judged"`
	GroupsTooSmall         int                `json:"groups_too_small"`
	Verdict                tallystick.Verdict `json:"verdict"`
}

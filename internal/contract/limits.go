package contract

import (
	"slices"

	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// Limits are what the gate holds an audit against. A nil or empty entry means that no limit was
// stated. Their JSON is the form that the YAML has.
type Limits struct {
	Performance map[string]Bound `json:"performance,omitempty"` // by metric name, as report.json names it
	Calibration map[string]Bound `json:"calibration,omitempty"` // ece, ece_equal_mass, mce
	Fairness    FairnessLimits   `json:"fairness,omitzero"`
	Drift       DriftLimits      `json:"drift,omitzero"`
}

// Empty reports whether no limit was stated.
func (l Limits) Empty() bool {
	return len(l.Performance) == 0 && len(l.Calibration) == 0 && l.Fairness.empty() && l.Drift == DriftLimits{}
}

// Bound limits one metric.
type Bound struct {
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// MaxDrop is how much worse than the champion the metric may be: lower where higher is better,
	// higher where lower is better.
	MaxDrop *float64 `json:"max_drop,omitempty"`
}

// FairnessLimits bound the comparisons of groups.
type FairnessLimits struct {
	Gap        *float64 `json:"gap,omitempty"`         // largest accepted difference of two rates
	FourFifths *float64 `json:"four_fifths,omitempty"` // least accepted ratio of favourable rates
	Metrics    []string `json:"metrics,omitempty"`     // the comparisons that block a release
	JudgedFrom *int64   `json:"judged_from,omitempty"` // rows from which a group is judged
}

func (f FairnessLimits) empty() bool {
	return f.Gap == nil && f.FourFifths == nil && f.JudgedFrom == nil && len(f.Metrics) == 0
}

// DriftLimits bound the drift of one column against the reference.
type DriftLimits struct {
	WarnPSI           *float64 `json:"warn_psi,omitempty"`
	FailPSI           *float64 `json:"fail_psi,omitempty"`
	WarnWassersteinSD *float64 `json:"warn_wasserstein_sd,omitempty"`
	WarnLInfinity     *float64 `json:"warn_l_infinity,omitempty"` // of columns with more than 50 categories
}

// metric is what a limit must know of a metric to refuse nonsense such as roc_auc: {min: 70}.
type metric struct {
	name     string
	min, max bool // whether a lower, an upper limit makes sense
	low, top float64
}

const unbounded = 1e300

var (
	performanceMetrics = []metric{
		{"accuracy", true, false, 0, 1}, {"balanced_accuracy", true, false, 0, 1},
		{"precision", true, false, 0, 1}, {"recall", true, false, 0, 1}, {"f1", true, false, 0, 1},
		{"fpr", false, true, 0, 1}, {"fnr", false, true, 0, 1},
		{"mcc", true, false, -1, 1}, {"kappa", true, false, -1, 1},
		{"roc_auc", true, false, 0, 1}, {"average_precision", true, false, 0, 1},
		{"log_loss", false, true, 0, unbounded}, {"brier", false, true, 0, 1},
		{"mae", false, true, 0, unbounded}, {"rmse", false, true, 0, unbounded},
		{"mape", false, true, 0, unbounded}, {"bias", true, true, -unbounded, unbounded}, {"r2", true, false, -unbounded, 1},
		{"ndcg", true, false, 0, 1}, {"recall_at_k", true, false, 0, 1}, {"precision_at_k", true, false, 0, 1},
		{"map", true, false, 0, 1}, {"mrr", true, false, 0, 1}, {"hit_rate", true, false, 0, 1},
		{"coverage", true, false, 0, 1}, {"popularity_gini", false, true, 0, 1},
	}
	calibrationMetrics = []metric{
		{"ece", false, true, 0, 1}, {"ece_equal_mass", false, true, 0, 1}, {"mce", false, true, 0, 1},
	}
	fairnessMetrics = []string{
		"demographic_parity", "equal_opportunity", "false_positive_rate", "false_negative_rate",
		"predictive_parity", "false_omission_rate", "accuracy",
	}
)

// PerformanceMetrics lists the metrics that a limit may name.
func PerformanceMetrics() []string { return metricNames(performanceMetrics) }

func metricNames(metrics []metric) []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.name
	}
	return names
}

func (d decoder) limits(dst *Limits) decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path,
			yamldoc.Key("performance", d.metricBounds(&dst.Performance, performanceMetrics)),
			yamldoc.Key("calibration", d.metricBounds(&dst.Calibration, calibrationMetrics)),
			yamldoc.Key("fairness", d.fairness(&dst.Fairness)),
			yamldoc.Key("drift", d.drift(&dst.Drift)),
		)
	}
}

// metricBounds reads bounds by the name of the metric.
func (d decoder) metricBounds(dst *map[string]Bound, metrics []metric) decode {
	return func(node *yaml.Node, path string) error {
		*dst = map[string]Bound{}
		return d.Entries(node, path, func(key, value *yaml.Node) error {
			i := slices.IndexFunc(metrics, func(m metric) bool { return m.name == key.Value })
			if i < 0 {
				return d.Unknown(key, path+" cannot limit", metricNames(metrics))
			}
			bound, err := d.bound(value, d.Join(path, key.Value), metrics[i])
			(*dst)[key.Value] = bound
			return err
		})
	}
}

func (d decoder) bound(node *yaml.Node, path string, m metric) (Bound, error) {
	var b Bound
	err := d.Mapping(node, path,
		yamldoc.Key("min", d.Number(&b.Min, m.low, m.top)),
		yamldoc.Key("max", d.Number(&b.Max, m.low, m.top)),
		yamldoc.Key("max_drop", d.Number(&b.MaxDrop, 0, unbounded)),
	)
	switch {
	case err != nil:
		return b, err
	case b == Bound{}:
		return b, d.Errorf(node, "%s has no min, max or max_drop", path)
	case b.Min != nil && !m.min:
		return b, d.Errorf(node, "%s has a min, and %s is better when it is lower", path, m.name).WithHint("state max")
	case b.Max != nil && !m.max:
		return b, d.Errorf(node, "%s has a max, and %s is better when it is higher", path, m.name).WithHint("state min")
	}
	return b, d.ordered(node, path, Range{b.Min, b.Max})
}

func (d decoder) fairness(dst *FairnessLimits) decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path,
			yamldoc.Key("gap", d.Share(&dst.Gap)),
			yamldoc.Key("four_fifths", d.Share(&dst.FourFifths)),
			yamldoc.Key("metrics", d.fairnessMetrics(&dst.Metrics)),
			yamldoc.Key("judged_from", d.Count(&dst.JudgedFrom, 1)),
		)
	}
}

func (d decoder) fairnessMetrics(dst *[]string) decode {
	return func(node *yaml.Node, path string) error {
		if err := d.values(dst)(node, path); err != nil {
			return err
		}
		for _, item := range node.Content {
			if !slices.Contains(fairnessMetrics, item.Value) {
				return d.Unknown(item, path+" cannot hold", fairnessMetrics)
			}
		}
		return nil
	}
}

func (d decoder) drift(dst *DriftLimits) decode {
	return func(node *yaml.Node, path string) error {
		err := d.Mapping(node, path,
			yamldoc.Key("warn_psi", d.Number(&dst.WarnPSI, 0, unbounded)),
			yamldoc.Key("fail_psi", d.Number(&dst.FailPSI, 0, unbounded)),
			yamldoc.Key("warn_wasserstein_sd", d.Number(&dst.WarnWassersteinSD, 0, unbounded)),
			yamldoc.Key("warn_l_infinity", d.Share(&dst.WarnLInfinity)),
		)
		if err == nil && dst.WarnPSI != nil && dst.FailPSI != nil && *dst.WarnPSI > *dst.FailPSI {
			return d.Errorf(node, "%s: warn_psi %s is above fail_psi %s", path, formatNumber(*dst.WarnPSI), formatNumber(*dst.FailPSI))
		}
		return err
	}
}

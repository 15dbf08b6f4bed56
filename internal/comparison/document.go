package comparison

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
)

// APIVersion and Kind are the first two lines of every comparison.
const (
	APIVersion = "tallystick/v1"
	Kind       = "Comparison"
)

const day = 24 * time.Hour

// What a comparison may have at most.
const (
	maxMetrics = 16
	maxSlices  = 8     // columns
	maxValues  = 40    // of one column that are slices of their own
	maxGroups  = 20    // of a fairness metric
	maxWindows = 2_100 // that one judgement looks at: a week of 5 minutes
)

// Document is a comparison as it was written.
type Document struct {
	Name        string
	Description string
	Model       string
	Environment string        // where; empty: anywhere
	Width       time.Duration // of the windows that are looked at one after the other
	Delay       time.Duration // how long late records are waited for
	Longest     time.Duration // how long it may take to be settled
	Stale       time.Duration // how old the newest prediction of either version may be
	Alpha       float64       // chance of a promotion, or of a rollback, that is wrong
	MinRows     int64         // of either version, below which nothing is judged
	Split       float64       // share of predictions that the new version is to have; 0: it is not checked
	PairBy      string        // column by which both versions' answers to one input are known; empty: they answer different ones
	Metrics     []Metric
	Slices      []string // features whose values are judged by themselves too
	Budget      *Budget

	source []byte
}

// Source returns the bytes that the document was read from.
func (d *Document) Source() []byte { return d.source }

// Budget is what a canary may use of an error budget.
type Budget struct {
	Target float64       `json:"target"` // share of predictions that are to be without an error
	Period time.Duration `json:"period"`
	Spend  float64       `json:"spend"` // share of the period's budget that the new version may use
}

// Metric is one thing that both versions are compared in.
type Metric struct {
	Name      string
	Measure   Measure
	Role      Role
	Better    Better
	Margin    float64          // by how much the new version may be worse; below 0: by how much it must be better
	Limit     time.Duration    // of slow
	When      *query.Condition // of decisions and outcomes
	Tolerance float64          // of wrong and of disagreement: how far numbers may be apart
	Mature    time.Duration    // of what needs labels: age from which a prediction has one
	By        string           // of fairness: the feature that makes the groups
	Of        string           // of fairness: decisions, or wrong
}

// Measure is what is measured.
type Measure string

// The measures. Each but score, disagreement and fairness is a share of predictions.
const (
	Errors       Measure = "errors"       // status error or timeout
	Slow         Measure = "slow"         // slower than a limit
	Decisions    Measure = "decisions"    // a condition holds, such as output = approve
	Overrides    Measure = "overrides"    // a person decided otherwise
	Wrong        Measure = "wrong"        // the label is another
	Outcomes     Measure = "outcomes"     // a condition on the label holds, such as label = bought
	Score        Measure = "score"        // largest difference of two score distributions at the old one's deciles
	Disagreement Measure = "disagreement" // pairs whose outputs differ
	Fairness     Measure = "fairness"     // gap between groups
)

func measures() []string {
	return []string{string(Errors), string(Slow), string(Decisions), string(Overrides), string(Wrong), string(Outcomes), string(Score), string(Disagreement), string(Fairness)}
}

// Role is what a metric is for.
type Role string

// The roles. A guard needs data and must not be shown to be worse; a primary metric must be shown not to be.
const (
	Primary Role = "primary"
	Guard   Role = "guard"
)

// Better is the direction of a metric.
type Better string

// The directions.
const (
	Less   Better = "less"
	More   Better = "more"
	Either Better = "either" // no direction is better: it is not to change by more than the margin
)

// labelled reports whether the metric needs labels.
func (m *Metric) labelled() bool {
	return m.Measure == Wrong || m.Measure == Outcomes || m.Measure == Fairness && m.Of == string(Wrong)
}

// rate reports whether the metric is a share of predictions, which slices are judged by too.
func (m *Metric) rate() bool {
	return m.Measure != Score && m.Measure != Disagreement && m.Measure != Fairness
}

// title is the metric in words, as the subject of a sentence.
func (m *Metric) title() string {
	switch m.Measure {
	case Errors:
		return "Predictions that failed"
	case Slow:
		return "Predictions slower than " + m.Limit.String()
	case Decisions:
		return "Predictions with " + m.When.String()
	case Overrides:
		return "Predictions that a person overrode"
	case Wrong:
		return "Predictions that turned out wrong"
	case Outcomes:
		return "Predictions with " + m.When.String()
	}
	return m.Name
}

// defaults are what a comparison says that does not say otherwise.
func defaults() *Document {
	return &Document{Width: 5 * time.Minute, Delay: 2 * time.Minute, Longest: 7 * day, Stale: 30 * time.Minute, Alpha: 0.05, MinRows: 200}
}

// Plain returns the comparison that is made where none is written: of errors alone, by one point.
func Plain(model, environment string) ([]byte, error) {
	for _, name := range []struct{ what, is string }{{"model", model}, {"environment", cmp.Or(environment, "any")}} {
		if err := tallystick.ValidateName(name.what, name.is); err != nil {
			return nil, err
		}
	}
	source := fmt.Sprintf("apiVersion: %s\nkind: %s\nname: plain\nmodel: %q\n", APIVersion, Kind, model)
	if environment != "" {
		source += fmt.Sprintf("environment: %q\n", environment)
	}
	return []byte(source + "metrics:\n  - {metric: errors, margin: 1%}\n"), nil
}

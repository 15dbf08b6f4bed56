package stat

import "math"

// PageHinkley watches a stream for a rise of its mean: it adds up how far values lie above the mean
// so far (Page, Biometrika 41 (1954) 100-115; Hinkley, Biometrika 58 (1971) 509-523), with
// forgetting. It has no stated rate of false alarms; for values in [0, 1] see [EProcess].
type PageHinkley struct {
	Warmup    int64   `json:"warmup"`    // values before the first alarm
	Slack     float64 `json:"slack"`     // rise that is let pass, in the values' unit
	Threshold float64 `json:"threshold"` // of the sum
	Retain    float64 `json:"retain"`    // share of the sum that is kept at each value

	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	Sum  float64 `json:"sum"`
}

// NewPageHinkley returns a detector with the customary settings (those of river 0.2x).
func NewPageHinkley() *PageHinkley {
	return &PageHinkley{Warmup: 29, Slack: 0.005, Threshold: 50, Retain: 0.9999}
}

// Add takes in the next value and reports whether that is an alarm, after which it begins anew. NaN
// and infinite values are left out.
func (d *PageHinkley) Add(value float64) bool {
	if !isFinite(value) {
		return false
	}
	d.N++
	d.Mean += (value - d.Mean) / float64(d.N)
	d.Sum = max(0, d.Retain*d.Sum+value-d.Mean-d.Slack)
	if d.N < d.Warmup || d.Sum < d.Threshold {
		return false
	}
	d.N, d.Mean, d.Sum = 0, 0, 0
	return true
}

// Alarm is what a detector says after a value.
type Alarm int

// The three answers, in order of gravity.
const (
	Calm Alarm = iota
	Warning
	Drift
)

// DDM is the drift detection method for a stream of errors (Gama, Medas, Castillo and Rodrigues,
// SBIA 2004, 286-295): it remembers the error rate and its standard deviation where their sum was
// least, and says how many of those the rate now lies above it. It sees a rise alone, and has no
// stated rate of false alarms.
type DDM struct {
	Warmup  int64   `json:"warmup"`  // values before anything is judged
	WarnAt  float64 `json:"warn_at"` // standard deviations
	DriftAt float64 `json:"drift_at"`

	N         int64   `json:"n"`
	Errors    int64   `json:"errors"`
	LeastRate float64 `json:"least_rate"`
	LeastSD   float64 `json:"least_sd"` // 0 with LeastRate 0 before anything was judged
	Judged    bool    `json:"judged"`
}

// NewDDM returns a detector with the settings of the paper: a warning at 2 standard deviations,
// drift at 3, after 30 values.
func NewDDM() *DDM { return &DDM{Warmup: 30, WarnAt: 2, DriftAt: 3} }

// Add takes in whether the next prediction was wrong. After Drift it begins anew.
func (d *DDM) Add(wrong bool) Alarm {
	d.N++
	if wrong {
		d.Errors++
	}
	if d.N <= d.Warmup {
		return Calm
	}
	rate := float64(d.Errors) / float64(d.N)
	sd := math.Sqrt(rate * (1 - rate) / float64(d.N))
	if !d.Judged || rate+sd <= d.LeastRate+d.LeastSD {
		d.LeastRate, d.LeastSD, d.Judged = rate, sd, true
	}
	switch {
	case rate+sd > d.LeastRate+d.DriftAt*d.LeastSD:
		*d = DDM{Warmup: d.Warmup, WarnAt: d.WarnAt, DriftAt: d.DriftAt}
		return Drift
	case rate+sd > d.LeastRate+d.WarnAt*d.LeastSD:
		return Warning
	}
	return Calm
}

package monitor

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
)

// APIVersion and Kind are the first two lines of every monitor.
const (
	APIVersion = "tallystick/v1"
	Kind       = "Monitor"
)

// champion is the version that serves as champion when a window begins.
const champion = "champion"

// Document is a monitor as it was written.
type Document struct {
	Name        string
	Description string
	Model       string
	Version     string // whose predictions count: a name, champion, or empty for all
	Environment string // where; empty: anywhere
	Width       time.Duration
	Delay       time.Duration     // how long late records are waited for
	From        time.Time         // windows before it are not judged by themselves; zero: from when the monitor was applied
	Reference   tallystick.Digest // empty: the one that is pinned
	Checks      Checks

	source []byte
}

// Source returns the bytes that the document was read from.
func (d *Document) Source() []byte { return d.source }

// Checks are the limits of a monitor.
type Checks struct {
	Features []string // that are judged; empty: all of the reference
	Except   []string // that are not
	Drift    drift.Thresholds
	New      Limits // share of values that the reference never had
	Missing  Limits // by how much the share of missing values may rise
	Volume   Volume
	Latency  []Latency
	Errors   *float64 // the greatest share of predictions that may fail; nil: it is not judged
}

// Limits are shares from which a verdict is warn or fail. Origin says whose they are: default, or monitor.
type Limits struct {
	Warn, Fail float64
	Origin     string
}

// Volume bounds the number of predictions of a window; zero bounds nothing.
type Volume struct{ Min, Max int64 }

// Latency is the time in which a share of the predictions is to be made.
type Latency struct {
	Quantile string  // p50, p90, p95, p99, p99.9
	May      float64 // share of the predictions that may be slower
	Limit    time.Duration
}

// The limits of a monitor that states none. docs/monitoring.md has the reasons.
const (
	defaultDelay       = 5 * time.Minute
	defaultWarnNew     = 0.0  // any new value, if it is surely more than none
	defaultFailNew     = 0.01 // surely more than one row in a hundred
	defaultWarnMissing = 0.01
	defaultFailMissing = 0.05
	confidence         = 0.99 // of every interval of a share
)

const (
	ofDefault = "default"
	ofMonitor = "monitor"
)

func defaults() Checks {
	return Checks{
		Drift:   drift.Defaults(),
		New:     Limits{defaultWarnNew, defaultFailNew, ofDefault},
		Missing: Limits{defaultWarnMissing, defaultFailMissing, ofDefault},
	}
}

// quantiles are those that a latency can have.
func quantiles() []Latency {
	return []Latency{{Quantile: "p50", May: 0.5}, {Quantile: "p90", May: 0.1}, {Quantile: "p95", May: 0.05}, {Quantile: "p99", May: 0.01}, {Quantile: "p99.9", May: 0.001}}
}

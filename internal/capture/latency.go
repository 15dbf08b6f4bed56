package capture

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/internal/prediction"
)

// Bounds of the labels of latencies: models and versions are registered, environments are what senders say.
const (
	maxLatencies  = 200
	latencyUnused = time.Hour // after which a series may give way to another
)

// latencyOf names a series.
type latencyOf struct{ model, version, environment string }

// latencies tells Prometheus how long predictions took that were taken in since the program began, as native histograms and as
// classic ones. It is a [prometheus.Collector].
type latencies struct {
	vec    *prometheus.HistogramVec
	untold prometheus.Counter

	mu    sync.Mutex
	known map[latencyOf]*latency
}

type latency struct {
	prometheus.Observer
	used time.Time
}

func newLatencies() *latencies {
	return &latencies{
		vec: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tallystick_prediction_latency_seconds", Help: "How long predictions took, of those taken in since the server began; of at most 200 models, versions and environments.",
			Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
		}, []string{"model", "version", "environment"}),
		untold: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tallystick_prediction_latency_untold_total", Help: "Predictions with a latency that no series tells of, because there were too many.",
		}),
		known: map[latencyOf]*latency{},
	}
}

// observe takes in the records of a batch that were taken.
func (l *latencies) observe(records []prediction.Record, taken []prediction.ID, now time.Time) {
	var last latencyOf
	var to prometheus.Observer
	for i := range records {
		r := &records[i]
		if taken[i].IsZero() || !r.Latency.IsNumber() {
			continue
		}
		us, _ := r.Latency.Float()
		if us < 0 || us-us != 0 {
			continue
		}
		if of := (latencyOf{r.Model, r.Version, r.Environment}); to == nil || of != last {
			if last, to = of, l.series(of, now); to == nil {
				l.untold.Inc()
				continue
			}
		}
		to.Observe(us / 1e6)
	}
}

// series returns what observes one of the series, nil if there are too many that were used of late.
func (l *latencies) series(of latencyOf, now time.Time) prometheus.Observer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if is := l.known[of]; is != nil {
		is.used = now
		return is
	}
	if len(l.known) >= maxLatencies {
		for name, is := range l.known {
			if now.Sub(is.used) > latencyUnused {
				delete(l.known, name)
				l.vec.DeleteLabelValues(name.model, name.version, name.environment)
			}
		}
		if len(l.known) >= maxLatencies {
			return nil
		}
	}
	// A record may hold on to the whole body that it came in.
	of = latencyOf{strings.Clone(of.model), strings.Clone(of.version), strings.Clone(of.environment)}
	is := &latency{l.vec.WithLabelValues(of.model, of.version, of.environment), now}
	l.known[of] = is
	return is
}

// Describe implements prometheus.Collector.
func (c *Capture) Describe(to chan<- *prometheus.Desc) {
	c.latencies.vec.Describe(to)
	c.latencies.untold.Describe(to)
}

// Collect implements prometheus.Collector.
func (c *Capture) Collect(to chan<- prometheus.Metric) {
	c.latencies.vec.Collect(to)
	c.latencies.untold.Collect(to)
}

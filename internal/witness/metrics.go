package witness

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what a witness counts.
type metrics struct {
	requests *prometheus.CounterVec
	alarms   *prometheus.CounterVec
	size     *prometheus.Desc
	time     *prometheus.Desc
}

func newMetrics() metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_witness_requests_total", Help: "Requests to cosign, by what became of them.",
		}, []string{"result"}),
		alarms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_witness_alarms_total", Help: "Signed checkpoints that did not continue what was cosigned, repetitions included.",
		}, []string{"kind"}),
		size: prometheus.NewDesc("tallystick_witness_log_size", "Entries of the newest checkpoint cosigned for a log.", []string{"origin"}, nil),
		time: prometheus.NewDesc("tallystick_witness_log_cosigned_timestamp_seconds", "When it was cosigned.", []string{"origin"}, nil),
	}
	for _, kind := range []AlarmKind{Fork, Rollback, Unproved} { // so that an alert can see them rise from zero
		m.alarms.WithLabelValues(string(kind))
	}
	m.requests.WithLabelValues("cosigned")
	for fault := range maps.Keys(faults()) {
		m.requests.WithLabelValues(string(fault))
	}
	return m
}

// Describe implements prometheus.Collector.
func (w *Witness) Describe(out chan<- *prometheus.Desc) {
	w.metrics.requests.Describe(out)
	w.metrics.alarms.Describe(out)
	out <- w.metrics.size
	out <- w.metrics.time
}

// Collect implements prometheus.Collector.
func (w *Witness) Collect(out chan<- prometheus.Metric) {
	w.metrics.requests.Collect(out)
	w.metrics.alarms.Collect(out)
	for _, r := range w.byHash {
		r.mu.Lock()
		held := r.held
		r.mu.Unlock()
		if held.note != nil {
			out <- prometheus.MustNewConstMetric(w.metrics.size, prometheus.GaugeValue, float64(held.size), r.origin)
			out <- prometheus.MustNewConstMetric(w.metrics.time, prometheus.GaugeValue, float64(held.at.Unix()), r.origin)
		}
	}
}

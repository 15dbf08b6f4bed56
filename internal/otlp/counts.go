package otlp

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are what is told in metrics.
type counts struct{ items, requests *prometheus.CounterVec }

func newCounts() *counts {
	c := &counts{
		items: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_otlp_items_total", Help: "Log records and spans by what became of them: ignored are those that tell of no prediction.",
		}, []string{"signal", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_otlp_exports_total", Help: "Exports by protocol and status of the answer, of HTTP or gRPC.",
		}, []string{"protocol", "signal", "status"}),
	}
	for _, s := range []Signal{Logs, Traces} {
		c.add(s, result{}) // so that they are there from the start
	}
	return c
}

func (c *counts) add(s Signal, r result) {
	for outcome, n := range map[string]int{"recorded": r.recorded, "repeated": r.repeated, "rejected": r.rejected, "ignored": r.ignored} {
		c.items.WithLabelValues(string(s), outcome).Add(float64(n))
	}
}

func (c *counts) request(protocol string, s Signal, status int) {
	c.requests.WithLabelValues(protocol, string(s), strconv.Itoa(status)).Inc()
}

// Describe implements prometheus.Collector.
func (r *Receiver) Describe(to chan<- *prometheus.Desc) {
	r.counts.items.Describe(to)
	r.counts.requests.Describe(to)
}

// Collect implements prometheus.Collector.
func (r *Receiver) Collect(to chan<- prometheus.Metric) {
	r.counts.items.Collect(to)
	r.counts.requests.Collect(to)
}

package witness

import "github.com/prometheus/client_golang/prometheus"

// groupMetrics are what a log counts of its witnesses.
type groupMetrics struct {
	asked  *prometheus.CounterVec
	size   *prometheus.Desc
	quorum *prometheus.Desc
	time   *prometheus.Desc
}

func newGroupMetrics() groupMetrics {
	return groupMetrics{
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_cosignatures_total", Help: "Attempts to have a checkpoint cosigned, by witness and by what became of them: cosigned, refused or failed.",
		}, []string{"witness", "result"}),
		size:   prometheus.NewDesc("tallystick_cosigned_size", "Entries of the newest checkpoint that a witness has cosigned.", []string{"witness"}, nil),
		quorum: prometheus.NewDesc("tallystick_witnessed_size", "Entries of the newest checkpoint with a quorum of cosignatures.", nil, nil),
		time:   prometheus.NewDesc("tallystick_witnessed_timestamp_seconds", "When that checkpoint had its quorum; 0 if none has had one.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (g *Group) Describe(out chan<- *prometheus.Desc) {
	g.metrics.asked.Describe(out)
	out <- g.metrics.size
	out <- g.metrics.quorum
	out <- g.metrics.time
}

// Collect implements prometheus.Collector.
func (g *Group) Collect(out chan<- prometheus.Metric) {
	g.metrics.asked.Collect(out)
	s := g.Status()
	for _, peer := range s.Peers {
		out <- prometheus.MustNewConstMetric(g.metrics.size, prometheus.GaugeValue, float64(peer.Size), peer.Name)
	}
	at := 0.0
	if !s.Time.IsZero() {
		at = float64(s.Time.Unix())
	}
	out <- prometheus.MustNewConstMetric(g.metrics.quorum, prometheus.GaugeValue, float64(s.Size))
	out <- prometheus.MustNewConstMetric(g.metrics.time, prometheus.GaugeValue, at)
}

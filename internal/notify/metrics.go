package notify

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counts is what a courier knows of itself.
type counts struct {
	mu            sync.Mutex
	delivered     uint64         // under mu, as all
	failed        uint64         //
	seconds       float64        // in attempts
	subscriptions []Subscription // as last looked at
}

func (c *counts) attempted(ok bool, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.delivered++
	} else {
		c.failed++
	}
	c.seconds += took.Seconds()
}

func (c *counts) observe(all []Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscriptions = all
}

// descriptions of the metrics.
type descriptions struct {
	attempts, seconds, status, inVain, position, number *prometheus.Desc
}

func describe() descriptions {
	one := []string{"subscription"}
	return descriptions{
		attempts: prometheus.NewDesc("tallystick_notify_attempts_total", "Attempts to deliver a notification.", []string{"outcome"}, nil),
		seconds:  prometheus.NewDesc("tallystick_notify_attempts_seconds_total", "Time spent in attempts.", nil, nil),
		status:   prometheus.NewDesc("tallystick_notify_subscription_status", "1 for the status that the subscription is in.", []string{"subscription", "status"}, nil),
		inVain:   prometheus.NewDesc("tallystick_notify_subscription_attempts", "Attempts in vain at the notification in front.", one, nil),
		position: prometheus.NewDesc("tallystick_notify_subscription_position", "Sequence of the last event that was told, or passed over.", one, nil),
		number:   prometheus.NewDesc("tallystick_notify_subscription_notifications", "Notifications that are done with.", one, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *Courier) Describe(out chan<- *prometheus.Desc) {
	d := describe()
	for _, each := range []*prometheus.Desc{d.attempts, d.seconds, d.status, d.inVain, d.position, d.number} {
		out <- each
	}
}

// Collect implements prometheus.Collector. Subscriptions are as they were when the courier last looked,
// which is after every change.
func (c *Courier) Collect(out chan<- prometheus.Metric) {
	d := describe()
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	out <- prometheus.MustNewConstMetric(d.attempts, prometheus.CounterValue, float64(c.counts.delivered), "delivered")
	out <- prometheus.MustNewConstMetric(d.attempts, prometheus.CounterValue, float64(c.counts.failed), "failed")
	out <- prometheus.MustNewConstMetric(d.seconds, prometheus.CounterValue, c.counts.seconds)
	for _, s := range c.counts.subscriptions {
		for _, status := range []Status{Delivering, Retrying, Failing, Resting} {
			is := 0.0
			if s.Delivery.Status == status {
				is = 1
			}
			out <- prometheus.MustNewConstMetric(d.status, prometheus.GaugeValue, is, s.Name, string(status))
		}
		out <- prometheus.MustNewConstMetric(d.inVain, prometheus.GaugeValue, float64(s.Delivery.Attempts), s.Name)
		out <- prometheus.MustNewConstMetric(d.position, prometheus.GaugeValue, float64(s.Delivery.Position), s.Name)
		out <- prometheus.MustNewConstMetric(d.number, prometheus.CounterValue, float64(s.Delivery.Number), s.Name)
	}
}

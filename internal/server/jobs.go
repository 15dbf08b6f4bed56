package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/internal/schedule"
)

// Jobs tells how the regular jobs go.
type Jobs interface {
	Standings(ctx context.Context) ([]schedule.Standing, error)
}

// jobsWait bounds the look at the jobs: neither metrics nor readiness wait for a database.
const jobsWait = 2 * time.Second

// What is told of each job. A job that did not succeed for longer than two of its periods is worth an
// alert, whether it fails or nobody runs it.
var (
	jobSucceeded = prometheus.NewDesc("tallystick_job_last_success_timestamp_seconds", "When a run of the job last ended well.", []string{"job"}, nil)
	jobDuration  = prometheus.NewDesc("tallystick_job_last_duration_seconds", "How long the last run of the job took.", []string{"job"}, nil)
	jobFailures  = prometheus.NewDesc("tallystick_job_failures_total", "Runs of the job that failed.", []string{"job"}, nil)
	jobPeriod    = prometheus.NewDesc("tallystick_job_period_seconds", "How often the job is to run.", []string{"job"}, nil)
)

// jobCollector tells the metrics of jobs. All servers of a database tell the same.
type jobCollector struct {
	jobs   Jobs
	logger *slog.Logger
}

// Describe implements prometheus.Collector.
func (c jobCollector) Describe(into chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobSucceeded, jobDuration, jobFailures, jobPeriod} {
		into <- d
	}
}

// Collect implements prometheus.Collector. Where the database does not answer, the metrics are missing.
func (c jobCollector) Collect(into chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), jobsWait)
	defer cancel()
	list, err := c.jobs.Standings(ctx)
	if err != nil {
		c.logger.WarnContext(ctx, "the jobs cannot be told of", slog.Any("error", err))
		return
	}
	for _, s := range list {
		tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
			into <- prometheus.MustNewConstMetric(d, kind, value, s.Name)
		}
		tell(jobPeriod, prometheus.GaugeValue, s.Period.Seconds())
		tell(jobFailures, prometheus.CounterValue, float64(s.Failed))
		if !s.Began.IsZero() {
			tell(jobDuration, prometheus.GaugeValue, s.Took.Seconds())
		}
		if !s.Succeeded.IsZero() {
			tell(jobSucceeded, prometheus.GaugeValue, float64(s.Succeeded.UnixMilli())/1000)
		}
	}
}

// jobWords says in a line for each job how it goes; not why it failed, for anyone may ask.
func jobWords(ctx context.Context, jobs Jobs) (lines []string) {
	if jobs == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, jobsWait)
	defer cancel()
	list, err := jobs.Standings(ctx)
	if err != nil {
		return []string{"jobs: unknown"}
	}
	for _, s := range list {
		said := "has not run yet"
		if !s.Succeeded.IsZero() {
			said = "last succeeded " + s.Succeeded.Format(time.RFC3339)
		}
		if s.Failures > 0 {
			said = fmt.Sprintf("failed %d times in a row, %s", s.Failures, said)
		}
		lines = append(lines, "job "+s.Name+": "+said)
	}
	return lines
}

package health

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
)

// Bounds of what is told: no label has a value that those who send predictions choose, but names of features, of which the worst
// are told.
const (
	maxTold         = 500 // objectives, and monitors
	maxToldFeatures = 10  // of one monitor
	scrapeWait      = 5 * time.Second
	scrapeEvery     = 15 * time.Second // what is told is at most so old
)

// Collector tells Prometheus what objectives and monitors say. Make one with NewCollector.
type Collector struct {
	office *Office
	logger *slog.Logger

	mu      sync.Mutex
	at      time.Time
	metrics []prometheus.Metric
	burns   map[tallystick.Digest]objective.BudgetJudgement
	windows map[tallystick.Digest]monitor.WindowJudgement
}

// NewCollector returns the collector of an office.
func NewCollector(o *Office, logger *slog.Logger) *Collector {
	return &Collector{office: o, logger: logger}
}

type described struct {
	good, valid, target, left, paused, judged, verdict, burn, burnLimit    *prometheus.Desc
	windowVerdict, windowEnd, windowPredictions, drift, driftLimit, hidden *prometheus.Desc
}

func descriptions() described {
	of := []string{"objective", "model", "environment"}
	rule := append(slices.Clone(of), "action", "window")
	by := []string{"monitor", "model"}
	return described{
		good:              prometheus.NewDesc("tallystick_objective_good_events", "Good events of the period of an objective.", of, nil),
		valid:             prometheus.NewDesc("tallystick_objective_valid_events", "Valid events of the period of an objective.", of, nil),
		target:            prometheus.NewDesc("tallystick_objective_target_ratio", "Share of valid events that are to be good.", of, nil),
		left:              prometheus.NewDesc("tallystick_objective_budget_left_ratio", "Share of the error budget that is left; below 0 once the promise is broken.", of, nil),
		paused:            prometheus.NewDesc("tallystick_objective_paused", "1 while experiments wait because the budget burns too fast.", of, nil),
		judged:            prometheus.NewDesc("tallystick_objective_last_judged_timestamp_seconds", "The moment that was judged last.", of, nil),
		verdict:           prometheus.NewDesc("tallystick_objective_verdict", "1 for the verdict that the objective has.", append(slices.Clone(of), "verdict"), nil),
		burn:              prometheus.NewDesc("tallystick_objective_burn_rate", "How many times as fast as planned the budget burns over a window of a rule.", rule, nil),
		burnLimit:         prometheus.NewDesc("tallystick_objective_burn_rate_threshold", "Burn rate from which the rule fails.", rule, nil),
		windowVerdict:     prometheus.NewDesc("tallystick_monitor_verdict", "1 for the verdict of the window that a monitor judged last.", append(slices.Clone(by), "verdict"), nil),
		windowEnd:         prometheus.NewDesc("tallystick_monitor_last_window_timestamp_seconds", "End of the window that a monitor judged last.", by, nil),
		windowPredictions: prometheus.NewDesc("tallystick_monitor_window_predictions", "Predictions of the window that a monitor judged last.", by, nil),
		drift:             prometheus.NewDesc("tallystick_monitor_drift_psi", "Population stability index of a feature in the window that a monitor judged last, of the ten highest.", append(slices.Clone(by), "feature"), nil),
		driftLimit:        prometheus.NewDesc("tallystick_monitor_drift_psi_threshold", "Population stability index from which a significant change fails.", by, nil),
		hidden:            prometheus.NewDesc("tallystick_health_untold", "Objectives and monitors that are beyond the number that is told of.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	d := descriptions()
	for _, each := range []*prometheus.Desc{
		d.good, d.valid, d.target, d.left, d.paused, d.judged, d.verdict, d.burn, d.burnLimit, d.windowVerdict, d.windowEnd, d.windowPredictions, d.drift, d.driftLimit, d.hidden,
	} {
		to <- each
	}
}

// Collect implements prometheus.Collector. Where the database does not answer, the metrics are missing, which is an alarm.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.at) >= scrapeEvery {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeWait)
		metrics, err := c.look(ctx)
		cancel()
		if err != nil {
			c.logger.Warn("how models behave cannot be told to Prometheus", slog.Any("error", err))
			metrics = nil
		}
		c.metrics, c.at = metrics, now
	}
	for _, m := range c.metrics {
		to <- m
	}
}

func (c *Collector) look(ctx context.Context) (all []prometheus.Metric, err error) {
	d := descriptions()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...))
	}
	burns, windows := map[tallystick.Digest]objective.BudgetJudgement{}, map[tallystick.Digest]monitor.WindowJudgement{}
	untold := 0
	standing, err := c.office.config.Objectives.Standing(ctx, "")
	if err != nil {
		return nil, err
	}
	var worst []objective.BudgetStanding
	for _, s := range standing {
		worst = append(worst, s)
	}
	slices.SortFunc(worst, func(a, b objective.BudgetStanding) int {
		return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.Objective, b.Objective))
	})
	if len(worst) > maxTold {
		untold, worst = len(worst)-maxTold, worst[:maxTold]
	}
	for _, s := range worst {
		of := []string{s.Objective, s.Model, s.Environment}
		gauge(d.good, float64(s.Good), of...)
		gauge(d.valid, float64(s.Valid), of...)
		gauge(d.left, s.Left, of...)
		gauge(d.paused, map[bool]float64{true: 1}[s.Paused], of...)
		gauge(d.judged, float64(s.At.UnixMilli())/1000, of...)
		for _, v := range []tallystick.Verdict{tallystick.Pass, tallystick.Warn, tallystick.Insufficient, tallystick.Fail} {
			gauge(d.verdict, map[bool]float64{true: 1}[s.Verdict == v], append(slices.Clone(of), string(v))...)
		}
		j, kept := c.burns[s.Judgement]
		if !kept {
			if j, err = c.office.config.Objectives.Judgement(ctx, s.Judgement); err != nil {
				return nil, err
			}
		}
		burns[s.Judgement] = j
		gauge(d.target, j.Target, of...)
		for _, r := range j.Rules {
			labels := append(slices.Clone(of), string(r.Rule.Action), objective.Span(r.Rule.Window))
			gauge(d.burnLimit, r.Threshold, labels...)
			if r.Long.Rate != nil {
				gauge(d.burn, *r.Long.Rate, labels...)
			}
		}
	}
	monitors, err := c.office.config.Monitors.Monitors(ctx, "")
	if err != nil {
		return nil, err
	}
	told := 0
	for _, m := range monitors {
		if m.Removed {
			continue
		}
		if told++; told > maxTold {
			untold++
			continue
		}
		last, err := c.office.newest(ctx, m.Name)
		if err != nil {
			return nil, err
		}
		if last == nil {
			continue
		}
		gauge(d.windowEnd, float64(last.To.Unix()), m.Name, m.Model)
		gauge(d.windowPredictions, float64(last.Predictions), m.Name, m.Model)
		for _, v := range []tallystick.Verdict{tallystick.Pass, tallystick.Warn, tallystick.Inconclusive, tallystick.Insufficient, tallystick.Fail} {
			gauge(d.windowVerdict, map[bool]float64{true: 1}[last.Verdict == v], m.Name, m.Model, string(v))
		}
		j, kept := c.windows[last.Judgement]
		if !kept {
			if j, err = c.office.config.Monitors.Judgement(ctx, last.Judgement); err != nil {
				return nil, err
			}
			j.Rows = slices.DeleteFunc(j.Rows, func(r monitor.Row) bool {
				return r.Check != "drift" || r.Measure != "psi" || !r.Value.Valid() || r.Subject == ""
			})
			slices.SortStableFunc(j.Rows, func(a, b monitor.Row) int { return cmp.Compare(float64(b.Value), float64(a.Value)) })
			seen := map[string]bool{} // of slices of a feature the highest
			j.Rows = slices.DeleteFunc(j.Rows, func(r monitor.Row) bool {
				twice := seen[r.Subject]
				seen[r.Subject] = true
				return twice
			})
			j.Rows = slices.Clone(j.Rows[:min(len(j.Rows), maxToldFeatures)])
		}
		windows[last.Judgement] = j
		gauge(d.driftLimit, j.Thresholds.FailPSI, m.Name, m.Model)
		for _, r := range j.Rows {
			gauge(d.drift, float64(r.Value), m.Name, m.Model, r.Subject)
		}
	}
	gauge(d.hidden, float64(untold))
	c.burns, c.windows = burns, windows
	return all, nil
}

package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/pager"
	"github.com/tallystick/tallystick/internal/schedule"
)

// evaluateEvery is how long a judgement waits until alerts follow from it, about.
const evaluateEvery = 10 * time.Second

// alerting returns the office that lets alerts fire and resolve.
func (h house) alerting() *alert.Office {
	return alert.New(alert.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself(), Models: h.catalog, Evidence: h.Evidence,
		Sources: map[string]alert.Source{"monitors": alert.Monitors{Judgements: h.monitors}, "objectives": alert.Objectives{Budgets: h.objectives}},
	})
}

// alertJob looks at what was judged.
func (h house) alertJob() schedule.Job {
	return schedule.Job{Name: "evaluate-alerts", Period: evaluateEvery, Tell: h.alerts.Run}
}

// paging is what takes alerts to people, beside the subscriptions.
type paging struct {
	run        []func(context.Context) error
	collectors []prometheus.Collector
	receivers  func(context.Context, alert.Alert) ([]string, error) // by the routes; nil: there are none here
	stop       func()
}

// pagers returns what the flags ask for: Alertmanager embedded, and pushes to others. All goes out behind the guard of
// notifications.
func (f *notifyFlags) pagers(h house, out *dial.Client, logger *slog.Logger) (p paging, err error) {
	p.stop = func() {}
	if f.alertConfig == "" && len(f.alertTargets) == 0 {
		return p, nil
	}
	if out == nil {
		out = dial.New(dial.Config{}) // which may speak to nobody: the fault names the host
	}
	reader := pager.Reader{Alerts: h.alerts, Models: h.catalog, Base: strings.TrimSuffix(f.base, "/")}
	for _, target := range f.alertTargets {
		pusher, err := pager.NewPusher(reader, out, out, target, logger)
		if err != nil {
			return p, err
		}
		p.run, p.collectors = append(p.run, pusher.Run), append(p.collectors, pusher)
	}
	if f.alertConfig == "" {
		return p, nil
	}
	config, err := pager.Load(f.alertConfig, out)
	if err != nil {
		return p, err
	}
	changed, stop := h.DB.Watch()
	manager, err := pager.NewManager(pager.ManagerConfig{
		Reader: reader, Config: config, Dir: filepath.Join(h.Dir(), "pager"), Dialer: out, Logger: logger, Changed: changed,
	})
	if err != nil {
		stop()
		return p, err
	}
	p.run, p.collectors, p.receivers, p.stop = append(p.run, manager.Run), append(p.collectors, manager), manager.Receivers, stop
	return p, nil
}

package pager

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/tallystick/tallystick/internal/alert"
)

const (
	lookEvery  = 10 * time.Second // at the rows, if nothing wakes us before
	sweepEvery = 15 * time.Minute
	gather     = 500 * time.Millisecond // in which several changes are one look
	maxGroups  = 10_000
)

// ManagerConfig says what a manager works with. All but Base are required.
type ManagerConfig struct {
	Reader  Reader
	Config  *config.Config // as Load returns it
	Dir     string         // where it is kept what was told
	Dialer  Dialer
	Logger  *slog.Logger
	Changed <-chan struct{} // wakes it when something was recorded; nil: it looks every ten seconds
}

// Manager is Alertmanager embedded: it tells receivers of what fires and of what has resolved. One works at a time.
type Manager struct {
	config   ManagerConfig
	template *template.Template
	kinds    map[string][]amnotify.Integration
	told     *Told
	registry *prometheus.Registry

	mu         sync.Mutex
	suppressed map[model.Fingerprint]bool // under mu; what the rows say of alerts that fire
}

// NewManager returns a manager that does nothing yet. An error is Invalid for a configuration with which nothing could be told.
func NewManager(c ManagerConfig) (*Manager, error) {
	m := &Manager{config: c, kinds: map[string][]amnotify.Integration{}, registry: prometheus.NewRegistry(), suppressed: map[model.Fingerprint]bool{}}
	var err error
	if m.template, err = template.FromGlobs(c.Config.Templates); err != nil {
		return nil, fmt.Errorf("templates of alerts: %s", oneLine(err))
	}
	if m.template.ExternalURL, err = url.Parse(c.Reader.Base); err != nil {
		return nil, fmt.Errorf("templates of alerts: %w", err)
	}
	used := map[string]bool{}
	dispatch.NewRoute(c.Config.Route, nil).Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	for i := range c.Config.Receivers {
		if r := &c.Config.Receivers[i]; used[r.Name] {
			if m.kinds[r.Name], err = integrations(r, m.template, c.Dialer, c.Logger); err != nil {
				return nil, err
			}
		}
	}
	m.told, err = OpenTold(c.Dir, m.registry, c.Logger)
	return m, err
}

// Describe implements prometheus.Collector. It says nothing: what there is to be told grows while the manager runs.
func (m *Manager) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *Manager) Collect(ch chan<- prometheus.Metric) { m.registry.Collect(ch) }

// limits bounds the groups that are told of.
type limits struct{}

// MaxNumberOfAggregationGroups implements dispatch.Limits.
func (limits) MaxNumberOfAggregationGroups() int { return maxGroups }

// Run tells receivers until ctx ends. Rows that cannot be read are logged and read again.
func (m *Manager) Run(ctx context.Context) error {
	logger, nothing := m.config.Logger, eventrecorder.NopRecorder()
	flags := featurecontrol.NoopFlags{}
	alerts, err := mem.NewAlerts(ctx, sweepEvery, 0, nil, logger, nothing, m.registry, flags)
	if err != nil {
		return fmt.Errorf("alerts in memory: %w", err)
	}
	defer alerts.Close()
	c := m.config.Config
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, t := range c.MuteTimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	for _, t := range c.TimeIntervals {
		intervals[t.Name] = t.TimeIntervals
	}
	// What fires is there before anything is told, so that nothing is told that something else inhibits.
	feed := feed{manager: m, put: alerts.Put, known: map[string]sent{}, hushed: map[model.Fingerprint]time.Time{}}
	for feed.look(ctx) != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookEvery):
		}
	}
	inhibitor := inhibit.NewInhibitor(alerts, c.InhibitRules, logger, nothing)
	go inhibitor.Run()
	defer inhibitor.Stop()
	inhibitor.WaitForLoading()
	groups := marker.NewGroupMarker()
	stages := pipeline(m.kinds, inhibitor, timeinterval.NewIntervener(intervals), groups, amnotify.MuteFunc(m.mutes), m.told, amnotify.NewMetrics(m.registry, flags))
	dispatcher := dispatch.NewDispatcher(alerts, dispatch.NewRoute(c.Route, nil), stages, groups, func(d time.Duration) time.Duration { return max(d, amnotify.MinTimeout) },
		30*time.Second, limits{}, logger, nothing, dispatch.NewDispatcherMetrics(false, m.registry, flags), m.template)
	go dispatcher.Run(time.Now())
	dispatcher.WaitForLoading()
	defer dispatcher.Stop()
	look, sweep := time.NewTicker(lookEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			if err := m.told.sweep(); err != nil {
				logger.WarnContext(ctx, "old notifications are not forgotten", slog.Any("error", err))
			}
			continue
		case <-m.config.Changed:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(gather):
			}
		case <-look.C:
		}
		_ = feed.look(ctx) // logged there, and done again
	}
}

// mutes says of an alert whether the rows say that it is suppressed.
func (m *Manager) mutes(_ context.Context, labels model.LabelSet) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.suppressed[labels.Fingerprint()]
}

// feed gives Alertmanager what changed in the rows since it looked last.
type feed struct {
	manager *Manager
	put     func(ctx context.Context, alerts ...*amalert.Alert) error
	known   map[string]sent                 // by id of the alert; of those that fire
	hushed  map[model.Fingerprint]time.Time // that ended, and were suppressed as long as they fired: of their end nobody is told either
	last    time.Time                       // of the last look
}

// sent is an alert as it was given.
type sent struct {
	labels model.LabelSet
	starts time.Time
	free   bool // was not suppressed at some look
}

func (f *feed) look(ctx context.Context) error {
	err := f.read(ctx)
	if err != nil && ctx.Err() == nil {
		f.manager.config.Logger.WarnContext(ctx, "alerts cannot be read; they are told later", slog.Any("error", err))
	}
	return err
}

func (f *feed) read(ctx context.Context) error {
	now := time.Now()
	since := f.last
	if since.IsZero() {
		since = now.Add(-resolvedFor)
	}
	all, err := f.manager.config.Reader.read(ctx, since.Add(-time.Minute))
	if err != nil {
		return err
	}
	var changed []*amalert.Alert
	suppressed, overNow := map[model.Fingerprint]bool{}, map[model.Fingerprint]bool{}
	for i := range all {
		n := &all[i]
		was, known := f.known[n.ID]
		if n.State == alert.Firing {
			of, free := n.labels.Fingerprint(), n.SuppressedBy == ""
			suppressed[of] = !free
			delete(f.hushed, of)
			f.known[n.ID] = sent{n.labels, n.Fired, free || was.free}
			if known && was.labels.Equal(n.labels) {
				continue
			}
			if known { // somebody else answers for the model: whoever was told is told that it is over for them
				changed = append(changed, ended(was.labels, was.starts, now))
			}
			changed = append(changed, &amalert.Alert{UpdatedAt: now, Alert: model.Alert{Labels: n.labels, Annotations: n.annotations, StartsAt: n.Fired, GeneratorURL: f.manager.config.Reader.url(&n.Alert)}})
			continue
		}
		if !known && !f.last.IsZero() { // it fired and resolved between two looks, or was told already
			continue
		}
		delete(f.known, n.ID)
		if known && !was.free {
			f.hushed[n.labels.Fingerprint()] = now
		}
		if overNow[n.labels.Fingerprint()] { // it fired and resolved again since, which was read before: that is what is over
			continue
		}
		overNow[n.labels.Fingerprint()] = true
		over := ended(n.labels, n.Fired, n.Resolved)
		over.Annotations, over.GeneratorURL = n.annotations, f.manager.config.Reader.url(&n.Alert)
		changed = append(changed, over)
	}
	for of, since := range f.hushed {
		if suppressed[of] = true; now.Sub(since) > resolvedFor {
			delete(f.hushed, of)
		}
	}
	f.manager.mu.Lock()
	f.manager.suppressed = suppressed
	f.manager.mu.Unlock()
	var over, begun []*amalert.Alert
	for _, a := range changed {
		if a.EndsAt.IsZero() {
			begun = append(begun, a)
		} else {
			over = append(over, a)
		}
	}
	for _, a := range begun { // one that fires again is not ended by what it was before
		over = withoutLabels(over, a.Labels.Fingerprint())
	}
	if err := f.put(ctx, append(over, begun...)...); err != nil {
		return err
	}
	f.last = now
	return nil
}

func withoutLabels(all []*amalert.Alert, of model.Fingerprint) (kept []*amalert.Alert) {
	for _, a := range all {
		if a.Labels.Fingerprint() != of {
			kept = append(kept, a)
		}
	}
	return kept
}

func ended(labels model.LabelSet, from, to time.Time) *amalert.Alert {
	return &amalert.Alert{UpdatedAt: time.Now(), Alert: model.Alert{Labels: labels, StartsAt: from, EndsAt: to}}
}

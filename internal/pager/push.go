package pager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
)

const (
	resendEvery = time.Minute
	endsAfter   = 4 * resendEvery // of what is not sent again: Alertmanager takes it as resolved
	resentFor   = 15 * time.Minute
	pushAtOnce  = 500 // alerts of one request
	pushWait    = 20 * time.Second
	pushAnswer  = 4 << 10 // bytes of an answer that are repeated in a fault
)

// Doer sends requests. *dial.Client does, to hosts that may be spoken to.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Pusher gives alerts to an Alertmanager elsewhere, by its API v2: what fires every minute, what has resolved for a
// quarter of an hour, and both within seconds when something fires, resolves or is suppressed no more. An alert that is suppressed is not given to it, unless it was before: who is told is decided there.
type Pusher struct {
	reader Reader
	client Doer
	target string
	logger *slog.Logger
	free   map[string]bool        // by id: it was sent
	told   map[string]alert.State // what was sent last, by id
	last   time.Time              // of the last time
	sent   atomic.Uint64
	failed atomic.Uint64
}

// NewPusher returns who pushes to the Alertmanager at base, such as https://alertmanager.example.org:9093.
func NewPusher(reader Reader, client Doer, guard Guard, base string, logger *slog.Logger) (*Pusher, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "--alertmanager-url %q is no URL of an Alertmanager", base).WithHint("such as https://alertmanager.example.org:9093")
	}
	if err := guard.Check(base); err != nil {
		words, _ := tallystick.Words(err)
		return nil, tallystick.Errorf(tallystick.Invalid, "--alertmanager-url: %s", words).WithHint("the operator allows it with `tallystick serve --notify-to %s`", entryOf(base))
	}
	return &Pusher{reader: reader, client: client, target: strings.TrimSuffix(u.String(), "/") + "/api/v2/alerts", logger: logger, free: map[string]bool{}}, nil
}

// Run pushes until ctx ends. What cannot be pushed is logged, and pushed again.
func (p *Pusher) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := p.push(ctx, time.Since(p.last) < resendEvery); err != nil && ctx.Err() == nil {
			p.logger.WarnContext(ctx, "an Alertmanager is not told; it is told again in some seconds", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pushed is an alert as the API v2 has it.
type pushed struct {
	Labels      model.LabelSet `json:"labels"`
	Annotations model.LabelSet `json:"annotations"`
	StartsAt    time.Time      `json:"startsAt"`
	EndsAt      time.Time      `json:"endsAt"`
	URL         string         `json:"generatorURL,omitempty"`
}

// Push sends what fires and what has resolved of late, once.
func (p *Pusher) Push(ctx context.Context) error { return p.push(ctx, false) }

// push does so, or, if only changes are to be sent, not when there is none since the last time.
func (p *Pusher) push(ctx context.Context, changes bool) error {
	now := time.Now()
	all, err := p.reader.read(ctx, now.Add(-resentFor))
	if err != nil {
		return err
	}
	var out []pushed
	free, told := map[string]bool{}, map[string]alert.State{}
	for i := range all {
		n := &all[i]
		if n.State == alert.Firing && n.SuppressedBy != "" && !p.free[n.ID] {
			continue
		}
		free[n.ID], told[n.ID] = true, n.State
		ends := now.Add(endsAfter)
		if n.State == alert.Ended {
			ends = n.Resolved
		}
		out = append(out, pushed{n.labels, n.annotations, n.Fired, ends, p.reader.url(&n.Alert)})
	}
	if changes && !news(p.told, told) {
		return nil
	}
	for from := 0; from < len(out); from += pushAtOnce {
		if err := p.send(ctx, out[from:min(from+pushAtOnce, len(out))]); err != nil {
			p.failed.Add(1)
			return err
		}
		p.sent.Add(1)
	}
	p.free, p.told, p.last = free, told, now
	return nil
}

// news reports whether an alert is in another state than it was, or was not there. One that is gone is none.
func news(was, is map[string]alert.State) bool {
	for id, state := range is {
		if was[id] != state {
			return true
		}
	}
	return false
}

func (p *Pusher) send(ctx context.Context, some []pushed) error {
	data, err := json.Marshal(some)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pushWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.target, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, pushAnswer))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s: %.300s", p.target, answer.Status, strings.Join(strings.Fields(string(said)), " "))
	}
	return nil
}

// Describe implements prometheus.Collector.
func (p *Pusher) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, ch) }

// Collect implements prometheus.Collector.
func (p *Pusher) Collect(ch chan<- prometheus.Metric) {
	desc := prometheus.NewDesc("tallystick_alert_pushes_total", "Requests to an Alertmanager elsewhere.", []string{"outcome"}, prometheus.Labels{"target": p.target})
	ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(p.sent.Load()), "success")
	ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(p.failed.Load()), "failed")
}

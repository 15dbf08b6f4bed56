package pager

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/notify/jira"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/slack"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	commoncfg "github.com/prometheus/common/config"

	"github.com/tallystick/tallystick"
)

// Dialer opens connections to hosts that may be spoken to. *dial.Client does.
type Dialer interface {
	Guard
	Connect(ctx context.Context, host string, port uint16) (net.Conn, error)
}

// guarded makes every connection of a receiver over HTTP through a dialer.
func guarded(d Dialer) commoncfg.HTTPClientOption {
	return commoncfg.WithDialContextFunc(func(ctx context.Context, _, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "connect to %.200q: %w", address, err)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "connect to %.200q: it has no usable port", address)
		}
		return d.Connect(ctx, host, uint16(n))
	})
}

// integrations returns what tells a receiver, in the order of the kinds that the file may have. All of Alertmanager's
// kinds together would link the SDKs of their vendors.
func integrations(r *config.Receiver, t *template.Template, d Dialer, logger *slog.Logger) (all []amnotify.Integration, err error) {
	option := guarded(d)
	add := func(kind string, i int, resolved amnotify.ResolvedSender, make func(*slog.Logger) (amnotify.Notifier, error)) {
		n, failed := make(logger.With(slog.String("integration", kind)))
		if failed != nil {
			if err == nil {
				err = tallystick.Errorf(tallystick.Invalid, "receiver %q: %s: %s", r.Name, kind, oneLine(failed))
			}
			return
		}
		all = append(all, amnotify.NewIntegration(n, resolved, kind, i, r.Name))
	}
	for i, c := range r.WebhookConfigs {
		add("webhook", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return webhook.New(c, t, l, option) })
	}
	for i, c := range r.EmailConfigs {
		add("email", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return email.New(c, t, l), nil })
	}
	for i, c := range r.PagerdutyConfigs {
		add("pagerduty", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return pagerduty.New(c, t, l, option) })
	}
	for i, c := range r.OpsGenieConfigs {
		add("opsgenie", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return opsgenie.New(c, t, l, option) })
	}
	for i, c := range r.SlackConfigs {
		add("slack", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return slack.New(c, t, l, option) })
	}
	for i, c := range r.MSTeamsV2Configs {
		add("msteamsv2", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return msteamsv2.New(c, t, l, option) })
	}
	for i, c := range r.JiraConfigs {
		add("jira", i, c, func(l *slog.Logger) (amnotify.Notifier, error) { return jira.New(c, t, l, option) })
	}
	return all, err
}

// begun notes that a receiver is about to be told of a group. Where that is the last that is known, because the process was
// killed before it was noted what came of it, the receiver is told of whatever the group is then: of what fires once more,
// and of its end even if nothing fires by then.
type begun struct{ amnotify.NotificationLog }

// nobody is the hash of no alert, so that no alert that fires has been told of.
const nobody = 0

// Log implements amnotify.NotificationLog.
func (b begun) Log(r *nflogpb.Receiver, group string, _, _ []uint64, store *nflog.Store, expiry time.Duration) error {
	return b.NotificationLog.Log(r, group, []uint64{nobody}, nil, store, expiry)
}

// pipeline is what a group of alerts goes through before a receiver is told: as Alertmanager has it, with our own rows in
// the place of its silences.
func pipeline(receivers map[string][]amnotify.Integration, inhibitor *inhibit.Inhibitor, intervals *timeinterval.Intervener, groups marker.GroupMarker, suppressed amnotify.Muter, told amnotify.NotificationLog, m *amnotify.Metrics) amnotify.RoutingStage {
	all := make(amnotify.RoutingStage, len(receivers))
	for name, kinds := range receivers {
		var tell amnotify.FanoutStage
		for i := range kinds {
			to := &nflogpb.Receiver{GroupName: name, Integration: kinds[i].Name(), Idx: uint32(kinds[i].Index())}
			tell = append(tell, amnotify.MultiStage{
				amnotify.NewDedupStage(&kinds[i], told, to),
				amnotify.NewSetNotifiesStage(begun{told}, to),
				amnotify.NewRetryStage(kinds[i], name, m, eventrecorder.NopRecorder()),
				amnotify.NewSetNotifiesStage(told, to),
			})
		}
		all[name] = amnotify.MultiStage{
			amnotify.NewMuteStage(inhibitor, m),
			amnotify.NewTimeActiveStage(intervals, groups, m),
			amnotify.NewTimeMuteStage(intervals, groups, m),
			amnotify.NewMuteStage(suppressed, m),
			tell,
		}
	}
	m.InitializeFor(receivers)
	return all
}

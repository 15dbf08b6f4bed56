package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/health"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/schedule"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/web"
	"github.com/tallystick/tallystick/internal/workspace"
)

func (a *app) serve() *cobra.Command {
	config := server.Config{Release: tool().Version}
	var level, rules, note string
	var proxied bool
	var watched witnessFlags
	var hosts []string
	var reconcileEvery time.Duration
	var notices notifyFlags
	var telemetry otlpFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the registry and its API for others",
		Long: `Run the registry and its API for others, from one workspace.

The server listens on this machine alone unless told otherwise, and then only with TLS. It keeps the
trail sealed while it runs. On its first start it writes a secret to bootstrap-secret in the workspace;
whoever can read that file becomes the first administrator, within an hour:

  tallystick user bootstrap NAME --server http://127.0.0.1:8750`,
		Example: `  tallystick serve
  tallystick serve --listen 10.0.0.5:8750 --tls-cert server.pem --tls-key server.key --host models.example.org
  tallystick serve --database postgres://tallystick@db.example.org/tallystick`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--log", level, "debug", "info", "warn", "error"); err != nil {
				return err
			}
			if err := a.fetchFrom(hosts); err != nil {
				return err
			}
			return a.runServer(cmd.Context(), config, serveOptions{level, rules, note, proxied, reconcileEvery, watched, notices, telemetry})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&config.Listen, "listen", server.DefaultListen, "address to listen on, as `HOST:PORT`")
	flags.StringVar(&config.Certificate, "tls-cert", "", "certificate chain, a PEM `file`")
	flags.StringVar(&config.Key, "tls-key", "", "private key of the certificate, a PEM `file`")
	flags.StringSliceVar(&config.AllowedHosts, "host", nil, "a `name` by which a proxy on this machine passes requests on")
	flags.BoolVar(&proxied, "behind-tls", false, "a proxy on this machine ends TLS: cookies go over TLS only")
	watched.add(flags)
	fetchFlag(cmd, &hosts)
	flags.DurationVar(&reconcileEvery, "reconcile-every", defaultReconcile, "how often the record is held against itself; 0: never")
	flags.StringVar(&rules, "policy", "", "`directory` of a policy of your own, for releases; read once, before the server listens")
	flags.StringVar(&note, "policy-note", "", "why it is this policy: recorded if it is another than the last, or confirms it if the note is new")
	flags.StringVar(&level, "log", "info", "least level of what is logged to standard error: debug, info, warn or error")
	notices.add(cmd)
	telemetry.add(flags)
	return cmd
}

// serveOptions are what the server is not asked itself.
type serveOptions struct {
	level     string        // least level that is logged
	rules     string        // directory of a policy; empty: the built-in ones
	note      string        // why it is this policy
	proxied   bool          // TLS ends before it
	reconcile time.Duration // from one reconciliation to the next; 0: none
	watched   witnessFlags
	notices   notifyFlags
	telemetry otlpFlags
}

func (a *app) runServer(ctx context.Context, config server.Config, o serveOptions) (err error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(o.level)); err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(a.Err, &slog.HandlerOptions{Level: least}))
	slog.SetDefault(logger)
	ledger.RouteLogs(logger)

	if o.rules != "" {
		if a.packs, err = policy.Loaded(ctx, o.rules); err != nil {
			return err
		}
	}
	witnessing, chosen, err := o.watched.policy()
	if err != nil {
		return err
	}
	place, err := a.place(false)
	if err != nil {
		return err
	}
	place.Logger = logger
	w, err := workspace.Open(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if chosen {
		if err := w.SetWitnesses(ctx, witnessing); err != nil {
			return err
		}
	}
	witnesses, err := w.WitnessGroup()
	if err != nil {
		return err
	}
	h := a.house(w)
	predictions, err := h.recording(ctx, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, predictions.journal.Close()) }()
	h.capture = predictions.Capture
	h.archive = h.archived(predictions)
	h.cases, h.monitors = h.desk(), h.watch()
	h.compared = h.comparer()
	h.objectives = h.keeper(predictions.Fresh)
	h.incidents = h.incidentOffice()
	h.alerts = h.alerting()
	h.reactions = h.reactionOffice()
	defer h.archive.Close()
	if err := h.adopt(ctx, o.note); err != nil {
		return err
	}
	courier, out, err := o.notices.courier(h, logger)
	if err != nil {
		return err
	}
	paging, err := o.notices.pagers(h, out, logger)
	if err != nil {
		return err
	}
	defer paging.stop()
	h.board = health.NewBoard(h.health(), logger)
	paging.run = append(paging.run, h.board.Run)
	doors, err := o.telemetry.open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = doors.Close() }() // they are closed, if it came so far that they were served
	receiver, events := h.telemetry(predictions, logger), h.events(predictions, logger)
	fresh, err := h.access.OfferBootstrap(ctx, itself())
	if err != nil {
		return fmt.Errorf("prepare the first administrator's secret: %w", err)
	}
	changed, stop := w.DB.Watch()
	defer stop()
	config.Handler, config.Workspace, config.Trail, config.Changed, config.Logger = a.doors(h, courier, paging, config.Certificate != "" || o.proxied), w, w.Trail, changed, logger
	config.Handler = beside("/cloudevents", events, config.Handler)
	jobs, err := schedule.New(w.DB, logger, append(h.jobs(o), predictions.job(), h.compaction(), h.removal(), h.sweeping(), h.caseJob(), h.monitorJob(), h.objectiveJob(), h.alertJob(), h.incidentJob(), h.reactionJob())...)
	if err != nil {
		return err
	}
	config.Jobs = jobs
	config.Collectors = append(config.Collectors, courier, receiver, events, h.capture, rowsRead(w.DB), health.NewCollector(h.health(), logger))
	config.Collectors = append(config.Collectors, paging.collectors...)
	holds := make(chan struct{}) // closed once this process holds the ledger: it alone tells subscriptions
	config.Background = func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return h.access.Run(ctx) })
		group.Go(func() error { return jobs.Run(ctx) })
		group.Go(func() error { return h.obliged.Run(ctx, logger) })
		group.Go(func() error {
			select {
			case <-holds:
				return courier.Run(ctx)
			case <-ctx.Done():
				return nil
			}
		})
		group.Go(func() error {
			select {
			case <-holds:
				return receiver.Serve(ctx, doors)
			case <-ctx.Done():
				return nil
			}
		})
		group.Go(func() error {
			select {
			case <-holds:
				return events.Run(ctx)
			case <-ctx.Done():
				return nil
			}
		})
		for _, run := range paging.run {
			group.Go(func() error {
				select {
				case <-holds:
					return run(ctx)
				case <-ctx.Done():
					return nil
				}
			})
		}
		if witnesses != nil {
			group.Go(func() error {
				w.KeepCosigned(ctx, witnesses)
				return nil
			})
		}
		return group.Wait()
	}
	if witnesses != nil {
		config.Collectors = append(config.Collectors, witnesses)
		config.Detail = func() string { return witnessDetail(witnesses.Status()) }
	}
	config.Started = func(address string) error {
		defer close(holds)
		logger.InfoContext(ctx, "workspace opened", slog.String("workspace", w.Dir()))
		if fresh {
			logger.InfoContext(ctx, "there is no administrator yet; the secret that makes the first is in a file, for an hour", slog.String("file", filepath.Join(w.Dir(), "bootstrap-secret")))
		}
		_, err := w.Recorder.Record(ctx, trail.Entry{
			Type: trail.ServerStarted, Actor: itself(), Resource: trail.Resource{Type: "workspace", ID: w.Origin()}, Outcome: tallystick.Success,
			Data: map[string]any{
				"release": config.Release, "listen": address,
				"settings": map[string]any{"tls": config.Certificate != "", "database": place.Database != "", "hosts": config.AllowedHosts, "notify": o.notices.allow, "alertmanager_config": o.notices.alertConfig != "", "alertmanagers": len(o.notices.alertTargets)},
			},
		})
		return err
	}
	config.Stopping = func(ctx context.Context) error {
		left := predictions.cutLast(ctx)
		_, err := w.Recorder.Record(ctx, trail.Entry{
			Type: trail.ServerStopped, Actor: itself(), Resource: trail.Resource{Type: "workspace", ID: w.Origin()}, Outcome: tallystick.Success,
			Data: map[string]any{"release": config.Release},
		})
		return errors.Join(left, err)
	}
	return server.Run(ctx, config)
}

// adopt records which policies come into force with this server.
func (h house) adopt(ctx context.Context, note string) error {
	changes, err := h.releases.Adopt(ctx, note)
	if err != nil || len(changes) == 0 {
		return err
	}
	return h.DB.Write(ctx, func(tx *state.Tx) error {
		for _, change := range changes {
			if _, err := h.Recorder.Commit(tx, trail.Act{Actor: itself()}, change); err != nil {
				return fmt.Errorf("record the policy: %w", err)
			}
		}
		return nil
	})
}

// doors are what a server answers with: the API, and the pages beside it.
func (a *app) doors(h house, addresses api.AddressChecker, told paging, secure bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", a.api(h, nil, addresses))
	mux.Handle("/", web.New(web.Config{
		Origin: h.Origin(), Trail: h.Trail, Ledger: func() (web.Ledger, error) { return h.Prover() },
		Catalog: h.catalog, Lineage: h.lineage, Releases: h.releases, Obliged: h.obliged, Evidence: h.Evidence, People: h.access, Registry: h.registry, Packages: h.packages,
		Archive: h.archive, Labels: h.labels, Cases: h.cases, Health: h.health().Of, Objectives: h.objectives, Explained: h.explainer(), Incidents: h.incidents, Monitors: h.monitors,
		Alerts: h.alerts, Receivers: told.receivers, Standing: h.board, Comparisons: h.compared, Reactions: h.reactions,
		Bodies: func(ctx context.Context, model string) ([]body.KeepRule, error) { return body.All(ctx, h.DB, model) },
		Secure: secure, Release: tool().Version, Now: time.Now, Logger: slog.Default(),
	}))
	return mux
}

// itself is the actor of what the server does by itself.
func itself() trail.Actor { return trail.Actor{ID: "tallystick", Kind: "program"} }

// rowsRead tells the metrics how many rows questions have taken from the database.
func rowsRead(db *state.DB) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "tallystick_database_rows_read_total", Help: "Rows that questions have taken from the database.",
	}, func() float64 { return float64(db.RowsRead()) })
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/witness"
)

const (
	witnessListen = "127.0.0.1:8751"
	witnessHeader = 10 * time.Second // for a request's header
	witnessWrite  = 30 * time.Second // for an answer
	witnessIdle   = 2 * time.Minute  // between requests of a connection
	witnessStop   = 10 * time.Second // for requests under way at the end
)

type witnessServing struct {
	dir, listen      string
	certificate, key string
	logs             []string
}

func (a *app) witnessServe() *cobra.Command {
	var s witnessServing
	cmd := &cobra.Command{
		Use:   "serve --dir DIR --log ORIGIN=VKEY",
		Short: "Cosign the checkpoints of some ledgers",
		Long: `Serve answers POST /add-checkpoint of the C2SP tlog-witness protocol for the logs that it is told
of. What it cosigns it has on its disk before. A checkpoint that a log has signed and that does
not continue what was cosigned is refused and recorded in alarms.jsonl, and stands in the log and in
/metrics.

The operator of a ledger sees its ORIGIN and its VKEY with: tallystick trust -o -
After a rotation of the log's key, name both: --log ORIGIN=OLD --log ORIGIN=NEW

Checkpoints and cosignatures are signed and hold no secrets, so that plain HTTP changes nothing
that anybody has to believe; who listens learns how fast the ledger grows.`,
		Example: `  tallystick witness serve --dir witness --log ORIGIN=VKEY
  tallystick witness serve --dir witness --listen 0.0.0.0:8751 --tls-cert w.pem --tls-key w.key --log ORIGIN=VKEY`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runWitness(cmd.Context(), s) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&s.dir, "dir", "", "`directory` of the witness")
	flags.StringVar(&s.listen, "listen", witnessListen, "address to listen on, as `HOST:PORT`")
	flags.StringArrayVar(&s.logs, "log", nil, "a log to watch, as `ORIGIN=VKEY`; again for another log, or another key of the same one")
	flags.StringVar(&s.certificate, "tls-cert", "", "certificate chain, a PEM `file`")
	flags.StringVar(&s.key, "tls-key", "", "private key of the certificate, a PEM `file`")
	return cmd
}

// witnessed reads ORIGIN=VKEY. The name of the key is the origin as a rule, and need not be.
func witnessed(flags []string) (logs []witness.Log, err error) {
	at := map[string]int{}
	for _, flag := range flags {
		origin, vkey, ok := strings.Cut(flag, "=")
		v, err := note.NewVerifier(vkey)
		if !ok || origin == "" || err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "--log %.200q is not ORIGIN=VKEY", flag).
				WithHint("the ledger's operator sees both with: tallystick trust -o -")
		}
		if i, known := at[origin]; known {
			logs[i].Keys = append(logs[i].Keys, v)
			continue
		}
		at[origin] = len(logs)
		logs = append(logs, witness.Log{Origin: origin, Keys: []note.Verifier{v}})
	}
	return logs, nil
}

func (a *app) runWitness(ctx context.Context, s witnessServing) (err error) {
	if err := needDir(s.dir); err != nil {
		return err
	}
	if (s.certificate == "") != (s.key == "") {
		return tallystick.Errorf(tallystick.Invalid, "a certificate needs its key, and the key its certificate").WithHint("give both --tls-cert and --tls-key, or none")
	}
	logs, err := witnessed(s.logs)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(a.Err, nil))
	w, err := witness.Open(witness.Config{Dir: s.dir, Logs: logs, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return tallystick.Errorf(tallystick.Unavailable, "listen on %s: %w", s.listen, err).WithHint("is another server running there? choose another with --listen HOST:PORT")
	}
	h := &http.Server{
		Handler: witnessDoors(w), ReadHeaderTimeout: witnessHeader, WriteTimeout: witnessWrite, IdleTimeout: witnessIdle, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() {
		if s.certificate != "" {
			ended <- h.ServeTLS(listener, s.certificate, s.key)
		} else {
			ended <- h.Serve(listener)
		}
	}()
	logger.InfoContext(ctx, "listening", slog.String("address", listener.Addr().String()), slog.Int("logs", len(logs)))
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-w.Broken():
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessStop)
	defer cancel()
	if err := h.Shutdown(stopping); err != nil {
		return errors.Join(w.Err(), h.Close())
	}
	return w.Err()
}

// witnessDoors adds health and metrics to what the witness answers.
func witnessDoors(w *witness.Witness) http.Handler {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(w, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("/", w.Handler())
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		if w.Err() != nil {
			http.Error(rw, "stopped", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(rw, "alive") // the caller may have gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return mux
}

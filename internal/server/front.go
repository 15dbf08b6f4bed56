package server

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// front stands before the handlers: it checks where a request believes to be, tells health and
// metrics, and counts and logs what passes.
type front struct {
	http.Handler
	logger   *slog.Logger
	hosts    []string // that a request may name; nil: any
	bodyWait time.Duration
	ready    atomic.Bool
	requests *prometheus.HistogramVec
}

func newFront(config Config, address net.Addr, loopback bool) *front {
	f := &front{logger: config.Logger, bodyWait: cmp.Or(config.unsafeBodyWait, bodyWait)}
	if loopback && !config.unsafeNoHostCheck {
		// A page of somebody else's could otherwise reach us under its own name (DNS rebinding).
		host, _, _ := net.SplitHostPort(address.String())
		f.hosts = append([]string{host, "localhost", "127.0.0.1", "[::1]", "::1"}, config.AllowedHosts...)
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tallystick_http_request_duration_seconds", Help: "Time from a request's header to the end of its answer.",
		Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, []string{"method", "route", "status"})
	metrics.MustRegister(f.requests)
	metrics.MustRegister(config.Collectors...)
	if config.Jobs != nil {
		metrics.MustRegister(jobCollector{config.Jobs, config.Logger})
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { tell(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if f.ready.Load() {
			lines := strings.Join(append([]string{"ready"}, jobWords(r.Context(), config.Jobs)...), "\n")
			tell(w, http.StatusOK, strings.TrimSuffix(lines+"\n"+detail(config), "\n"))
		} else {
			tell(w, http.StatusServiceUnavailable, "not ready")
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	mux.Handle("/", f.whenReady(config.Handler))
	f.Handler = mux
	return f
}

// detail is what operators read beside the word: being ready does not depend on it.
func detail(config Config) string {
	if config.Detail == nil {
		return ""
	}
	return config.Detail()
}

// whenReady keeps requests away while the server starts or stops.
func (f *front) whenReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.ready.Load() {
			w.Header().Set("Retry-After", "1")
			tell(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func tell(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(word + "\n")) // the caller may have gone
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	timely(w, r, f.bodyWait)
	if f.hosts != nil {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !slices.Contains(f.hosts, strings.ToLower(host)) {
			tell(w, http.StatusMisdirectedRequest, "this server does not answer to that name; it listens on this machine only")
			return
		}
	}
	started := time.Now()
	counted := &countedWriter{ResponseWriter: w, status: http.StatusOK}
	f.pass(counted, r)
	took := time.Since(started)
	_, route, found := strings.Cut(r.Pattern, " ") // of the mux, so that the label is one of few
	if !found {
		route = "other"
	}
	f.requests.WithLabelValues(method(r.Method), route, strconv.Itoa(counted.status)).Observe(took.Seconds())
	f.logger.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", counted.status), slog.Duration("took", took), slog.Int64("bytes", counted.bytes), slog.String("from", r.RemoteAddr))
}

// pass hands the request on. A panic is a fault of ours: it ends this request alone, and in the log.
func (f *front) pass(w *countedWriter, r *http.Request) {
	defer func() {
		switch fault := recover(); fault {
		case nil:
		case http.ErrAbortHandler: // the answer was cut off on purpose
			panic(fault)
		default:
			f.logger.ErrorContext(r.Context(), "panic in a request", slog.String("path", r.URL.Path), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
			if w.bytes > 0 || w.wrote {
				panic(http.ErrAbortHandler)
			}
			tell(w, http.StatusInternalServerError, "a fault of ours; its cause is in the server's log")
		}
	}()
	f.Handler.ServeHTTP(w, r)
}

// method keeps the label bounded.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return m
	}
	return "other"
}

// countedWriter remembers what was answered.
type countedWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
	bytes  int64
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *countedWriter) WriteHeader(status int) {
	w.status, w.wrote = status, true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *countedWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

package witness

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const (
	bodyWait    = 10 * time.Second // for a request's body, and for its answer
	maxInFlight = 64               // requests; more are told to come again
	sizeType    = "text/x.tlog.size"
)

// Handler answers add-checkpoint, and the monitor's question for the newest checkpoint of a log.
func (w *Witness) Handler() http.Handler {
	turns := make(chan struct{}, maxInFlight)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			w.addCheckpoint(rw, r)
		default:
			w.metrics.requests.WithLabelValues("pushed back").Inc()
			rw.Header().Set("Retry-After", "1")
			answer(rw, http.StatusServiceUnavailable, "too many requests at once\n")
		}
	})
	mux.HandleFunc("GET /{hash}/checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		signed, ok := w.Checkpoint(r.PathValue("hash"))
		if !ok {
			answer(rw, http.StatusNotFound, "no checkpoint of that log was cosigned\n")
			return
		}
		answer(rw, http.StatusOK, string(signed))
	})
	return mux
}

func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request) {
	// What the connection cannot be told it has from the server's own limits.
	_ = http.NewResponseController(rw).SetReadDeadline(time.Now().Add(bodyWait))
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, MaxRequest))
	var line []byte
	if err == nil {
		line, err = w.addBody(r, body)
	} else {
		err = refuse(Malformed, "the body cannot be read: %v", err)
	}
	var refusal *Refusal
	switch {
	case err == nil:
		w.metrics.requests.WithLabelValues("cosigned").Inc()
		answer(rw, http.StatusOK, string(line))
	case errors.As(err, &refusal):
		w.metrics.requests.WithLabelValues(string(refusal.Fault)).Inc()
		w.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "not cosigned", slog.String("fault", string(refusal.Fault)), slog.String("detail", refusal.Detail), slog.String("from", r.RemoteAddr))
		text := strings.ReplaceAll(refusal.Detail, "\n", " ") + "\n"
		if refusal.Fault == Stale {
			rw.Header().Set("Content-Type", sizeType)
			text = fmt.Sprintf("%d\n", refusal.Held)
		}
		answer(rw, faults()[refusal.Fault], text)
	default:
		w.metrics.requests.WithLabelValues("failed").Inc()
		answer(rw, http.StatusInternalServerError, "the witness cannot keep its records; see its log\n")
	}
}

func (w *Witness) addBody(r *http.Request, body []byte) ([]byte, error) {
	request, err := ParseRequest(body)
	if err != nil {
		return nil, refuse(Malformed, "%v", err)
	}
	return w.Add(r.Context(), request)
}

func answer(rw http.ResponseWriter, status int, text string) {
	if rw.Header().Get("Content-Type") == "" {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Content-Type-Options", "nosniff") // refusals quote the request
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, text) // the caller may have gone
}

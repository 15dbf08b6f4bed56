package cloudevents

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
)

type counts struct {
	events *prometheus.CounterVec
	bytes  prometheus.GaugeFunc
}

func newCounts(waiting func() float64) *counts {
	return &counts{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tallystick_cloudevents_total", Help: "Events of model servers by what became of them; alone are halves whose other never came."}, []string{"outcome"}),
		bytes:  prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tallystick_cloudevents_waiting_bytes", Help: "Size of events that wait for their other half, in memory."}, waiting),
	}
}

// Describe implements prometheus.Collector.
func (r *Receiver) Describe(to chan<- *prometheus.Desc) {
	r.counts.events.Describe(to)
	r.counts.bytes.Describe(to)
}

// Collect implements prometheus.Collector.
func (r *Receiver) Collect(to chan<- prometheus.Metric) {
	r.counts.events.Collect(to)
	r.counts.bytes.Collect(to)
}

// ServeHTTP takes one event: 200 says that its predictions are durable, or that it is of no interest; 202 that
// it waits, in memory, for its other half.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	answer, status, err := r.receive(w, q)
	if err == nil {
		tell(w, status, "application/json", map[string]any{"ids": answer.IDs, "rejected": answer.Rejected})
		return
	}
	code := tallystick.CodeOf(err)
	status = code.HTTPStatus()
	message, hint := tallystick.Words(err)
	switch code {
	case tallystick.Internal:
		r.config.Logger.ErrorContext(q.Context(), "an event was not taken", slog.Any("error", err))
		status, message, hint = http.StatusServiceUnavailable, "a fault of ours; its cause is in the server's log", ""
		w.Header().Set("Retry-After", "5")
	case tallystick.Unauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="tallystick"`)
	case tallystick.Unavailable:
		after := time.Second
		if full := (*journal.FullError)(nil); errors.As(err, &full) {
			after = full.RetryAfter
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
	}
	tell(w, status, "application/problem+json", map[string]any{"status": status, "title": http.StatusText(status), "detail": message, "hint": hint, "code": code})
}

func tell(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the sender may have gone
}

func (r *Receiver) receive(w http.ResponseWriter, q *http.Request) (answer capture.Answer, status int, err error) {
	sender, err := r.enter(q)
	if err != nil {
		return answer, 0, err
	}
	full, cancel := context.WithTimeout(q.Context(), time.Second)
	defer cancel()
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	case <-full.Done():
		return answer, 0, tallystick.Errorf(tallystick.Unavailable, "too many events are under way").WithHint("send it again in a second")
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(r.bodyWait)) // a recorder of tests has none
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answer, 0, tallystick.Errorf(tallystick.Unavailable, "the body took longer than %s", r.bodyWait)
	case err != nil:
		return answer, 0, tallystick.Errorf(tallystick.Invalid, "read the body: %w", err).WithHint("an event has at most %d MiB", maxBody>>20)
	}
	_ = conn.SetReadDeadline(time.Time{}) // it would count as the end of the connection
	e, err := parse(q.Header, body)
	if err != nil {
		return answer, 0, err
	}
	if e.Type != typeRequest && e.Type != typeResponse {
		r.counts.events.WithLabelValues("ignored").Inc()
		return answer, http.StatusOK, nil
	}
	answer, waits, err := r.take(q.Context(), sender, e)
	switch {
	case err != nil:
		return answer, 0, err
	case waits:
		return answer, http.StatusAccepted, nil
	case len(answer.Rejected) > 0 && len(answer.IDs) == 0:
		return answer, http.StatusUnprocessableEntity, nil
	}
	return answer, http.StatusOK, nil
}

// enter finds out who sends. KServe's logger sends no header of ours, but the password of its URL.
func (r *Receiver) enter(q *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
	if _, password, ok := q.BasicAuth(); ok {
		token = password
	} else if !strings.EqualFold(scheme, "bearer") {
		token = ""
	}
	if token == "" {
		return "", tallystick.Errorf(tallystick.Unauthorized, "no token was sent").WithHint("send Authorization: Bearer TOKEN, or give the logger an address such as https://any:TOKEN@HOST/cloudevents")
	}
	return r.config.Doorkeeper.Enter(q.Context(), token)
}

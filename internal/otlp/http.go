package otlp

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tallystick/tallystick"
)

// Handler answers POST /v1/logs and /v1/traces. Every answer is in the encoding of its request, refusals too.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, s := range []Signal{Logs, Traces} {
		mux.HandleFunc("/v1/"+string(s), func(w http.ResponseWriter, q *http.Request) { r.serveHTTP(w, q, s) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, q *http.Request) {
		e, _ := encodingOf(q.Header.Get("Content-Type"))
		refusal{http: http.StatusNotFound, grpc: codes.Unimplemented, message: "only /v1/logs and /v1/traces are taken"}.write(w, e)
	})
	return mux
}

func (r *Receiver) serveHTTP(w http.ResponseWriter, q *http.Request, s Signal) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(r.bodyWait)) // also for one who is refused before; a recorder of tests has none
	e, known := encodingOf(q.Header.Get("Content-Type"))
	var f refusal
	switch {
	case q.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		f = refusal{http: http.StatusMethodNotAllowed, grpc: codes.InvalidArgument, message: "send it with POST"}
	case !known:
		f = refusal{http: http.StatusUnsupportedMediaType, grpc: codes.InvalidArgument, message: "the Content-Type is neither " + string(binary) + " nor " + string(text)}
	default:
		done, err := r.receive(conn, q, s, e)
		if err == nil {
			r.counts.request("http", s, http.StatusOK)
			w.Header().Set("Content-Type", string(e))
			_, _ = w.Write(e.marshal(response(s, done))) //nolint:gosec // no browser shows this type; the sender may have gone
			return
		}
		f = r.refuse(q.Context(), err)
	}
	r.counts.request("http", s, f.http)
	f.write(w, e)
}

// write answers over HTTP.
func (f refusal) write(w http.ResponseWriter, e encoding) {
	if f.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.after.Seconds()))))
	}
	if f.http == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tallystick"`)
	}
	w.Header().Set("Content-Type", string(e))
	w.WriteHeader(f.http)
	_, _ = w.Write(e.marshal(f.status().Proto())) //nolint:gosec // no browser shows this type; the sender may have gone
}

// receive reads a request only after it is known who sends it.
func (r *Receiver) receive(conn *http.ResponseController, q *http.Request, s Signal, e encoding) (result, error) {
	sender, err := r.enter(q.Context(), q.Header.Get("Authorization"))
	if err != nil {
		return result{}, err
	}
	p, err := r.room.enter(q.Context(), portion)
	if err != nil {
		return result{}, err
	}
	defer p.leave()
	body, err := readBody(p, q)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = tallystick.Errorf(tallystick.Unavailable, "the body took longer than %s", r.bodyWait)
	}
	if err != nil {
		return result{}, err
	}
	_ = conn.SetReadDeadline(time.Time{}) // it would count as the end of the connection
	return r.export(q.Context(), sender, s, e, body)
}

func (r *Receiver) enter(ctx context.Context, authorization string) (sender string, err error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") || token == "" {
		return "", tallystick.Errorf(tallystick.Unauthorized, "no token was sent").WithHint("send the header Authorization: Bearer TOKEN, as with OTEL_EXPORTER_OTLP_HEADERS; `tallystick token create` makes one")
	}
	return r.config.Doorkeeper.Enter(ctx, token)
}

func readBody(p *place, q *http.Request) ([]byte, error) {
	from := io.Reader(q.Body)
	switch q.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(q.Body)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "the body is not gzip")
		}
		from = unpacked
	default:
		return nil, tallystick.Errorf(tallystick.Invalid, "the Content-Encoding %.32q is not gzip", q.Header.Get("Content-Encoding"))
	}
	body, err := p.read(from)
	var known *tallystick.Error
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, os.ErrDeadlineExceeded):
	default:
		return nil, tallystick.Errorf(tallystick.Invalid, "read the body: %w", err)
	}
	return body, err
}

// response returns the answer to an export. Partial success is told only of one that has it.
func response(s Signal, done result) proto.Message {
	if s == Traces {
		m := &collectortrace.ExportTraceServiceResponse{}
		if done.message != "" {
			m.PartialSuccess = &collectortrace.ExportTracePartialSuccess{RejectedSpans: int64(done.rejected), ErrorMessage: done.message}
		}
		return m
	}
	m := &collectorlogs.ExportLogsServiceResponse{}
	if done.message != "" {
		m.PartialSuccess = &collectorlogs.ExportLogsPartialSuccess{RejectedLogRecords: int64(done.rejected), ErrorMessage: done.message}
	}
	return m
}

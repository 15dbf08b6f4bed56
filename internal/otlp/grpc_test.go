package otlp_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	traces "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/prediction"
)

// serve opens both doors for as long as the test runs.
func (h *house) serve(t *testing.T) (http, grpc string) {
	t.Helper()
	return h.serveWith(t, nil)
}

func (h *house) serveWith(t *testing.T, config *tls.Config) (http, grpc string) {
	t.Helper()
	doors := otlp.Doors{TLS: config}
	for _, l := range []*net.Listener{&doors.HTTP, &doors.GRPC} {
		var err error
		if *l, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, doors) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return doors.HTTP.Addr().String(), doors.GRPC.Addr().String()
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

const (
	exportLogs   = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	exportTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
)

func as(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

func attribute(name, text string) *common.KeyValue {
	return &common.KeyValue{Key: name, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: text}}}
}

// exported returns an export of one span that takes 1.5 ms.
func exported(attributes ...*common.KeyValue) *collectortrace.ExportTraceServiceRequest {
	end := uint64(noon.UnixNano())
	return &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*traces.ResourceSpans{{ScopeSpans: []*traces.ScopeSpans{{Spans: []*traces.Span{{
		TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), StartTimeUnixNano: end - 1_500_000, EndTimeUnixNano: end, Attributes: attributes,
	}}}}}}}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	_, address := h.serve(t)
	c := dial(t, address)
	for _, test := range []struct {
		name       string
		attributes []*common.KeyValue
		model      string // empty: it is none
		version    string
		status     prediction.Status
	}{
		{"ours", []*common.KeyValue{attribute("tallystick.model", "credit"), attribute("tallystick.version", "1")}, "credit", "1", prediction.OK},
		{"nothing", []*common.KeyValue{attribute("http.route", "/score")}, "", "", ""},
		{"a chat", []*common.KeyValue{attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.request.model", "gpt-large"), attribute("gen_ai.response.model", "gpt-large-2026")}, "gpt-large", "gpt-large-2026", prediction.OK},
		{"a chat that failed", []*common.KeyValue{attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.request.model", "gpt-large"), attribute("tallystick.version", "gpt-large-2026"), attribute("error.type", "TimeoutError")}, "gpt-large", "gpt-large-2026", prediction.TimedOut},
		{"a chat of others", []*common.KeyValue{attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.request.model", "unheard-of")}, "", "", ""},
		{"a tool", []*common.KeyValue{attribute("gen_ai.operation.name", "execute_tool"), attribute("gen_ai.request.model", "gpt-large")}, "", "", ""},
		{"a chat behind a model of ours", []*common.KeyValue{attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.request.model", "gpt-large"), attribute("tallystick.model", "credit"), attribute("tallystick.version", "1"), attribute("gen_ai.response.model", "gpt-large-2026")}, "credit", "1", prediction.OK},
	} {
		before := len(h.records(t))
		for range 2 {
			var answer collectortrace.ExportTraceServiceResponse
			if err := c.Invoke(as(t.Context(), "good"), exportTraces, exported(test.attributes...), &answer, grpc.UseCompressor(gzip.Name)); err != nil || answer.GetPartialSuccess() != nil {
				t.Fatalf("%s: %v, %v", test.name, err, &answer)
			}
		}
		found := h.records(t)[before:]
		if test.model == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", test.name, found)
			}
			continue
		}
		if len(found) != 1 {
			t.Errorf("%s: %d records", test.name, len(found))
			continue
		}
		if r := found[0]; r.Model != test.model || r.Version != test.version || r.Status != test.status || r.Latency.Int() != 1500 || r.Time != prediction.TimeOf(noon) || r.SpanID != prediction.SpanID([]byte("01234567")) {
			t.Errorf("%s: %s", test.name, r.AppendJSON(nil))
		}
	}
}

func TestRefusalsOfGRPC(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{MaxStored: 1})
	_, address := h.serve(t)
	c := dial(t, address)
	ours := exported(attribute("tallystick.model", "credit"), attribute("tallystick.version", "1"))
	for _, test := range []struct {
		name, token string
		sent        any
		want        codes.Code
	}{
		{"no token", "", ours, codes.Unauthenticated},
		{"a token too poor", "poor", ours, codes.PermissionDenied},
		{"something else", "good", attribute("\x01", "\x02"), codes.InvalidArgument},
		{"too large", "good", exported(attribute("tallystick.model", strings.Repeat("x", 5<<20))), codes.ResourceExhausted},
		{"no room", "good", ours, codes.Unavailable},
	} {
		err := c.Invoke(as(t.Context(), test.token), exportTraces, test.sent, &collectortrace.ExportTraceServiceResponse{})
		said := status.Convert(err)
		retry := slices.ContainsFunc(said.Details(), func(d any) bool {
			info, ok := d.(*errdetails.RetryInfo)
			return ok && info.GetRetryDelay().AsDuration() >= time.Second
		})
		if said.Code() != test.want || retry != (test.want == codes.Unavailable) {
			t.Errorf("%s: %v %v", test.name, err, said.Details())
		}
	}
	if err := c.Invoke(as(t.Context(), "good"), "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", &collectorlogs.ExportLogsServiceRequest{}, &collectorlogs.ExportLogsServiceResponse{}); status.Code(err) != codes.Unimplemented {
		t.Error(err)
	}
	if err := c.Invoke(as(t.Context(), "good"), exportLogs, &collectorlogs.ExportLogsServiceRequest{}, &collectorlogs.ExportLogsServiceResponse{}); err != nil {
		t.Errorf("an empty export: %v", err)
	}
}

// The SDK for Python sends over HTTP and gRPC; crosscheck/otlp.sh says where it is.
func TestPythonExporters(t *testing.T) {
	python := os.Getenv("OTLP_PYTHON")
	if python == "" {
		t.Skip("needs OTLP_PYTHON: run crosscheck/otlp.sh")
	}
	for name, test := range map[string]struct {
		protocol string
		secure   bool
	}{"HTTP": {"http/protobuf", false}, "gRPC": {"grpc", false}, "HTTPS": {"http/protobuf", true}, "gRPC over TLS": {"grpc", true}} {
		t.Log(name)
		protocol, scheme, certificate := test.protocol, "http", ""
		var config *tls.Config
		if test.secure {
			scheme = "https"
			config, certificate = certified(t)
		}
		h := open(t, journal.Options{})
		address, other := h.serveWith(t, config)
		if protocol == "grpc" {
			address = other
		}
		cmd := exec.CommandContext(t.Context(), python, "../../crosscheck/otlp_exporters.py")
		cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol, "OTEL_EXPORTER_OTLP_ENDPOINT="+scheme+"://"+address,
			"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20good", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", fmt.Sprint("OTEL_EXPORTER_OTLP_INSECURE=", !test.secure))
		if test.secure {
			cmd.Env = append(cmd.Env, "OTEL_EXPORTER_OTLP_CERTIFICATE="+certificate)
		}
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Fatalf("%s: %v\n%s", protocol, err, said)
		}
		found := h.records(t)
		if len(found) != 3 {
			t.Fatalf("%s: %d records", protocol, len(found))
		}
		for i, want := range []string{`"flags":["span"],"id":`, `"model":"gpt-large"`, `"features":{"age":41,"job":"cook"},"flags":["log"]`} {
			text := string(found[i].AppendJSON(nil))
			t.Log(text)
			if !strings.Contains(text, want) || !strings.Contains(text, `"environment":"lab"`) || found[i].TraceID != found[0].TraceID || found[i].TraceID == (prediction.TraceID{}) {
				t.Errorf("%s: record %d is %s, want %s", protocol, i, text, want)
			}
		}
	}
}

package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"iter"
	"mime"

	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tallystick/tallystick"
)

// Signal is a kind of telemetry.
type Signal string

// The signals that can tell of predictions.
const (
	Logs   Signal = "logs"
	Traces Signal = "traces"
)

// noun returns what one of the signal is called, in messages.
func (s Signal) noun() string {
	if s == Traces {
		return "span"
	}
	return "log record"
}

// encoding is how a message is written: the media type.
type encoding string

const (
	binary encoding = "application/x-protobuf"
	text   encoding = "application/json"
)

// encodingOf returns the encoding that a Content-Type names.
func encodingOf(contentType string) (encoding, bool) {
	kind, _, err := mime.ParseMediaType(contentType)
	if e := encoding(kind); err == nil && (e == binary || e == text) {
		return e, true
	}
	return binary, false
}

// maxNesting bounds messages in messages. An attribute that is a list or an object takes three a level.
const maxNesting = 128

func (e encoding) unmarshal(data []byte, into proto.Message) error {
	var err error
	if e == text {
		err = protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxNesting}.Unmarshal(data, into)
	} else {
		err = proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxNesting}.Unmarshal(data, into)
	}
	if err != nil {
		return tallystick.Errorf(tallystick.Invalid, "the body is not the message of OTLP that it should be: %w", err)
	}
	return nil
}

func (e encoding) marshal(m proto.Message) []byte {
	var data []byte
	if e == text {
		data, _ = protojson.Marshal(m) // of text that we have made valid
	} else {
		data, _ = proto.Marshal(m)
	}
	return data
}

// around is what an item has in common with those beside it: the attributes of its scope, then of its resource.
type around [2][]*common.KeyValue

// item is one log record or span.
type item struct {
	attributes []*common.KeyValue
	around     *around
	traceID    []byte
	spanID     []byte
	time       uint64 // nanoseconds since 1970; 0: none
	took       int64  // microseconds; -1: not known
	span       bool
	failed     bool // the span says so
}

// decode reads an export, and returns its items in their order.
func decode(s Signal, e encoding, body []byte) (iter.Seq[item], error) {
	if s == Traces {
		var m collectortrace.ExportTraceServiceRequest
		return spans(&m), e.unmarshal(body, &m)
	}
	var m collectorlogs.ExportLogsServiceRequest
	return records(&m), e.unmarshal(body, &m)
}

func records(m *collectorlogs.ExportLogsServiceRequest) iter.Seq[item] {
	return func(yield func(item) bool) {
		for _, of := range m.GetResourceLogs() {
			for _, in := range of.GetScopeLogs() {
				a := surround(in.GetScope(), of.GetResource())
				for _, r := range in.GetLogRecords() {
					at := r.GetTimeUnixNano()
					if at == 0 {
						at = r.GetObservedTimeUnixNano()
					}
					if !yield(item{attributes: r.GetAttributes(), around: a, traceID: r.GetTraceId(), spanID: r.GetSpanId(), time: at, took: -1}) {
						return
					}
				}
			}
		}
	}
}

func spans(m *collectortrace.ExportTraceServiceRequest) iter.Seq[item] {
	return func(yield func(item) bool) {
		for _, of := range m.GetResourceSpans() {
			for _, in := range of.GetScopeSpans() {
				a := surround(in.GetScope(), of.GetResource())
				for _, s := range in.GetSpans() {
					found := item{
						attributes: s.GetAttributes(), around: a, traceID: s.GetTraceId(), spanID: s.GetSpanId(), time: s.GetEndTimeUnixNano(), took: -1,
						span: true, failed: s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR,
					}
					if begun := s.GetStartTimeUnixNano(); found.time == 0 {
						found.time = begun
					} else if begun != 0 && begun <= found.time {
						found.took = int64((found.time - begun) / 1000)
					}
					if !yield(found) {
						return
					}
				}
			}
		}
	}
}

func surround(scope *common.InstrumentationScope, of *resource.Resource) *around {
	return &around{scope.GetAttributes(), of.GetAttributes()}
}

// hexID returns an id as its lower-case digits, empty if it is not one of size bytes, not all zero.
//
// OTLP's JSON has ids in hexadecimal, which a decoder of protobuf's JSON takes for base64. Since the digits
// are digits of base64 too, and fill whole groups of four, nothing is lost: encoding gives them back.
func hexID(id []byte, size int) string {
	if len(id) == size*2*3/4 {
		id, _ = hex.DecodeString(base64.StdEncoding.EncodeToString(id))
	}
	if len(id) != size {
		return ""
	}
	for _, b := range id {
		if b != 0 {
			return hex.EncodeToString(id)
		}
	}
	return ""
}

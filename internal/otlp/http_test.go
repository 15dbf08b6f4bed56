package otlp_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collectorlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/otlp"
)

// scored is a log record of a prediction, all of it.
const scored = `"timeUnixNano":"1772539200123456789","traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","unheardOf":{"a":1},"body":{"stringValue":"not kept"},
	"attributes":[{"key":"tallystick.model","value":{"stringValue":"credit"}},{"key":"tallystick.version","value":{"stringValue":"1"}},
	{"key":"tallystick.features","value":{"kvlistValue":{"values":[{"key":"age","value":{"intValue":"41"}},{"key":"job","value":{"stringValue":"cook"}}]}}},
	{"key":"tallystick.features.income","value":{"doubleValue":1234.5}},{"key":"tallystick.attributions","value":{"stringValue":"{\"age\":-0.25}"}},
	{"key":"tallystick.output","value":{"boolValue":true}},{"key":"tallystick.score","value":{"doubleValue":0.75}},{"key":"tallystick.threshold","value":{"doubleValue":0.5}},
	{"key":"tallystick.flags","value":{"arrayValue":{"values":[{"stringValue":"b"},{"stringValue":"a"}]}}},{"key":"tallystick.override.by","value":{"stringValue":"u7"}},
	{"key":"tallystick.shard","value":{"intValue":"9007199254740993"}},{"key":"thread.id","value":{"intValue":"3"}}]`

const scoredRecord = `{"attributions":{"age":-0.25},"environment":"lab","extra":{"otlp_table":2,"service.name":"scoring","shard":9007199254740993},` +
	`"features":{"age":41,"income":1234.5,"job":"cook"},"flags":["a","b"],"model":"credit","output":true,"override":{"by":"u7"},"route":"scoring","score":0.75,` +
	`"span_id":"eee19b7ec3c1b174","threshold":0.5,"time":"2026-03-03T12:00:00.123456Z","trace_id":"5b8efff798038103d269b633813fc60c","version":"1","version_source":"response"}`

func TestLogs(t *testing.T) {
	t.Parallel()
	asJSON := logs(scored, `"attributes":[{"key":"message","value":{"stringValue":"hello"}}]`)
	// The standard decoder of protobuf's JSON reads the ids as base64: they are set by hand.
	var m collectorlogs.ExportLogsServiceRequest
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(asJSON, &m); err != nil {
		t.Fatal(err)
	}
	first := m.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords()[0]
	first.TraceId = []byte("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c")
	first.SpanId = []byte("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74")
	asBytes, err := proto.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body    []byte
		headers []string
		answer  string
	}{
		"JSON":             {asJSON, []string{contentType, jsonType + "; charset=utf-8"}, "{}"},
		"JSON, packed":     {packed(t, asJSON), []string{contentType, jsonType, "Content-Encoding", "gzip"}, "{}"},
		"protobuf":         {asBytes, []string{contentType, protoType}, ""},
		"protobuf, packed": {packed(t, asBytes), []string{contentType, protoType, "Content-Encoding", "gzip"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, journal.Options{})
			for range 2 { // an exporter that has not heard our answer sends the same again
				w := h.post(t, "/v1/logs", test.body, test.headers...)
				if got := w.Body.String(); w.Code != 200 || got != test.answer || !strings.HasPrefix(test.headers[1], w.Header().Get(contentType)) {
					t.Fatalf("%d %q %v", w.Code, got, w.Header())
				}
			}
			found := h.records(t)
			if len(found) != 1 {
				t.Fatalf("%d records", len(found))
			}
			text := string(found[0].AppendJSON(nil))
			text = strings.Replace(text, `"id":"`+found[0].ID.String()+`",`, "", 1)
			text = strings.Replace(text, `,"salt":"`+found[0].Salt.String()+`"`, "", 1)
			if diff := cmp.Diff(scoredRecord, text); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBodiesAreKept(t *testing.T) {
	t.Parallel()
	config := capturetest.Config(t, func() time.Time { return noon }, "credit@1")
	capturetest.KeepBodies(t, config, "credit")
	h := openOver(t, journal.Options{}, config)
	w := h.post(t, "/v1/logs", logs(`"attributes":[{"key":"tallystick.model","value":{"stringValue":"credit"}},{"key":"tallystick.version","value":{"stringValue":"1"}},
		{"key":"tallystick.request.body","value":{"stringValue":"{\"name\": \"Kim\"}\n"}},{"key":"tallystick.request.type","value":{"stringValue":"application/json"}},
		{"key":"tallystick.response.body","value":{"bytesValue":"AAECAw=="}}]`), contentType, jsonType)
	records := h.records(t)
	if w.Code != http.StatusOK || len(records) != 1 {
		t.Fatalf("status %d, %s, %d records", w.Code, w.Body, len(records))
	}
	got := records[0].Bodies()
	if string(got.Request) != "{\"name\": \"Kim\"}\n" || string(got.Response) != "\x00\x01\x02\x03" || records[0].RequestBody.Type != "application/json" || records[0].BodyRule != "all" {
		t.Errorf("%q and %q by rule %q", got.Request, got.Response, records[0].BodyRule)
	}
}

func TestPartialSuccess(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	w := h.post(t, "/v1/logs", logs(
		scored,
		`"attributes":[{"key":"tallystick.model","value":{"stringValue":"nothing-like-it"}}]`,
		`"attributes":[{"key":"tallystick.score","value":{"doubleValue":0.5}}]`,
		`"attributes":[{"key":"tallystick.model","value":{"stringValue":"credit"}},{"key":"tallystick.score","value":{"stringValue":"high"}}]`,
	), contentType, jsonType)
	var m collectorlogs.ExportLogsServiceResponse
	if err := protojson.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 {
		t.Fatal(w.Code, w.Body, err)
	}
	said := m.GetPartialSuccess().GetErrorMessage()
	if m.GetPartialSuccess().GetRejectedLogRecords() != 3 || len(h.records(t)) != 1 {
		t.Errorf("%v, %d records", &m, len(h.records(t)))
	}
	for _, want := range []string{`log record 1: model "nothing-like-it" is not registered`, "log record 2: it has attributes tallystick.*, but no tallystick.model", "log record 3: score is not a number"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q does not say %q", said, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	large := bytes.Repeat([]byte{' '}, otlp.MaxBody+1)
	for name, test := range map[string]struct {
		path    string
		body    []byte
		headers []string
		want    int
	}{
		"no token":         {"/v1/logs", logs(scored), []string{"Authorization", ""}, 401},
		"a wrong token":    {"/v1/logs", logs(scored), []string{"Authorization", "Bearer wrong"}, 401},
		"a token too poor": {"/v1/logs", logs(scored), []string{"Authorization", "Bearer poor"}, 403},
		"not JSON":         {"/v1/logs", []byte("{"), nil, 400},
		"of another type":  {"/v1/logs", logs(scored), []string{contentType, "text/plain"}, 415},
		"not protobuf":     {"/v1/traces", []byte("\xff\xff"), []string{contentType, protoType}, 400},
		"not gzip":         {"/v1/logs", logs(scored), []string{"Content-Encoding", "gzip"}, 400},
		"cut off":          {"/v1/logs", packed(t, logs(scored))[:100], []string{"Content-Encoding", "gzip"}, 400},
		"packed otherwise": {"/v1/logs", logs(scored), []string{"Content-Encoding", "zstd"}, 400},
		"too large":        {"/v1/logs", large, nil, 413},
		"a bomb":           {"/v1/logs", packed(t, large), []string{"Content-Encoding", "gzip"}, 413},
		"nested too deep":  {"/v1/logs", []byte(`{"resourceLogs":` + strings.Repeat("[", 100_000)), nil, 400},
		"metrics":          {"/v1/metrics", []byte("{}"), nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			w := h.post(t, test.path, test.body, append([]string{contentType, jsonType}, test.headers...)...)
			var said rpc.Status
			var err error
			if w.Header().Get(contentType) == jsonType {
				err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(w.Body.Bytes(), &said)
			} else {
				err = proto.Unmarshal(w.Body.Bytes(), &said)
			}
			if w.Code != test.want || err != nil || said.GetMessage() == "" || w.Header().Get("Retry-After") != "" {
				t.Errorf("%d, want %d; %v, %v, %v", w.Code, test.want, err, &said, w.Header())
			}
		})
	}
	if found := h.records(t); len(found) > 0 {
		t.Errorf("%d records", len(found))
	}
}

// What does not fit is to be sent again later, and is then taken.
func TestFullJournal(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{MaxStored: 4096})
	for n := range 100 {
		w := h.post(t, "/v1/logs", logs(strings.Replace(scored, "123456789", "1234567"+strconv.Itoa(n+10), 1)), contentType, jsonType)
		if w.Code == http.StatusOK {
			continue
		}
		if after, err := strconv.Atoi(w.Header().Get("Retry-After")); n == 0 || w.Code != http.StatusServiceUnavailable || err != nil || after < 1 || !strings.Contains(w.Body.String(), `"retryDelay":"`+strconv.Itoa(after)+`s"`) {
			t.Errorf("export %d: %d %v %s", n, w.Code, w.Header(), w.Body)
		}
		return
	}
	t.Error("the journal was never full")
}

// Two predictions that look alike are two, unless it is certain that they are one.
func TestIndistinct(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	coarse := strings.Replace(scored, "1772539200123456789", "1772539200123000000", 1)
	for range 2 {
		if w := h.post(t, "/v1/logs", logs(coarse), contentType, jsonType); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
	}
	if found := h.records(t); len(found) != 2 {
		t.Errorf("%d records", len(found))
	}
}

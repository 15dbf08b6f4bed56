package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/prediction"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house has the model credit with the version 1, which is champion in lab, and gpt-large with gpt-large-2026.
type house struct {
	*otlp.Receiver
	handler http.Handler
	journal *journal.Journal
}

// doorkeeper knows the tokens good and poor.
type doorkeeper struct{}

func (doorkeeper) Enter(_ context.Context, token string) (string, error) {
	switch token {
	case "good":
		return "usr_ada", nil
	case "poor":
		return "", tallystick.Errorf(tallystick.Forbidden, "you may not record predictions")
	}
	return "", tallystick.Errorf(tallystick.Unauthorized, "the token is not known")
}

func open(t testing.TB, options journal.Options) *house {
	t.Helper()
	return openOver(t, options, capturetest.Config(t, func() time.Time { return noon }, "credit@1", "gpt-large@gpt-large-2026"))
}

func openOver(t testing.TB, options journal.Options, config capture.Config) *house {
	t.Helper()
	h := &house{}
	var taken *capture.Capture
	taken, h.journal = capturetest.Open(t, options, config)
	h.Receiver = otlp.New(otlp.Config{Recorder: taken, Doorkeeper: doorkeeper{}, Models: config.Catalog, Logger: slog.New(slog.DiscardHandler)})
	h.handler = h.Handler()
	return h
}

// records returns what is in the journal.
func (h *house) records(t testing.TB) []prediction.Record {
	t.Helper()
	return capturetest.Records(t, h.journal)
}

// post sends a body with headers, given as names and values.
func (h *house) post(t testing.TB, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	q.Header.Set("Authorization", "Bearer good")
	for pair := range slices.Chunk(headers, 2) {
		q.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, q)
	return w
}

const (
	contentType = "Content-Type"
	jsonType    = "application/json"
	protoType   = "application/x-protobuf"
)

// logs returns an export of log records, each the members of its JSON object.
func logs(records ...string) []byte {
	return []byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"scoring"}},
		{"key":"deployment.environment.name","value":{"stringValue":"lab"}}]},"scopeLogs":[{"logRecords":[{` + strings.Join(records, "},{") + `}]}]}]}`)
}

func packed(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

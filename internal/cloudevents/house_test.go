package cloudevents_test

import (
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
	"github.com/tallystick/tallystick/internal/cloudevents"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house has the model credit with the version 1, which is champion in lab.
type house struct {
	*cloudevents.Receiver
	now     time.Time
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
	return openOver(t, options, capturetest.Config(t, func() time.Time { return noon }, "credit@1"))
}

func openOver(t testing.TB, options journal.Options, config capture.Config) *house {
	t.Helper()
	h := &house{now: noon}
	var taken *capture.Capture
	taken, h.journal = capturetest.Open(t, options, config)
	h.Receiver = cloudevents.New(cloudevents.Config{Recorder: taken, Doorkeeper: doorkeeper{}, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now }})
	return h
}

// records returns what is in the journal.
func (h *house) records(t testing.TB) []prediction.Record {
	t.Helper()
	return capturetest.Records(t, h.journal)
}

// post sends a body with headers, given as names and values.
func (h *house) post(t testing.TB, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cloudevents", strings.NewReader(body))
	q.SetBasicAuth("any", "good")
	for pair := range slices.Chunk(headers, 2) {
		q.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}

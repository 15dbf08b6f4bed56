package capture_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/trail"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house has the model credit with the versions 1 and 2, of which 1 is champion in lab, and the model churn
// with the version 9.
type house struct {
	*capture.Capture
	config  capture.Config
	options journal.Options
	trail   *trail.Reader
	store   string
}

func open(t *testing.T, options journal.Options) *house {
	t.Helper()
	config := capturetest.Config(t, func() time.Time { return noon }, "credit@1", "credit@2", "churn@9")
	options.Dir, options.Now = t.TempDir(), config.Now
	h := &house{store: filepath.Dir(config.Plan), options: options, trail: trail.NewReader(config.DB, capturetest.Source), config: config}
	h.begin(t)
	t.Cleanup(func() { _ = h.config.Journal.Close() })
	return h
}

// begin opens the journal, as a server does that starts.
func (h *house) begin(t *testing.T) {
	t.Helper()
	var err error
	if h.config.Journal, err = journal.Open(t.Context(), h.options); err != nil {
		t.Fatal(err)
	}
	if h.Capture, err = capture.New(t.Context(), h.config); err != nil {
		t.Fatal(err)
	}
}

// restart closes the journal and opens it again.
func (h *house) restart(t *testing.T) {
	t.Helper()
	if err := h.config.Journal.Close(); err != nil {
		t.Fatal(err)
	}
	h.begin(t)
}

// records returns the records in the journal, in order.
func (h *house) records(t *testing.T) []prediction.Record {
	t.Helper()
	return capturetest.Records(t, h.config.Journal)
}

func parse(t *testing.T, lines ...string) (records []prediction.Record) {
	t.Helper()
	for _, line := range lines {
		r, err := prediction.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func TestAcceptKeepsTheGood(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	answer, err := h.Accept(t.Context(), capture.Batch{Sender: "ada", Records: parse(t,
		`{"model":"credit","version":"1","score":0.5}`,
		`{"model":"credti","version":"1"}`,
		`{"model":"credit","version":"1","status":"perhaps"}`,
		`{"model":"credit","version":"7"}`,
		`{"model":"credit","version":"2","score":0.25}`,
		`{"model":"credit"}`,
	)})
	if err != nil {
		t.Fatal(err)
	}
	found := h.records(t)
	if len(found) != 2 || found[0].ID != answer.IDs[0] || found[1].ID != answer.IDs[4] || found[1].Version != "2" {
		t.Errorf("the journal has %+v, the answer is %v", found, answer.IDs)
	}
	var told []string
	for _, r := range answer.Rejected {
		told = append(told, fmt.Sprintf("%d %s %s; %s", r.Index, r.Code, r.Message, r.Hint))
		if !answer.IDs[r.Index].IsZero() {
			t.Errorf("record %d was rejected and has the id %s", r.Index, answer.IDs[r.Index])
		}
	}
	for i, want := range []string{"1 not_found", "2 invalid", "3 not_found", "5 invalid"} {
		if i >= len(told) || !strings.HasPrefix(told[i], want) {
			t.Fatalf("rejected: %q, want one that begins with %q", told, want)
		}
	}
	for i, want := range []string{`"credit"`, "status", "no version", "version"} {
		if !strings.Contains(told[i], strings.Trim(want, `"`)) {
			t.Errorf("%q does not say %s", told[i], want)
		}
	}
	if answer.Receipt != h.config.Journal.Head() {
		t.Errorf("receipt %+v, head %+v", answer.Receipt, h.config.Journal.Head())
	}
}

func TestAcceptTakesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	before := h.config.Journal.Head()
	answer, err := h.Accept(t.Context(), capture.Batch{ID: "b", Records: parse(t, `{"model":"nothing-like-it"}`)})
	if err != nil || len(answer.Rejected) != 1 || answer.Receipt != (journal.Receipt{}) {
		t.Errorf("one bad record: %+v, %v", answer, err)
	}
	for what, b := range map[string]capture.Batch{
		"no record":        {},
		"too many records": {Records: make([]prediction.Record, capture.MaxRecords+1)},
		"a long id":        {ID: strings.Repeat("x", 257), Records: parse(t, `{"model":"credit","version":"1"}`)},
	} {
		if _, err := h.Accept(t.Context(), b); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := h.config.Journal.Head(); after != before {
		t.Errorf("the journal went from %+v to %+v", before, after)
	}
	// What was not taken is not known either.
	answer, err = h.Accept(t.Context(), capture.Batch{ID: "b", Records: parse(t, `{"model":"credit","version":"1"}`)})
	if err != nil || answer.Repeated || len(answer.Rejected) != 0 {
		t.Errorf("the same id after nothing was taken: %+v, %v", answer, err)
	}
}

func TestVersionSource(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	for _, test := range []struct{ sent, version, source string }{
		{`"version":"2"`, "2", "response"},
		{`"version":"2","version_source":"header"`, "2", "header"},
		{`"version_requested":"2"`, "2", "request"},
		{`"version_requested":"champion","environment":"lab"`, "1", "alias"},
		{`"environment":"lab"`, "1", "assignment"},
		{`"environment":"lab","time":"2026-03-03T12:00:01Z"`, "1", "assignment"},
		{`"environment":"lab","time":"2026-03-03T11:59:59Z"`, "", ""},
		{`"environment":"nowhere"`, "", ""},
		{`"version_requested":"champion"`, "", ""},
	} {
		records := parse(t, `{"model":"credit",`+test.sent+`}`)
		answer, err := h.Accept(t.Context(), capture.Batch{Records: records})
		if err != nil {
			t.Fatal(err)
		}
		if test.version == "" && len(answer.Rejected) != 1 || test.version != "" && (records[0].Version != test.version || records[0].VersionSource != test.source) {
			t.Errorf("%s: %q by %q, %+v, want %q by %q", test.sent, records[0].Version, records[0].VersionSource, answer.Rejected, test.version, test.source)
		}
	}
}

// A batch with an id is kept once, whether it comes again at once, at the same time or after a restart.
func TestRepeat(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	lines := []string{`{"model":"credit","version":"1","score":0.5}`, `{"model":"nothing-like-it"}`, `{"model":"churn","version":"1"}`, `{"model":"credit","version":"1","score":0.75}`}
	const senders = 16
	answers := make([]capture.Answer, senders)
	var wait sync.WaitGroup
	for i := range senders {
		records := parse(t, lines...)
		wait.Go(func() {
			var err error
			if answers[i], err = h.Accept(t.Context(), capture.Batch{Sender: "ada", ID: "b", Records: records}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	h.restart(t)
	last, err := h.Accept(t.Context(), capture.Batch{Sender: "ada", ID: "b", Records: parse(t, lines...)})
	if err != nil {
		t.Fatal(err)
	}
	firsts := 0
	for _, answer := range answers {
		if !answer.Repeated {
			firsts++
		}
		answer.Repeated = true
		if diff := cmp.Diff(last, answer); diff != "" {
			t.Error(diff)
		}
	}
	if found := h.records(t); firsts != 1 || len(found) != 2 {
		t.Errorf("%d first answers, %d records", firsts, len(found))
	}
	if _, err := h.Accept(t.Context(), capture.Batch{Sender: "ada", ID: "b", Records: parse(t, lines[0])}); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("the same id for other records: %v", err)
	}
	if answer, err := h.Accept(t.Context(), capture.Batch{Sender: "bob", ID: "b", Records: parse(t, lines[0])}); err != nil || answer.Repeated {
		t.Errorf("the same id of another sender: %+v, %v", answer, err)
	}
}

func TestFullJournal(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{MaxStored: 4096})
	for n := 0; ; n++ {
		_, err := h.Accept(t.Context(), capture.Batch{ID: fmt.Sprint(n), Records: parse(t, `{"model":"credit","version":"1"}`)})
		if err == nil && n < 100 {
			continue
		}
		var full *journal.FullError
		if !errors.As(err, &full) || full.RetryAfter < time.Second || tallystick.CodeOf(err) != tallystick.Unavailable || n == 0 {
			t.Fatalf("batch %d: %v", n, err)
		}
		return
	}
}

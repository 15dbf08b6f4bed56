package label_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// house keeps labels, by a clock that the test sets.
type house struct {
	*label.Store
	db       *state.DB
	recorder *trail.Recorder
	blobs    *evidence.Store
	now      time.Time
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{now: noon}
	clock := func() time.Time { return h.now }
	var err error
	if h.db, err = state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), URL: postgrestest.IfChosen(t), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	if h.recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: h.db, Source: "label.test/1", Now: clock}); err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(blob.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h.blobs = evidence.NewStore(blobs)
	h.Store = label.New(h.db, h.blobs)
	return h
}

func nobody(context.Context, string, []label.Key) ([]prediction.ID, []error, error) {
	return nil, nil, errors.New("no keys were expected")
}

// record sends a batch, at the time that the clock shows.
func (h *house) record(t *testing.T, b label.Batch, resolve label.Resolver) (out label.BatchOutcome, err error) {
	t.Helper()
	ready, err := h.Prepare(t.Context(), "credit", b, h.now, resolve)
	if err != nil {
		return out, err
	}
	err = h.db.Write(t.Context(), func(tx *state.Tx) error {
		var change *label.Recorded
		if change, out, err = ready.Propose(tx); change == nil || err != nil {
			return err
		}
		_, err := h.recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "ada", Kind: "person"}}, change)
		return err
	})
	return out, err
}

func (h *house) send(t *testing.T, mediaType, body string) label.BatchOutcome {
	t.Helper()
	b, err := label.Parse(mediaType, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.record(t, b, nobody)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// is returns what counts of a prediction as of a moment.
func (h *house) is(t *testing.T, id prediction.ID, asOf time.Time) label.Held {
	t.Helper()
	w, err := h.Watermark(t.Context(), "credit", asOf)
	if err != nil {
		t.Fatal(err)
	}
	held := make([]label.Held, 1)
	if err := h.Of(t.Context(), "credit", []prediction.ID{id}, w, held); err != nil {
		t.Fatal(err)
	}
	return held[0]
}

// check replays the trail and compares.
func (h *house) check(t *testing.T) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "replay.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	p := trail.Replayer{Changes: label.Changes(h.blobs), Tables: label.Tables()}
	if _, err := p.Check(t.Context(), trail.NewReader(h.db, "label.test/1"), scratch); err != nil {
		t.Error(err)
	}
}

func id(n int) prediction.ID {
	made, err := prediction.ParseID(fmt.Sprintf("019cb300-0000-7000-8000-%012x", n))
	if err != nil {
		panic(err)
	}
	return made
}

func line(n int, value, more string) string {
	return fmt.Sprintf(`{"prediction":"%s","value":%s,"time":"2026-03-01T00:00:00Z"%s}`+"\n", id(n), value, more)
}

func TestLastStatedCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, step := range []struct {
		after            time.Duration
		send             string
		labels, of, dups int64
		want             string
	}{
		{0, line(1, "1", ""), 1, 0, 0, "1"},
		{time.Minute, line(1, "1", ""), 0, 0, 1, "1"}, // again
		{time.Minute, line(1, "0", `,"note":"typed wrongly"`), 1, 1, 0, "0"},
		{time.Minute, line(1, `"paid"`, `,"stated":"2026-03-02T00:00:00Z"`), 1, 1, 0, "0"}, // was stated before
		{time.Minute, line(1, `"paid"`, `,"stated":"2026-03-02T00:00:00Z"`), 0, 0, 1, "0"},
		{time.Minute, line(1, "null", ""), 1, 1, 0, "null"}, // taken back
		{time.Minute, line(1, "1", "") + line(2, "true", "") + line(2, "true", ""), 2, 1, 1, "1"},
	} {
		h.now = h.now.Add(step.after)
		out := h.send(t, label.NDJSON, step.send)
		if out.Labels != step.labels || out.Corrected != step.of || out.Duplicates != step.dups || out.Count != 0 {
			t.Errorf("%s: %+v", step.send, out)
		}
		if held := h.is(t, id(1), time.Time{}); held.Value.String() != step.want {
			t.Errorf("after %s the label is %s, want %s", step.send, held.Value, step.want)
		}
	}
	for minutes, want := range []string{"1", "1", "0", "0", "0", "null", "1"} {
		held := h.is(t, id(1), noon.Add(time.Duration(minutes)*time.Minute))
		if held.Value.String() != want || !held.First.Equal(noon) {
			t.Errorf("as of minute %d the label is %s first recorded at %s, want %s", minutes, held.Value, held.First, want)
		}
	}
	if held := h.is(t, id(1), noon.Add(-time.Second)); held.Labelled() || held.Labels != 0 {
		t.Errorf("before it was recorded the label is %+v", held)
	}
	w, err := h.Watermark(t.Context(), "credit", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	history, err := h.History(t.Context(), "credit", id(1), w)
	if err != nil || len(history) != 5 || !history[4].Counts || history[1].Note != "typed wrongly" {
		t.Errorf("the history is %+v, %v", history, err)
	}
	h.check(t)
}

func TestBatchOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	body := `{"batch":"march","labels":[` + strings.TrimSpace(line(1, "1", "")) + `,{"prediction":"x","value":1},` + strings.TrimSpace(line(2, "0", "")) + `]}`
	first := h.send(t, label.JSON, body)
	if first.Labels != 2 || first.Count != 1 || first.Rejected[0].Index != 1 || first.Repeated {
		t.Errorf("first %+v", first)
	}
	h.now = h.now.Add(time.Hour)
	h.send(t, label.NDJSON, line(1, "0", ""))
	again := h.send(t, label.JSON, body)
	if !again.Repeated || again.Labels != 2 || again.Count != 1 {
		t.Errorf("again %+v", again)
	}
	if held := h.is(t, id(1), time.Time{}); held.Value.String() != "0" {
		t.Errorf("a repetition has put back %s", held.Value)
	}
	b, err := label.Parse(label.JSON, []byte(strings.Replace(body, `"value":0`, `"value":2`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.record(t, b, nobody); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("other labels under the id: %v", err)
	}
	h.check(t)
}

// TestOrderDoesNotMatter sends statements in any order, some of them twice, in batches of any size: what counts is
// what the plain rule says.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	want := map[prediction.ID]string{}
	latest := map[prediction.ID]int{}
	var lines []string
	for minute := range 3000 {
		n := random.IntN(900)
		value := fmt.Sprint(minute)
		stated := fmt.Sprintf(`,"stated":"%s"`, noon.Add(time.Duration(minute-5000)*time.Minute).Format(time.RFC3339))
		lines = append(lines, line(n, value, stated))
		if is, ok := latest[id(n)]; !ok || minute > is {
			latest[id(n)], want[id(n)] = minute, value
		}
	}
	h := open(t)
	lines = append(lines, lines[:500]...)
	random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var labels, duplicates int64
	for len(lines) > 0 {
		n := min(1+random.IntN(1200), len(lines))
		out := h.send(t, label.NDJSON, strings.Join(lines[:n], ""))
		labels, duplicates, lines = labels+out.Labels, duplicates+out.Duplicates, lines[n:]
		h.now = h.now.Add(time.Second)
	}
	if labels != 3000 || duplicates != 500 {
		t.Errorf("%d labels and %d duplicates", labels, duplicates)
	}
	w, err := h.Watermark(t.Context(), "credit", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []prediction.ID
	for n := range 1000 {
		ids = append(ids, id(n))
	}
	ids = append(ids, id(1<<40), id(7))
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, some := range [][]prediction.ID{ids, ids[:600], ids[:3]} {
		held := make([]label.Held, len(some))
		if err := h.Of(t.Context(), "credit", some, w, held); err != nil {
			t.Fatal(err)
		}
		for i, id := range some {
			if is := held[i].Value.String(); held[i].Labels > 0 != (want[id] != "") || held[i].Labels > 0 && is != want[id] {
				t.Fatalf("%s is %q, want %q", id, is, want[id])
			}
		}
	}
	n, err := h.Predictions(t.Context(), "credit", w)
	if err != nil || n != int64(len(want)) {
		t.Errorf("%d predictions have labels, %v; want %d", n, err, len(want))
	}
	h.check(t)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	b, err := label.Parse(label.CSV, []byte("subject,value,time\nann,1,2026-03-01T00:00:00Z\nbob,0,2026-03-01T00:00:00Z\n"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.record(t, b, func(_ context.Context, model string, keys []label.Key) ([]prediction.ID, []error, error) {
		if diff := cmp.Diff([]label.Key{{Subject: "ann"}, {Subject: "bob"}}, keys); diff != "" || model != "credit" {
			t.Errorf("asked for %s of %s", diff, model)
		}
		return []prediction.ID{id(1), {}}, []error{nil, tallystick.Errorf(tallystick.NotFound, "nobody is bob")}, nil
	})
	if err != nil || out.Labels != 1 || len(out.Rejected) != 1 || out.Rejected[0].Index != 1 || out.Rejected[0].Code != tallystick.NotFound {
		t.Errorf("%+v, %v", out, err)
	}
	h.check(t)
}

func TestRejects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, want string }{
		{`{"prediction":"` + id(1).String() + `","time":"2026-03-01T00:00:00Z"}`, "value is missing"},
		{line(1, `1,"value":2`, ""), "value"},
		{line(1, "[1]", ""), "value"},
		{line(1, "1", `,"colour":"red"`), "colour"},
		{line(1, "1", `,"subject":"ann"`), "in 2 ways"},
		{`{"value":1,"time":"2026-03-01T00:00:00Z"}`, "in 0 ways"},
		{`{"prediction":"` + id(1).String() + `","value":1}`, "time is missing"},
		{`{"prediction":"` + strings.ToUpper(id(1).String()) + `","value":1}`, "prediction"},
		{line(1, "1", `,"source":7`), "source is not text"},
		{line(1, "1", `,"note":"`+strings.Repeat("x", 1025)+`"`), "note is 1025 bytes"},
		{line(1, "1", `,"stated":"2026-03-03T13:00:00Z"`), "lies ahead"},
		{`{"prediction":"` + id(1).String() + `","value":1,"time":"2027-03-01T00:00:00Z"}`, "lies ahead"},
		{`nonsense`, ""},
	} {
		h := open(t)
		out := h.send(t, label.NDJSON, test.line)
		if out.Count != 1 || len(out.Rejected) != 1 || !strings.Contains(out.Rejected[0].Message, test.want) || out.Rejected[0].Code != tallystick.Invalid {
			t.Errorf("%s: %+v, want %q", test.line, out, test.want)
		}
	}
	for _, test := range []struct{ kind, body string }{
		{label.JSON, "[]"},
		{label.JSON, `{"labels":[]} {}`},
		{label.JSON, `{"label":[]}`},
		{label.CSV, ""},
		{label.CSV, "prediction,colour\n"},
		{label.CSV, "value,value\n"},
		{label.CSV, "prediction,value,time\n\"" + strings.Repeat("x", 100_000)},
		{label.NDJSON, strings.Repeat("x", 100_000)},
		{"text/html", "<p>"},
		{label.NDJSON, strings.Repeat("{}\n", 10_001)},
	} {
		if _, err := label.Parse(test.kind, []byte(test.body)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s %.30q: %v", test.kind, test.body, err)
		}
	}
}

func TestValueOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]prediction.Value{
		"1": prediction.Integer(1), "1.0": prediction.Integer(1), "-2.5e3": prediction.Number(-2500), "+1": prediction.Integer(1), ".5": prediction.Number(0.5),
		"true": prediction.Boolean(true), "True": prediction.String("True"), "paid": prediction.String("paid"), "0x10": prediction.String("0x10"),
		"1_000": prediction.String("1_000"), "9007199254740993": prediction.Integer(9007199254740993),
	} {
		if got := label.ValueOf(text); got != want {
			t.Errorf("ValueOf(%q) = %v, want %v", text, got, want)
		}
	}
}

// FuzzParse holds that whatever was read can be written and read again, the same.
func FuzzParse(f *testing.F) {
	f.Add(0, line(1, "1", `,"note":"\u00e9\n","source":"core"`))
	f.Add(1, `{"batch":"b","labels":[`+strings.TrimSpace(line(1, `"NaN"`, ""))+`]}`)
	f.Add(2, "trace_id,value,time\n0123456789abcdef0123456789abcdef,x,2026-03-01T00:00:00Z\n")
	f.Fuzz(func(t *testing.T, kind int, body string) {
		b, err := label.Parse([]string{label.NDJSON, label.JSON, label.CSV}[uint(kind)%3], []byte(body))
		if err != nil {
			return
		}
		b.Labels = slices.DeleteFunc(b.Labels, func(s label.Sent) bool { return s.Err != nil })
		if len(b.Labels) == 0 {
			return
		}
		raw, err := b.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := label.Parse(label.JSON, raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(b.Labels, again.Labels, cmp.AllowUnexported(label.Sent{}), cmp.Comparer(func(a, b prediction.Value) bool { return a == b })); diff != "" {
			t.Fatal(diff)
		}
		var plain []label.Label
		for _, s := range b.Labels {
			if s.Key.IsZero() {
				plain = append(plain, s.Label)
			}
		}
		if same, err := label.ParseLines(label.Lines(plain)); err != nil || len(same) != len(plain) {
			t.Fatalf("%v", err)
		}
	})
}

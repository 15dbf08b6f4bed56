package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

// collector is a server that answers as it is told and keeps what it takes.
type collector struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter)
	batches []string // ids of requests
	scores  []any    // of what was taken
	seen    map[string]bool
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := r.Header.Get("Batch-Id")
	c.batches = append(c.batches, id)
	if len(c.answers) > 0 {
		answer := c.answers[0]
		c.answers = c.answers[1:]
		if answer != nil {
			answer(w)
			return
		}
	}
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		panic(err)
	}
	for lines := json.NewDecoder(body); ; {
		var p struct{ Score any }
		if err := lines.Decode(&p); err != nil {
			break
		}
		if !c.seen[id] {
			c.scores = append(c.scores, p.Score)
		}
	}
	c.seen[id] = true
	_, _ = io.WriteString(w, `{"ids":[]}`)
}

func says(status int, body string, header ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

type buffer struct {
	*Predictions
	dir      string
	troubles []error
	waited   []time.Duration
}

func openBuffer(t *testing.T, c *collector, dir string, size int64) *buffer {
	t.Helper()
	to, err := New(Config{Server: "http://localhost", Transport: Handler{c}})
	if err != nil {
		t.Fatal(err)
	}
	b := &buffer{dir: dir}
	b.Predictions, err = NewPredictions(PredictionsConfig{
		Client: to, Dir: dir, MaxBytes: size, Trouble: func(err error) { b.troubles = append(b.troubles, err) },
		wait: func(ctx context.Context, d time.Duration) error { b.waited = append(b.waited, d); return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drain runs the buffer until it is empty.
func (b *buffer) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	if err := b.Flush(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func record(t *testing.T, b *buffer, scores ...float64) {
	t.Helper()
	var all []Prediction
	for _, s := range scores {
		all = append(all, Prediction{Model: "credit", Version: "1", Score: s})
	}
	if ids, err := b.Record(all...); err != nil || len(ids) != len(scores) {
		t.Fatal(ids, err)
	}
}

// TestPredictionsInOrder sends in order through refusals that pass, and through a restart.
func TestPredictionsInOrder(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &collector{seen: map[string]bool{}}
	b := openBuffer(t, c, dir, 0)
	record(t, b, 1, 2)
	record(t, b, 3)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Record(Prediction{Model: "credit"}); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("closed: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00000000000000000009-X.ndjson.gz.part"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	b = openBuffer(t, c, dir, 0)
	record(t, b, 4)
	c.answers = []func(http.ResponseWriter){
		says(503, "", "Retry-After", "7"), says(429, "", "Retry-After", "90"), says(401, ""), says(500, ""), nil, says(200, "?"), nil,
	}
	b.drain(t)
	if diff := cmp.Diff([]any{1.0, 2.0, 3.0, 4.0}, c.scores); diff != "" {
		t.Error(diff)
	}
	if len(b.waited) != 5 || b.waited[0] < 7*time.Second || b.waited[1] < 90*time.Second || len(b.troubles) != 5 {
		t.Errorf("waited %v, troubles %v", b.waited, b.troubles)
	}
	for i, id := range c.batches[1:5] {
		if id != c.batches[0] {
			t.Errorf("try %d of the first batch has the id %s", i+2, id)
		}
	}
	if b.Status() != (PredictionsStatus{}) {
		t.Errorf("%+v", b.Status())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestPredictionsFull fills the buffer: the caller is told, nothing is lost, and there is room again later.
func TestPredictionsFull(t *testing.T) {
	t.Parallel()
	c := &collector{seen: map[string]bool{}}
	b := openBuffer(t, c, t.TempDir(), 1000)
	n := 0
	for ; n < 100; n++ {
		_, err := b.Record(Prediction{Model: "credit", Score: float64(n)})
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "is full") {
				t.Fatal(err)
			}
			break
		}
	}
	if n < 2 || n > 10 {
		t.Errorf("%d batches fit 1,000 bytes", n)
	}
	b.drain(t)
	record(t, b, 7)
	if len(c.scores) != n {
		t.Errorf("%d of %d were sent", len(c.scores), n)
	}
}

// TestPredictionsRejected keeps what the server does not take.
func TestPredictionsRejected(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &collector{seen: map[string]bool{}}
	b := openBuffer(t, c, dir, 0)
	record(t, b, 1, 2, 3)
	record(t, b, 4)
	record(t, b, 5, 6)
	record(t, b, 7)
	if err := os.WriteFile(filepath.Join(dir, b.queue[3].name), []byte("not gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	rejected := `"rejected":[{"index":%d,"code":"not_found","message":"there is no model credit"}]`
	c.answers = []func(http.ResponseWriter){
		says(207, `{`+fmt.Sprintf(rejected, 1)+`}`), says(422, `{"title":"none","code":"invalid",`+fmt.Sprintf(rejected, 0)+`}`), says(409, `{"title":"Conflict","code":"conflict","detail":"has come before"}`),
		says(400, `{"title":"Bad","code":"invalid","detail":"no gzip"}`),
	}
	b.drain(t)
	files, err := filepath.Glob(filepath.Join(dir, "rejected", "*"))
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	var got []string
	for _, file := range files[:3] {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var away struct {
				Reason string
				Record struct{ Score float64 }
			}
			if err := json.Unmarshal([]byte(line), &away); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(away.Record.Score, " ", away.Reason))
		}
	}
	if diff := cmp.Diff([]string{"2 there is no model credit", "4 there is no model credit", "5 has come before", "6 has come before"}, got); diff != "" {
		t.Error(diff)
	}
	if s := b.Status(); s.Batches != 0 || s.Bytes == 0 || len(b.troubles) != 4 {
		t.Errorf("%+v, %v", s, b.troubles)
	}
	if again := openBuffer(t, c, dir, 0).Status(); again.Batches != 0 || again.Bytes == 0 {
		t.Errorf("after a restart: %+v", again)
	}
}

func TestPredictionJSON(t *testing.T) {
	t.Parallel()
	p := Prediction{
		ID: "01890000-0000-7000-8000-000000000000", Time: time.Date(2026, 3, 3, 12, 0, 0, 0, time.FixedZone("", 3600)), Model: "credit",
		Features: map[string]any{"a": math.NaN(), "b": 1.5, "c": nil, "d": "x", "e": float32(math.Inf(-1))}, Score: math.Inf(1), Output: false, Latency: 1500 * time.Microsecond,
	}
	p.Hash([]byte("input"))
	_, lines, err := complete([]Prediction{p}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"01890000-0000-7000-8000-000000000000","time":"2026-03-03T11:00:00Z","model":"credit","input_digest":"sha256:c96c6d5be8d08a12e7b5cdc1b207fa6b2430974c86803d8891675e76fd992c20",` +
		`"features":{"a":"NaN","b":1.5,"c":null,"d":"x","e":"-Infinity"},"output":false,"score":"Infinity","latency_us":1500}` + "\n"
	if diff := cmp.Diff(want, string(lines)); diff != "" {
		t.Error(diff)
	}
	// RFC 4231, test case 2
	p.HashKeyed([]byte("Jefe"), []byte("what do ya want for nothing?"))
	if p.InputDigest != "sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" || !p.InputKeyed {
		t.Error(p.InputDigest)
	}
	for _, bad := range [][]Prediction{nil, make([]Prediction, 5001), {{Model: "m", Extra: map[string]any{"f": func() {}}}}, {{Model: "m", Rationale: strings.Repeat("a", 9<<20)}}} {
		if _, _, err := complete(bad, time.Now()); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%d predictions: %v", len(bad), err)
		}
	}
	if unpacked, err := pack(bytes.Repeat([]byte("a"), 100)); err != nil || len(unpacked) > 50 {
		t.Error(len(unpacked), err)
	}
}

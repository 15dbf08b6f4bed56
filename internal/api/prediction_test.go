package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// taken is the answer to a batch.
type taken struct {
	Receipt struct {
		Shard, Head string
		Sequence    uint64
	}
	IDs      []string
	Repeated bool
	Rejected []struct {
		Index               int
		Code, Message, Hint string
	}
}

// recorder returns the API as a service sees it that records predictions of the model credit, version 1.
func (h house) recorder(t testing.TB) http.Handler {
	t.Helper()
	c := h.as("ada", access.Scientist)
	ask(t, c, "POST", "/models", map[string]any{"name": "credit", "state": "experimental"}).want(t, 200)
	ask(t, c, "POST", "/models/credit/versions", map[string]any{"version": "1"}).want(t, 200)
	return h.as("scorer", access.Service)
}

// journalled returns the records in the journal.
func (h house) journalled(t testing.TB) []prediction.Record {
	t.Helper()
	return capturetest.Records(t, h.journal)
}

func (h house) ids(t testing.TB) (ids []string) {
	t.Helper()
	for _, r := range h.journalled(t) {
		ids = append(ids, r.ID.String())
	}
	return ids
}

const one = `{"model":"credit","version":"1","score":0.5}`

func TestPredictionForms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.recorder(t)
	const lines = "application/x-ndjson"
	var all []string
	for _, test := range []struct {
		name, body, kind string
		n                int
	}{
		{"record", one, "application/json", 1},
		{"array", "[" + one + ", " + one + "]", "application/json; charset=utf-8", 2},
		{"object", `{"records":[` + one + "," + one + "," + one + "]}", "application/json", 3},
		{"lines", one + "\n\r\n" + one + "\r\n", lines, 2},
		{"a line that does not end", one, lines, 1},
	} {
		got := read[taken](t, ask(t, c, "POST", "/predictions", test.body, "Content-Type", test.kind).want(t, 200))
		if len(got.IDs) != test.n || got.Receipt.Sequence == 0 || len(got.Receipt.Head) != 64 || got.Rejected != nil || got.Repeated {
			t.Errorf("%s: %+v", test.name, got)
		}
		all = append(all, got.IDs...)
	}
	if ids := h.ids(t); !slices.Equal(ids, all) {
		t.Errorf("the journal has %q, told were %q", ids, all)
	}
	for _, r := range h.journalled(t) {
		if score, _ := r.Score.Float(); r.Version != "1" || score != 0.5 {
			t.Errorf("%s", r.AppendJSON(nil))
		}
	}
}

// TestPredictionPacked sends packed bodies, and such as unpack to far more than they are.
func TestPredictionPacked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.recorder(t)
	bomb := `[{"model":"` + strings.Repeat("a", 64<<20) + `"}]`
	for _, encoding := range []string{"gzip", "zstd"} {
		got := read[taken](t, ask(t, c, "POST", "/predictions", pack(t, encoding, "["+one+"]"), "Content-Encoding", encoding).want(t, 200))
		if len(got.IDs) != 1 {
			t.Errorf("%s: %+v", encoding, got)
		}
		packed := pack(t, encoding, bomb)
		if len(packed) > 1<<20 {
			t.Fatalf("the bomb has %d bytes", len(packed))
		}
		ask(t, c, "POST", "/predictions", packed, "Content-Encoding", encoding).want(t, 413)
		ask(t, c, "POST", "/predictions", packed[:len(packed)/2], "Content-Encoding", encoding).want(t, map[string]int{"gzip": 413, "zstd": 413}[encoding])
		for _, broken := range []string{"", "x", one, pack(t, encoding, one)[:20]} {
			ask(t, c, "POST", "/predictions", broken, "Content-Encoding", encoding).want(t, 400)
		}
	}
	ask(t, c, "POST", "/predictions", one, "Content-Encoding", "identity").want(t, 200)
	if a := ask(t, c, "POST", "/predictions", one, "Content-Encoding", "br").want(t, 415); a.Header.Get("Accept-Encoding") != "gzip, zstd" {
		t.Errorf("%v", a.Header)
	}
	ask(t, c, "POST", "/predictions", one, "Content-Encoding", "gzip, zstd").want(t, 415)
	ask(t, c, "POST", "/predictions", one, "Content-Type", "text/plain").want(t, 415)
	ask(t, c, "POST", "/predictions", "["+strings.Repeat(" ", 8<<20)+"]").want(t, 413)
	if n := len(h.ids(t)); n != 3 {
		t.Errorf("%d records are in the journal, want 3", n)
	}
}

func pack(t *testing.T, encoding, body string) string {
	t.Helper()
	var packed bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&packed)
	if encoding == "zstd" {
		var err error
		if w, err = zstd.NewWriter(&packed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// TestPredictionRejected sends good records among bad ones: the good are kept, and of the others is said by
// their places what is wrong.
func TestPredictionRejected(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.recorder(t)
	records := []string{
		`{"model":"credit","version":`, // the rest of the batch is not JSON
	}
	ask(t, c, "POST", "/predictions", "["+strings.Join(records, ",")+"]").want(t, 400)
	records = []string{
		`7`, one, `{"model":"credit","version":"1","score":tru}`, `{"model":"credit","version":"9"}`, one,
		`{"model":"nobody","version":"1"}`, `{"model":"credit","version":"1","score":"high"}`, `{"model":"credit","model":"credit"}`, `"` + "\xff" + `"`, one, `{"version":"1"}`,
	}
	a := ask(t, c, "POST", "/predictions", "["+strings.Join(records, ",")+"]").want(t, 207)
	got := read[taken](t, a)
	codes := map[int]string{0: "invalid", 2: "invalid", 3: "not_found", 5: "not_found", 6: "invalid", 7: "invalid", 8: "invalid", 10: "invalid"}
	for _, r := range got.Rejected {
		if codes[r.Index] != r.Code || r.Message == "" {
			t.Errorf("%+v", r)
		}
		if got.IDs[r.Index] != "" {
			t.Errorf("record %d was rejected and has the id %s", r.Index, got.IDs[r.Index])
		}
		delete(codes, r.Index)
	}
	if len(codes) > 0 || len(got.IDs) != len(records) {
		t.Errorf("not rejected: %v; %s", codes, a)
	}
	if ids := h.ids(t); !slices.Equal(ids, []string{got.IDs[1], got.IDs[4], got.IDs[9]}) {
		t.Errorf("the journal has %q, told were %q", ids, got.IDs)
	}

	none := ask(t, c, "POST", "/predictions", `{"model":"nobody","version":"1"}`).want(t, 422)
	if p := none.problem(t); p.Hint == "" || p.Code != "invalid" {
		t.Errorf("%s", none)
	}
	if got := read[taken](t, none); len(got.Rejected) != 1 || got.Rejected[0].Code != "not_found" {
		t.Errorf("%s", none)
	}
	for body, status := range map[string]int{"[]": 400, "": 400, "3": 400, `{"records":[]}`: 400, "[" + strings.Repeat("0,", 5000) + "0]": 400, "{}": 422} {
		ask(t, c, "POST", "/predictions", body).want(t, status)
	}
	if n := len(h.ids(t)); n != 3 {
		t.Errorf("%d records are in the journal, want 3", n)
	}
}

// TestPredictionBatch sends a batch again, by each of the ways to name it.
func TestPredictionBatch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.recorder(t)
	named := func(name string) string { return `{"batch_id":"` + name + `","records":[7,` + one + `]}` }
	first := read[taken](t, ask(t, c, "POST", "/predictions", named("b1")).want(t, 207))
	for _, headers := range [][]string{{}, {"Batch-Id", "b1"}, {"Idempotency-Key", "of the request"}} {
		again := read[taken](t, ask(t, c, "POST", "/predictions", named("b1"), headers...).want(t, 207))
		if !again.Repeated || again.Receipt != first.Receipt || !slices.Equal(again.IDs, first.IDs) || len(again.Rejected) != 1 {
			t.Errorf("%q: %+v, the first time %+v", headers, again, first)
		}
	}
	again := read[taken](t, ask(t, c, "POST", "/predictions", one+"\n7", "Content-Type", "application/x-ndjson", "Batch-Id", "b1", "Idempotency-Key", "another").want(t, 207))
	if again.Receipt != first.Receipt || again.IDs[0] != first.IDs[1] {
		t.Errorf("%+v, the first time %+v", again, first)
	}
	ask(t, c, "POST", "/predictions", one, "Idempotency-Key", "k").want(t, 200)
	if again := read[taken](t, ask(t, c, "POST", "/predictions", one, "Idempotency-Key", "k").want(t, 200)); !again.Repeated {
		t.Errorf("%+v", again)
	}
	ask(t, c, "POST", "/predictions", named("b1"), "Batch-Id", "b2").want(t, 400)
	ask(t, c, "POST", "/predictions", one, "Batch-Id", strings.Repeat("b", 257)).want(t, 400)
	ask(t, c, "POST", "/predictions", `{"model":"credit","version":"1","score":1}`, "Batch-Id", "b1").want(t, 409)
	// Another sender's b1 is another batch.
	if other := read[taken](t, ask(t, h.as("other", access.Service), "POST", "/predictions", named("b1")).want(t, 207)); other.Repeated || other.Receipt == first.Receipt {
		t.Errorf("%+v", other)
	}
	if n := len(h.ids(t)); n != 3 {
		t.Errorf("%d records are in the journal, want 3", n)
	}
}

// TestPredictionFull fills the journal, then closes it: both are said, and the first with a time to wait.
func TestPredictionFull(t *testing.T) {
	t.Parallel()
	h := newHouseOf(t, journal.Options{MaxStored: 600})
	c := h.recorder(t)
	var a answer
	for range 10 {
		if a = ask(t, c, "POST", "/predictions", one); a.StatusCode != 200 {
			break
		}
	}
	a.want(t, 503)
	if after := a.Header.Get("Retry-After"); after != "10" {
		t.Errorf("Retry-After: %s, want the 10 seconds of a cut; %s", after, a)
	}
	before := len(h.ids(t))
	if err := h.Predictions.Cut(t.Context()); err != nil || before == 0 {
		t.Fatal(before, err)
	}
	ask(t, c, "POST", "/predictions", one).want(t, 200)
	if err := h.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, c, "POST", "/predictions", one).want(t, 503); a.Header.Get("Retry-After") == "" {
		t.Errorf("%v", a.Header)
	}
	h.Predictions = nil
	ask(t, h.as("scorer", access.Service), "POST", "/predictions", one).want(t, 503)
}

// TestPredictionsAtOnce sends bodies that together are too much: some are told to come again, none is lost, and
// the room that they took is there again.
func TestPredictionsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := httptest.NewServer(h.recorder(t))
	defer server.Close()
	const clients = 12
	body := `[` + one + `,{"model":"` + strings.Repeat("a", 7<<20) + `"}]`
	send := func(from io.Reader) (int, string) {
		r, err := http.NewRequestWithContext(context.Background(), "POST", server.URL+api.Prefix+"/predictions", from)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, ""
		}
		defer response.Body.Close()
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	// Each has its room from the beginning, and waits in the middle until all have been heard or refused.
	var waiting, group sync.WaitGroup
	waiting.Add(clients)
	go_ := make(chan struct{})
	statuses := make([]int, clients)
	for i := range clients {
		group.Go(func() {
			half := &halting{Reader: strings.NewReader(body), after: len(body) / 2, go_: go_, reached: waiting.Done}
			var after string
			statuses[i], after = send(half)
			half.reach()
			if statuses[i] == 503 && after == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
	waiting.Wait()
	close(go_)
	group.Wait()
	slices.Sort(statuses)
	if taken, refused := count(statuses, 207), count(statuses, 503)+count(statuses, 0); taken == 0 || refused == 0 || taken+refused != clients {
		t.Errorf("%v", statuses)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		status, _ := send(strings.NewReader(body))
		if status == 207 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(status)
		}
	}
	if n := len(h.ids(t)); n != count(statuses, 207)+1 {
		t.Errorf("%d records are in the journal; %v", n, statuses)
	}
}

// halting stops in the middle.
type halting struct {
	io.Reader
	after   int
	go_     chan struct{}
	once    sync.Once
	reached func()
}

func (h *halting) reach() { h.once.Do(h.reached) }

func (h *halting) Read(p []byte) (int, error) {
	if h.after <= 0 {
		h.reach()
		<-h.go_
	}
	n, err := h.Reader.Read(p)
	h.after -= n
	return n, err
}

func count(all []int, what int) (n int) {
	for _, one := range all {
		if one == what {
			n++
		}
	}
	return n
}

func TestPredictionDocument(t *testing.T) {
	t.Parallel()
	a := ask(t, newHouse(t).as("nobody"), "GET", "/openapi.json", nil).want(t, 200)
	for _, schema := range []string{`"PredictionBatch"`, `"Record"`, `"Rejection"`, `"RefusedBatch"`, `"latency_us"`, "application/x-ndjson"} {
		if !bytes.Contains(a.body, []byte(schema)) {
			t.Errorf("the document has no %s", schema)
		}
	}
	if !strings.Contains(fmt.Sprint(a), `"207"`) {
		t.Error("the document has no 207")
	}
}

package openlineage_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/openlineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const runID = "01a1fdb0-62e7-7cd7-9466-88e7606c7242"

// complete is an event in the form in which the Python client 1.54.0 sends it.
const complete = `{"eventTime": "2026-03-03T12:00:00.000001Z", "eventType": "COMPLETE", "producer": "https://ci.example/7",
  "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
  "run": {"runId": "` + runID + `", "facets": {
    "parent": {"_producer": "p", "_schemaURL": "s", "job": {"namespace": "ns", "name": "dag"}, "run": {"runId": "01A1FDB0-62E7-7FAB-AC10-DD41DE9C98FD"}},
    "environmentVariables": {"environmentVariables": [{"name": "KEY", "value": "hush"}]},
    "mystery": {"a": 1}}},
  "job": {"namespace": "ns", "name": "clean", "facets": {
    "sql": {"_producer": "p", "query": "select 1"},
    "sourceCodeLocation": {"type": "git", "url": "https://user:hush@git.example/y", "version": "abc"}}},
  "inputs": [{"namespace": "pg://u:hush@h", "name": "db.loans", "facets": {
      "version": {"datasetVersion": "7"},
      "schema": {"fields": [{"name": "income", "type": "int", "fields": []}, {"name": "at", "fields": [{"name": "zip"}]}]}},
    "inputFacets": {"dataQualityMetrics": {"columnMetrics": {"income": {"nullCount": 2}}, "rowCount": 10}}}],
  "outputs": [{"namespace": "s3://b", "name": "loans.parquet", "outputFacets": {}, "facets": {
      "columnLineage": {"dataset": [{"namespace": "pg://h", "name": "db.loans", "field": "at.zip"}], "fields": {"ratio": {
        "inputFields": [{"namespace": "pg://h", "name": "db.loans", "field": "income",
          "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "by year", "masking": false}]}]}}}}},
    {"namespace": "models", "name": "credit", "facets": {"tallystick_model": {"model": "credit", "version": "3"}}}]}`

func told(b lineage.Batch) []string {
	var words []string
	for _, e := range b.Edges {
		words = append(words, e.String())
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func facts(b lineage.Batch, node string) map[string]string {
	for _, n := range b.Nodes {
		if n.Ref.String() == node {
			return n.Facts
		}
	}
	return nil
}

func TestRunEvent(t *testing.T) {
	t.Parallel()
	b, err := openlineage.Parse([]byte(complete))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"code:https://git.example/y@abc defines transformation:ns/clean",
		"column:pg://h/db.loans#at part snapshot:pg://h/db.loans@7",
		"column:pg://h/db.loans#at part source:pg://h/db.loans",
		"column:pg://h/db.loans#at.zip derived source:s3://b/loans.parquet",
		"column:pg://h/db.loans#at.zip part snapshot:pg://h/db.loans@7",
		"column:pg://h/db.loans#at.zip part source:pg://h/db.loans",
		"column:pg://h/db.loans#income derived column:s3://b/loans.parquet#ratio",
		"column:pg://h/db.loans#income part snapshot:pg://h/db.loans@7",
		"column:pg://h/db.loans#income part source:pg://h/db.loans",
		"column:s3://b/loans.parquet#ratio part source:s3://b/loans.parquet",
		"run:" + runID + " trained version:credit@3",
		"run:" + runID + " wrote source:s3://b/loans.parquet",
		"run:01a1fdb0-62e7-7fab-ac10-dd41de9c98fd started run:" + runID,
		"snapshot:pg://h/db.loans@7 read run:" + runID,
		"source:pg://h/db.loans derived snapshot:pg://h/db.loans@7",
		"transformation:ns/clean defines run:" + runID,
		"transformation:ns/dag defines run:01a1fdb0-62e7-7fab-ac10-dd41de9c98fd",
	}
	if diff := cmp.Diff(want, told(b)); diff != "" {
		t.Errorf("edges (-want +got):\n%s", diff)
	}
	i := slices.IndexFunc(b.Edges, func(e lineage.Edge) bool { return e.To.ID == "s3://b/loans.parquet#ratio" })
	if b.Edges[i].Reason != "direct transformation: by year" {
		t.Errorf("reason %q", b.Edges[i].Reason)
	}
	if got := facts(b, "transformation:ns/clean")["sql"]; got != `{"query":"select 1"}` {
		t.Errorf("sql: %q", got)
	}
	of := facts(b, "run:"+runID)
	if of["state"] != "COMPLETE" || of["facet:mystery"] != string(tallystick.DigestOf([]byte(`{"a":1}`))) || !strings.HasPrefix(of["facet:environmentVariables"], "sha256:") {
		t.Errorf("facts of the run: %v", of)
	}
	if got := facts(b, "snapshot:pg://h/db.loans@7")["dataQualityMetrics"]; got != `{"columnMetrics":{"income":{"nullCount":2}},"rowCount":10}` {
		t.Errorf("data quality: %q", got)
	}
	if strings.Contains(fmt.Sprint(b), "hush") {
		t.Errorf("a secret is kept: %v", b)
	}
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	b, err := openlineage.Parse([]byte(`{"eventTime": "2026-03-03T12:00:00+01:00", "dataset": {"namespace": "n", "name": "d", "facets": {"documentation": {"description": "loans"}, "ownership": {"_deleted": true}}}}`))
	if err != nil || len(b.Nodes) != 1 || b.Nodes[0].Facts["documentation"] != `{"description":"loans"}` || b.Nodes[0].Facts["ownership"] != "deleted" {
		t.Errorf("dataset event: %+v, %v", b, err)
	}
	b, err = openlineage.Parse([]byte(`{"eventTime": "2026-03-03T12:00:00Z", "job": {"namespace": "n", "name": "j"}, "inputs": [{"namespace": "n", "name": "a"}], "outputs": [{"namespace": "n", "name": "b"}]}`))
	if diff := cmp.Diff([]string{"source:n/a read transformation:n/j", "transformation:n/j wrote source:n/b"}, told(b)); err != nil || diff != "" {
		t.Errorf("job event: %v (-want +got):\n%s", err, diff)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":         ``,
		"nothing":       `{}`,
		"array":         `[]`,
		"no time":       strings.Replace(complete, "2026-03-03T12", "yesterday", 1),
		"local time":    strings.Replace(complete, ".000001Z", "", 1),
		"type":          strings.Replace(complete, "COMPLETE", "DONE", 1),
		"run id":        strings.Replace(complete, runID, "1", 1),
		"no name":       strings.Replace(complete, `"name": "clean"`, `"name": ""`, 1),
		"no version":    strings.Replace(complete, `"version": "3"`, `"version": ""`, 1),
		"control":       strings.Replace(complete, `"db.loans", "facets"`, `"db\u0000loans", "facets"`, 1),
		"long":          strings.Replace(complete, `"clean"`, `"`+strings.Repeat("x", 600)+`"`, 1),
		"deep":          strings.Replace(complete, `{"a": 1}`, strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100), 1),
		"many fields":   strings.Replace(complete, `{"name": "income"`, strings.Repeat(`{"name": "x"},`, 2001)+`{"name": "income"`, 1),
		"many inputs":   strings.Replace(complete, `"inputs": [`, `"inputs": [`+strings.Repeat(`{"namespace":"n","name":"d"},`, 1000), 1),
		"many bytes":    `{"a": "` + strings.Repeat("x", 8<<20) + `"}`,
		"another shape": `{"eventTime": 7}`,
	} {
		if _, err := openlineage.Parse([]byte(body)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// receiver is a server with a trail behind it.
type receiver struct {
	graph  *lineage.Graph
	reader *trail.Reader
	url    string
}

func receive(t *testing.T) receiver {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "w", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "example.test/ledger"})
	if err != nil {
		t.Fatal(err)
	}
	graph := lineage.New(db)
	server := httptest.NewServer(openlineage.Handler(func(ctx context.Context, b lineage.Batch) error {
		return db.Write(ctx, func(tx *state.Tx) error {
			changes, err := graph.Record(tx, b)
			for _, c := range changes {
				if err == nil {
					_, err = recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "airflow", Kind: "service"}}, c)
				}
			}
			return err
		})
	}))
	t.Cleanup(server.Close)
	return receiver{graph, trail.NewReader(db, "example.test/ledger"), server.URL}
}

func (r receiver) post(t *testing.T, path, body string, header ...string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(response.Body)
	return response.StatusCode, b.String()
}

// view is the graph without the numbers of events.
func (r receiver) view(t *testing.T) []string {
	t.Helper()
	nodes, err := r.graph.Nodes(t.Context(), lineage.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, n := range nodes {
		n.Event = 0
		w, err := r.graph.Up(t.Context(), n.Ref, lineage.Options{Depth: 1, Facts: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range w.Edges {
			e.Event = 0
			lines = append(lines, fmt.Sprintf("%+v", e))
		}
		lines = append(lines, fmt.Sprintf("%+v", n))
	}
	return lines
}

// TestAnyOrder sends the events of a run as they happened, and again late, twice and backwards.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	at := func(kind, minute string) string {
		e := strings.Replace(complete, "COMPLETE", kind, 1)
		e = strings.Replace(e, `"rowCount": 10`, `"rowCount": 1`+minute, 1)
		return strings.Replace(e, "12:00:00", "12:"+minute+":00", 1)
	}
	events := []string{at("START", "01"), at("RUNNING", "02"), at("RUNNING", "03"), at("COMPLETE", "04")}
	a, b := receive(t), receive(t)
	for _, e := range events {
		if status, answer := a.post(t, "/api/v1/lineage", e); status != http.StatusOK || answer != "" {
			t.Fatalf("%d %s", status, answer)
		}
	}
	for _, i := range []int{3, 1, 1, 3, 0, 2, 0} {
		b.post(t, "/api/v1/lineage", events[i])
	}
	if diff := cmp.Diff(a.view(t), b.view(t)); diff != "" {
		t.Errorf("the order matters (-first +second):\n%s", diff)
	}
	if !strings.Contains(strings.Join(a.view(t), "\n"), "state:COMPLETE") {
		t.Error("the run is not complete")
	}
	n, err := b.reader.Count(t.Context(), trail.Filter{Type: trail.LineageRecorded})
	if err != nil || n != 1 { // the latest came first, so that the others added nothing
		t.Errorf("%d events, %v", n, err)
	}
}

func TestBatchEndpoint(t *testing.T) {
	t.Parallel()
	r := receive(t)
	if status, answer := r.post(t, "/api/v1/lineage/batch", "["+complete+","+complete+"]"); status != http.StatusNoContent || answer != "" {
		t.Errorf("all well: %d %s", status, answer)
	}
	status, answer := r.post(t, "/api/v1/lineage/batch", "["+complete+`,{"eventTime":"x"},7]`)
	var s struct {
		Status  string
		Summary struct{ Received, Successful, Failed, Retriable int }
		Failed  []struct {
			Index     int
			Reason    string
			Retriable bool
		} `json:"failed_events"`
	}
	if err := json.Unmarshal([]byte(answer), &s); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	if s.Status != "partial_success" || s.Summary.Received != 3 || s.Summary.Successful != 1 || s.Summary.Failed != 2 || s.Summary.Retriable != 0 ||
		len(s.Failed) != 2 || s.Failed[0].Index != 1 || s.Failed[0].Reason == "" {
		t.Errorf("%s", answer)
	}
	if status, _ := r.post(t, "/api/v1/lineage/batch", "["+strings.Repeat("{},", 1000)+"{}]"); status != http.StatusBadRequest {
		t.Errorf("too many events: %d", status)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	r := receive(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(complete))
	_ = z.Close()
	if status, answer := r.post(t, "/api/v1/lineage", packed.String(), "Content-Encoding", "gzip"); status != http.StatusOK {
		t.Errorf("gzip: %d %s", status, answer)
	}
	packed.Reset()
	z = gzip.NewWriter(&packed)
	for range 100 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	for name, c := range map[string]struct {
		body   string
		header []string
		want   int
	}{
		"bomb":     {packed.String(), []string{"Content-Encoding", "gzip"}, 400},
		"no gzip":  {complete, []string{"Content-Encoding", "gzip"}, 400},
		"brotli":   {complete, []string{"Content-Encoding", "br"}, 400},
		"a form":   {complete, []string{"Content-Type", "text/plain"}, 400},
		"too long": {strings.Repeat(" ", 8<<20+1), nil, 413},
		"half":     {complete[:200], nil, 400},
	} {
		status, answer := r.post(t, "/api/v1/lineage", c.body, c.header...)
		if status != c.want || !strings.Contains(answer, `"title"`) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	broken := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/lineage", strings.NewReader(complete))
	request.Header.Set("Content-Type", "application/json")
	openlineage.Handler(func(context.Context, lineage.Batch) error { return errors.New("inner secret") }).ServeHTTP(broken, request)
	if broken.Code != http.StatusInternalServerError || strings.Contains(broken.Body.String(), "secret") {
		t.Errorf("a fault of ours: %d %s", broken.Code, broken.Body)
	}
}

// TestPythonClient receives what the real client sends. crosscheck/openlineage.sh installs it.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	python := os.Getenv("OPENLINEAGE_PYTHON")
	if python == "" {
		t.Skip("needs OPENLINEAGE_PYTHON, a Python with openlineage-python; crosscheck/openlineage.sh sets it")
	}
	r := receive(t)
	script, err := filepath.Abs("../../crosscheck/openlineage_events.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), python, script, r.url).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, err := r.graph.Fed(t.Context(), "credit", "3", lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var met []string
	for _, n := range w.Nodes {
		met = append(met, string(n.Ref.Kind)+" "+n.Ref.ID)
	}
	for _, want := range []string{"snapshot pg://h/db.loans@7", "source pg://h/db.loans", "column pg://h/db.loans#income", "transformation ns/train", "code https://git.example/y@abc"} {
		if !slices.Contains(met, want) {
			t.Errorf("%q did not feed credit@3: %q", want, met)
		}
	}
	n, err := r.graph.Node(t.Context(), lineage.Ref{Kind: lineage.Transformation, ID: "ns/train"})
	if err != nil || n.Facts["sql"] != `{"query":"select 1"}` {
		t.Errorf("the job: %+v, %v", n, err)
	}
	if _, err := r.graph.Path(t.Context(), lineage.Ref{Kind: lineage.Column, ID: "pg://h/db.loans#income"}, lineage.Ref{Kind: lineage.Column, ID: "s3://b/loans#ratio"}); err != nil {
		t.Error(err)
	}
	for _, ref := range []string{"source:n/d", "transformation:ns/report"} { // of the DatasetEvent and the JobEvent
		if err := known(r, t, ref); err != nil {
			t.Error(err)
		}
	}
}

func known(r receiver, t *testing.T, name string) error {
	t.Helper()
	ref, err := lineage.ParseRef(name)
	if err == nil {
		_, err = r.graph.Node(t.Context(), ref)
	}
	return err
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(complete))
	f.Add([]byte(`{"eventTime":"2026-03-03T12:00:00Z","dataset":{"namespace":"n","name":"d"}}`))
	f.Add([]byte(`{"eventTime":"2026-03-03T12:00:00Z","job":{"namespace":"n","name":"d"},"inputs":[{"namespace":"a://b@c","name":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := openlineage.Parse(body)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatal(err)
			}
			return
		}
		if err := b.Validate(); err != nil { // whatever is read can be recorded
			t.Fatal(err)
		}
		again, err := openlineage.Parse(body)
		if err != nil || cmp.Diff(b, again) != "" {
			t.Fatalf("the same event reads differently: %v", err)
		}
	})
}

package replay_test

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/replay"
)

func record(features map[string]prediction.Value) *prediction.Record {
	r := &prediction.Record{Model: "credit", Version: "1", Features: prediction.NewFeatures(features)}
	r.Complete(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	return r
}

func plan(t *testing.T, format replay.Format, against string) *replay.Plan {
	t.Helper()
	p, err := replay.NewPlan(format, against, "credit")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What each protocol gets for one record, and where.
func TestRequests(t *testing.T) {
	t.Parallel()
	r := record(map[string]prediction.Value{"age": prediction.Integer(40), "city": prediction.String("York"), "rate": prediction.Number(0.5)})
	for _, c := range []struct {
		name    string
		format  replay.Format
		change  func(*replay.Plan)
		address string
		want    string
	}{
		{"json", replay.JSON, nil, "http://model", `{"age":40,"city":"York","rate":0.5}`},
		{"order", replay.JSON, func(p *replay.Plan) { p.Features = []string{"rate", "age"} }, "http://model", `{"rate":0.5,"age":40}`},
		{"mlflow", replay.MLflow, nil, "http://model/invocations", `{"dataframe_split":{"columns":["age","city","rate"],"data":[[40,"York",0.5]]}}`},
		{"v2", replay.V2, nil, "http://model/v2/models/credit/infer", `{"id":"` + r.ID.String() + `","inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[40]},{"name":"city","shape":[1],"datatype":"BYTES","data":["York"]},{"name":"rate","shape":[1],"datatype":"FP64","data":[0.5]}],"parameters":{"content_type":"pd"}}`},
		{"tensor", replay.V2, func(p *replay.Plan) { p.Tensor, p.Features = "x", []string{"age", "rate"} }, "http://model/v2/models/credit/infer", `{"id":"` + r.ID.String() + `","inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[40,0.5]}]}`},
	} {
		p := plan(t, c.format, "http://model/?key=secret")
		if c.change != nil {
			c.change(p)
		}
		got, err := p.Request(r)
		if err != nil || string(got.Data) != c.want {
			t.Errorf("%s: %s, %v", c.name, got.Data, err)
		}
		if address := strings.TrimSuffix(p.Address(), "/"); address != c.address {
			t.Errorf("%s: address %s", c.name, address)
		}
	}
	if p := plan(t, replay.MLflow, "http://model/serving/score"); p.Address() != "http://model/serving/score" {
		t.Errorf("a path of its own became %s", p.Address())
	}
	bare := record(nil)
	for _, format := range replay.Formats() {
		if _, err := plan(t, format, "http://model").Request(bare); err == nil {
			t.Errorf("%s: a record without input was written", format)
		}
	}
	odd := record(map[string]prediction.Value{"age": {}})
	if _, err := plan(t, replay.V2, "http://model").Request(odd); err == nil {
		t.Error("null was written as a tensor")
	}
	nan := record(map[string]prediction.Value{"age": prediction.Number(math.NaN())})
	if got, err := plan(t, replay.MLflow, "http://model").Request(nan); err != nil || !strings.Contains(string(got.Data), "[[null]]") {
		t.Errorf("NaN for MLflow: %s, %v", got.Data, err)
	}
	for _, address := range []string{"", "model", "ftp://model", "http://", "http://ana:hazel@model"} {
		if _, err := replay.NewPlan(replay.JSON, address, "credit"); tallystick.CodeOf(err) != tallystick.Invalid || strings.Contains(err.Error(), "hazel") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	scored := record(nil)
	scored.Score = prediction.Number(0.5)
	labelled := record(nil)
	labelled.Output, labelled.Score = prediction.String("refuse"), prediction.Number(0.5)
	for _, c := range []struct {
		format                replay.Format
		output, score, answer string
		record                *prediction.Record
		want                  string // output, score, fault
	}{
		{replay.JSON, "", "", `{"output":"grant","score":0.25}`, labelled, "grant 0.25 "},
		{replay.JSON, "", "", `{"score":0.25}`, labelled, "null 0.25 "},
		{replay.JSON, "", "", `0.25`, scored, "null 0.25 "},
		{replay.JSON, "", "", `[1]`, labelled, "1 null "},
		{replay.JSON, "", "", `{"y":1}`, labelled, "null null the answer has no output where it was looked for"},
		{replay.JSON, "y.class", "y.p", `{"y":{"class":"grant","p":[0.125]}}`, labelled, "grant 0.125 "},
		{replay.JSON, "y.class", "", `{"y":{}}`, labelled, "null null the answer has no value at y.class"},
		{replay.JSON, "", "", `{"output":1} 2`, labelled, "null null the answer is no JSON"},
		{replay.JSON, "", "", `<html>`, labelled, "null null the answer is no JSON"},
		{replay.MLflow, "", "", `{"predictions":[0.75]}`, scored, "null 0.75 "},
		{replay.MLflow, "", "", `{"predictions":["grant"]}`, labelled, "grant null "},
		{replay.MLflow, "", "predictions.0.1", `{"predictions":[[0.25,0.75]]}`, labelled, "null 0.75 "},
		{replay.MLflow, "", "", `{"predictions":[]}`, labelled, "null null the answer has no output where it was looked for"},
		{replay.V2, "", "", `{"outputs":[{"name":"p","shape":[1,1],"datatype":"FP32","data":[[0.75]]}]}`, scored, "null 0.75 "},
	} {
		p := plan(t, c.format, "http://model")
		p.Output, p.Score = c.output, c.score
		got := p.Read([]byte(c.answer), c.record)
		if is := got.Output.String() + " " + got.Score.String() + " " + got.Fault; is != c.want {
			t.Errorf("%s %s: %s", c.format, c.answer, is)
		}
	}
}

// The server is one of the Open Inference Protocol: it answers by name, fails for one input, redirects for another, and is
// too slow for a third. No redirect is followed, and each request says that it is a replay.
func TestSend(t *testing.T) {
	t.Parallel()
	var marked, most, now atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		var in struct {
			Inputs []struct {
				Name, Datatype string
				Shape          []int
				Data           []float64
			}
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/v2/models/credit/infer" || json.Unmarshal(body, &in) != nil || len(in.Inputs) != 1 || in.Inputs[0].Name != "x" || r.Header.Get("Authorization") != "Bearer hazel" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if len(r.Header.Get(replay.Header)) == 36 {
			marked.Add(1)
		}
		switch x := in.Inputs[0].Data[0]; x {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case 3:
			<-r.Context().Done()
		default:
			_ = json.NewEncoder(w).Encode(map[string]any{"model_name": "credit", "outputs": []any{map[string]any{"name": "y", "shape": []int{1}, "datatype": "FP64", "data": []float64{x / 10}}}})
		}
	}))
	defer server.Close()
	p := plan(t, replay.V2, server.URL)
	p.Tensor = "x"
	var requests []replay.Request
	for i := range 20 {
		r := record(map[string]prediction.Value{"x": prediction.Integer(int64(i))})
		r.Score = prediction.Number(float64(i) / 10)
		request, err := p.Request(r)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, request)
	}
	allowed, err := dial.ParseAllowList([]string{server.URL, "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	sending := replay.Sending{By: dial.New(dial.Config{Allow: allowed}), Token: "hazel", Clients: 3, Timeout: time.Second, Told: func(n int) { told = n }}
	answers, err := p.Send(t.Context(), requests, sending)
	if err != nil || told != 20 || marked.Load() != 20 || most.Load() > 3 {
		t.Fatalf("%v; told %d, %d marked, %d at once", err, told, marked.Load(), most.Load())
	}
	for i, want := range map[int]string{1: "HTTP 500", 2: "HTTP 302, a redirect that is not followed", 3: "no answer in time"} {
		if answers[i].Fault != want {
			t.Errorf("answer %d: %q", i, answers[i].Fault)
		}
	}
	var records []*prediction.Record
	for _, r := range requests {
		records = append(records, r.Record)
	}
	c := replay.Compare(records, answers, replay.Terms{Tolerance: 1e-9})
	if c.Sent != 20 || c.Answered != 17 || c.Numbers == nil || c.Numbers.Differ.K != 0 || c.Numbers.Differ.N != 17 || c.Decisions != nil {
		t.Errorf("%+v", c)
	}
	server.Close()
	if _, err := p.Send(t.Context(), requests, sending); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("a server that is gone: %v", err)
	}
}

// Decisions are told by outputs, or by scores and the threshold; the interval decides, and what was not answered never passes.
func TestCompare(t *testing.T) {
	t.Parallel()
	limit := 0.2
	for name, c := range map[string]struct {
		n, changed, faults int
		want               tallystick.Verdict
	}{
		"none changed": {40, 0, 0, tallystick.Pass}, // upper bound 8.8 %
		"a fault":      {40, 0, 1, tallystick.Inconclusive},
		"too many":     {40, 20, 0, tallystick.Fail},
		"neither":      {40, 6, 0, tallystick.Inconclusive},
		"too few":      {20, 0, 0, tallystick.Insufficient},
	} {
		var records []*prediction.Record
		var answers []replay.Reply
		for i := range c.n + c.faults {
			r := record(nil)
			r.Score, r.Threshold, r.Latency = prediction.Number(0.4), prediction.Number(0.5), prediction.Integer(2000)
			a := replay.Reply{ID: r.ID.String(), Score: prediction.Number(0.4), Latency: 4000}
			switch {
			case i < c.changed:
				a.Score = prediction.Number(0.75)
			case i >= c.n:
				a = replay.Reply{ID: a.ID, Fault: "HTTP 503"}
			}
			records, answers = append(records, r), append(answers, a)
		}
		got := replay.Compare(records, answers, replay.Terms{Tolerance: 1e-6, AtMost: &limit})
		if got.Verdict != c.want || got.Decisions.K != int64(c.changed) || got.Decided != "threshold" || got.Recorded.P50 != 2 || got.Replayed.P50 != 4 {
			t.Errorf("%s: %+v", name, got)
		}
		if len(got.Largest) != c.changed || c.changed > 0 && (!got.Largest[0].Changed || math.Abs(*got.Largest[0].Number-0.35) > 1e-12) {
			t.Errorf("%s: largest %+v", name, got.Largest)
		}
	}
	class := record(nil)
	class.Output = prediction.String("1")
	failed := record(nil)
	failed.Status = prediction.Failed
	overruled := record(nil)
	overruled.Output, overruled.Override = prediction.String("grant"), &prediction.Override{By: "bo", From: prediction.String("refuse")}
	got := replay.Compare([]*prediction.Record{class, failed, overruled}, []replay.Reply{
		{ID: class.ID.String(), Output: prediction.Integer(1)}, {ID: failed.ID.String(), Output: prediction.Integer(1)}, {ID: overruled.ID.String(), Output: prediction.String("refuse")},
	}, replay.Terms{})
	if got.Decisions == nil || got.Decisions.N != 2 || got.Decisions.K != 0 || got.Healed != 1 || got.Bare != 1 || got.Verdict != "" {
		t.Errorf("classes: %+v, decisions %+v", got, got.Decisions)
	}
}

package api_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// predicted puts predictions of a version into a segment.
func (h house) predicted(t testing.TB, lines ...string) []prediction.ID {
	t.Helper()
	var records []prediction.Record
	for _, line := range lines {
		r, err := prediction.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	answer, err := h.Predictions.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%+v, %v", answer, err)
	}
	if err := h.Predictions.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return answer.IDs
}

func TestPredictionRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.version(t, "credit", "model.bin", "weights")
	ids := h.predicted(t, `{"model":"credit","version":"1","score":0.25}`, `{"model":"credit","version":"1","score":0.75,"subject":"p-1"}`)
	auditor := h.as("mia", access.Auditor)
	got := read[struct {
		Record  struct{ ID, Model, Subject string }
		Segment string
		Index   uint64
	}](t, ask(t, auditor, "GET", "/predictions/"+ids[1].String(), nil, "Tallystick-Purpose", "a complaint").want(t, 200))
	if got.Record.ID != ids[1].String() || got.Record.Subject != "p-1" || got.Index != 1 || got.Segment == "" {
		t.Errorf("got %+v", got)
	}
	file := ask(t, auditor, "GET", "/predictions/"+ids[1].String()+"/proof", nil).want(t, 200).body
	if r := verify.Prediction(file, h.Workspace.Trust(), verify.ProofOptions{}); r.Verdict != verify.Verified || r.Subject != ids[1].String() {
		t.Errorf("the proof: %+v", r)
	}
	if n := h.count(t, trail.PredictionRead); n != 2 {
		t.Errorf("%d reads are on the trail", n)
	}
	for id, status := range map[string]int{prediction.NewID(time.Now()).String(): 404, "1": 400, strings.Repeat("x", 64): 400, strings.Repeat("x", 65): 422} {
		for _, path := range []string{"", "/proof"} {
			if a := ask(t, auditor, "GET", "/predictions/"+id+path, nil); a.StatusCode != status && !(status == 422 && a.StatusCode == 400) {
				t.Errorf("%s: %s, want %d", id+path, a, status)
			}
		}
	}
	if n := h.count(t, trail.PredictionRead); n != 2 {
		t.Errorf("%d reads are on the trail, of which nothing was told", n)
	}
}

func TestPredictionKeeping(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.version(t, "credit", "model.bin", "weights")
	ids := h.predicted(t, `{"model":"credit","version":"1","score":0.25}`, `{"model":"credit","version":"1","score":0.75}`)
	admin, path := h.as("mia", access.Admin), "/models/credit/retention"
	if a := ask(t, admin, "PUT", path, map[string]any{"days": 400, "reason": "the law"}).want(t, 200); !strings.Contains(string(a.body), `"days":400`) {
		t.Errorf("set: %s", a)
	}
	ask(t, admin, "PUT", path, map[string]any{"days": 400}).want(t, 200)
	if a := ask(t, h.as("vic", access.Viewer), "GET", path, nil).want(t, 200); !strings.Contains(string(a.body), `"days":400`) || h.count(t, trail.RetentionSet) != 1 {
		t.Errorf("get: %s", a)
	}
	ask(t, admin, "PUT", "/models/nobody/retention", map[string]any{"days": 1}).want(t, 404)
	erase := func(status int, ids ...string) answer {
		return ask(t, admin, "POST", "/predictions/erasures", map[string]any{"ids": ids, "reason": "she asked for it"}).want(t, status)
	}
	erase(404, ids[0].String(), prediction.NewID(time.Now()).String())
	erase(400, "x")
	if a := erase(200, ids[0].String()); !strings.Contains(string(a.body), `"erased":1`) {
		t.Errorf("erased: %s", a)
	}
	if p := ask(t, admin, "GET", "/predictions/"+ids[0].String(), nil).want(t, 404).problem(t); !strings.Contains(p.Detail, "was erased") {
		t.Errorf("an erased one: %+v", p)
	}
	ask(t, admin, "GET", "/predictions/"+ids[1].String()+"/proof", nil).want(t, 200)
}

// TestBodyOfADevice sends a body with the Go client, from its buffer on disk, and reads it back.
func TestBodyOfADevice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	scorer := h.recorder(t)
	ask(t, h.as("vera", access.Validator), "PUT", "/models/credit/body-rules/all", map[string]any{"share": 1}).want(t, 200)
	to, err := client.New(client.Config{Server: "http://localhost", Transport: client.Handler{Handler: scorer}})
	if err != nil {
		t.Fatal(err)
	}
	device, err := client.NewPredictions(client.PredictionsConfig{Client: to, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	request, response := []byte("{\"name\": \"Kim\"}\n"), []byte{0, 1, 2, 0xff}
	ids, err := device.Record(client.Prediction{
		Model: "credit", Version: "1", RequestBody: &client.Body{Type: "application/json", Data: request}, ResponseBody: &client.Body{Data: response},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- device.Run(ctx) }()
	err = device.Flush(ctx)
	end()
	if sent := <-ended; err != nil || sent != nil && !errors.Is(sent, context.Canceled) {
		t.Fatal(err, sent)
	}
	if err := h.Predictions.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	auditor := h.as("mia", access.Auditor)
	for part, want := range map[string][]byte{"request": request, "response": response} {
		if a := ask(t, auditor, "GET", "/predictions/"+ids[0]+"/bodies/"+part, nil).want(t, 200); !bytes.Equal(a.body, want) {
			t.Errorf("%s: %q, want %q", part, a.body, want)
		}
	}
}

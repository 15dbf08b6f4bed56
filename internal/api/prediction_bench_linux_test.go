package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// BenchmarkPredictions measures how many predictions 32 clients record over HTTP/JSON in batches of 500, each
// with a token and a name for its batch. Beside it, interleaved: the same records taken in without HTTP and JSON,
// named or not, and the same JSON only read. A record is some 400 bytes encoded. Clients and server share the machine's
// cores. What is reported are the medians of records a second, and of the CPU time that each took.
//
// Each iteration is one round of all, after one that is not counted. Ask for five at least: -benchtime 5x.
func BenchmarkPredictions(b *testing.B) {
	const clients, size = 32, 500
	h := newHouseOf(b, journal.Options{MaxStored: 64 << 30})
	h.recorder(b)
	server := httptest.NewServer(h.as(""))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	token := h.token(b, "eve", access.Scientist, access.PredictionRecord)
	records := make([]prediction.Record, size)
	var lines []string
	for i := range records {
		records[i] = benchRecord(i)
		lines = append(lines, string(records[i].AppendJSON(nil)))
	}
	body := "[" + strings.Join(lines, ",") + "]"
	encoded := records[0]
	encoded.Complete(h.Now())
	encoding, err := encoded.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("a record has %d bytes of JSON and %d encoded", len(body)/size, len(encoding))
	var number atomic.Int64
	name := func() string { return fmt.Sprint("batch", number.Add(1)) }

	ways := []struct {
		name string
		do   func() error
	}{
		{"http", func() error {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+api.Prefix+"/predictions", strings.NewReader(body))
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Batch-Id", name())
			response, err := c.Do(r)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			if err == nil && response.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s: %s", response.Status, answer)
			}
			return err
		}},
		{"named", func() error { return accept(h, name(), records) }},
		{"direct", func() error { return accept(h, "", records) }},
		{"json", func() error {
			for _, line := range lines {
				if _, err := prediction.ParseJSON([]byte(line)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"loopback", func() error { // HTTP alone: the same body, of which nothing is read but its end
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+api.Prefix+"/predictions", bytes.NewReader([]byte(body[:len(body)-1])))
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			response, err := c.Do(r)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusBadRequest {
				return fmt.Errorf("%s, %w", response.Status, err)
			}
			return nil
		}},
	}
	rates, cpu := map[string][]float64{}, map[string][]float64{}
	for i := -1; i < 0 || b.Loop(); i++ {
		for _, way := range ways {
			perSecond, used := rate(b, clients, way.do)
			if i >= 0 {
				rates[way.name], cpu[way.name] = append(rates[way.name], perSecond*size), append(cpu[way.name], used/size)
			}
			if err := h.Predictions.Cut(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, way := range ways {
		b.ReportMetric(median(rates[way.name]), way.name+"_records/s")
		b.ReportMetric(median(cpu[way.name]), way.name+"_cpu_µs/record")
	}
	b.ReportMetric(0, "ns/op")
}

func accept(h house, id string, records []prediction.Record) error {
	own := make([]prediction.Record, len(records)) // what is taken in is written to
	copy(own, records)
	_, err := h.Predictions.Accept(context.Background(), capture.Batch{Sender: "usr_eve", ID: id, Records: own})
	return err
}

// benchRecord returns a record of 12 numbers and 3 categories.
func benchRecord(i int) prediction.Record {
	random := rand.New(rand.NewPCG(1, uint64(i)))
	features := map[string]prediction.Value{}
	for n := range 12 {
		features[fmt.Sprintf("number_%d", n)] = prediction.Number(float64(random.IntN(100_000)) / 100)
	}
	for n := range 3 {
		features[fmt.Sprintf("category_%d", n)] = prediction.String("medium")
	}
	return prediction.Record{
		Model: "credit", Version: "1", Environment: "production", Subject: fmt.Sprintf("customer-%06d", i), Output: prediction.String("refuse"),
		Score: prediction.Number(random.Float64()), Latency: prediction.Integer(1830), Status: prediction.OK, Features: prediction.NewFeatures(features),
		TraceID: prediction.TraceID{1: 1, 2: byte(i)},
	}
}

package prediction_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

// shaped returns a record of the shape that the targets speak of: 20 numbers, 5 categories.
func shaped() prediction.Record {
	r := prediction.Record{
		Model: "credit-risk", Version: "4.2.0", Environment: "production", Output: prediction.String("refuse"),
		Score: prediction.Number(0.7313), Latency: prediction.Integer(1830), Status: prediction.OK, DecidedBy: prediction.Automated,
		InputDigest: "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", TraceID: prediction.TraceID{1: 1},
	}
	random := rand.New(rand.NewPCG(1, 1))
	m := map[string]prediction.Value{}
	for i := range 20 {
		m[fmt.Sprintf("number_%d", i)] = prediction.Number(float64(random.IntN(100_000)) / 100)
	}
	for i := range 5 {
		m[fmt.Sprintf("category_%d", i)] = prediction.String("medium")
	}
	r.Features = prediction.NewFeatures(m)
	r.Complete(received)
	return r
}

// BenchmarkRecord compares what is done to a record with SHA-256 of the bytes of its encoding.
func BenchmarkRecord(b *testing.B) {
	r := shaped()
	encoding, err := r.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	text := r.AppendJSON(nil)
	b.Logf("%d bytes encoded, %d of JSON", len(encoding), len(text))
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	run("sha256", func() { sha256.Sum256(encoding) })
	run("leaf", func() { prediction.LeafOf(encoding) })
	buffer := make([]byte, 0, 4096)
	run("encode", func() { buffer, _ = r.Append(buffer[:0]) })
	run("decode", func() { _, _ = prediction.Decode(encoding) })
	var view prediction.View
	run("view", func() { _ = view.Decode(encoding) })
	run("validate", func() { _ = r.Validate() })
	run("complete", func() { r.Complete(received) })
	run("json-read", func() { _, _ = prediction.ParseJSON(text) })
	run("json-write", func() { buffer = r.AppendJSON(buffer[:0]) })
	var any map[string]any
	run("json-read-std", func() { _ = json.Unmarshal(text, &any) })
}

package segment_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

var began = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// shaped returns n encodings of the shape that the targets speak of: 20 numbers as a model of
// credit has them (counts, amounts to a cent, shares to a thousandth, codes) and 5 categories.
func shaped(tb testing.TB, n int) [][]byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(7, 7))
	words := []string{"low", "medium", "high", "very high", "none", "other"}
	var encodings [][]byte
	features := make(prediction.Features, 0, 25)
	for i := range n {
		features = features[:0]
		for k := range 5 {
			features = append(features, prediction.Feature{Name: fmt.Sprintf("category_%d", k), Value: prediction.String(words[random.IntN(len(words))])})
		}
		for k := range 20 {
			var x float64
			switch k % 4 {
			case 0:
				x = float64(random.IntN(60))
			case 1:
				x = float64(int(random.ExpFloat64()*200_000)) / 100
			case 2:
				x = float64(random.IntN(1000)) / 1000
			case 3:
				x = float64(int(random.NormFloat64()*100)) / 100
			}
			features = append(features, prediction.Feature{Name: fmt.Sprintf("number_%02d", k), Value: prediction.Number(x)})
		}
		r := prediction.Record{
			ID: madeID(random, began.Add(time.Duration(i)*100*time.Microsecond)), Time: prediction.TimeOf(began.Add(time.Duration(i) * 100 * time.Microsecond)),
			Model: "credit-risk", Version: "4.2.0", Environment: "production", Route: "/v1/score",
			InputDigest: digestOf(random), Features: features,
			Output: prediction.String(words[random.IntN(2)]), Score: prediction.Number(float64(random.IntN(10_000)) / 10_000),
			Threshold: prediction.Number(0.5), Latency: prediction.Integer(int64(800 + random.IntN(3000))),
			Status: prediction.OK, DecidedBy: prediction.Automated,
		}
		fill(random, r.TraceID[:])
		fill(random, r.Salt[:])
		encoding, err := r.Append(nil)
		if err != nil {
			tb.Fatal(err)
		}
		encodings = append(encodings, encoding)
	}
	return encodings
}

func madeID(random *rand.Rand, at time.Time) (id prediction.ID) {
	fill(random, id[:])
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

func digestOf(random *rand.Rand) tallystick.Digest {
	var sum [32]byte
	fill(random, sum[:])
	return tallystick.Digest(fmt.Sprintf("sha256:%x", sum))
}

func fill(random *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}

// each yields encodings without an error.
func each(encodings [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, encoding := range encodings {
			if !yield(encoding, nil) {
				return
			}
		}
	}
}

package query_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// BenchmarkAggregate counts rows a second of one core: a mean over a condition (three columns with the time), and
// a hundred groups.
func BenchmarkAggregate(b *testing.B) {
	const rows = 200_000
	h := bare(b)
	random := rand.New(rand.NewPCG(8, 9))
	encodings := make([][]byte, rows)
	for i := range encodings {
		r := prediction.Record{Model: "credit", Version: "1", Score: prediction.Number(float64(random.IntN(10_000)) / 10_000)}
		r.Complete(began.Add(time.Duration(i) * time.Second))
		r.Features = prediction.NewFeatures(map[string]prediction.Value{
			"income": prediction.Number(float64(random.IntN(90_000))), "shop": prediction.String(fmt.Sprint("shop ", random.IntN(100))),
		})
		var err error
		if encodings[i], err = r.Append(nil); err != nil {
			b.Fatal(err)
		}
	}
	h.shelf.add(b, "bench", each(encodings))
	high, err := query.ParseCondition("f_income >= 30000")
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]query.Figures{
		"mean":   {Selection: query.Selection{Where: []query.Condition{high}}, Means: []string{"score"}},
		"groups": {By: []string{"f_shop"}, Means: []string{"score"}},
	} {
		q.Model = "credit"
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if a, err := h.Aggregate(b.Context(), q); err != nil || a.Predictions == 0 {
					b.Fatal(a.Predictions, err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

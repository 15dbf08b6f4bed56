package profile_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/profile"
)

func BenchmarkOf(b *testing.B) {
	data := open(b, people(1, 200_000, 0.1, 0))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := profile.Of(b.Context(), data, profile.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(data.Rows()*5)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mcells/s")
}

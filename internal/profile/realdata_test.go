package profile_test

import (
	"math"
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

func openData(t *testing.T, path string) *table.Table {
	t.Helper()
	path = "../../../shared/data/" + path
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs %s: %v", path, err)
	}
	data, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	return data
}

func numbers(t *testing.T, data *table.Table, column string) (values []float64) {
	t.Helper()
	err := data.Scan(t.Context(), []string{column}, func(b *table.Block) error {
		values = append(values, b.Cols[0].Float...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestCaliforniaHousing compares percentiles with those of NumPy 2 (numpy.percentile, its default
// method), and the PSI that two profiles give with the exact one of the values.
func TestCaliforniaHousing(t *testing.T) {
	t.Parallel()
	before := openData(t, "california-housing/california_housing_reference.csv")
	after := openData(t, "california-housing/california_housing_analysis.csv")
	a, err := profile.Of(t.Context(), before, profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := profile.Of(t.Context(), after, profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		p1, p37, p99 float64
		distinct     int64
	}{
		"MedInc":   {1.3065660000000001, 3.293488, 10.876578999999973, 4635},
		"AveOccup": {1.4872911144885363, 2.6734982456140353, 5.64000184569952, 5672},
		"HouseAge": {4, 24, 52, 52},
	} {
		c, _ := a.Column(name)
		p := c.Numbers.Percentiles
		if math.Abs(p[1]-want.p1) > 1e-9 || math.Abs(p[37]-want.p37) > 1e-9 || math.Abs(p[99]-want.p99) > 1e-9 {
			t.Errorf("%s: percentiles %v, %v, %v, want %+v", name, p[1], p[37], p[99], want)
		}
		if math.Abs(float64(c.Distinct-want.distinct)) > 0.05*float64(want.distinct) {
			t.Errorf("%s: %d distinct values, want %d", name, c.Distinct, want.distinct)
		}
	}
	found := map[string]float64{}
	for _, m := range profile.Compare(a, b).Moves {
		found[m.Column] = float64(m.PSI)
	}
	for _, name := range []string{"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"} {
		reference, err := stat.NewReference(numbers(t, before, name))
		if err != nil {
			t.Fatal(err)
		}
		exact := reference.Compare(numbers(t, after, name)).Deciles.PSI
		psi, moved := found[name]
		if name == "HouseAge" { // few values: compared one by one, so the PSI is not that of deciles
			continue
		}
		if moved != (exact >= profile.MovedPSI) || moved && (psi >= profile.StrongPSI) != (exact >= profile.StrongPSI) {
			t.Errorf("%s: PSI %.4f (moved: %v), exactly %.4f", name, psi, moved, exact)
		}
	}
}

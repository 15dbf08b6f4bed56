package contract_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

// Limits speak of the metrics that an audit measures, by the same names.
func TestMetricsAreThoseOfPerformance(t *testing.T) {
	t.Parallel()
	var p performance.Performance
	for _, field := range reflect.ValueOf(&p).Elem().Fields() {
		if field.Type() == reflect.TypeFor[*stat.Estimate]() {
			field.Set(reflect.ValueOf(&stat.Estimate{}))
		}
	}
	var measured []string
	for _, m := range p.Metrics() {
		measured = append(measured, m.Name)
	}
	limited := contract.PerformanceMetrics()
	slices.Sort(measured)
	slices.Sort(limited)
	if diff := cmp.Diff(measured, limited); diff != "" {
		t.Errorf("metrics (-measured +limited):\n%s", diff)
	}
}

package expectation

import (
	"strings"
	"testing"
)

func TestExample(t *testing.T) {
	t.Parallel()
	results, err := Run(t.Context(), "../../examples/monitors/credit_test.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, f := range r.Faults {
			t.Errorf("%s: %+v", r.Test, f)
		}
	}
	if len(results) != 2 {
		t.Errorf("%d tests", len(results))
	}
}

// A row can be told by its slice; one that is not there is missed, and those that are there are named.
func TestSlices(t *testing.T) {
	t.Parallel()
	results, err := Run(t.Context(), "testdata/slices_test.yaml", "")
	if err != nil || len(results) != 2 {
		t.Fatalf("%d tests, %v", len(results), err)
	}
	if f := results[0].Faults; len(f) != 0 {
		t.Errorf("%+v", f)
	}
	if f := results[1].Faults; len(f) != 1 || f[0].What != `slices of latency p99 where region = "west"` || !strings.Contains(f[0].Words, `slices of latency p99 where region = "north"`) {
		t.Errorf("%+v", f)
	}
}

package expectation

import "testing"

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

package query_test

import (
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
)

// TestHolds: a condition asked of a record by itself is true where one asked of the columns is.
func TestHolds(t *testing.T) {
	t.Parallel()
	h := made(t, 1000)
	asked := 0
	for _, c := range conditions {
		condition := parse(t, c.text)
		if query.OfRecord(condition.Column) != nil {
			continue
		}
		asked++
		for i := range h.records {
			r := &h.records[i]
			if got, want := condition.Holds(r), c.mean(h, r); got != want {
				t.Errorf("%s of %s: %v, want %v", c.text, r.AppendJSON(nil), got, want)
				break
			}
		}
	}
	if asked < 20 {
		t.Errorf("only %d conditions were asked", asked)
	}
	for _, column := range []string{"label", "leaf", "day", "nothing"} {
		if err := query.OfRecord(column); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", column, err)
		}
	}
}

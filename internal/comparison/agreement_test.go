package comparison_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/query"
)

// Where more answers lie in a day than are looked at together it is read in parts, and the pairs are those of all: 210,000 predictions
// of two versions to the same inputs, in four hours.
func TestAgreementInParts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sends 210,000 predictions")
	}
	h := open(t)
	four := usual
	four.yes = 0.5
	var alike int64
	for i := range 3 {
		from := noon.Add(time.Duration(i) * time.Hour)
		all := h.predict(from, 35_000, 1, four, usual)
		for k := 0; k < len(all); k += 2 {
			if all[k].Output == all[k+1].Output {
				alike++
			}
		}
		h.now = from.Add(time.Hour + 2*time.Minute)
		h.send(t, all)
	}
	party := func(version string, _ time.Time) comparison.Party {
		return map[string]comparison.Party{"3": comparison.Incumbent, "4": comparison.Candidate}[version]
	}
	a := comparison.Agreement{PairBy: "trace_id", Within: time.Second}
	var pairs, good int64
	err := a.Count(t.Context(), h.asker, query.Selection{Model: "credit", From: noon.Add(-time.Hour), To: noon.Add(5 * time.Hour)}, party, func(_ time.Time, is bool) {
		if pairs++; is {
			good++
		}
	})
	if err != nil || pairs != 3*35_000 || good != alike {
		t.Errorf("%d of %d pairs are alike, %v; want %d of %d", good, pairs, err, alike, 3*35_000)
	}
}

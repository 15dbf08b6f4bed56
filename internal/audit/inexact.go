package audit

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/performance"
)

// inexact says what is not exact because there are too many rows, and by how much. Counts, rates,
// means and sums always are, and so are categories.
func (r *rows) inexact(cfg Config, p *plan, in inputs) []string {
	var words []string
	if !r.exact {
		words = append(words, fmt.Sprintf("Of %d rows, more than %d, values are counted in cells and not held. Numbers are compared with the reference at 65,536 of its quantiles; the distance of each states how far off it may be.", r.n, cfg.ExactRows))
		if r.task == performance.Binary && p.Score != "" {
			words = append(words, "Scores are counted in cells too: each ROC AUC and average precision states how far off it may be, and its interval is wider by as much. The slope and intercept of the calibration take each score for the middle of its cell. The calibration error in bins of equal mass is left out.")
		}
	}
	if l := r.looked; l.step > 1 {
		words = append(words, fmt.Sprintf("Slices and leakage were looked for in every %d-th row, %d of %d.", l.step, l.len(), r.n))
	}
	if in.reference != nil {
		if step := referenceStep(in.reference.Rows()); step > 1 {
			words = append(words, fmt.Sprintf("Numbers were compared with every %d-th row of the reference, which has %d.", step, in.reference.Rows()))
		}
	}
	return words
}

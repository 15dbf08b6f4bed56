package stat

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Isotonic is a rising curve from scores to probabilities: straight between its points, and level
// outside of them.
type Isotonic struct {
	Scores        []float64 `json:"scores"` // strictly ascending
	Probabilities []float64 `json:"probabilities"`
}

// Isotonic returns the rising curve that is nearest to the labels in squares, by pooling adjacent
// violators (Ayer and others, Annals of Mathematical Statistics 26 (1955) 641-647; Zadrozny and
// Elkan, KDD 2002, 694-699). Points in the middle of a level stretch are left out, as scikit-learn
// does. It has no points without rows.
func (s *Scored) Isotonic() Isotonic {
	type block struct{ first, last, positives, rows float64 }
	var blocks []block
	s.ascending(func(score float64, p, n int) {
		b := block{score, score, float64(p), float64(p + n)}
		for len(blocks) > 0 {
			above := blocks[len(blocks)-1]
			if above.positives*b.rows < b.positives*above.rows {
				break
			}
			b = block{above.first, b.last, above.positives + b.positives, above.rows + b.rows}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	})
	var c Isotonic
	for _, b := range blocks {
		c.Scores = append(c.Scores, b.first)
		c.Probabilities = append(c.Probabilities, b.positives/b.rows)
		if b.last > b.first {
			c.Scores = append(c.Scores, b.last)
			c.Probabilities = append(c.Probabilities, b.positives/b.rows)
		}
	}
	return c
}

// At returns the probability of a score, NaN of NaN and without points.
func (c Isotonic) At(score float64) float64 {
	n := len(c.Scores)
	if n == 0 || math.IsNaN(score) {
		return math.NaN()
	}
	i, found := slices.BinarySearch(c.Scores, score)
	switch {
	case found:
		return c.Probabilities[i]
	case i == 0:
		return c.Probabilities[0]
	case i == n:
		return c.Probabilities[n-1]
	}
	t := (score - c.Scores[i-1]) / (c.Scores[i] - c.Scores[i-1])
	return c.Probabilities[i-1] + t*(c.Probabilities[i]-c.Probabilities[i-1])
}

// UnmarshalJSON reads what json.Marshal wrote, and refuses what is no rising curve.
func (c *Isotonic) UnmarshalJSON(data []byte) error {
	type plain Isotonic
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if len(p.Scores) != len(p.Probabilities) {
		return fmt.Errorf("read isotonic curve: %d scores with %d probabilities", len(p.Scores), len(p.Probabilities))
	}
	for i, q := range p.Probabilities {
		if !(q >= 0 && q <= 1) || i > 0 && (p.Scores[i] <= p.Scores[i-1] || q < p.Probabilities[i-1]) {
			return errors.New("read isotonic curve: it does not rise")
		}
	}
	*c = Isotonic(p)
	return nil
}

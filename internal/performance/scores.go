package performance

import "github.com/tallystick/tallystick/internal/stat"

// Scores gathers the labelled scores of binary predictions: every one of them, or counts in cells,
// whose memory does not grow with the rows. Figures from cells state how far off they may be; sums
// and means are exact either way. Add everything before asking for a figure.
type Scores struct {
	probability bool

	positive, negative []float64 // by label
	sorted             *stat.Scored

	cells       *stat.ScoreHistogram // instead of the above; nil where every score is kept
	streamed    stat.Losses
	reliability *stat.Reliability

	losses *stat.Losses
}

// NewScores returns a Scores that keeps every score. probability says whether scores are
// probabilities; others only rank. positives and negatives say how many of each label there will
// be, if that is known.
func NewScores(probability bool, positives, negatives int) *Scores {
	return &Scores{probability: probability, positive: make([]float64, 0, positives), negative: make([]float64, 0, negatives)}
}

// NewCountedScores returns a Scores that counts scores in cells of equal width over [low, high].
// Scores beyond count in the outermost cells.
func NewCountedScores(probability bool, low, high float64, cells int) (*Scores, error) {
	if !(low < high) {
		low, high = low-0.5, low+0.5
	}
	h, err := stat.NewScoreHistogram(low, high, cells)
	if err != nil {
		return nil, err
	}
	return &Scores{probability: probability, cells: h, reliability: stat.NewReliability(stat.EqualWidthBins(calibrationBins))}, nil
}

// Add takes in one finite score.
func (s *Scores) Add(score float64, positive bool) {
	switch {
	case s.cells != nil:
		_ = s.cells.Add(score, positive) // it refuses NaN alone
		if s.probability {
			s.streamed.Add(score, positive)
			s.reliability.Add(score, positive)
		}
	case positive:
		s.positive = append(s.positive, score)
	default:
		s.negative = append(s.negative, score)
	}
}

// N returns the number of scores.
func (s *Scores) N() int64 {
	if s.cells != nil {
		return s.cells.N()
	}
	return int64(len(s.positive) + len(s.negative))
}

// Exact reports whether every score was kept.
func (s *Scores) Exact() bool { return s.cells == nil }

// ROCAUC returns the area under the ROC curve.
func (s *Scores) ROCAUC() stat.Estimate {
	area, _ := s.areas()
	return area
}

func (s *Scores) scored() *stat.Scored {
	if s.sorted == nil {
		s.sorted = stat.SortScored(s.positive, s.negative)
	}
	return s.sorted
}

// areas returns those under the ROC curve and under the precision-recall curve.
func (s *Scores) areas() (roc, precision stat.Estimate) {
	if s.cells != nil {
		return s.cells.Estimates()
	}
	return s.scored().Estimates()
}

func (s *Scores) curves() (roc, precision []stat.Point) {
	if s.cells != nil {
		return s.cells.ROC(), s.cells.PrecisionRecall()
	}
	return s.scored().ROC(), s.scored().PrecisionRecall()
}

func (s *Scores) loss() *stat.Losses {
	if s.losses == nil {
		s.losses = &s.streamed
		if s.cells == nil {
			s.losses = s.scored().Losses()
		}
	}
	return s.losses
}

func (s *Scores) equalWidth() *stat.Reliability {
	if s.cells != nil {
		return s.reliability
	}
	return s.scored().Reliability(stat.EqualWidthBins(calibrationBins))
}

func (s *Scores) recalibration() stat.Recalibration {
	if s.cells != nil {
		return s.cells.Recalibration()
	}
	return s.scored().Recalibration()
}

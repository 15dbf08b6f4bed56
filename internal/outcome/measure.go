package outcome

import (
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

func quantiles(values, qs []float64) (at []time.Duration) {
	slices.Sort(values)
	for _, q := range qs {
		x := stat.Quantile(values, q)
		if math.IsNaN(x) {
			return nil
		}
		at = append(at, time.Duration(x*float64(time.Second)).Round(time.Second))
	}
	return at
}

// Performance measures the rows that have an output and a label. It is nil if there are none, and an Invalid error if
// numbers are too large to be squared.
func (s *Set) Performance() (*performance.Performance, error) {
	s.Settle()
	switch s.Reading.Task {
	case performance.Regression:
		return s.regression()
	case performance.Multiclass:
		return s.multiclass(), nil
	}
	c := s.Confusion()
	if c.N() == 0 {
		return nil, nil
	}
	return performance.OfBinary(c, s.Scores()), nil
}

// Confusion counts the rows of a binary task that have a decision and a label.
func (s *Set) Confusion() (c stat.Confusion) {
	for _, r := range s.kept {
		if r.predicted == r.predicted && r.actual == r.actual {
			c.Count(r.predicted == 1, r.actual == 1)
		}
	}
	return c
}

// Scores returns the labelled scores of a binary task, nil if there are none.
func (s *Set) Scores() *performance.Scores {
	scores, positive, _ := s.Scored()
	if len(scores) == 0 {
		return nil
	}
	gathered := performance.NewScores(Probabilities(scores), 0, 0)
	for i, x := range scores {
		gathered.Add(x, positive[i])
	}
	return gathered
}

// Probabilities reports whether all scores lie within [0, 1].
func Probabilities(scores []float64) bool {
	return !slices.ContainsFunc(scores, func(x float64) bool { return x < 0 || x > 1 })
}

// Scored returns the scores of a binary task that have a label, with the labels and, if every one has one, the decisions.
func (s *Set) Scored() (scores []float64, positive, predicted []bool) {
	s.Settle()
	whole := true
	for _, r := range s.kept {
		if r.score != r.score || r.actual != r.actual {
			continue
		}
		scores, positive = append(scores, r.score), append(positive, r.actual == 1)
		predicted = append(predicted, r.predicted == 1)
		whole = whole && r.predicted == r.predicted
	}
	if !whole {
		predicted = nil
	}
	return scores, positive, predicted
}

// AllScores returns the scores of a binary task, labelled or not, with the decisions if every one has one.
func (s *Set) AllScores() (scores []float64, predicted []bool) {
	s.Settle()
	whole := true
	for _, r := range s.kept {
		if r.score != r.score {
			continue
		}
		scores, predicted = append(scores, r.score), append(predicted, r.predicted == 1)
		whole = whole && r.predicted == r.predicted
	}
	if !whole {
		predicted = nil
	}
	return scores, predicted
}

func (s *Set) multiclass() *performance.Performance {
	classes, places := s.classes.sorted()
	counts := make(stat.Matrix, len(classes))
	for i := range counts {
		counts[i] = make([]int64, len(classes))
	}
	for _, r := range s.kept {
		if r.predicted == r.predicted && r.actual == r.actual {
			counts[places[int(r.actual)]][places[int(r.predicted)]]++
		}
	}
	if counts.N() == 0 {
		return nil
	}
	return performance.OfMatrix(classes, counts)
}

func (s *Set) regression() (*performance.Performance, error) {
	var errors *performance.Errors
	for _, r := range s.kept {
		if r.predicted != r.predicted || r.actual != r.actual {
			continue
		}
		if errors == nil {
			errors = performance.NewErrors(r.actual)
		}
		errors.Add(r.predicted, r.actual)
	}
	if errors == nil {
		return nil, nil
	}
	return errors.Performance()
}

// Wrong counts the rows with an output and a label of which the output was wrong: another class, or, in a regression, a
// number that is off by more than the tolerance.
func (s *Set) Wrong(tolerance float64) (p stat.Proportion) {
	for _, r := range s.kept {
		if r.predicted != r.predicted || r.actual != r.actual {
			continue
		}
		p.N++
		if off := math.Abs(r.predicted - r.actual); s.Reading.Task == performance.Regression && off > tolerance || s.Reading.Task != performance.Regression && off != 0 {
			p.K++
		}
	}
	return p
}

// Counter counts the decisions of a binary task by attributes; references names the value that others of its attribute are
// compared with. It is an Invalid error where an attribute has more than MaxValues values.
func (s *Set) Counter(references map[string]string) (*fairness.Counter, error) {
	if s.wrong != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has more than %d values", s.wrong, MaxValues).WithHint("put them into classes first: a measurement is no group")
	}
	attributes := make([]fairness.Attribute, len(s.Groups))
	places := make([][]uint16, len(s.Groups))
	for i, name := range s.Groups {
		attributes[i] = fairness.Attribute{Name: name, Reference: references[name]}
		attributes[i].Values, places[i] = s.values[i].sorted()
	}
	c, err := fairness.NewCounter(attributes)
	if err != nil {
		return nil, err
	}
	codes := make([]uint32, len(s.Groups))
	for _, r := range s.kept {
		if r.predicted != r.predicted {
			continue
		}
		for i := range codes {
			codes[i] = uint32(places[i][r.groups[i]])
		}
		truth := fairness.Unknown
		if r.actual == r.actual {
			truth = fairness.Truth(r.actual)
		}
		c.Add(truth, r.predicted == 1, codes)
	}
	return c, nil
}

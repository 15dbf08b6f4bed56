package window

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Label is what is known of a row's outcome.
type Label uint8

// The three labels.
const (
	Negative Label = iota
	Positive
	Unlabelled // no label, or not yet
	labels
)

// Limits of scores.
const (
	MaxScoreCells  = 4096
	MaxScoreGroups = 256
)

// ScoreOptions sets how scores are counted; scores of equal options merge.
type ScoreOptions struct {
	Low, High float64  // the range; a score outside counts in the cell at that end
	Cells     int      // even cells over the range, 1 to MaxScoreCells
	Groups    []string // distinct, at most MaxScoreGroups; rows of no listed group are counted together
}

// Scores counts scores by label and group, which is what ranking, calibration and fairness of a window
// are computed from. Like profiles, scores merge exactly in any order. It is for one goroutine.
type Scores struct {
	options ScoreOptions
	index   map[string]int
	// By group in the order of the options, the rows of no listed group last; then by label.
	counts  [][labels][]int64
	missing [][labels]int64
}

// NewScores returns empty scores. It returns an Invalid error for options out of range.
func NewScores(o ScoreOptions) (*Scores, error) {
	if !(o.Low < o.High) || !isFinite(o.High-o.Low) || o.Cells < 1 || o.Cells > MaxScoreCells {
		return nil, tallystick.Errorf(tallystick.Invalid, "scores in %d cells over [%v, %v]", o.Cells, o.Low, o.High).
			WithHint("give a finite range and 1 to %d cells", MaxScoreCells)
	}
	if len(o.Groups) > MaxScoreGroups {
		return nil, tallystick.Errorf(tallystick.Invalid, "scores of %d groups, more than %d", len(o.Groups), MaxScoreGroups)
	}
	o.Low, o.High, o.Groups = o.Low+0, o.High+0, slices.Clone(o.Groups) // no negative zero
	s := &Scores{options: o, index: make(map[string]int, len(o.Groups))}
	for i, group := range o.Groups {
		if _, twice := s.index[group]; twice || ValueName(group) != group {
			return nil, tallystick.Errorf(tallystick.Invalid, "group %.80q comes twice, or is not at most %d bytes of UTF-8", group, maxValue)
		}
		s.index[group] = i
	}
	s.counts, s.missing = make([][labels][]int64, len(o.Groups)+1), make([][labels]int64, len(o.Groups)+1)
	return s, nil
}

// Options returns how scores are counted.
func (s *Scores) Options() ScoreOptions {
	o := s.options
	o.Groups = slices.Clone(o.Groups)
	return o
}

// Add counts one row. A score that is NaN is counted as missing; a group that is not listed is counted
// with the others of its kind.
func (s *Scores) Add(group string, label Label, score float64) {
	at, listed := s.index[group]
	if !listed {
		at = len(s.options.Groups)
	}
	label = min(label, Unlabelled)
	if score != score {
		s.missing[at][label]++
		return
	}
	cells := &s.counts[at][label]
	if *cells == nil {
		*cells = make([]int64, s.options.Cells)
	}
	(*cells)[s.cell(score)]++
}

// cell is the rule of stat.ScoreHistogram.
func (s *Scores) cell(score float64) int {
	o := &s.options
	return int(max(0, min(float64(o.Cells-1), (score-o.Low)/(o.High-o.Low)*float64(o.Cells))))
}

// Merge takes in the rows of other. It returns an Invalid error unless both have the same options.
func (s *Scores) Merge(other *Scores) error {
	a, b := s.options, other.options
	if a.Low != b.Low || a.High != b.High || a.Cells != b.Cells || !slices.Equal(a.Groups, b.Groups) {
		return tallystick.Errorf(tallystick.Invalid, "merge scores: ranges, cells or groups differ").
			WithHint("count the rows again in the same way")
	}
	for g := range s.counts {
		for l := range labels {
			s.missing[g][l] += other.missing[g][l]
			from := other.counts[g][l]
			if from == nil {
				continue
			}
			if s.counts[g][l] == nil {
				s.counts[g][l] = make([]int64, a.Cells)
			}
			for i, n := range from {
				s.counts[g][l][i] += n
			}
		}
	}
	return nil
}

// Counts returns the rows of a group and label by cell, and those without a score. The group is an
// index of the options; their number stands for the rows of no listed group.
func (s *Scores) Counts(group int, label Label) (cells []int64, missing int64) {
	if cells = slices.Clone(s.counts[group][label]); cells == nil {
		cells = make([]int64, s.options.Cells)
	}
	return cells, s.missing[group][label]
}

// Histogram returns the labelled scores of a group, or of all rows if it is negative.
func (s *Scores) Histogram(group int) (*stat.ScoreHistogram, error) {
	negative, positive := make([]int64, s.options.Cells), make([]int64, s.options.Cells)
	for g := range s.counts {
		if group >= 0 && g != group {
			continue
		}
		for i, n := range s.counts[g][Negative] {
			negative[i] += n
		}
		for i, n := range s.counts[g][Positive] {
			positive[i] += n
		}
	}
	return stat.CountedScores(s.options.Low, s.options.High, positive, negative)
}

// scoresMagic begins all scores; the digit is the version of the form.
const scoresMagic = "tallystick.window.scores/1\n"

// Marshal returns the one binary form: equal scores have equal bytes. The numbers are written as in
// Profile.Marshal: the bits of the range, cells, groups, and then by group and label the rows without
// a score and those of each cell that has any.
func (s *Scores) Marshal() []byte {
	e := encoder{append(make([]byte, 0, 1024), scoresMagic...)}
	o := &s.options
	e.varint(0, math.Float64bits(o.Low))
	e.varint(0, math.Float64bits(o.High))
	e.count(int64(o.Cells))
	e.count(int64(len(o.Groups)))
	for _, group := range o.Groups {
		e.count(int64(len(group)))
		e.data = append(e.data, group...)
	}
	for g := range s.counts {
		for l := range labels {
			e.count(s.missing[g][l])
			cells := s.counts[g][l]
			e.list(len(cells), func(i int) bool { return cells[i] != 0 }, func(i int) { e.count(cells[i]) })
		}
	}
	return e.data
}

// ParseScores reads what Scores.Marshal wrote. It returns an Invalid error for anything else.
func ParseScores(data []byte) (*Scores, error) {
	d := decoder{data: data}
	if d.text(len(scoresMagic)) != scoresMagic {
		return nil, tallystick.Errorf(tallystick.Invalid, "scores do not begin as scores do")
	}
	var o ScoreOptions
	o.Low, o.High = d.float(), d.float()
	o.Cells = int(d.count(MaxScoreCells))
	for range d.count(MaxScoreGroups) {
		o.Groups = append(o.Groups, d.text(int(d.count(maxValue))))
	}
	if d.wrong != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "scores: %s", d.wrong)
	}
	s, err := NewScores(o)
	if err != nil {
		return nil, err
	}
	for g := range s.counts {
		for l := range labels {
			s.missing[g][l] = d.count(maxWindow)
			d.list(o.Cells, func(i int) {
				if s.counts[g][l] == nil {
					s.counts[g][l] = make([]int64, o.Cells)
				}
				s.counts[g][l][i] = d.positive(maxWindow)
			})
		}
	}
	if d.wrong != "" || d.left() > 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "scores: %s, %d bytes left", d.wrong, d.left())
	}
	return s, nil
}

// float reads a float64 as its bits; negative zero has no place in scores.
func (d *decoder) float() float64 {
	hi, lo := d.varint()
	if hi > 0 || lo == 1<<63 {
		d.fail("number out of range")
	}
	return math.Float64frombits(lo)
}

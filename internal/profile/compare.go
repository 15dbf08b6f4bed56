package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// The rules by which a column has moved.
const (
	MovedPSI     = 0.1  // and significantly
	StrongPSI    = 0.25 // likewise
	MovedMissing = 0.01 // the share of missing values has changed by that much, and significantly
	MinRows      = 200  // on either side, below which nothing is said

	falseDiscovery = 0.05 // of the columns said to have moved (Benjamini-Hochberg)
	bins           = 10
)

// Move says how a column differs between two profiles.
type Move struct {
	Column string      `json:"column" doc:"Name of the column."`
	What   Difference  `json:"what" enum:"missing,spread,added,removed,kind,unreadable" doc:"What differs most."`
	Strong bool        `json:"strong,omitempty" doc:"True: it differs by more than data do that merely age."`
	From   float64     `json:"from_missing" doc:"Share of rows before without a value, or with one that is not finite."`
	To     float64     `json:"to_missing" doc:"The same share after."`
	PSI    stat.Number `json:"psi" doc:"Population stability index over deciles or values; null where it cannot be had."`
	Text   string      `json:"text" doc:"The difference in words."`
}

// Difference is a way in which a column can differ.
type Difference string

// The ways, worst first.
const (
	Removed    Difference = "removed"
	Unreadable Difference = "unreadable"
	OtherKind  Difference = "kind"
	MoreGone   Difference = "missing"
	OtherShape Difference = "spread"
	Added      Difference = "added"
)

// Comparison is what moved from one profile to another.
type Comparison struct {
	Moves []Move `json:"moves,omitempty" doc:"The columns that moved, what matters most first."`
	// Open names what could not be compared, and why.
	Open []string `json:"open,omitempty" doc:"What could not be compared, and why."`
}

// Compare returns how b differs from a. Shapes are compared by the PSI over a's deciles, read off the
// percentiles of both, or over single values where there are few. A column has moved only if that is
// significant among all columns.
func Compare(a, b Profile) Comparison {
	var result Comparison
	if min(a.Rows, b.Rows) < MinRows {
		result.Open = append(result.Open, fmt.Sprintf("%d and %d rows are too few to tell a shift from chance (%d are needed)", a.Rows, b.Rows, MinRows))
	}
	var shapes []shape
	for _, x := range a.Columns {
		y, there := b.Column(x.Name)
		move := Move{Column: x.Name, From: x.missing(a.Rows), To: y.missing(b.Rows), PSI: stat.Number(math.NaN())}
		switch {
		case !there:
			move.What, move.Strong, move.Text = Removed, true, fmt.Sprintf("column %s is gone", x.Name)
			result.Moves = append(result.Moves, move)
		case y.Fault != "" && x.Fault == "":
			move.What, move.Strong, move.Text = Unreadable, true, fmt.Sprintf("column %s can no longer be read: %s", x.Name, y.Fault)
			result.Moves = append(result.Moves, move)
		case x.Fault != "" || y.Fault != "":
			result.Open = append(result.Open, fmt.Sprintf("column %s could not be read before: %s", x.Name, x.Fault))
		case x.Kind != y.Kind:
			move.What, move.Strong, move.Text = OtherKind, true, fmt.Sprintf("column %s was %s and is %s", x.Name, x.Kind, y.Kind)
			result.Moves = append(result.Moves, move)
		default:
			if why := x.closed(y); why != "" {
				result.Open = append(result.Open, fmt.Sprintf("column %s %s: only its missing values are compared", x.Name, why))
			}
			if min(a.Rows, b.Rows) >= MinRows {
				shapes = append(shapes, newShape(move, x, y, a.Rows, b.Rows))
			}
		}
	}
	for _, y := range b.Columns {
		if _, there := a.Column(y.Name); !there {
			result.Moves = append(result.Moves, Move{Column: y.Name, What: Added, To: y.missing(b.Rows), PSI: stat.Number(math.NaN()), Text: fmt.Sprintf("column %s is new", y.Name)})
		}
	}
	result.Moves = append(result.Moves, judge(shapes)...)
	slices.SortStableFunc(result.Moves, func(x, y Move) int {
		return cmp.Or(compareBool(y.Strong, x.Strong), cmp.Compare(y.weight(), x.weight()))
	})
	return result
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// weight orders moves: what is gone, then by missing values and shift.
func (m Move) weight() float64 {
	switch m.What {
	case Removed, Unreadable, OtherKind:
		return math.Inf(1)
	case MoreGone:
		return 10 * math.Abs(m.To-m.From)
	case OtherShape:
		return float64(m.PSI)
	}
	return 0
}

// lost counts the rows without a value that can be used.
func (c Column) lost() int64 { return c.Missing + c.NonFinite }

func (c Column) missing(rows int64) float64 {
	if rows == 0 {
		return 0
	}
	return float64(c.lost()) / float64(rows)
}

// closed says why the values of a column cannot be compared with those of d, or nothing.
func (c Column) closed(d Column) string {
	switch {
	case c.Withheld || d.Withheld:
		return "is withheld for privacy"
	case c.Kind == Text:
		return "is free text"
	case c.Kind == Category && len(c.Top) == 0 && c.Distinct > 0:
		return "has no value that enough rows share"
	}
	return ""
}

// shape is a column that both profiles have, before it is judged.
type shape struct {
	move     Move
	missingP float64 // of the share of missing values
	p        float64 // of the shape; NaN where it cannot be compared
}

func newShape(move Move, x, y Column, n, m int64) shape {
	s := shape{move: move, p: math.NaN()}
	s.missingP = stat.Homogeneity([][]int64{{x.lost(), n - x.lost()}, {y.lost(), m - y.lost()}}).P
	if before, after, ok := cells(x, y, n, m); ok {
		s.move.PSI = stat.Number(stat.Diverge(before, after).PSI)
		s.p = stat.Homogeneity([][]int64{before, after}).P
	}
	return s
}

// judge returns those that have moved.
func judge(shapes []shape) []Move {
	var ps []float64
	for _, s := range shapes {
		ps = append(ps, s.missingP, s.p)
	}
	adjusted := stat.BenjaminiHochberg(ps)
	var moves []Move
	for i, s := range shapes {
		change, psi := s.move.To-s.move.From, float64(s.move.PSI)
		gone := adjusted[2*i] < falseDiscovery && math.Abs(change) >= MovedMissing
		moved := adjusted[2*i+1] < falseDiscovery && psi >= MovedPSI
		if !gone && !moved {
			continue
		}
		s.move.What, s.move.Strong = OtherShape, moved && psi >= StrongPSI
		if gone && (!moved || 10*math.Abs(change) >= psi) {
			s.move.What = MoreGone
		}
		s.move.Strong = s.move.Strong || gone && math.Abs(change) >= 10*MovedMissing
		s.move.Text = s.words(gone, moved)
		moves = append(moves, s.move)
	}
	return moves
}

func (s shape) words(gone, moved bool) string {
	psi := fmt.Sprintf("has moved (PSI %.2f)", float64(s.move.PSI))
	if !gone {
		return fmt.Sprintf("column %s %s", s.move.Column, psi)
	}
	text := fmt.Sprintf("column %s is %s missing, was %s", s.move.Column, figure.Percent(s.move.To), figure.Percent(s.move.From))
	if moved {
		text += ", and what is left " + psi
	}
	return text
}

// cells returns the counts of both over the same cells: values if both list their frequent ones,
// else a's deciles.
func cells(x, y Column, n, m int64) (before, after []int64, ok bool) {
	presentX, presentY := n-x.lost(), m-y.lost()
	switch {
	case x.Withheld || y.Withheld || presentX <= 0 || presentY <= 0:
		return nil, nil, false
	case x.complete() && x.Top != nil && (y.Top != nil || x.Kind == Category):
		before, after = byValue(x.Top, y.Top, presentX, presentY)
	case x.Numbers != nil && y.Numbers != nil:
		before, after = byDecile(*x.Numbers, *y.Numbers, presentX, presentY)
	case x.Top != nil:
		before, after = byValue(x.Top, y.Top, presentX, presentY)
	default:
		return nil, nil, false
	}
	return before, after, true
}

// complete reports whether the frequent values can stand for the column: a category, or a number
// of few different values.
func (c Column) complete() bool { return c.Kind == Category || c.Distinct <= MaxTop }

// byValue has a cell for each frequent value of the first, and one for all others.
func byValue(x, y []Value, n, m int64) (before, after []int64) {
	counts := make(map[string]int64, len(y))
	for _, v := range y {
		counts[v.Value] = v.Count
	}
	for _, v := range x {
		before, after = append(before, v.Count), append(after, counts[v.Value])
		n, m = n-v.Count, m-counts[v.Value]
	}
	return append(before, max(0, n)), append(after, max(0, m))
}

func byDecile(x, y Numbers, n, m int64) (before, after []int64) {
	var edges []float64
	for i := steps / bins; i < steps; i += steps / bins {
		edges = append(edges, x.Percentiles[i])
	}
	edges = slices.Compact(edges)
	return x.counts(edges, n), y.counts(edges, m)
}

// counts returns how many of n values lie up to each edge and above the one before, as far as the
// percentiles tell.
func (x Numbers) counts(edges []float64, n int64) []int64 {
	counts, below := make([]int64, 0, len(edges)+1), int64(0)
	for _, e := range edges {
		upTo := int64(math.Round(x.upTo(e) * float64(n)))
		counts, below = append(counts, upTo-below), upTo
	}
	return append(counts, n-below)
}

// upTo returns the share of the values that are at most v, with a straight line between percentiles.
// A percentile that occurs several times is a value that many rows share: all of it counts.
func (x Numbers) upTo(v float64) float64 {
	above := sort.Search(len(x.Percentiles), func(i int) bool { return x.Percentiles[i] > v })
	if above == 0 || above > steps {
		return min(1, float64(above))
	}
	low, high := x.Percentiles[above-1], x.Percentiles[above]
	return (float64(above-1) + (v/2-low/2)/(high/2-low/2)) / steps
}

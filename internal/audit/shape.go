package audit

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick/internal/table"
)

// maxClasses bounds the different values of a label or prediction that is a class.
const maxClasses = 1000

// shape is what one look over a column shows about its values.
type shape struct {
	file     string // for messages
	kind     table.Kind
	integer  bool
	values   []string // different values in first-seen order, while they are at most maxClasses
	many     bool     // there are more
	min, max float64  // of the finite numbers; NaN if there is none
	sum      float64  // of the finite numbers
	present  int64    // rows that have a value, NaN and infinities not counted
	finite   []float64
	step     int64 // of the rows whose numbers are in finite
}

// look scans the named columns once. keep says of which number columns the finite values are kept.
func look(ctx context.Context, t *table.Table, names []string, keep func(name string) bool) (map[string]*shape, error) {
	shapes := make(map[string]*shape, len(names))
	seen := make([]map[float64]bool, len(names))
	counts := make([][]bool, len(names))
	for i, name := range names {
		c, err := t.Column(name)
		if err != nil {
			return nil, err
		}
		shapes[name] = &shape{file: t.Files()[0].Path, kind: c.Kind, integer: c.Integer, min: math.NaN(), max: math.NaN(), step: max(1, (t.Rows()+keptNumbers-1)/keptNumbers)}
		seen[i] = map[float64]bool{}
	}
	if len(names) == 0 {
		return shapes, nil
	}
	err := t.Scan(ctx, names, func(b *table.Block) error {
		for i := range b.Cols {
			s, v := shapes[names[i]], &b.Cols[i]
			switch v.Kind {
			case table.Number:
				s.lookAtNumbers(v.Float, seen[i], keep(names[i]), b.Row)
			case table.Category:
				for _, code := range v.Code {
					if code == table.NoCode {
						continue
					}
					for int(code) >= len(counts[i]) {
						counts[i] = append(counts[i], false)
					}
					counts[i][code] = true
					s.present++
				}
			default:
				s.many = true
				s.present += int64(b.N)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		s := shapes[name]
		if s.kind == table.Category {
			dictionary := t.Dictionary(name)
			for code, used := range counts[i] {
				if used && len(s.values) <= maxClasses {
					s.values = append(s.values, dictionary[code])
				}
			}
			s.many = len(s.values) > maxClasses
		}
		if s.many {
			s.values = nil
		}
	}
	return shapes, nil
}

// keptNumbers is the number of rows whose numbers are kept; of more, every k-th.
const keptNumbers = 10_000_000

func (s *shape) lookAtNumbers(values []float64, seen map[float64]bool, keep bool, row int64) {
	last := math.NaN()
	for i, x := range values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		s.present++
		s.sum += x
		if keep && (row+int64(i))%s.step == 0 {
			s.finite = append(s.finite, x)
		}
		if x == last {
			continue
		}
		last = x
		if !(x >= s.min) {
			s.min = x
		}
		if !(x <= s.max) {
			s.max = x
		}
		if !s.many && !seen[x] {
			seen[x] = true
			s.values = append(s.values, number(x))
			s.many = len(s.values) > maxClasses
		}
	}
}

// number writes x as people write it, so that 1.0 of a float column and 1 of an integer column are
// the same class.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// sorted returns the values in the order that people expect: numbers by size, text by alphabet.
func (s *shape) sorted() []string {
	values := slices.Clone(s.values)
	slices.SortFunc(values, func(a, b string) int {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		switch {
		case errX == nil && errY == nil && x < y, errX != nil && errY != nil && a < b:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	return values
}

// runsWithRows reports whether an integer column never falls from one row to the next, and whether
// it always rises: a counter, an identifier or a date in disguise.
func runsWithRows(ctx context.Context, t *table.Table, name string) (sorted, rising bool, first, last float64, err error) {
	sorted, rising = true, true
	first, last = math.NaN(), math.NaN()
	err = t.Scan(ctx, []string{name}, func(b *table.Block) error {
		for _, x := range b.Cols[0].Float {
			switch {
			case math.IsNaN(x):
				sorted = false
			case math.IsNaN(first):
				first = x
			case x < last:
				sorted = false
			case x == last:
				rising = false
			}
			if !sorted {
				return errStop
			}
			last = x
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return sorted, rising, first, last, err
}

func parseNumber(s string) (float64, bool) {
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

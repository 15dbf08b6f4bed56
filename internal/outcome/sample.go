package outcome

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/internal/prediction"
)

// Sample keeps some rows of numbers: of many those of smallest hash of their ids, whatever the order in which they come.
type Sample struct {
	Rows    int64 // that there were
	Thinned int   // one in 2^Thinned is kept

	most int
	kept []sampled
}

type sampled struct {
	id     prediction.ID
	at     prediction.Time
	values []float64
}

// NewSample returns an empty sample of at most so many rows, and of at least half of them where there are as many.
func NewSample(most int) *Sample { return &Sample{most: most} }

// Wants reports whether a row would be kept, so that others need not be read.
func (s *Sample) Wants(id prediction.ID) bool { return chosen(id, s.Thinned) }

// Add takes in a row. It keeps values.
func (s *Sample) Add(id prediction.ID, at prediction.Time, values []float64) {
	if s.Rows++; !chosen(id, s.Thinned) {
		return
	}
	s.kept = append(s.kept, sampled{id, at, values})
	for len(s.kept) > s.most {
		s.Thinned++
		s.kept = slices.DeleteFunc(s.kept, func(r sampled) bool { return !chosen(r.id, s.Thinned) })
	}
}

// Skip counts a row that is not wanted.
func (s *Sample) Skip() { s.Rows++ }

// Columns returns the rows by column, in the order of time and ids.
func (s *Sample) Columns(width int) [][]float64 {
	slices.SortFunc(s.kept, func(a, b sampled) int { return cmp.Or(cmp.Compare(a.at, b.at), bytes.Compare(a.id[:], b.id[:])) })
	columns := make([][]float64, width)
	for i := range columns {
		columns[i] = make([]float64, len(s.kept))
		for k, r := range s.kept {
			columns[i][k] = r.values[i]
		}
	}
	return columns
}

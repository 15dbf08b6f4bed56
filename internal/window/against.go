package window

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// Against returns the profile as one of a reference with the same rules whose counts are those of base, another profile of the
// reference: the same hours of earlier weeks, or the same slice of the data that the reference was made of. Edges, scales
// and vocabulary stay, so deciles are those of the reference, and what base counted as unseen is so here. The result is to
// be compared; it shares counts with p and is not for merging. It returns an Invalid error if base has other rules or more
// than MaxRows rows.
func (p *Profile) Against(base *Profile) (*Profile, error) {
	r := p.reference
	if r.digest != base.reference.digest {
		return nil, tallystick.Errorf(tallystick.Invalid, "compare profiles: one has reference %s, the other %s", r.digest.Short(), base.reference.digest.Short())
	}
	if base.rows > MaxRows {
		return nil, tallystick.Errorf(tallystick.Invalid, "compare with a profile of %d rows, more than %d", base.rows, MaxRows)
	}
	like := &Reference{Schema: r.Schema, Rows: base.rows, Features: slices.Clone(r.Features), digest: r.digest}
	q := &Profile{reference: like, rows: p.rows, columns: make([]column, len(p.columns))}
	for i := range like.Features {
		f := &like.Features[i]
		if f.Kind == KindNumber {
			f.Missing, f.Number = base.columns[i].number.missing, f.Number.with(base.columns[i].number)
			counts := *p.columns[i].number
			counts.reference = f.Number
			q.columns[i].number = &counts
		} else {
			f.Missing, f.Category = base.columns[i].category.missing, f.Category.with(base.columns[i].category)
			counts := *p.columns[i].category
			counts.reference = f.Category
			q.columns[i].category = &counts
		}
	}
	return q, nil
}

// with returns the rules with other counts.
func (r *NumberReference) with(c *numberCounts) *NumberReference {
	is := c.read()
	like := &NumberReference{
		Edges: r.Edges, Deciles: r.Deciles, Median: r.Median, PerUnit: r.PerUnit, SD: is.SD,
		Squares: c.squares, NaN: c.nan, Infinite: c.infinite, Clamped: c.clamped, grid: r.grid, finite: is.N,
	}
	for _, cell := range c.cells {
		like.Counts, like.Sums = append(like.Counts, cell.n), append(like.Sums, cell.sum)
	}
	if like.finite > 0 {
		like.bins = like.newBins()
	}
	return like
}

// with returns the vocabulary with other counts.
func (r *CategoryReference) with(c *categoryCounts) *CategoryReference {
	return &CategoryReference{Values: r.Values, Counts: c.counts, Other: c.other, index: r.index, hashes: r.hashes}
}

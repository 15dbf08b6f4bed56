package query

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// frame is a run of rows with the columns that a question needs, and those of the rows that were chosen.
// It is valid until the next.
type frame struct {
	file   int          // on the shelf
	first  int64        // row of the file's that belong to its place
	chosen []int        // rows
	held   []label.Held // of the chosen rows, if labels were asked for
	cells  []cells

	overflow *segment.Vector
	parsed   map[int]prediction.Features // of the overflow, by row
}

// cells are a column of a frame.
type cells struct {
	name  string
	loose bool
	*segment.Vector
}

// value returns what stands in a row of a column.
func (f *frame) value(column, row int) prediction.Value {
	c := &f.cells[column]
	if c.Null == nil || c.Null[row] {
		return f.spilled(c, row)
	}
	switch c.Kind {
	case segment.Number:
		return prediction.Number(c.Floats[row])
	case segment.Integer:
		return prediction.Integer(c.Ints[row])
	case segment.Boolean:
		return prediction.Boolean(c.Ints[row] != 0)
	case segment.Binary:
		return prediction.String(c.binary(row))
	}
	return prediction.String(string(c.Bytes[row]))
}

func (c *cells) binary(row int) string {
	if c.name == columnID && len(c.Bytes[row]) == 16 {
		return prediction.ID(c.Bytes[row]).String()
	}
	return hex.EncodeToString(c.Bytes[row])
}

// spilled returns a value that its column does not hold, null if there is none.
func (f *frame) spilled(c *cells, row int) prediction.Value {
	if !c.loose || f.overflow == nil || f.overflow.Null == nil || f.overflow.Null[row] {
		return prediction.Value{}
	}
	features, known := f.parsed[row]
	if !known {
		_ = features.UnmarshalJSON(f.overflow.Bytes[row]) // we have written it; pages have checksums
		f.parsed[row] = features
	}
	v, _ := features.Get(c.name)
	return v
}

// number returns what stands in a row of a column if it is a number.
func (f *frame) number(column, row int) (float64, bool) {
	c := &f.cells[column]
	if c.Kind == segment.Number && !c.Null[row] {
		return c.Floats[row], true
	}
	v := f.value(column, row)
	if !v.IsNumber() {
		return 0, false
	}
	x, _ := v.Float()
	return x, true
}

// plan is what has to be read for a question.
type plan struct {
	selection *Selection
	names     []string // of the cells of a frame; the first two are id and time
	ids       bool     // whether ids are read: they take as long as several other columns
	labels    bool
	watermark label.Watermark
	frame     frame           // the memory of the present one
	outside   map[string]bool // segments that came on record beyond the bounds; nil until they are known, if there is one
}

// newPlan returns the plan for columns and for what the selection compares. Columns that are made of others
// are not read.
func newPlan(s *Selection, columns ...string) *plan {
	p := &plan{selection: s, names: []string{columnID, columnTime}}
	for _, c := range s.Where {
		columns = append(columns, c.Column)
	}
	for _, name := range columns {
		switch {
		case name == columnLabel:
			p.labels, p.ids = true, true
		case name == columnID:
			p.ids = true
		case periodLayout(name) == "" && !slices.Contains(p.names, name):
			p.names = append(p.names, name)
		}
	}
	return p
}

// column returns where a frame has a column.
func (p *plan) column(name string) int { return slices.Index(p.names, name) }

// frames yields what the selection chooses of the files, of which one is open at a time. Frames of which no row was chosen are
// left out.
func (a *Asker) frames(ctx context.Context, files *segment.Shelf, p *plan) iter.Seq2[*frame, error] {
	return func(yield func(*frame, error) bool) {
		for piece, err := range files.All(ctx) {
			if err != nil {
				yield(nil, fmt.Errorf("predictions of %s: %w", p.selection.Model, err))
				return
			}
			for f, err := range a.framesOf(ctx, piece, p) {
				if !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// framesOf yields what the selection chooses of one file.
func (a *Asker) framesOf(ctx context.Context, piece *segment.Piece, p *plan) iter.Seq2[*frame, error] {
	return func(yield func(*frame, error) bool) {
		if p.labels && p.watermark == (label.Watermark{}) {
			var err error
			if p.watermark, err = a.labels.Watermark(ctx, p.selection.Model, p.selection.AsOf); err != nil {
				yield(nil, err)
				return
			}
		}
		if (p.selection.Registered > 0 || p.selection.After > 0) && p.outside == nil {
			var err error
			if p.outside, err = a.outside(ctx, p.selection); err != nil {
				yield(nil, err)
				return
			}
		}
		if p.leavesOut(piece) {
			return
		}
		names, at := p.present(piece.File)
		f := &p.frame
		f.file, f.cells = piece.Number, slices.Grow(f.cells[:0], len(p.names))[:len(p.names)]
		missing := &segment.Vector{}
		for batch, err := range segment.Scan([]*segment.File{piece.File}, names) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("predictions of %s: %w", p.selection.Model, err))
				return
			}
			f.first, f.overflow = batch.First-piece.First, nil
			if len(f.parsed) > 0 || f.parsed == nil {
				f.parsed = map[int]prediction.Features{}
			}
			for i, name := range p.names {
				f.cells[i] = cells{name: name, loose: loose(name), Vector: missing}
				if k := at[i]; k >= 0 {
					f.cells[i].Vector = &batch.Columns[k]
				}
			}
			if len(names) > 0 && names[len(names)-1] == columnOverflow {
				f.overflow = &batch.Columns[len(names)-1]
			}
			p.choose(f, int(max(0, -f.first)), int(min(int64(batch.Rows), piece.End-batch.First)))
			p.leaveOut(f, piece)
			if len(f.chosen) == 0 {
				continue
			}
			if p.labels {
				if err := a.join(ctx, p, f); err != nil {
					yield(nil, err)
					return
				}
			}
			if len(f.chosen) > 0 && !yield(f, nil) {
				return
			}
		}
	}
}

// present returns which columns of a file to scan, overflow last if one needs it, and where each column of the plan is
// among them, -1 if the file does not have it.
func (p *plan) present(file *segment.File) (names []string, at []int) {
	has := map[string]bool{}
	for _, c := range file.Columns() {
		has[c.Name] = true
	}
	spills := false
	for i, name := range p.names {
		spills = spills || loose(name)
		if !has[name] || i == 0 && !p.ids {
			at = append(at, -1)
			continue
		}
		at = append(at, len(names))
		names = append(names, name)
	}
	if spills && has[columnOverflow] {
		names = append(names, columnOverflow)
	}
	return names, at
}

// choose finds the rows from first to end, exclusive, in time, of which all conditions hold but those of labels. An erased row
// has no time.
func (p *plan) choose(f *frame, first, end int) {
	f.chosen = f.chosen[:0]
	times := &f.cells[1]
	if times.Null == nil {
		return
	}
	from, to := p.selection.span()
	for row := first; row < end; row++ {
		if at := times.Ints[row]; at >= from && at < to && !times.Null[row] {
			f.chosen = append(f.chosen, row)
		}
	}
	for i := range p.selection.Where {
		c := &p.selection.Where[i]
		if c.Column == columnLabel || len(f.chosen) == 0 {
			continue
		}
		f.keep(p, c)
	}
}

// keep leaves the rows of which a condition holds.
func (f *frame) keep(p *plan, c *Condition) {
	kept := f.chosen[:0]
	if layout := periodLayout(c.Column); layout != "" {
		for _, row := range f.chosen {
			if c.holds(prediction.String(f.period(layout, row))) {
				kept = append(kept, row)
			}
		}
		f.chosen = kept
		return
	}
	column := p.column(c.Column)
	cell := &f.cells[column]
	if x, ok := c.number(); ok && cell.Kind == segment.Number {
		for _, row := range f.chosen {
			if !cell.Null[row] {
				if y := cell.Floats[row]; y == y && c.accepts(order(y, x)) || y != y && c.Op == NotEqual {
					kept = append(kept, row)
				}
			} else if c.holds(f.spilled(cell, row)) {
				kept = append(kept, row)
			}
		}
		f.chosen = kept
		return
	}
	if cell.Kind == segment.Text && !c.null && c.Column != columnFlags && c.texts() {
		word := []byte(c.word)
		for _, row := range f.chosen {
			if !cell.Null[row] {
				if c.accepts(bytes.Compare(cell.Bytes[row], word)) {
					kept = append(kept, row)
				}
			} else if c.holds(f.spilled(cell, row)) {
				kept = append(kept, row)
			}
		}
		f.chosen = kept
		return
	}
	for _, row := range f.chosen {
		if c.holds(f.value(column, row)) {
			kept = append(kept, row)
		}
	}
	f.chosen = kept
}

func order(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// period names the hour, day or month that a row is of, in UTC.
func (f *frame) period(layout string, row int) string {
	return time.UnixMicro(f.cells[1].Ints[row]).UTC().Format(layout)
}

// id returns the id of a row.
func (f *frame) id(row int) (id prediction.ID) {
	if c := &f.cells[0]; c.Null != nil && !c.Null[row] {
		copy(id[:], c.Bytes[row])
	}
	return id
}

func (f *frame) time(row int) prediction.Time { return prediction.Time(f.cells[1].Ints[row]) }

// join adds labels to the chosen rows, and leaves those of which the conditions of labels hold.
func (a *Asker) join(ctx context.Context, p *plan, f *frame) error {
	ids := make([]prediction.ID, len(f.chosen))
	for i, row := range f.chosen {
		ids[i] = f.id(row)
	}
	f.held = slices.Grow(f.held[:0], len(ids))[:len(ids)]
	if err := a.labels.Of(ctx, p.selection.Model, ids, p.watermark, f.held); err != nil {
		return err
	}
	n := 0
	for i, row := range f.chosen {
		if p.labelled(&f.held[i]) {
			f.chosen[n], f.held[n] = row, f.held[i]
			n++
		}
	}
	f.chosen, f.held = f.chosen[:n], f.held[:n]
	return nil
}

// labelled reports whether the conditions of labels hold.
func (p *plan) labelled(h *label.Held) bool {
	for i := range p.selection.Where {
		if c := &p.selection.Where[i]; c.Column == columnLabel && !c.holds(h.Value) {
			return false
		}
	}
	return true
}

package query

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// Form is how predictions are written out.
type Form string

// The forms of an export.
const (
	NDJSON  Form = "ndjson"  // records as the API gives them, one a line
	CSV     Form = "csv"     // a row for each, a column for each feature, and the label
	Parquet Form = "parquet" // a file like those in which they are kept
)

// Layout says what an export writes.
type Layout struct {
	Form   Form
	Bodies bool // the bodies that are kept go along, as their sender wrote them or in columns of their own; not in CSV
}

// Export writes the predictions of a selection, in the order in which they came in, and returns how many. What was
// written before an error is of no use. It takes as much memory as one row group of a file, however many they are.
func (a *Asker) Export(ctx context.Context, w io.Writer, s Selection, l Layout) (n int64, err error) {
	if l.Bodies && l.Form == CSV {
		return 0, tallystick.Errorf(tallystick.Invalid, "bodies do not go into a CSV file").WithHint("export lines of JSON or Parquet")
	}
	files, err := a.open(ctx, &s)
	if err != nil {
		return 0, err
	}
	if err := known(ctx, files, columnsOf(s.Where)); err != nil {
		return 0, err
	}
	switch l.Form {
	case NDJSON:
		return a.exportLines(ctx, w, files, &s, l.Bodies)
	case CSV:
		return a.exportCSV(ctx, w, files, &s)
	case Parquet:
		return a.exportParquet(ctx, w, files, &s, l.Bodies)
	}
	return 0, tallystick.Errorf(tallystick.Invalid, "predictions are not written as %.40q", l.Form).WithHint("use ndjson, csv or parquet")
}

// chosen yields the records that a selection chooses, each held against its leaf, and its bodies, which are held against their
// digests.
func (a *Asker) chosen(ctx context.Context, files *segment.Shelf, p *plan) iter.Seq2[prediction.Kept, error] {
	return func(yield func(prediction.Kept, error) bool) {
		none := prediction.Kept{}
		for piece, err := range files.All(ctx) {
			if err != nil {
				yield(none, fmt.Errorf("predictions of %s: %w", p.selection.Model, err))
				return
			}
			rows := make([]uint64, (piece.Count()+63)/64) // 2 MiB at most
			some := false
			for f, err := range a.framesOf(ctx, piece, p) {
				if err != nil {
					yield(none, err)
					return
				}
				for _, row := range f.chosen {
					at := piece.First + f.first + int64(row)
					rows[at/64] |= 1 << (at % 64)
					some = true
				}
			}
			if !some {
				continue
			}
			at := int64(0)
			for entry, err := range piece.Entries() {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					yield(none, fmt.Errorf("predictions of %s: %w", p.selection.Model, err))
					return
				}
				kept := prediction.Kept{Encoding: entry.Encoding, Bodies: entry.Bodies}
				if rows[at/64]&(1<<(at%64)) != 0 && entry.Encoding != nil && !yield(kept, nil) {
					return
				}
				at++
			}
		}
	}
}

func (a *Asker) exportLines(ctx context.Context, w io.Writer, files *segment.Shelf, s *Selection, bodies bool) (n int64, err error) {
	var line []byte
	for kept, err := range a.chosen(ctx, files, newPlan(s)) {
		if err != nil {
			return n, err
		}
		r, err := prediction.Decode(kept.Encoding)
		if err != nil {
			return n, err
		}
		if line = line[:0]; bodies {
			r.Attach(kept.Bodies)
			line = r.AppendSent(line)
		} else {
			line = r.AppendJSON(line)
		}
		line = append(line, '\n')
		if _, err := w.Write(line); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// exportParquet writes a file of one part, whose name says that it is no segment of the trail. The records are gone through
// twice, the first time before anything is written.
func (a *Asker) exportParquet(ctx context.Context, w io.Writer, files *segment.Shelf, s *Selection, bodies bool) (n int64, err error) {
	p := newPlan(s)
	if p.labels { // they must be the same both times
		if p.watermark, err = a.labels.Watermark(ctx, s.Model, s.AsOf); err != nil {
			return 0, err
		}
	}
	for _, err := range a.chosen(ctx, files, p) {
		if err != nil {
			return 0, err
		}
		n++
		break
	}
	if n == 0 {
		return 0, tallystick.Errorf(tallystick.NotFound, "there are no such predictions of %s: a Parquet file of none has no columns", s.Model)
	}
	summary, err := segment.Write(w, "export", func(yield func([]byte, error) bool) {
		count := 0
		for kept, err := range a.chosen(ctx, files, p) {
			if count++; err == nil && count > a.most {
				err = tallystick.Errorf(tallystick.Invalid, "there are more than %d such predictions of %s, which is too many for one Parquet file", a.most, s.Model).
					WithHint("export a part of the time with --since and --until, or lines of JSON or CSV, of which there can be any number")
			}
			if !bodies {
				kept.Bodies = prediction.Bodies{}
			}
			if !yield(kept.Append(nil), err) || err != nil { // the writer holds what it gets
				return
			}
		}
	})
	if err != nil {
		return 0, err
	}
	return summary.Count, nil
}

// hidden are columns that are about the file and not about predictions.
func hidden(name string) bool {
	return slices.Contains([]string{"salt", "leaf", "tile", "absent", columnOverflow, "model", "request_body", "response_body"}, name)
}

func (a *Asker) exportCSV(ctx context.Context, w io.Writer, files *segment.Shelf, s *Selection) (n int64, err error) {
	header, err := csvHeader(ctx, files)
	if err != nil {
		return 0, err
	}
	p := newPlan(s, header...)
	if p.watermark, err = a.labels.Watermark(ctx, s.Model, s.AsOf); err != nil {
		return 0, err
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return 0, err
	}
	var columns []column
	for _, name := range header {
		columns = append(columns, newColumn(p, name))
	}
	row := make([]string, len(header))
	for f, err := range a.frames(ctx, files, p) {
		if err != nil {
			return n, err
		}
		for k, at := range f.chosen {
			for i, c := range columns {
				switch v := c.value(f, k, at); {
				case v.IsNull():
					row[i] = ""
				case header[i] == columnTime:
					row[i] = f.time(at).String()
				case v.Kind() == prediction.Float:
					row[i] = strings.Trim(v.String(), `"`)
				default:
					row[i] = v.String()
				}
			}
			if err := out.Write(row); err != nil {
				return n, err
			}
			n++
		}
	}
	out.Flush()
	return n, out.Error()
}

// csvHeader returns the columns of a CSV file of all these files.
func csvHeader(ctx context.Context, files *segment.Shelf) (header []string, err error) {
	seen := map[string]bool{}
	for f, err := range files.All(ctx) {
		if err != nil {
			return nil, err
		}
		for _, c := range f.Columns() {
			seen[c.Name] = seen[c.Name] || !hidden(c.Name)
		}
		for name := range spilledNames(f.File) {
			seen[name] = true
		}
		if len(seen) > maxCSV {
			return nil, tallystick.Errorf(tallystick.Invalid, "the predictions have more than %d columns, which is too many for a CSV file", maxCSV).
				WithHint("export lines of JSON or Parquet, or a shorter time")
		}
	}
	header = []string{columnID, columnTime}
	for _, name := range fields() {
		if seen[name] && !slices.Contains(header, name) {
			header = append(header, name)
		}
		delete(seen, name)
	}
	var rest []string
	for name, shown := range seen {
		if shown {
			rest = append(rest, name)
		}
	}
	slices.SortFunc(rest, func(a, b string) int { // features before attributions
		return strings.Compare(b[:1], a[:1])*2 + strings.Compare(a, b)
	})
	return append(append(header, rest...), columnLabel), nil
}

// spilledNames yields the names of columns that only the overflow of a file has. A feature beyond the first 1,024 is
// one.
func spilledNames(f *segment.File) map[string]bool {
	names := map[string]bool{}
	if !slices.ContainsFunc(f.Columns(), func(c segment.Column) bool { return c.Name == columnOverflow }) {
		return names
	}
	for batch, err := range segment.Scan([]*segment.File{f}, []string{columnOverflow}) {
		if err != nil || len(names) > maxCSV {
			break // who reads the rows meets the error
		}
		v := &batch.Columns[0]
		for row := range batch.Rows {
			var spilled prediction.Features
			if !v.Null[row] && spilled.UnmarshalJSON(v.Bytes[row]) == nil {
				for _, s := range spilled {
					names[s.Name] = true
				}
			}
		}
	}
	return names
}

// maxCSV bounds the columns of a CSV file.
const maxCSV = 8192

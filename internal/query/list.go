package query

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// Place is a prediction's place in a list, which is ordered by time and, within a moment, by id.
type Place struct {
	Time prediction.Time
	ID   prediction.ID
}

// String returns the place as ParsePlace reads it.
func (p Place) String() string { return fmt.Sprintf("%d.%s", int64(p.Time), p.ID) }

// ParsePlace reads what String has written.
func ParsePlace(s string) (p Place, err error) {
	at, id, _ := bytes.Cut([]byte(s), []byte{'.'})
	if _, err := fmt.Sscanf(string(at), "%d", &p.Time); err == nil {
		if p.ID, err = prediction.ParseID(string(id)); err == nil && p.String() == s {
			return p, nil
		}
	}
	return Place{}, tallystick.Errorf(tallystick.Invalid, "%.100q is no place in a list", s).WithHint("use next of the page before")
}

func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Time, q.Time), bytes.Compare(p.ID[:], q.ID[:]))
}

// Found is a prediction with what is known of its outcome.
type Found struct {
	Place
	Encoding []byte
	Held     label.Held
}

// List returns up to limit predictions of a selection, the newest first, those behind after if that is not zero.
func (a *Asker) List(ctx context.Context, s Selection, after Place, limit int) (list []Found, err error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	w, err := a.labels.Watermark(ctx, s.Model, s.AsOf)
	if err != nil {
		return nil, err
	}
	to := s.To
	if after != (Place{}) {
		if next := after.Time.Time().Add(time.Microsecond); to.IsZero() || next.Before(to) {
			to = next
		}
	}
	// What is newer than now is in the first span too; then the spans grow.
	for span := 10 * time.Minute; len(list) < limit; span *= 12 {
		part := s
		part.To = to
		begin := to
		if to.IsZero() {
			begin = w.AsOf
			if now := time.Now(); s.AsOf.IsZero() || now.After(begin) {
				begin = now
			}
		}
		part.From = begin.Add(-span)
		last := span > 20*365*24*time.Hour || !s.From.IsZero() && !part.From.After(s.From)
		if last {
			part.From = s.From
		}
		if part.To.IsZero() || part.From.Before(part.To) {
			found, err := a.newest(ctx, part, after, limit-len(list), w)
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
		}
		if last {
			break
		}
		to = part.From
	}
	return list, nil
}

// candidate is a row that may be among the newest.
type candidate struct {
	Place
	file int   // on the shelf
	row  int64 // of those that belong to its place
	held label.Held
}

// read returns what stands there now.
func (c candidate) read(ctx context.Context, files *segment.Shelf) (segment.Entry, error) {
	piece, err := files.Open(ctx, c.file)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return segment.Entry{}, nil
	}
	if err != nil {
		return segment.Entry{}, err
	}
	defer piece.Close()
	return piece.At(piece.First + c.row)
}

// newest returns the newest of a selection.
func (a *Asker) newest(ctx context.Context, s Selection, after Place, limit int, w label.Watermark) (list []Found, err error) {
	files, err := a.open(ctx, &s)
	if err != nil {
		return nil, err
	}
	var some []candidate
	newer := func(a, b candidate) int { return b.compare(a.Place) }
	p := newPlan(&s, columnID)
	p.watermark = w
	for f, err := range a.frames(ctx, files, p) {
		if err != nil {
			return nil, err
		}
		for k, row := range f.chosen {
			c := candidate{Place: Place{f.time(row), f.id(row)}, file: f.file, row: f.first + int64(row)}
			if after != (Place{}) && c.compare(after) >= 0 {
				continue
			}
			if p.labels {
				c.held = f.held[k]
			}
			if some = append(some, c); len(some) >= 2*limit+1024 {
				slices.SortFunc(some, newer)
				some = some[:limit]
			}
		}
	}
	slices.SortFunc(some, newer)
	some = some[:min(len(some), limit)]
	if !p.labels && len(some) > 0 {
		if err := a.labelled(ctx, s.Model, some, w); err != nil {
			return nil, err
		}
	}
	for _, c := range some {
		entry, err := c.read(ctx, files)
		if err != nil {
			return nil, fmt.Errorf("prediction %s: %w", c.ID, err)
		}
		if entry.Encoding != nil { // it was not erased or removed meanwhile
			list = append(list, Found{Place: c.Place, Encoding: entry.Encoding, Held: c.held})
		}
	}
	return list, nil
}

func (a *Asker) labelled(ctx context.Context, model string, some []candidate, w label.Watermark) error {
	ids, held := make([]prediction.ID, len(some)), make([]label.Held, len(some))
	for i := range some {
		ids[i] = some[i].ID
	}
	err := a.labels.Of(ctx, model, ids, w, held)
	for i := range some {
		some[i].held = held[i]
	}
	return err
}

// Resolve is a label.Resolver: it finds the predictions that keys name, by one look at the columns.
func (a *Asker) Resolve(ctx context.Context, model string, keys []label.Key) (ids []prediction.ID, errs []error, err error) {
	type match struct {
		id prediction.ID
		n  int
	}
	traces, subjects := map[string]*match{}, map[string]*match{}
	of := func(k label.Key) (map[string]*match, string) {
		if k.Subject != "" {
			return subjects, k.Subject
		}
		return traces, string(k.Trace[:])
	}
	for _, k := range keys {
		in, name := of(k)
		in[name] = &match{}
	}
	s := Selection{Model: model}
	files, err := a.open(ctx, &s)
	if err != nil {
		return nil, nil, err
	}
	columns := []string{columnID}
	if len(traces) > 0 {
		columns = append(columns, "trace_id")
	}
	if len(subjects) > 0 {
		columns = append(columns, "subject")
	}
	p := newPlan(&s, columns...)
	for f, err := range a.frames(ctx, files, p) {
		if err != nil {
			return nil, nil, err
		}
		for _, named := range []struct {
			in     map[string]*match
			column int
		}{{traces, p.column("trace_id")}, {subjects, p.column("subject")}} {
			if named.column < 0 || f.cells[named.column].Kind == segment.Missing {
				continue
			}
			cell := &f.cells[named.column]
			for _, row := range f.chosen {
				if cell.Null[row] {
					continue
				}
				if m := named.in[string(cell.Bytes[row])]; m != nil {
					m.id, m.n = f.id(row), m.n+1
				}
			}
		}
	}
	ids, errs = make([]prediction.ID, len(keys)), make([]error, len(keys))
	for i, k := range keys {
		in, name := of(k)
		what := "subject " + k.Subject
		if k.Subject == "" {
			what = "trace " + k.Trace.String()
		}
		switch m := in[name]; m.n {
		case 0:
			errs[i] = tallystick.Errorf(tallystick.NotFound, "no prediction of %s has the %.300s", model, what).WithHint("a label that names its prediction by id can come before it")
		case 1:
			ids[i] = m.id
		default:
			errs[i] = tallystick.Errorf(tallystick.Conflict, "%d predictions of %s have the %.300s", m.n, model, what).WithHint("name the prediction by its id")
		}
	}
	return ids, errs, nil
}

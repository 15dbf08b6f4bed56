package objective

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/query"
)

// records counts predictions by what their records say.
type records struct {
	office  *Office
	doc     *Document
	columns []string
	// judge reads the k-th row of a block, whose column first is the first of columns.
	judge func(b *query.Block, k int) (good, valid bool)
}

// The columns that are read before those of the indicator.
const (
	columnTime    = 0
	columnVersion = 1
	first         = 2
)

func (r *records) newest(ctx context.Context, until uint64) (uint64, error) {
	// Every segment counts, whatever its time: one that lies before the period is none of it, and changes nothing.
	known, err := r.office.config.Asker.Registered(ctx, r.doc.Model, time.Time{}, time.Time{}, until)
	return known.Newest, err
}

func (r *records) touched(ctx context.Context, from time.Time, earlier, later mark) (all []Stretch, err error) {
	spans, err := r.office.config.Asker.Arrived(ctx, r.doc.Model, from, earlier.Event, later.Event)
	for _, s := range spans {
		all = append(all, Stretch{s.First, s.Last.Add(time.Microsecond)})
	}
	return all, err
}

func (r *records) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	champions, err := r.office.reigns(ctx, r.doc)
	if err != nil {
		return err
	}
	q := r.doc.selection(s)
	q.Registered = until
	for b, err := range r.office.config.Asker.Blocks(ctx, q, append([]string{"time", "version"}, r.columns...)) {
		if err != nil {
			return err
		}
		for k := range b.Rows() {
			good, valid := r.judge(b, k)
			if !valid {
				continue
			}
			us, _ := b.Number(columnTime, k)
			at := time.UnixMicro(int64(us)).UTC()
			if champions != nil {
				if version, _ := b.Text(columnVersion, k); !champions.had(string(version), at) {
					continue
				}
			}
			add(at, good)
		}
	}
	return nil
}

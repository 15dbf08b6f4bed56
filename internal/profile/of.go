package profile

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// Options says what a profile may show. The zero value is right for data about nobody.
type Options struct {
	// Withheld names the columns of which only counts are given: those labelled personal, sensitive
	// or secret.
	Withheld []string
	// MinCount is the least number of rows that share a value that is shown. 0 means 5.
	MinCount int64
}

const (
	minCount   = 5
	maxReaders = 4 // columns at a time, some 20 MB each
)

// Of reads every column of t once and returns its profile. A column that cannot be read is there with
// its fault. A withheld name that is no column is a NotFound error: a slip would show what nobody may
// see.
func Of(ctx context.Context, t *table.Table, opt Options) (Profile, error) {
	for _, name := range opt.Withheld {
		if _, err := t.Column(name); err != nil {
			return Profile{}, fmt.Errorf("withhold a column: %w", err)
		}
	}
	columns := t.Columns()
	if len(columns) > MaxColumns {
		return Profile{}, tallystick.Errorf(tallystick.Invalid, "the data have %d columns, the limit of a profile is %d", len(columns), MaxColumns)
	}
	opt.MinCount = cmp.Or(opt.MinCount, minCount)
	p := Profile{Schema: Schema, Digest: t.Digest(), Rows: t.Rows(), Columns: make([]Column, len(columns))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(min(maxReaders, runtime.GOMAXPROCS(0)))
	for i, c := range columns {
		group.Go(func() error {
			withheld := slices.Contains(opt.Withheld, c.Name)
			described, err := describe(ctx, t, c, withheld, opt.MinCount)
			if err != nil {
				return fmt.Errorf("profile column %q: %w", c.Name, err)
			}
			p.Columns[i] = described
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Profile{}, err
	}
	return p, p.Validate()
}

func describe(ctx context.Context, t *table.Table, c table.Column, withheld bool, least int64) (Column, error) {
	d := Column{Name: c.Name, Kind: Kind(c.Kind), Type: c.Physical, Withheld: withheld}
	if c.Fault != "" {
		d.Fault = strings.ToValidUTF8(c.Fault[:min(len(c.Fault), maxText)], "")
		return d, nil
	}
	var err error
	switch c.Kind {
	case table.Category:
		err = d.categories(ctx, t, least)
	case table.Number, table.Time:
		err = d.numbers(ctx, t, least)
	default:
		err = d.texts(ctx, t)
	}
	if withheld {
		d.Numbers, d.Top = nil, nil
	}
	return d, err
}

func (c *Column) categories(ctx context.Context, t *table.Table, least int64) error {
	words := t.Dictionary(c.Name)
	counts := make([]int64, len(words))
	err := t.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		for _, code := range b.Cols[0].Code {
			if code == table.NoCode {
				c.Missing++
			} else {
				counts[code]++
			}
		}
		return nil
	})
	for code, n := range counts {
		if n > 0 {
			c.Distinct++
		}
		c.offer(words[code], n, least)
	}
	c.cut()
	return err
}

// numbers describes a column of numbers, or of times as milliseconds.
func (c *Column) numbers(ctx context.Context, t *table.Table, least int64) error {
	var distinct distinct
	var moments stat.Moments
	var kept sample
	values := make(map[float64]int64, MaxTop+1)
	take := func(row int64, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			c.NonFinite++
			return
		}
		v += 0 // one zero, not two
		distinct.add(mix(math.Float64bits(v)))
		moments.Add(v)
		kept.add(row, v)
		if values != nil {
			if values[v]++; len(values) > MaxTop {
				values = nil
			}
		}
	}
	err := t.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		col := &b.Cols[0]
		for i := range b.N {
			switch {
			case col.Null != nil && col.Null[i]:
				c.Missing++
			case col.Kind == table.Time:
				take(b.Row+int64(i), float64(col.Time[i]/1e6))
			default:
				take(b.Row+int64(i), col.Float[i])
			}
		}
		return nil
	})
	if err != nil || moments.N == 0 {
		return err
	}
	c.Distinct = distinct.count()
	c.Numbers = &Numbers{Mean: finite(moments.Mean), SD: finite(moments.SD()), Percentiles: kept.percentiles(moments.Min, moments.Max), Sampled: kept.sampled()}
	for v, n := range values {
		c.offer(strconv.FormatFloat(v, 'g', -1, 64), n, least)
	}
	c.cut()
	return nil
}

func (c *Column) texts(ctx context.Context, t *table.Table) error {
	var distinct distinct
	err := t.Scan(ctx, []string{c.Name}, func(b *table.Block) error {
		col := &b.Cols[0]
		for i := range b.N {
			if col.Null != nil && col.Null[i] {
				c.Missing++
			} else {
				distinct.add(mix(col.Hash(i)))
			}
		}
		return nil
	})
	c.Distinct = distinct.count()
	return err
}

// offer makes a value a candidate for the frequent ones.
func (c *Column) offer(value string, n, least int64) {
	if n >= least && len(value) <= maxText && plain(value) {
		c.Top = append(c.Top, Value{value, n})
	}
}

// cut keeps the most frequent of the candidates.
func (c *Column) cut() {
	slices.SortFunc(c.Top, func(a, b Value) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	c.Top = slices.Clip(c.Top[:min(len(c.Top), MaxTop)])
}

// finite holds what has overflowed at the ends.
func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case v > math.MaxFloat64:
		return math.MaxFloat64
	case v < -math.MaxFloat64:
		return -math.MaxFloat64
	}
	return v
}

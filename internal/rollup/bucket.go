package rollup

import (
	"cmp"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/query"
)

// grain is how long a tally is, in microseconds.
type grain int64

const (
	minute = grain(time.Minute / time.Microsecond)
	hour   = 60 * minute
	day    = 24 * hour
)

// of returns the beginning of the minute, hour or day that a time is in. Days are those of UTC.
func (g grain) of(us int64) int64 {
	rest := us % int64(g)
	if rest < 0 {
		rest += int64(g)
	}
	return us - rest
}

// key names a tally of a series.
type key struct {
	grain                grain
	from                 int64
	version, environment string
	slice                string // condition; empty: all
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.grain, o.grain), cmp.Compare(k.from, o.from), cmp.Compare(k.version, o.version), cmp.Compare(k.environment, o.environment), cmp.Compare(k.slice, o.slice))
}

// batch counts predictions of a series into the shortest tallies that are kept of their time.
type batch struct {
	rules   *Rules
	counter *Counter
	minutes int64 // from when on minutes are kept
	hours   int64
	tallies map[key]*Tally
	groups  map[key][]int
	most    int
}

func newBatch(r *Rules, minutes, hours int64) *batch {
	most := min(maxTallies, int(maxMemory/r.size()))
	return &batch{rules: r, counter: NewCounter(r, columnFirst), minutes: minutes, hours: hours, tallies: map[key]*Tally{}, groups: map[key][]int{}, most: max(most, 16)}
}

// shortest returns the tally that a time is counted in first.
func (b *batch) shortest(us int64) (grain, int64) {
	switch {
	case us >= b.minutes:
		return minute, minute.of(us)
	case us >= b.hours:
		return hour, hour.of(us)
	}
	return day, day.of(us)
}

// add counts a block, and reports whether there was room for the tallies of all its rows.
func (b *batch) add(block *query.Block) bool {
	for k, rows := range b.groups {
		b.groups[k] = rows[:0]
	}
	var last key
	var rows []int
	for k := range block.Rows() {
		g, from := b.shortest(int64(block.Time(k)))
		version, _ := block.Text(columnVersion, k)
		environment, _ := block.Text(columnEnvironment, k)
		if rows == nil || g != last.grain || from != last.from || string(version) != last.version || string(environment) != last.environment {
			if rows != nil {
				b.groups[last] = rows
			}
			last = key{g, from, string(version), string(environment), ""}
			rows = b.groups[last]
		}
		rows = append(rows, k)
	}
	if rows != nil {
		b.groups[last] = rows
	}
	for k, rows := range b.groups {
		if len(rows) == 0 {
			delete(b.groups, k)
			continue
		}
		b.counter.add(b.tally(k), block, rows)
		for i := range b.rules.Slices {
			if some := b.counter.slice(block, rows, i); len(some) > 0 {
				k.slice = b.rules.Slices[i].String()
				b.counter.add(b.tally(k), block, some)
			}
		}
		if len(b.tallies) > b.most {
			return false
		}
	}
	return true
}

func (b *batch) tally(k key) *Tally {
	t := b.tallies[k]
	if t == nil {
		t = b.rules.Tally()
		b.tallies[k] = t
	}
	return t
}

// keys are those of the tallies, in their order.
func (b *batch) keys() []key {
	keys := make([]key, 0, len(b.tallies))
	for k := range b.tallies {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, key.compare)
	return keys
}

// whole adds the hours of minutes and the days of hours.
func (b *batch) whole() error {
	for _, step := range []struct{ of, to grain }{{minute, hour}, {hour, day}} {
		for _, k := range b.keys() {
			if k.grain != step.of {
				continue
			}
			up := k
			up.grain, up.from = step.to, step.to.of(k.from)
			if err := b.tally(up).Merge(b.tallies[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

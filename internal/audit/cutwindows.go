package audit

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// cutWindows cuts the rows into the windows that the user asked for; nil for none.
func (p *plan) cutWindows(ctx context.Context, cfg Config, t *table.Table) (*windows, error) {
	switch {
	case cfg.Chunk > 0:
		return chunkWindows(t.Rows(), cfg.Chunk)
	case cfg.Window == "":
		return nil, nil
	}
	if c, err := t.Column(p.Time); err != nil || c.Kind != table.Time {
		return nil, notTimes(t, c)
	}
	period, err := parsePeriod(cfg.Window)
	if err != nil {
		return nil, err
	}
	w, err := timeWindows(ctx, t, p.Time, period)
	if err != nil {
		return nil, err
	}
	// Mixed windows are all open at once. Beyond the rows that are held, each costs a tally for
	// every column that is being compared.
	if !w.ordered() && t.Rows() > cfg.ExactRows && w.len() > maxMixed {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d rows in no order of %q, and --window %s cuts them into %d windows",
			t.Files()[0].Path, t.Rows(), p.Time, cfg.Window, w.len()).
			WithHint("sort the rows by %q, or use a --window of which there are at most %d", p.Time, maxMixed)
	}
	return w, nil
}

// maxMixed is the number of windows that are open at once beyond Config.ExactRows.
const maxMixed = 100

// chunkWindows cuts rows into windows of chunk rows; the last may be shorter.
func chunkWindows(rows, chunk int64) (*windows, error) {
	n := (rows + chunk - 1) / chunk
	if n > maxWindows {
		return nil, tallystick.Errorf(tallystick.Invalid, "--chunk %d cuts %d rows into %d windows", chunk, rows, n).
			WithHint("at most %d can be reported; use a --chunk of %d or more", maxWindows, (rows+maxWindows-1)/maxWindows)
	}
	w := &windows{chunk: chunk}
	for from := int64(0); from < rows; from += chunk {
		to := min(rows, from+chunk)
		w.starts = append(w.starts, from)
		w.spans = append(w.spans, span{
			label: fmt.Sprintf("rows %d-%d", from+1, to), from: strconv.FormatInt(from+1, 10),
			to: strconv.FormatInt(to+1, 10), rows: to - from,
		})
	}
	w.starts = append(w.starts, rows)
	return w, nil
}

// timeWindows cuts rows by their times. Windows without rows between the first and the last are
// kept: a silent hour is a finding.
func timeWindows(ctx context.Context, t *table.Table, column string, p period) (*windows, error) {
	var look timeLook
	keys := keyer{period: p}
	if err := look.scan(ctx, t, column, &keys); err != nil {
		return nil, err
	}
	if !look.any {
		return nil, tallystick.Errorf(tallystick.Invalid, "the time column has no times").WithHint("name another with --time, or cut by rows with --chunk")
	}
	if n := look.last - look.first + 1; n > maxWindows {
		return nil, tallystick.Errorf(tallystick.Invalid, "--window cuts %s to %s into %d windows", p.label(look.first), p.label(look.last), n).
			WithHint("at most %d can be reported; use a longer --window", maxWindows)
	}
	w := &windows{spans: make([]span, look.last-look.first+1), starts: make([]int64, look.last-look.first+2)}
	for i := range w.spans {
		key := look.first + int64(i)
		w.spans[i] = span{label: p.label(key), from: p.start(key).Format(time.RFC3339), to: p.start(key + 1).Format(time.RFC3339)}
	}
	if look.mixed {
		w.starts, w.of = nil, make([]uint16, t.Rows())
	}
	err := t.Scan(ctx, []string{column}, func(b *table.Block) error {
		for i, ns := range b.Cols[0].Time {
			k := uint16(noWindow)
			if ns != table.NoTime {
				k = uint16(keys.key(ns) - look.first)
				w.spans[k].rows++
			}
			if w.of != nil {
				w.of[b.Row+int64(i)] = k
			}
		}
		return nil
	})
	for k := range w.starts[:max(1, len(w.starts))-1] {
		w.starts[k+1] = w.starts[k] + w.spans[k].rows
	}
	return w, err
}

// timeLook is what a first look at times shows.
type timeLook struct {
	first, last int64 // window keys
	any         bool
	mixed       bool // windows do not follow one another, or times are missing
}

func (l *timeLook) scan(ctx context.Context, t *table.Table, column string, keys *keyer) error {
	previous := int64(math.MinInt64)
	return t.Scan(ctx, []string{column}, func(b *table.Block) error {
		for _, ns := range b.Cols[0].Time {
			if ns == table.NoTime {
				l.mixed = true
				continue
			}
			key := keys.key(ns)
			if key < previous {
				l.mixed = true
			}
			previous = key
			if !l.any {
				l.first, l.last, l.any = key, key, true
			}
			l.first, l.last = min(l.first, key), max(l.last, key)
		}
		return nil
	})
}

// keyer finds the keys of times, the next of which mostly lies in the window of the last.
type keyer struct {
	period
	from, to int64 // nanoseconds of the window that was found last
	found    int64
}

func (k *keyer) key(ns int64) int64 {
	if k.from <= ns && ns < k.to {
		return k.found
	}
	k.found = k.period.key(ns)
	if k.months == 0 {
		k.from, k.to = ns, ns // cheap to find again
		return k.found
	}
	k.from, k.to = k.start(k.found).UnixNano(), k.start(k.found+1).UnixNano()
	return k.found
}

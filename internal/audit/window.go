package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// maxWindows bounds the windows of one audit: more cannot be read, and each costs memory.
const maxWindows = 2000

// period is the length of a window: a duration, or a number of calendar months.
type period struct {
	duration time.Duration
	months   int
}

// parsePeriod reads what --window takes: a Go duration, or a number of days (d), weeks (w) or
// calendar months (mo).
func parsePeriod(s string) (period, error) {
	bad := tallystick.Errorf(tallystick.Invalid, "--window %q is not a length of time", s).WithHint("write 1h, 1d, 1w or 1mo")
	for suffix, unit := range map[string]time.Duration{"mo": 0, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		digits, ok := strings.CutSuffix(s, suffix)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n <= 0 || n > 10_000 {
			return period{}, bad
		}
		if unit == 0 {
			return period{months: n}, nil
		}
		return period{duration: time.Duration(n) * unit}, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return period{}, bad
	}
	return period{duration: d}, nil
}

// key numbers the windows of all time. Days begin at midnight UTC, weeks on Mondays.
func (p period) key(ns int64) int64 {
	if p.months > 0 {
		t := time.Unix(0, ns).UTC()
		return floorDiv(int64(t.Year())*12+int64(t.Month())-1, int64(p.months))
	}
	return floorDiv(ns-weekStart, int64(p.duration))
}

// weekStart is a Monday's midnight, so that weeks are calendar weeks: 1970-01-05.
const weekStart = int64(4 * 24 * time.Hour)

// start returns when the window with that key begins.
func (p period) start(key int64) time.Time {
	if p.months > 0 {
		month := key * int64(p.months)
		return time.Date(int(floorDiv(month, 12)), time.Month(month-12*floorDiv(month, 12)+1), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix(0, key*int64(p.duration)+weekStart).UTC()
}

func (p period) label(key int64) string {
	t := p.start(key)
	switch {
	case p.months > 0:
		return t.Format("2006-01")
	case p.duration%(24*time.Hour) == 0:
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04:05")
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// span is one window: where it lies, and how many rows it has.
type span struct {
	label, from, to string
	rows            int64
}

// noWindow marks a row that is in no window, because its time is missing.
const noWindow = int32(-1)

// windows assigns every row to a window.
type windows struct {
	spans []span
	chunk int64   // rows of a window; 0 when by time
	of    []int32 // by row, when by time
}

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
		w.spans = append(w.spans, span{
			label: fmt.Sprintf("rows %d-%d", from+1, to), from: strconv.FormatInt(from+1, 10),
			to: strconv.FormatInt(to+1, 10), rows: to - from,
		})
	}
	return w, nil
}

// timeWindows cuts rows by their times, which keys holds as window keys. Windows without rows
// between the first and the last are kept: a silent hour is a finding.
func timeWindows(p period, keys []int64, missing func(row int) bool) (*windows, error) {
	first, last, any := int64(0), int64(0), false
	for row, key := range keys {
		if missing(row) {
			continue
		}
		if !any || key < first {
			first = key
		}
		if !any || key > last {
			last = key
		}
		any = true
	}
	if !any {
		return nil, tallystick.Errorf(tallystick.Invalid, "the time column has no times").WithHint("name another with --time, or cut by rows with --chunk")
	}
	if n := last - first + 1; n > maxWindows {
		return nil, tallystick.Errorf(tallystick.Invalid, "--window cuts %s to %s into %d windows", p.label(first), p.label(last), n).
			WithHint("at most %d can be reported; use a longer --window", maxWindows)
	}
	w := &windows{of: make([]int32, len(keys)), spans: make([]span, last-first+1)}
	for i := range w.spans {
		key := first + int64(i)
		w.spans[i] = span{label: p.label(key), from: p.start(key).Format(time.RFC3339), to: p.start(key + 1).Format(time.RFC3339)}
	}
	for row, key := range keys {
		if missing(row) {
			w.of[row] = noWindow
			continue
		}
		w.of[row] = int32(key - first)
		w.spans[key-first].rows++
	}
	return w, nil
}

// at returns the window of a row.
func (w *windows) at(row int64) int32 {
	if w.chunk > 0 {
		return int32(row / w.chunk)
	}
	return w.of[row]
}

func (w *windows) len() int {
	if w == nil {
		return 0
	}
	return len(w.spans)
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// kindWords says what a column holds.
func kindWords(k table.Kind) string {
	switch k {
	case table.Number:
		return "numbers"
	case table.Time:
		return "times"
	case table.Category:
		return "words"
	}
	return "text"
}

func notTimes(t *table.Table, c table.Column) error {
	return tallystick.Errorf(tallystick.Invalid, "%s: column %q holds %s, not times", t.Files()[0].Path, c.Name, kindWords(c.Kind)).
		WithHint("write times as 2006-01-02T15:04:05Z, or cut windows by rows with --chunk N")
}

package audit

import (
	"math"
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
const noWindow = math.MaxUint16

// windows assigns every row to a window. Rows whose windows come one after the other need no more
// than where each begins.
type windows struct {
	spans  []span
	chunk  int64    // rows of a window; 0 when by time
	starts []int64  // first row of each window, and the number of rows; nil if windows are mixed
	of     []uint16 // by row, where windows are mixed
}

// ordered reports whether the rows of each window lie together, window after window.
func (w *windows) ordered() bool { return w.of == nil }

// at returns the window of a row, negative for none.
func (w *windows) at(row int64) int32 {
	switch {
	case w.chunk > 0:
		return int32(row / w.chunk)
	case w.of == nil:
		k, found := slices.BinarySearch(w.starts, row)
		if !found {
			k--
		}
		for k+1 < len(w.spans) && w.starts[k+1] <= row { // windows without rows begin there too
			k++
		}
		return int32(k)
	case w.of[row] == noWindow:
		return -1
	}
	return int32(w.of[row])
}

// follow returns at for rows that mostly come in order.
func (w *windows) follow() func(row int64) int32 {
	if !w.ordered() {
		return w.at
	}
	k := int32(0)
	return func(row int64) int32 {
		if row < w.starts[k] || row >= w.starts[k+1] {
			k = w.at(row)
		}
		return k
	}
}

// without returns how many of the rows are in no window.
func (w *windows) without(rows int64) int64 {
	if w == nil {
		return 0
	}
	for _, s := range w.spans {
		rows -= s.rows
	}
	return rows
}

// largest returns the number of rows of the largest window.
func (w *windows) largest() int64 {
	largest := int64(0)
	for _, s := range w.spans {
		largest = max(largest, s.rows)
	}
	return largest
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

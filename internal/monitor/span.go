package monitor

import (
	"time"

	"github.com/tallystick/tallystick"
)

const (
	day      = 24 * time.Hour
	minWidth = time.Minute
	maxWidth = 7 * day
	// MaxWidth bounds windows: that of months is the longest month, in a zone whose clocks are put back in it.
	MaxWidth = 31*day + 2*time.Hour
	minMonth = 28*day - 2*time.Hour
)

// origin is where windows of every width begin: a Monday, 00:00 UTC.
func origin() time.Time { return time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC) }

// Window is a stretch of time, from From until just before To.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// String returns the window as people read it.
func (w Window) String() string {
	return w.From.Format(time.RFC3339) + " to " + w.To.Format(time.RFC3339)
}

// checkWidth returns an Invalid error unless days, or weeks, are made of whole windows of that width.
func checkWidth(width time.Duration) error {
	whole := width >= minWidth && width%time.Minute == 0 && (day%width == 0 || width == maxWidth)
	if !whole {
		return tallystick.Errorf(tallystick.Invalid, "a window of %s is none: days are not made of whole windows", width).
			WithHint("use minutes or hours that divide a day, such as 1m, 15m, 1h or 24h, or 7d or 1mo")
	}
	return nil
}

// windowAt returns the window of a width that a moment is in.
func windowAt(at time.Time, width time.Duration) Window {
	since := at.Sub(origin())
	whole := since / width
	if since%width < 0 {
		whole--
	}
	from := origin().Add(whole * width)
	return Window{from, from.Add(width)}
}

// Month returns the month of a zone that a moment is in.
func Month(at time.Time, zone *time.Location) Window {
	year, month, _ := at.In(zone).Date()
	first := func(month time.Month) time.Time { return time.Date(year, month, 1, 0, 0, 0, 0, zone).UTC() }
	return Window{first(month), first(month + 1)}
}

// WindowAt returns the window that a moment is in.
func (d *Document) WindowAt(at time.Time) Window {
	if d.Months != nil {
		return Month(at, d.Months)
	}
	return windowAt(at, d.Width)
}

// narrowest is the width of the shortest window.
func (d *Document) narrowest() time.Duration {
	if d.Months != nil {
		return minMonth
	}
	return d.Width
}

package casework

import "time"

// Hours is a length of time in hours.
type Hours float64

func hours(d time.Duration) Hours { return Hours(d.Hours()) }

// duration returns the same, to the millisecond.
func (h Hours) duration() time.Duration {
	return time.Duration(float64(h) * float64(time.Hour)).Round(time.Millisecond)
}

// valid reports whether something can be due in this time: a minute to a year.
func (h Hours) valid() bool { return h >= 1.0/60 && h <= 366*24 }

package monitor

import "time"

// seasonLength is how long a class of the week is.
const seasonLength = 6 * time.Hour

// seasonOf returns the class of the week that a time is in: working days, Saturdays or Sundays, and a quarter of the day, in
// UTC. These are 12, of which each has enough in some weeks to compare with.
func seasonOf(at time.Time) string {
	at = at.UTC()
	kind := "Mon-Fri"
	switch at.Weekday() {
	case time.Saturday:
		kind = "Sat"
	case time.Sunday:
		kind = "Sun"
	}
	return kind + " " + []string{"00-06", "06-12", "12-18", "18-24"}[at.Hour()/6]
}

// seasonOfWindow returns the class that a whole window is in, empty if it is in several.
func seasonOfWindow(w Window) string {
	if w.To.Sub(w.From) > seasonLength {
		return ""
	}
	return seasonOf(w.From)
}

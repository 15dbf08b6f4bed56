package objective

import (
	"slices"
	"time"
)

// fine is for how long counts are kept by minutes; before that they are by hours.
const fine = 48 * time.Hour

// Stretch is a part of time, from From until just before To.
type Stretch struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// tally holds counts by the time at which a bucket begins.
type tally struct {
	border time.Time // from which on buckets are minutes
	counts map[int64]Count
}

// newTally returns an empty one of which the last two days before a moment are counted by minutes.
func newTally(at time.Time) *tally {
	return &tally{border: at.Add(-fine).Truncate(time.Hour), counts: map[int64]Count{}}
}

// bucket returns where the bucket of a moment begins.
func (t *tally) bucket(at time.Time) time.Time {
	if at.Before(t.border) {
		return at.Truncate(time.Hour)
	}
	return at.Truncate(time.Minute)
}

func (t *tally) add(at time.Time, good bool) {
	c := Count{Valid: 1}
	if good {
		c.Good = 1
	}
	t.put(at, c)
}

func (t *tally) put(at time.Time, c Count) {
	key := t.bucket(at).UnixMilli()
	t.counts[key] = t.counts[key].Add(c)
}

// sum returns what happened from one moment until before another. Windows that reach back beyond the minutes begin on an
// hour.
func (t *tally) sum(from, to time.Time) (c Count) {
	from = t.bucket(from)
	for key, n := range t.counts {
		if key >= from.UnixMilli() && key < to.UnixMilli() {
			c = c.Add(n)
		}
	}
	return c
}

// whole widens a stretch to whole buckets.
func (t *tally) whole(s Stretch) Stretch {
	to := t.bucket(s.To)
	if to.Before(s.To) {
		if to = to.Add(time.Minute); s.To.Before(t.border) {
			to = t.bucket(s.To).Add(time.Hour)
		}
	}
	return Stretch{t.bucket(s.From), to}
}

// merged joins stretches that overlap, or lie closer together than apart, and leaves at most so many.
func merged(all []Stretch, apart time.Duration, most int) []Stretch {
	slices.SortFunc(all, func(a, b Stretch) int { return a.From.Compare(b.From) })
	var out []Stretch
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To.Add(apart)) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	if len(out) > most {
		return merged(out, max(2*apart, time.Hour), most)
	}
	return out
}

// clipped leaves of stretches what lies between two moments.
func clipped(all []Stretch, from, to time.Time) (out []Stretch) {
	for _, s := range all {
		if s.From.Before(from) {
			s.From = from
		}
		if s.To.After(to) {
			s.To = to
		}
		if s.From.Before(s.To) {
			out = append(out, s)
		}
	}
	return out
}

// days cuts stretches at midnight, the newest first.
func days(all []Stretch) (out []Stretch) {
	for _, s := range all {
		for s.From.Before(s.To) {
			next := s.From.Truncate(day).Add(day)
			if next.After(s.To) {
				next = s.To
			}
			out = append(out, Stretch{s.From, next})
			s.From = next
		}
	}
	slices.SortFunc(out, func(a, b Stretch) int { return b.From.Compare(a.From) })
	return out
}

package contract

import (
	"math"
	"time"

	"github.com/tallystick/tallystick/internal/table"
)

// timeCheck holds what the expectations of times need. All times are nanoseconds since 1970 UTC.
type timeCheck struct {
	first, last, oldest int64 // bounds of NotBefore, NotAfter, MaxAge
	newest              int64
	looked              int64

	early, late, old offence
}

func (t *timeCheck) prepare(want *Column, now time.Time) {
	t.first, t.last, t.oldest, t.newest = math.MinInt64, math.MaxInt64, math.MinInt64, math.MinInt64
	if want.NotBefore != nil {
		t.first = want.NotBefore.resolve(now).UnixNano()
	}
	if want.NotAfter != nil {
		t.last = want.NotAfter.resolve(now).UnixNano()
	}
	if want.MaxAge != 0 {
		t.oldest = now.Add(-want.MaxAge).UnixNano()
	}
}

func (t *timeCheck) add(row int64, v *table.Vector) {
	for i, at := range v.Time {
		if v.Null != nil && v.Null[i] {
			continue
		}
		t.looked++
		t.newest = max(t.newest, at)
		for _, bound := range [...]struct {
			broken bool
			o      *offence
		}{{at < t.first, &t.early}, {at > t.last, &t.late}, {at < t.oldest, &t.old}} {
			if bound.broken {
				bound.o.hit(row+int64(i), func() string { return describe(v, i) })
			}
		}
	}
}

// checkTimes judges bounds, age and freshness.
func (c *columnCheck) checkTimes() []Check {
	t, want := &c.time, &c.want
	var all []Check
	rate := func(name, title, what string, o offence) {
		all = append(all, c.rate(rowExpectation{name: name, title: title, what: what, offence: o,
			looked: t.looked, allowed: want.Tolerance, fits: c.have.Kind == table.Time, need: "times"}))
	}
	if want.NotBefore != nil {
		rate("not_before", "Earliest time", "lie before "+want.NotBefore.String(), t.early)
	}
	if want.NotAfter != nil {
		rate("not_after", "Latest time", "lie after "+want.NotAfter.String(), t.late)
	}
	if want.MaxAge != 0 {
		rate("max_age", "Greatest age", "are older than "+durationWords(want.MaxAge), t.old)
	}
	if want.Fresh != 0 {
		all = append(all, c.checkFresh())
	}
	return all
}

func (c *columnCheck) checkFresh() Check {
	check := c.check("fresh", "Freshness", "a time within the last "+durationWords(c.want.Fresh))
	if c.unjudged(&check, c.have.Kind == table.Time, "times") || c.unjudged(&check, c.time.looked > 0, "at least one time") {
		return check
	}
	newest := time.Unix(0, c.time.newest).UTC()
	check.Found = "newest is " + newest.Format(time.RFC3339)
	check.Words = c.want.Name + ": the newest time is " + newest.Format(time.RFC3339) + "; expected " + check.Expected
	if newest.Before(c.now.Add(-c.want.Fresh)) {
		check.Verdict = c.broken()
	}
	return check
}

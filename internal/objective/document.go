package objective

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
)

// APIVersion and Kind are the first two lines of every objective.
const (
	APIVersion = "tallystick/v1"
	Kind       = "Objective"
)

// champion is the version that serves as champion when a prediction is made.
const champion = "champion"

// Document is an objective as it was written.
type Document struct {
	Name        string
	Description string
	Model       string
	Version     string // whose predictions count: a name, champion, or empty for all
	Environment string // where; empty: anywhere
	Where       []query.Condition
	Delay       time.Duration // how long records are waited for
	Parameters  Parameters
	Rules       []BurnRule
	Promise
	// Months are the periods if it is not nil, of that zone, and Period is 30 days, by which burn rates are counted.
	Months *time.Location

	source []byte
}

// Source returns the bytes that the document was read from.
func (d *Document) Source() []byte { return d.source }

// defaultDelay covers the ten seconds for which records lie in the journal, and senders that batch for a minute.
const defaultDelay = 2 * time.Minute

const day = 24 * time.Hour

// indicator returns that of the document, which was read strictly.
func (d *Document) indicator() Indicator {
	i, _ := FindIndicator(d.Indicator)
	return i
}

// step is how fine the time is by which the objective is judged: sources that count hours are judged at hours.
func (d *Document) step() time.Duration {
	if d.indicator().Live {
		return time.Minute
	}
	return time.Hour
}

// at returns the moment that is judged at a time of the clock.
func (d *Document) at(now time.Time) time.Time { return now.Add(-d.Delay).UTC().Truncate(d.step()) }

// begins is where the period of a judgement begins. It lies on an hour, because that is how counts are kept by then.
func (d *Document) begins(at time.Time) time.Time {
	if d.Months != nil {
		return monitor.Month(at.Add(-time.Nanosecond), d.Months).From.Truncate(time.Hour)
	}
	return at.Add(-d.Period).Truncate(time.Hour)
}

// horizon is from when on events are counted: from where the period begins, or the longest window of a rule, which is before it
// in the first days of a month.
func (d *Document) horizon(at time.Time) time.Time {
	first := d.begins(at)
	for _, r := range d.Rules {
		if from := at.Add(-r.Window).Truncate(time.Hour); from.Before(first) {
			first = from
		}
	}
	return first
}

// period is the period as it is on record.
func (d *Document) period() string {
	if d.Months != nil {
		return monitor.OneMonth
	}
	return Span(d.Period)
}

// during is the period of a judgement in words.
func (d *Document) during(at time.Time) string {
	if d.Months != nil {
		return "since " + d.begins(at).In(d.Months).Format(time.DateOnly)
	}
	return "in the last " + Span(d.Period)
}

// defaults returns the rules of an objective that states none: the customary ones of its period, without those of hours
// where events are not counted that fast, or where more than every event would have to be bad.
func (d *Document) defaults() (rules []BurnRule) {
	for _, r := range Rules(d.Period) {
		if (d.indicator().Live || r.Short >= time.Hour) && r.Validate(d.Promise) == nil {
			rules = append(rules, r)
		}
	}
	return rules
}

// Name returns how a rule is called: its action and its window, such as page/1h.
func (r BurnRule) Name() string { return string(r.Action) + "/" + Span(r.Window) }

// Span writes a duration in whole days, hours or minutes, whichever is largest and exact.
func Span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%unit.of == 0 {
			return fmt.Sprintf("%d%s", d/unit.of, unit.name)
		}
	}
	return d.String()
}

package objective

import (
	"fmt"
	"time"

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

// horizon is where the period of a judgement begins. It lies on an hour, because that is how counts are kept by then.
func (d *Document) horizon(at time.Time) time.Time { return at.Add(-d.Period).Truncate(time.Hour) }

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

// Package conduct tells what is unusual among acts of people and programs: attempts that were refused
// again and again, changes to what serves at an hour at which nobody makes any, and files taken in
// quantities that are not somebody's habit.
//
// Its functions are pure. Each looks at the acts of a bounded time and returns the cases among those since
// a moment, which the acts before it judge. Days and hours are those of UTC.
package conduct

import (
	"cmp"
	"slices"
	"time"
)

// Act is what somebody did or tried, as an event has it.
type Act struct {
	Event       uint64 // sequence
	ID          string // of the event
	At          time.Time
	By          string // id of a person, service or program
	Resource    string // what it was done to
	Model       string // empty: about none
	Environment string // empty: in none, or it is not known
}

// Rule is a way of being unusual.
type Rule string

// The rules.
const (
	RefusedAgain Rule = "refused_again" // attempts refused, one after the other
	OddHour      Rule = "odd_hour"      // a change to what serves at an hour of the week that has next to none
	MuchTaken    Rule = "much_taken"    // more files or packages in a day than is somebody's habit
	FirstTaken   Rule = "first_taken"   // files of a model of high risk, by somebody for the first time
)

// Case is something unusual.
type Case struct {
	Rule        Rule
	By          string
	Model       string // of all the acts; empty: they may be about several
	Environment string // likewise
	Reason      string // one sentence, with the numbers; names nobody
	Acts        []Act  // in the order of the trail, never none
}

const (
	day = 24 * time.Hour
	// History is how far back the acts reach that the functions are to be given.
	History = hoursHistory + 2*day
	// alpha bounds the share of false alarms where a test has one; see OddHours and MuchIsTaken for of what.
	alpha = 0.001
)

// inOrder returns the acts by time.
func inOrder(acts []Act) []Act {
	compare := func(a, b Act) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Event, b.Event)) }
	if slices.IsSortedFunc(acts, compare) {
		return acts
	}
	return slices.SortedFunc(slices.Values(acts), compare)
}

// grouped returns the acts by a key, in their order, with the keys in the order in which they appear.
func grouped[K comparable](acts []Act, key func(Act) K) (keys []K, groups map[K][]Act) {
	groups = map[K][]Act{}
	for _, a := range acts {
		k := key(a)
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], a)
	}
	return keys, groups
}

// dayOf returns the beginning of a day of UTC.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(day) }

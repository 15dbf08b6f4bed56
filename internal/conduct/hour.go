package conduct

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

const (
	hoursHistory = 90 * day
	// hoursEnough is how many occasions there must be in that time for anything to be said.
	hoursEnough = 100
	// lonelyEnough is the company from which on more of it makes no difference.
	lonelyEnough = 50
	around       = time.Hour // before and after, within which occasions keep each other company
)

// OddHours returns the cases of acts since a moment at an hour of the week at which the installation has
// next to none, those of one person, day, model and environment as one; and whether there are occasions enough to say so.
//
// The test is by rank. An occasion is as lonely as few of the others within 90 days are within an hour of
// its time of day, on weekdays or at weekends as it is. Among n occasions before it, the p-value is
// (1 + those that are as lonely) / (n + 1). If all happen by one habit, whatever hours that keeps, the
// rank is uniform, so that P(p <= a) <= a for each act: a tail of the binomial with a share of the hours
// would ask whether work is spread evenly over the week, which it never is, and call every evening odd.
// It is a case if p is at most 0.001; with fewer than 999 occasions p cannot be that small, and a case is
// what is lonelier than all of them: at most one act in n + 1, about one in 90 days. Each act is judged
// once, by what came before it, so that looking often adds nothing.
func OddHours(acts []Act, since time.Time) (cases []Case, enough bool) {
	all := occasions(acts)
	type night struct {
		by, model, environment string
		day                    time.Time
	}
	odd, numbers, order := map[night][]Act{}, map[night]string{}, []night{}
	for i, o := range all {
		if o.At.Before(since) {
			continue
		}
		from := sort.Search(i, func(j int) bool { return !all[j].At.Before(o.At.Add(-hoursHistory)) })
		n := i - from
		if n < hoursEnough {
			continue
		}
		enough = true
		lonely, company := rank(all[from : i+1])
		if p := float64(1+lonely) / float64(n+1); p > max(alpha, 1/float64(n+1)) {
			continue
		}
		key := night{o.By, o.Model, o.Environment, dayOf(o.At)}
		if odd[key] == nil {
			order = append(order, key)
			numbers[key] = fmt.Sprintf("a change to what serves was made on a %s at %s UTC: of the %d occasions in the 90 days before, %d were within an hour of that time on a %s, and %d were as lonely",
				o.At.UTC().Weekday(), o.At.UTC().Format("15:04"), n, company, kindOf(o.At), lonely)
		}
		odd[key] = append(odd[key], o)
	}
	if !enough { // nothing since then to be judged: would there be?
		before := func(t time.Time) int { return sort.Search(len(all), func(j int) bool { return !all[j].At.Before(t) }) }
		enough = before(since)-before(since.Add(-hoursHistory)) >= hoursEnough
	}
	for _, key := range order {
		cases = append(cases, Case{OddHour, key.by, key.model, key.environment, numbers[key], odd[key]})
	}
	return cases, enough
}

// occasions returns the first act of each person in each hour, by time: ten deployments by one script are
// one occasion, and not ten that confirm each other.
func occasions(acts []Act) (all []Act) {
	type hour struct {
		by string
		at time.Time
	}
	seen := map[hour]bool{}
	for _, a := range inOrder(acts) {
		h := hour{a.By, a.At.UTC().Truncate(time.Hour)}
		if !seen[h] {
			seen[h] = true
			all = append(all, a)
		}
	}
	return all
}

// loneliness is how far an occasion is from the others of its kind of day, by the time of day.
type loneliness struct {
	company int           // others within an hour
	gap     time.Duration // to the next one; tells apart those who have the same company
}

func (l loneliness) atLeast(other loneliness) bool {
	return l.company < other.company || l.company == other.company && l.gap >= other.gap
}

// rank returns how many of the occasions but the last are as lonely as that one, and how many keep it
// company.
func rank(all []Act) (lonely, company int) {
	var times [2][]time.Duration // of the day, on weekdays and at weekends
	for _, a := range all {
		k := weekend(a.At)
		times[k] = append(times[k], sinceMidnight(a.At))
	}
	last := len(all) - 1
	for k := range times {
		slices.Sort(times[k])
	}
	its := lonelinessOf(times[weekend(all[last].At)], sinceMidnight(all[last].At))
	lonely = -1 // itself
	for _, of := range times {
		for _, at := range of {
			if lonelinessOf(of, at).atLeast(its) {
				lonely++
			}
		}
	}
	return lonely, its.company
}

// lonelinessOf returns it for one of the times, which are in their order; midnight is no border.
func lonelinessOf(of []time.Duration, at time.Duration) (l loneliness) {
	place, _ := slices.BinarySearch(of, at)
	l.gap = day
	for _, forward := range []bool{true, false} {
		for step := 1; step < len(of); step++ {
			gap := of[(place+step)%len(of)] - at
			if !forward {
				gap = at - of[(place-step+len(of))%len(of)]
			}
			if gap < 0 {
				gap += day
			}
			l.gap = min(l.gap, gap)
			if gap > around || l.company == lonelyEnough {
				break
			}
			l.company++
		}
	}
	return l
}

func sinceMidnight(t time.Time) time.Duration { return t.Sub(dayOf(t)) }

func weekend(t time.Time) int {
	if d := t.UTC().Weekday(); d == time.Saturday || d == time.Sunday {
		return 1
	}
	return 0
}

func kindOf(t time.Time) string { return [...]string{"weekday", "weekend day"}[weekend(t)] }

package conduct

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	takenHistory = 60 * day
	takenDays    = 14 // of history that a habit has at least
	takenFew     = 10 // in a day: fewer are no case, however rare
	takenPeers   = 3  // with a habit, who stand in for somebody without one
	// confidence is that of the bound for the variance of a habit.
	confidence = 0.95
)

// habit is what somebody takes in a day.
type habit struct {
	days           int
	mean, variance float64
}

// MuchIsTaken returns the cases of somebody who took more files and packages in a day than their own days
// explain, on the day of the given moment and those after it. roles gives the roles of an id; it is
// asked for those who have no 14 days of history, and are held against the median habit of those who
// share a role, with the spread between those; where fewer than three have one, nothing is said.
//
// The test is the upper tail of a negative binomial with the mean of up to 60 days before and their
// variance, taken at its upper 95 % bound, since both are estimates; a Poisson tail where the variance is
// no greater than the mean. It is a case if the tail is at most 0.001 / m, with m those who took anything
// that day: so at most one day in 1,000 has a false alarm. A day that is not over holds fewer than it
// will: looking at it every hour adds nothing.
func MuchIsTaken(acts []Act, since time.Time, roles func(id string) []string) (cases []Case) {
	acts = takings(acts)
	people, byPerson := grouped(acts, func(a Act) string { return a.By })
	from := sort.Search(len(acts), func(i int) bool { return !acts[i].At.Before(dayOf(since)) })
	days, byDay := grouped(acts[from:], func(a Act) time.Time { return dayOf(a.At) })
	for _, d := range days {
		takers, taken := grouped(byDay[d], func(a Act) string { return a.By })
		limit := alpha / float64(len(takers))
		for _, by := range takers {
			today := taken[by]
			if len(today) < takenFew {
				continue
			}
			h, of := habitOf(byPerson[by], acts, d), "their own"
			if h.days < takenDays {
				var known int
				if h, known = peers(people, byPerson, acts, d, by, roles); known < takenPeers {
					continue
				}
				of = fmt.Sprintf("the median of %d with the same role in up to 60", known)
				if p := h.tail(len(today)); p <= limit {
					cases = append(cases, Case{MuchTaken, by, "", "", fmt.Sprintf("files or packages were taken %d times on %s by somebody without 14 days of history; %s days is %.1f a day, and the chance of so many %.1e",
						len(today), d.Format(time.DateOnly), of, h.mean, p), today})
				}
				continue
			}
			if p := h.tail(len(today)); p <= limit {
				cases = append(cases, Case{MuchTaken, by, "", "", fmt.Sprintf("files or packages were taken %d times on %s; %s last %d days have %.1f a day, and the chance of so many is %.1e",
					len(today), d.Format(time.DateOnly), of, h.days, h.mean, p), today})
			}
		}
	}
	return cases
}

// takings returns the first act of each person about each resource in each hour: the files of a version
// are taken one by one.
func takings(acts []Act) (all []Act) {
	type taking struct {
		by, resource string
		hour         time.Time
	}
	seen := map[taking]bool{}
	for _, a := range inOrder(acts) {
		if k := (taking{a.By, a.Resource, a.At.UTC().Truncate(time.Hour)}); !seen[k] {
			seen[k] = true
			all = append(all, a)
		}
	}
	return all
}

// habitOf returns what somebody took in the days before a day: of 60, or of those since their first act, or
// since the first of all that is known, days without any included.
func habitOf(own, all []Act, before time.Time) (h habit) {
	from := before.Add(-takenHistory)
	if first := dayOf(all[0].At).Add(day); first.After(from) {
		from = first // the first day of what is known may be half a one
	}
	counts := map[time.Time]int{}
	first := before
	for _, a := range own {
		if d := dayOf(a.At); !d.Before(from) && d.Before(before) {
			counts[d]++
			if d.Before(first) {
				first = d
			}
		}
	}
	h.days = int(before.Sub(first) / day)
	if h.days == 0 {
		return h
	}
	var sum, squares float64
	for _, n := range counts {
		sum, squares = sum+float64(n), squares+float64(n)*float64(n)
	}
	n := float64(h.days)
	h.mean = sum / n
	if h.days > 1 {
		h.variance = (squares - n*h.mean*h.mean) / (n - 1)
		h.variance *= (n - 1) / distuv.ChiSquared{K: n - 1}.Quantile(1-confidence)
	}
	return h
}

// peers returns the median habit of those who share a role with somebody, and how many have one.
func peers(people []string, byPerson map[string][]Act, all []Act, before time.Time, of string, roles func(string) []string) (habit, int) {
	mine := roles(of)
	var means, variances []float64
	for _, p := range people {
		if p == of || !slices.ContainsFunc(roles(p), func(r string) bool { return slices.Contains(mine, r) }) {
			continue
		}
		if h := habitOf(byPerson[p], all, before); h.days >= takenDays {
			means, variances = append(means, h.mean), append(variances, h.variance)
		}
	}
	if len(means) == 0 {
		return habit{}, 0
	}
	between := 0.0 // habits differ from one to the next, and nobody knows theirs
	if len(means) > 1 {
		between = stat.Variance(means, nil)
	}
	slices.Sort(means)
	slices.Sort(variances)
	return habit{days: takenDays, mean: means[len(means)/2], variance: variances[len(variances)/2] + between}, len(means)
}

// tail returns the chance of at least n in a day by the habit.
func (h habit) tail(n int) float64 {
	switch {
	case n <= 0:
		return 1
	case h.mean <= 0:
		return 0
	case h.variance <= h.mean:
		return mathext.GammaIncReg(float64(n), h.mean) // P(Poisson >= n)
	}
	r := h.mean * h.mean / (h.variance - h.mean)
	return mathext.RegIncBeta(float64(n), r, 1-h.mean/h.variance)
}

// FirstsTaken returns the first act of each person about each model since a moment, as far as outside says
// that it concerns a model of high risk which is not theirs. Whether it is the first ever, the acts given
// cannot say: the caller looks. It is a fact and no test.
func FirstsTaken(acts []Act, since time.Time, outside func(by, model string) bool) (cases []Case) {
	type pair struct{ by, model string }
	keys, groups := grouped(inOrder(acts), func(a Act) pair { return pair{a.By, a.Model} })
	for _, k := range keys {
		if first := groups[k][0]; k.model != "" && !first.At.Before(since) && outside(k.by, k.model) {
			cases = append(cases, Case{FirstTaken, k.by, k.model, "", "files of " + k.model + ", a model of tier high, were taken for the first time by somebody who is none of its owners", []Act{first}})
		}
	}
	return cases
}

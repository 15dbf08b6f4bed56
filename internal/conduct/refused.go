package conduct

import (
	"fmt"
	"time"
)

// refusedEnough is how many refusals within a day are a case.
const refusedEnough = 3

// Refusals returns the cases of somebody who was refused at least three times within 24 hours in one
// environment, as far as an act since the given moment is among them. It is a rule and no test: refusals
// have no ordinary rate.
func Refusals(acts []Act, since time.Time) (cases []Case) {
	type place struct{ by, environment string }
	keys, groups := grouped(inOrder(acts), func(a Act) place { return place{a.By, a.Environment} })
	for _, k := range keys {
		for run := groups[k]; len(run) > 0; {
			n := 1
			for n < len(run) && run[n].At.Sub(run[0].At) <= day {
				n++
			}
			if n < refusedEnough {
				run = run[1:]
				continue
			}
			if found := run[:n]; !found[n-1].At.Before(since) {
				cases = append(cases, Case{RefusedAgain, k.by, "", k.environment, fmt.Sprintf(
					"%d attempts at releases, promotions or assignments%s were refused within %s; from %d within 24 hours on it is told",
					n, in(k.environment), span(found[n-1].At.Sub(found[0].At)), refusedEnough), found})
			}
			run = run[n:]
		}
	}
	return cases
}

func in(environment string) string {
	if environment == "" {
		return ""
	}
	return " in " + environment
}

// span tells a duration in hours or minutes.
func span(d time.Duration) string {
	if d < time.Hour {
		return fmt.Sprintf("%d minutes", int(d.Minutes())+1)
	}
	return fmt.Sprintf("%.1f hours", d.Hours())
}

package release

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

const (
	leastWaits   = 5  // of which a median and a 90th percentile are told
	shownDenials = 10 // rules that denied
	watchedFor   = 7 * 24 * time.Hour
)

// Figures say how the release process went in a period. What has a share counts one for each request, because about
// one request the gate may be asked as often as one likes.
type Figures struct {
	Model       string    `json:"model,omitempty" doc:"of this model alone"`
	Environment string    `json:"environment,omitempty" doc:"of this environment alone"`
	From        time.Time `json:"from" doc:"the period begins"`
	To          time.Time `json:"to" doc:"the period ends, exclusive"`

	Requests   int64 `json:"requests" doc:"that were made in the period, of rollbacks too"`
	Decisions  int64 `json:"decisions" doc:"of the gate in the period, questions without a request too"`
	Denials    int64 `json:"denials" doc:"decisions by which the gate stayed shut"`
	Promotions int64 `json:"promotions" doc:"versions that came in"`
	Rollbacks  int64 `json:"rollbacks" doc:"versions that came back"`
	Waivers    int64 `json:"waivers" doc:"that were asked for in the period"`
	Approved   int64 `json:"waivers_approved" doc:"of those, approved by now"`

	SignOff   Waits `json:"time_to_sign_off" doc:"from a request to the last needed approval, of those that had it in the period"`
	Promotion Waits `json:"time_to_promotion" doc:"from a request to the promotion, of those that were carried out in the period; rollbacks are left aside"`

	Denied     figure.Portion `json:"denied" doc:"of the requests about which the gate decided in the period, those whose last decision there was a denial"`
	Denying    []RuleDenials  `json:"denying_rules" doc:"the rules that denied the most requests, at most 10"`
	Excepted   figure.Portion `json:"under_waiver" doc:"of the promotions, those that the gate let in by a waiver"`
	RolledBack figure.Portion `json:"rolled_back" doc:"of the promotions of a champion seven days ago or longer, those that were rolled back within seven days"`
	TooYoung   int64          `json:"too_young" doc:"promotions of a champion less than seven days ago, of which that cannot be told yet"`
}

// Waits are how long something took. Of fewer than five no median is told.
type Waits struct {
	N            int64    `json:"n" doc:"of how many"`
	Median       *float64 `json:"median_seconds,omitempty" doc:"absent if n is less than 5"`
	P90          *float64 `json:"p90_seconds,omitempty" doc:"90th percentile; absent if n is less than 5"`
	Insufficient bool     `json:"insufficient,omitempty" doc:"n is less than 5"`
}

// RuleDenials says how often a rule kept the gate shut.
type RuleDenials struct {
	Rule      string `json:"rule" doc:"id of the rule"`
	Requests  int64  `json:"requests" doc:"requests that it denied, and versions of which was only asked"`
	Decisions int64  `json:"decisions" doc:"decisions in which it did"`
}

func newWaits(taken []time.Duration) Waits {
	w := Waits{N: int64(len(taken)), Insufficient: len(taken) < leastWaits}
	if w.Insufficient {
		return w
	}
	seconds := make([]float64, len(taken))
	for i, d := range taken {
		seconds[i] = d.Seconds()
	}
	slices.Sort(seconds)
	w.Median, w.P90 = new(stat.Quantile(seconds, 0.5)), new(stat.Quantile(seconds, 0.9))
	return w
}

// passage is a request as far as figures need it, with what the gate and the reviewers said of it.
type passage struct {
	Request
	decisions []GateDecision // in their order
	reviews   []Review       // in theirs
}

// signedOff returns when the last needed approval was given: the last one before the decision from which on the gate
// no longer lacked any. That is the first that the rule for approvals did not deny after it had, or else the first that
// passed.
func (p passage) signedOff() (at time.Time, ok bool) {
	const rule = "release.approvals"
	lacked := false
	var enough *GateDecision
	for i, d := range p.decisions {
		switch lacking := slices.Contains(d.Denied, rule); {
		case lacking:
			lacked, enough = true, nil
		case enough == nil && (lacked || d.Verdict == tallystick.Pass):
			enough = &p.decisions[i]
		}
	}
	if enough == nil {
		return at, false
	}
	before := slices.DeleteFunc(slices.Clone(p.reviews), func(r Review) bool { return r.Event > enough.Event })
	for _, r := range lastOfEach(before) {
		if r.Verdict == Approve && r.Conflict == "" {
			at, ok = r.Created, true
		}
	}
	return at, ok
}

// letIn returns the decision by which the request was carried out.
func (p passage) letIn() (d GateDecision) {
	for _, is := range p.decisions {
		if is.Verdict == tallystick.Pass && is.Event < p.LastEvent {
			d = is
		}
	}
	return d
}

// measure works out the figures of the period. The requests are in the order of their events.
func (f *Figures) measure(passages []passage, now time.Time) {
	within := func(t time.Time) bool { return !t.Before(f.From) && t.Before(f.To) }
	var signedOff, promoted []time.Duration
	var judged, denied, excepted int64
	var carried []passage
	for _, p := range passages {
		if within(p.Created) {
			f.Requests++
		}
		var last *GateDecision
		for i, d := range p.decisions {
			if within(d.At) {
				last = &p.decisions[i]
			}
		}
		if last != nil {
			judged++
			if last.Verdict != tallystick.Pass {
				denied++
			}
		}
		if at, ok := p.signedOff(); ok && p.Kind == Promotion && within(at) {
			signedOff = append(signedOff, at.Sub(p.Created))
		}
		if p.State != Done {
			continue
		}
		carried = append(carried, p)
		switch {
		case !within(p.Closed):
		case p.Kind == Rollback:
			f.Rollbacks++
		default:
			f.Promotions++
			promoted = append(promoted, p.Closed.Sub(p.Created))
			if len(p.letIn().Waived) > 0 {
				excepted++
			}
		}
	}
	f.SignOff, f.Promotion = newWaits(signedOff), newWaits(promoted)
	f.Denied, f.Excepted = figure.NewPortion(denied, judged), figure.NewPortion(excepted, f.Promotions)
	f.regret(carried, now)
}

// regret counts the promotions of the period that were rolled back. A rollback leaves all champions since the one that
// comes back.
func (f *Figures) regret(carried []passage, now time.Time) {
	slices.SortStableFunc(carried, func(a, b passage) int { return cmp.Compare(a.LastEvent, b.LastEvent) })
	type place struct{ model, environment string }
	served := map[place][]passage{}
	back := map[string]time.Time{} // when a request's promotion was rolled back
	for _, p := range carried {
		if p.Role != catalog.Champion {
			continue
		}
		at := place{p.Model, p.Environment}
		if p.Kind == Promotion {
			served[at] = append(served[at], p)
			continue
		}
		for stack := served[at]; len(stack) > 0 && stack[len(stack)-1].Version != p.Version; stack = stack[:len(stack)-1] {
			back[stack[len(stack)-1].ID] = p.Closed
			served[at] = stack[:len(stack)-1]
		}
	}
	var watched, regretted int64
	for _, p := range carried {
		if p.Role != catalog.Champion || p.Kind != Promotion || p.Closed.Before(f.From) || !p.Closed.Before(f.To) {
			continue
		}
		until := p.Closed.Add(watchedFor)
		if now.Before(until) {
			f.TooYoung++
			continue
		}
		watched++
		if at, was := back[p.ID]; was && !at.After(until) {
			regretted++
		}
	}
	f.RolledBack = figure.NewPortion(regretted, watched)
}

// denials counts decisions, and by rule those that it denied.
type denials struct {
	decisions map[string]int64
	requests  map[string]map[string]bool
}

func (n *denials) add(d GateDecision) {
	if n.decisions == nil {
		n.decisions, n.requests = map[string]int64{}, map[string]map[string]bool{}
	}
	of := d.Request
	if of == "" {
		of = d.Name()
	}
	for _, rule := range d.Denied {
		n.decisions[rule]++
		if n.requests[rule] == nil {
			n.requests[rule] = map[string]bool{}
		}
		n.requests[rule][of] = true
	}
}

func (n *denials) most() []RuleDenials {
	all := []RuleDenials{}
	for _, rule := range slices.Sorted(maps.Keys(n.decisions)) {
		all = append(all, RuleDenials{rule, int64(len(n.requests[rule])), n.decisions[rule]})
	}
	slices.SortStableFunc(all, func(a, b RuleDenials) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(b.Decisions, a.Decisions))
	})
	return all[:min(len(all), shownDenials)]
}

// Words say how long it took.
func (w Waits) Words() string {
	if w.Median == nil || w.P90 == nil {
		return fmt.Sprintf("n %d: too few to tell, %d are needed", w.N, leastWaits)
	}
	return fmt.Sprintf("median %s, 90th percentile %s (n %d)", lasting(*w.Median), lasting(*w.P90), w.N)
}

// lasting writes a number of seconds in the largest unit of which there are two or more.
func lasting(seconds float64) string {
	for _, unit := range []struct {
		name string
		of   float64
	}{{"days", 86400}, {"hours", 3600}, {"minutes", 60}} {
		if seconds >= 2*unit.of {
			return fmt.Sprintf("%.1f %s", seconds/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%.0f seconds", seconds)
}

package comparison

import (
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// length says how long the comparison still takes, and how long it may.
func (d *Document) length(j *VersionsJudgement, f *found) {
	elapsed := j.To.Sub(j.From)
	l := &j.Length
	l.Elapsed = short(elapsed)
	words := []string{}
	if still, ok := d.needed(j, f); ok {
		l.Needed = short(still)
		words = append(words, fmt.Sprintf("At the present pace it takes %s more until every primary metric is settled.", l.Needed))
	}
	if d.Budget != nil {
		if allowed, spent, ok := d.allowed(j, f); ok {
			l.Spent = &spent
			if allowed < 10*366*day {
				l.Allowed = short(allowed)
				words = append(words, fmt.Sprintf("The error budget lets the new version serve its share for %s, failing as often as it at most does.", l.Allowed))
			}
		}
	}
	l.Longest = short(d.longest(j))
	l.Words = strings.Join(words, " ")
}

// needed is how much longer it takes until every primary metric is settled, at the present pace and rates.
func (d *Document) needed(j *VersionsJudgement, f *found) (still time.Duration, ok bool) {
	elapsed := j.To.Sub(j.From)
	for i := range j.Rows {
		r := &j.Rows[i]
		if r.Role != Primary || r.settled() {
			continue
		}
		have := r.NewRows + r.OldRows
		if d.PairBy != "" {
			have = r.NewRows
		}
		if r.Needed == nil || have == 0 {
			return 0, false
		}
		more := float64(max(*r.Needed-have, have/20, 1)) / float64(have) * float64(elapsed)
		if more > float64(10*366*day) {
			return 0, false
		}
		still = max(still, time.Duration(more))
	}
	return still, still > 0
}

// allowed is how long the new version may serve its share until what it may use of the error budget is used, if it fails
// as often as it at most does (the upper end of its interval), and what share of that it has used.
func (d *Document) allowed(j *VersionsJudgement, f *found) (span time.Duration, spent float64, ok bool) {
	elapsed := j.To.Sub(j.From)
	all := f.rows[newer] + f.rows[older]
	if all == 0 || f.rows[newer] == 0 || elapsed <= 0 {
		return 0, 0, false
	}
	pace := float64(all) / float64(elapsed)
	may := (1 - d.Budget.Target) * d.Budget.Spend * pace * float64(d.Budget.Period)
	most := f.failed[newer].Anytime(1 - d.Alpha).High
	until := may / (most * float64(f.rows[newer]) / float64(elapsed))
	return time.Duration(min(until, float64(11*366*day))), float64(f.failed[newer].K) / may, true
}

// settled reports whether the verdict of a row is final.
func (r *MetricRow) settled() bool {
	return r.Verdict == tallystick.Pass || r.Verdict == tallystick.Fail
}

// longest is how long the comparison may take.
func (d *Document) longest(j *VersionsJudgement) time.Duration {
	longest := d.Longest
	if spent := j.Length.Spent; spent != nil && *spent >= 1 {
		longest = min(longest, j.To.Sub(j.From)) // it has used what it may use
	}
	return longest
}

// short writes a duration as people do.
func short(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.3gd", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.3gh", d.Hours())
	case d >= time.Minute:
		return fmt.Sprintf("%.3gm", d.Minutes())
	}
	return d.Round(time.Second).String()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

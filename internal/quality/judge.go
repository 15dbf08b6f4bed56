package quality

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// The limits of the verdicts.
const (
	maxMissing      = 0.05  // share of missing values that is worth a warning where nothing is known of the column
	rateConfidence  = 0.99  // of intervals against the reference
	rateWarn        = 0.01  // increase of a rate that is worth a warning, where the reference has the fault too
	rateFail        = 0.05  // increase of a rate that is a failure, by the whole interval
	strangeFail     = 0.01  // share of values unknown to the reference that is a failure, by the lower bound
	exceedanceAlpha = 0.001 // level of the exceedance test, small because tables have many columns
)

// runsOn holds the roles whose values are new by nature: identifiers, times, and columns that the
// model does not use.
var runsOn = map[string]bool{"id": true, "time": true, "query": true, "item": true, "other": true}

// judge says what is wrong with a column.
type judge struct {
	p *Profiler
	c *Column
}

func (j judge) all() {
	if j.c.N == 0 {
		j.c.add("rows", tallystick.Insufficient, j.c.Name+" has no rows")
		return
	}
	j.c.Verdict = tallystick.Pass
	if j.typeChange() {
		return // what follows would compare apples with pears
	}
	j.missing()
	j.notFinite("nan", "NaN", j.p.nan, func(r *Profiler) int64 { return r.nan })
	j.notFinite("infinite", "infinite", j.p.posInf+j.p.negInf, func(r *Profiler) int64 { return r.posInf + r.negInf })
	if j.c.Constant {
		j.c.add("constant", tallystick.Warn, fmt.Sprintf("%s has the same value in every row that has one", j.c.Name))
	}
	j.outOfRange()
	j.unseen()
}

func (j judge) typeChange() (incomparable bool) {
	r := j.p.cfg.Reference
	if r == nil || r.n == 0 {
		return false
	}
	was, is := r.cfg.Column, j.p.cfg.Column
	switch {
	case was.Kind != is.Kind && r.n > r.null && j.p.n > j.p.null:
		j.c.add("type-change", tallystick.Fail, fmt.Sprintf("%s is %s (%s); the reference has %s (%s)",
			j.c.Name, is.Kind, is.Physical, was.Kind, was.Physical))
		return true
	case was.Kind == table.Number && is.Kind == table.Number && r.moments.N > 0 && r.fractions == 0 && j.p.fractions > 0:
		j.c.add("type-change", tallystick.Warn, fmt.Sprintf("%s has %s numbers that are not whole; the reference has none",
			j.c.Name, count(j.p.fractions)))
	}
	return was.Kind != is.Kind
}

// missing compares the share of missing values with the reference's, or with a rule of thumb.
func (j judge) missing() {
	now := stat.Proportion{K: j.p.null, N: j.p.n}
	r := j.p.cfg.Reference
	if r == nil || r.n == 0 {
		if now.Rate() > maxMissing {
			j.c.add("missing-rate", tallystick.Warn, fmt.Sprintf("%s of %s is missing (%s of %s rows)",
				percent(now.Rate()), j.c.Name, count(now.K), count(now.N)))
		}
		return
	}
	was := stat.Proportion{K: r.null, N: r.n}
	j.c.MissingShareRef = stat.Number(was.Rate())
	j.increase("missing-rate", "missing", now, was)
}

func (j judge) notFinite(check, what string, now int64, was func(*Profiler) int64) {
	if now == 0 {
		return
	}
	rate := stat.Proportion{K: now, N: j.p.n}
	if r := j.p.cfg.Reference; r != nil && r.n > 0 && was(r) > 0 {
		j.increase(check, what, rate, stat.Proportion{K: was(r), N: r.n})
		return
	}
	j.c.add(check, tallystick.Warn, fmt.Sprintf("%s of %s rows of %s are %s", count(now), count(rate.N), j.c.Name, what))
}

// increase judges a rate that should not rise. Two keys, as for drift: the interval of the
// difference lies wholly above 0, and the rise is large enough to matter. Any certain rise from
// nothing matters.
func (j judge) increase(check, what string, now, was stat.Proportion) {
	interval := stat.Newcombe(now, was, rateConfidence)
	rise := now.Rate() - was.Rate()
	if !(interval.Low > 0) || was.K > 0 && rise < rateWarn {
		return
	}
	verdict := tallystick.Warn
	if interval.Low > rateFail {
		verdict = tallystick.Fail
	}
	j.c.add(check, verdict, fmt.Sprintf("%s of %s is %s, up from %s in the reference: a rise of %s points, 99 %% interval %s to %s",
		percent(now.Rate()), j.c.Name, what, percent(was.Rate()), points(rise), points(interval.Low), points(interval.High)))
}

// outOfRange judges numbers beyond the smallest and largest of the reference. Some of those are
// to be expected: the next row beats a record of N rows with probability 2/(N+1).
func (j judge) outOfRange() {
	r := j.p.cfg.Reference
	n := j.p.moments.N + j.p.posInf + j.p.negInf
	if r == nil || r.moments.N == 0 || n == 0 || runsOn[j.c.Role] {
		return
	}
	outside := stat.Proportion{K: j.p.outside, N: n}
	j.c.OutOfRangeShare = stat.Number(outside.Rate())
	if exceedance(outside.K, n, r.moments.N) >= exceedanceAlpha {
		return
	}
	verdict := tallystick.Warn
	if outside.Wilson(rateConfidence).Low > strangeFail {
		verdict = tallystick.Fail
	}
	j.c.add("out-of-range", verdict, fmt.Sprintf("%s of %s lies outside %s to %s, the range of the reference (%s of %s values)",
		percent(outside.Rate()), j.c.Name, number(r.moments.Min), number(r.moments.Max), count(outside.K), count(n)))
}

// exceedance returns the probability that k or more of m new rows lie beyond the extremes of n
// reference rows although nothing has changed. The rows beyond are then the failures before the
// second success in trials that succeed with probability n/(n+m) (a negative binomial, the limit
// of the exact law for m and n that are not small; ties make it smaller).
func exceedance(k, m, n int64) float64 {
	p := float64(n) / float64(n+m)
	return math.Pow(1-p, float64(k)) * (1 + float64(k)*p)
}

// unseen judges the categories that the reference does not have. Of a column with many rare
// values some are to be expected: by Good and Turing as large a share as the values make up that
// the reference has once only.
func (j judge) unseen() {
	r := j.p.cfg.Reference
	if r == nil || r.n == r.null || j.p.n == j.p.null || j.p.cfg.Column.Kind != table.Category || runsOn[j.c.Role] {
		return
	}
	known := r.counts()
	var strange []string
	unseen := stat.Proportion{N: j.p.n - j.p.null}
	for value, n := range j.p.counts() {
		if known[value] == 0 {
			unseen.K += n
			strange = append(strange, value)
		}
	}
	j.c.UnseenShare = stat.Number(unseen.Rate())
	expected := goodTuring(known)
	low := unseen.Wilson(rateConfidence).Low
	if unseen.K == 0 || low <= expected {
		return
	}
	verdict := tallystick.Warn
	if low > strangeFail {
		verdict = tallystick.Fail
	}
	slices.Sort(strange)
	j.c.add("unseen-values", verdict, fmt.Sprintf("%s of %s has a value that the reference never had: %s",
		percent(unseen.Rate()), j.c.Name, examples(strange)))
}

// goodTuring returns the share of the next rows that will hold a value not yet seen.
func goodTuring(counts map[string]int64) float64 {
	var once, all int64
	for _, n := range counts {
		all += n
		if n == 1 {
			once++
		}
	}
	return stat.Proportion{K: once, N: all}.Rate()
}

// examples quotes at most five values.
func examples(values []string) string {
	var quoted []string
	for _, v := range values[:min(5, len(values))] {
		if len(v) > 60 {
			v = strings.ToValidUTF8(v[:60], "") + "…"
		}
		quoted = append(quoted, strconv.Quote(v))
	}
	words := strings.Join(quoted, ", ")
	if more := len(values) - len(quoted); more > 0 {
		words += " and " + count(int64(more)) + " more"
	}
	return words
}

package contract

import (
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/table"
)

// numberCheck holds what the expectations of numbers need.
type numberCheck struct {
	want     *Column
	low, top float64

	nan, inf, fraction, outside offence

	values    int64 // numbers that are not NaN, infinite ones included
	finite    int64
	sum       kahan
	quantiles []quantileCount
}

// quantileCount counts the finite values on either side of the bounds of one quantile, which is
// all that is needed to judge it exactly in one pass.
type quantileCount struct{ below, upTo int64 } // x < Min, x <= Max

func (n *numberCheck) prepare(want *Column) {
	n.want, n.low, n.top = want, math.Inf(-1), math.Inf(1)
	if want.Range.Min != nil {
		n.low = *want.Range.Min
	}
	if want.Range.Max != nil {
		n.top = *want.Range.Max
	}
	n.quantiles = make([]quantileCount, len(want.Quantiles))
}

func (n *numberCheck) add(row int64, v *table.Vector) {
	var sum float64
	var finite, values int64
	for i, x := range v.Float {
		if x != x {
			if v.Null == nil || !v.Null[i] {
				n.nan.hit(row+int64(i), func() string { return "NaN" })
			}
			continue
		}
		values++
		if x < n.low || x > n.top {
			n.outside.hit(row+int64(i), func() string { return formatNumber(x) })
		}
		if x-x != 0 {
			n.inf.hit(row+int64(i), func() string { return formatNumber(x) })
			continue
		}
		if x != math.Trunc(x) {
			n.fraction.hit(row+int64(i), func() string { return formatNumber(x) })
		}
		finite++
		sum += x
	}
	n.values += values
	n.finite += finite
	n.sum.add(sum)
	for i, q := range n.want.Quantiles {
		n.quantiles[i].add(v.Float, q.Range)
	}
}

func (c *quantileCount) add(values []float64, want Range) {
	if want.Min != nil {
		for _, x := range values {
			if x < *want.Min && x-x == 0 {
				c.below++
			}
		}
	}
	if want.Max != nil {
		for _, x := range values {
			if x <= *want.Max && x-x == 0 {
				c.upTo++
			}
		}
	}
}

// kahan adds numbers with Neumaier's compensation, so that the mean does not depend on how the
// rows are cut into blocks beyond the last digits.
type kahan struct{ sum, lost float64 }

func (k *kahan) add(x float64) {
	t := k.sum + x
	if math.Abs(k.sum) >= math.Abs(x) {
		k.lost += (k.sum - t) + x
	} else {
		k.lost += (x - t) + k.sum
	}
	k.sum = t
}

func (k *kahan) total() float64 { return k.sum + k.lost }

// checkNumbers judges NaN, infinities, range, mean and quantiles.
func (c *columnCheck) checkNumbers() []Check {
	n, want := &c.number, &c.want
	var all []Check
	rate := func(r rowExpectation) {
		r.fits, r.need = c.have.Kind == table.Number, "numbers"
		all = append(all, c.rate(r))
	}
	if want.NaN != nil {
		rate(rowExpectation{name: "nan", title: "Values that are not a number", what: "hold NaN",
			offence: n.nan, looked: n.values + n.nan.count, allowed: *want.NaN})
	}
	if want.Infinite != nil {
		rate(rowExpectation{name: "infinite", title: "Infinite values", what: "hold an infinity",
			offence: n.inf, looked: n.values, allowed: *want.Infinite})
	}
	if !want.Range.empty() {
		rate(rowExpectation{name: "range", title: "Range of the values", what: "are outside " + rangeWords(want.Range),
			offence: n.outside, looked: n.values, allowed: want.Tolerance})
	}
	if !want.Mean.empty() {
		check := c.check("mean", "Mean of the values", rangeWords(want.Mean))
		if !c.unjudgedNumbers(&check) {
			check = c.within("mean", "Mean of the values", n.sum.total()/float64(n.finite), want.Mean)
		}
		all = append(all, check)
	}
	for i, q := range want.Quantiles {
		all = append(all, c.checkQuantile(q, n.quantiles[i]))
	}
	return all
}

// unjudgedNumbers is unjudged, also where there is no finite number.
func (c *columnCheck) unjudgedNumbers(check *Check) bool {
	if c.unjudged(check, c.have.Kind == table.Number, "numbers") {
		return true
	}
	return c.unjudged(check, c.number.finite > 0, "finite numbers")
}

// checkQuantile judges one quantile by shares: it is at least Min if less than a share Level of
// the values lies below Min, and at most Max if a share Level or more lies at or below Max.
func (c *columnCheck) checkQuantile(q Quantile, count quantileCount) Check {
	level := formatNumber(q.Level)
	check := c.check("quantile."+level, "Quantile "+level+" of the values", rangeWords(q.Range))
	if c.unjudgedNumbers(&check) {
		return check
	}
	below, upTo := share(count.below, c.number.finite), share(count.upTo, c.number.finite)
	check.Found = "as expected"
	check.Words = fmt.Sprintf("%s: the quantile %s lies in %s", c.want.Name, level, check.Expected)
	switch {
	case q.Min != nil && float64(below) >= q.Level && below > 0:
		check.Found = "below " + formatNumber(*q.Min)
		check.Words = fmt.Sprintf("%s: the quantile %s is below %s, for %s of the values are", c.want.Name, level, formatNumber(*q.Min), percent(float64(below)))
		check.Verdict = c.broken()
	case q.Max != nil && float64(upTo) < q.Level, q.Max != nil && upTo == 0:
		check.Found = "above " + formatNumber(*q.Max)
		check.Words = fmt.Sprintf("%s: the quantile %s is above %s, for only %s of the values are at or below it", c.want.Name, level, formatNumber(*q.Max), percent(float64(upTo)))
		check.Verdict = c.broken()
	}
	return check
}

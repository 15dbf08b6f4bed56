package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/wording"
)

// errorRates come first where comparisons of groups are told: they are what a person suffers.
var errorRates = []string{"false_positive_rate", "equal_opportunity", "false_negative_rate"}

func fairnessFindings(d *Document) []candidate {
	if d.Fairness == nil || len(d.Fairness.Comparisons) == 0 {
		return nil
	}
	comparisons := d.Fairness.Comparisons
	var found []candidate
	fails := withVerdict(comparisons, tallystick.Fail)
	if len(fails) > 0 {
		top := fails[0]
		words, short := top.Words, fairnessShort(top)
		if len(fails) > 1 {
			all := fmt.Sprintf(" In all, %s of %s fail.", count(int64(len(fails))), plural(len(comparisons), "comparison"))
			words, short = words+all, short+all
		}
		found = append(found, candidate{
			Finding: Finding{Area: "fairness", Verdict: tallystick.Fail, Words: words},
			short:   short, judgedBy: "fairness.error-rates",
		})
	}
	if warns := withVerdict(comparisons, tallystick.Warn); len(warns) > 0 {
		words := warns[0].Words
		if n := len(warns) - 1; n > 0 {
			words += fmt.Sprintf(" %s more.", wording.Capital(plural(n, "warning")))
		}
		found = append(found, candidate{Finding: Finding{Area: "fairness", Verdict: tallystick.Warn, Words: words}, judgedBy: "fairness.four-fifths"})
	}
	if c, ok := unsettledFinding(comparisons); ok {
		found = append(found, c)
	}
	if len(found) == 0 {
		found = append(found, candidate{Finding: Finding{Area: "fairness", Verdict: tallystick.Pass,
			Words: fmt.Sprintf("All %s of groups are within their limits.", plural(len(comparisons), "comparison"))}})
	}
	return found
}

// withVerdict returns the comparisons with that verdict: error rates first, single attributes
// before intersections, then the widest gap.
func withVerdict(comparisons []fairness.Comparison, v tallystick.Verdict) []fairness.Comparison {
	var some []fairness.Comparison
	for _, c := range comparisons {
		if c.Verdict == v {
			some = append(some, c)
		}
	}
	order := func(c fairness.Comparison) (int, int) {
		kind, crossed := 1, 0
		if slices.Contains(errorRates, c.Metric) {
			kind = 0
		}
		if strings.Contains(c.Attribute, fairness.Intersection) {
			crossed = 1
		}
		return crossed, kind
	}
	slices.SortStableFunc(some, func(a, b fairness.Comparison) int {
		crossedA, kindA := order(a)
		crossedB, kindB := order(b)
		return cmp.Or(cmp.Compare(crossedA, crossedB), cmp.Compare(kindA, kindB), cmp.Compare(gap(b), gap(a)))
	})
	return some
}

func gap(c fairness.Comparison) float64 { return math.Abs(float64(c.Difference)) }

func fairnessShort(c fairness.Comparison) string {
	if c.Metric == "four_fifths" {
		return c.Words
	}
	direction := "more"
	low, high := 100*c.DiffCI.Low, 100*c.DiffCI.High
	if c.Difference < 0 {
		direction, low, high = "less", -high, -low
	}
	return fmt.Sprintf("%s: %s for %s %s, %s for %s, %s points %s (95 %% interval %s to %s).",
		fairnessTitle(c.Metric), shareOnly(c.Rate), c.Attribute, c.Value, shareOnly(c.RateOfRef), c.Reference,
		figure.Fixed(100*gap(c), 1), direction, figure.Fixed(low, 1), figure.Fixed(high, 1))
}

func unsettledFinding(comparisons []fairness.Comparison) (candidate, bool) {
	open, few := 0, 0
	var groups []string
	for _, c := range comparisons {
		switch c.Verdict {
		case tallystick.Inconclusive:
			open++
		case tallystick.Insufficient:
			few++
		default:
			continue
		}
		if name := c.Attribute + " " + c.Value; !slices.Contains(groups, name) {
			groups = append(groups, name)
		}
	}
	if open+few == 0 {
		return candidate{}, false
	}
	verdict := tallystick.Inconclusive
	if open == 0 {
		verdict = tallystick.Insufficient
	}
	words := fmt.Sprintf("%s of %s of groups are not settled (%s cross a limit, %s have too few rows), among them %s.",
		count(int64(open+few)), plural(len(comparisons), "comparison"), count(int64(open)), count(int64(few)), list(groups, 4))
	return candidate{Finding: Finding{Area: "fairness", Verdict: verdict, Words: words}, judgedBy: "fairness.small-groups"}, true
}

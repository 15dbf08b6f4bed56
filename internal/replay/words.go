package replay

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// judge says whether the share of decisions that changed is allowed. The interval decides; what was not answered shows
// nothing, so that with faults nothing passes.
func (c *Outcome) judge(t Terms) {
	if t.AtMost == nil {
		return
	}
	switch d := c.Decisions; {
	case d == nil || d.N < fewest:
		c.Verdict = tallystick.Insufficient
	case d.Low > *t.AtMost:
		c.Verdict = tallystick.Fail
	case d.High <= *t.AtMost && c.Answered == c.Sent:
		c.Verdict = tallystick.Pass
	default:
		c.Verdict = tallystick.Inconclusive
	}
}

// Words tells a share in words.
func (s Share) Words() string {
	return fmt.Sprintf("%d of %d, %s at 95 %%", s.K, s.N, figure.Share(stat.Number(s.Rate), stat.Interval{Low: s.Low, High: s.High}))
}

func (c *Outcome) words(t Terms) string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if c.Answered < c.Sent {
		say("%d of %d inputs were not answered.", c.Sent-c.Answered, c.Sent)
	}
	if c.Healed > 0 {
		say("%d predictions that had failed are answered now.", c.Healed)
	}
	switch d := c.Decisions; {
	case d == nil && c.Numbers == nil:
		say("Nothing could be compared.")
	case d == nil:
	case d.K == 0:
		say("No decision changed of %d; the share can be up to %s (exact, 95 %%).", d.N, figure.Percent(d.High))
	default:
		say("Decisions changed: %s (exact).", d.Words())
	}
	if n := c.Numbers; n != nil {
		if n.Differ.K == 0 {
			say("All %d numbers are the same within %s.", n.Differ.N, figure.Plain(t.Tolerance))
		} else {
			say("Numbers differ by more than %s: %s; median %s, largest %s.", figure.Plain(t.Tolerance), n.Differ.Words(), figure.Number(n.Median), figure.Number(n.Largest))
		}
	}
	switch c.Verdict {
	case tallystick.Pass, tallystick.Fail:
		say("At most %s of the decisions may change: %s.", figure.Percent(*t.AtMost), c.Verdict)
	case tallystick.Insufficient:
		say("At most %s of the decisions may change: insufficient, %d decisions are needed.", figure.Percent(*t.AtMost), fewest)
	case tallystick.Inconclusive:
		say("At most %s of the decisions may change: inconclusive, which is no pass.", figure.Percent(*t.AtMost))
	}
	return strings.Join(all, " ")
}

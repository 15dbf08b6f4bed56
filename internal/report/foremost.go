package report

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// foremost orders the verdicts as a reader should meet them, the first one last: what was found
// before what was not settled, and what is settled and sound at the end.
var foremost = []tallystick.Verdict{tallystick.Pass, tallystick.Inconclusive, tallystick.Insufficient, tallystick.Warn, tallystick.Fail}

// Foremost returns the verdict of several that a reader should meet first: fail, warn,
// insufficient, inconclusive, pass. So nothing that was found hides behind something that was not
// settled, and nothing passes unless everything does. It is the order in which a report shows
// things and in which windows sum up. Decisions follow [tallystick.Verdict.Worse] instead, where
// what is not settled outweighs a warning, because a warning lets pass.
func Foremost(verdicts ...tallystick.Verdict) tallystick.Verdict {
	first := tallystick.Verdict("")
	for _, v := range verdicts {
		if verdictOrder(v) > verdictOrder(first) {
			first = v
		}
	}
	return first
}

// verdictOrder is larger for what comes first, and negative for no verdict.
func verdictOrder(v tallystick.Verdict) int { return slices.Index(foremost, v) }

package monitor

import (
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// live judges values one after the other, each by those before it; without a limit of their own they pass.
func live(h habit, n, most int, value func(i int) float64) (all []past, limits []float64) {
	var history []past // the newest first
	for i := range n {
		u := h.learn(history)
		is := past{value(i), tallystick.Pass}
		if u.known {
			is.verdict = h.judge(is.value, u, u.limit)
		}
		all, limits = append(all, is), append(limits, u.limit)
		history = append([]past{is}, history[:min(len(history), most-1)]...)
	}
	return all, limits
}

func count(all []past, verdict tallystick.Verdict) (k int64) {
	for _, p := range all {
		if p.verdict == verdict {
			k++
		}
	}
	return k
}

// Of values that stay as they are, one in a hundred is beyond what was learned, and hardly one fails; what is learned does not fall
// with the alarms that chance makes.
func TestUsualStaysQuiet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	h := habit{share: 0.01, windows: 200}
	const n, begun = 40_000, 300
	all, limits := live(h, n, h.windows+guard, func(int) float64 { return r.ExpFloat64() })
	warned, failed := count(all[begun:], tallystick.Warn), count(all[begun:], tallystick.Fail)
	beyond := stat.Proportion{K: warned + failed, N: n - begun}
	t.Logf("%d warned, %d failed of %d: %.3f %% beyond", warned, failed, beyond.N, 100*beyond.Rate())
	if beyond.Exact(0.98).Low > 0.0115 || (stat.Proportion{K: failed, N: beyond.N}).Exact(0.98).High > 0.002 {
		t.Errorf("%d warned and %d failed of %d", warned, failed, beyond.N)
	}
	mean := func(of []float64) float64 {
		sum := 0.0
		for _, x := range of {
			sum += x
		}
		return sum / float64(len(of))
	}
	if early, late := mean(limits[begun:n/2]), mean(limits[n/2:]); late < 0.95*early {
		t.Errorf("what is usual falls from %g to %g", early, late)
	}
}

// A change that stays fails from the third window on, and is never learned.
func TestUsualFindsChanges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	all, _ := live(habit{share: 0.01, windows: 200}, 1200, maxHistory, func(i int) float64 {
		if i >= 500 {
			return 20 + r.ExpFloat64()
		}
		return r.ExpFloat64()
	})
	if got := all[500:503]; got[0].verdict == tallystick.Pass || got[1].verdict == tallystick.Pass || got[2].verdict != tallystick.Fail {
		t.Errorf("the first changed windows are %+v", got)
	}
	if k := count(all[502:], tallystick.Fail); k != 698 {
		t.Errorf("%d of 698 changed windows fail", k)
	}
}

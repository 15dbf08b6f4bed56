package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// SciPy 1.17.1: roots (brentq) of the mixture's log likelihood ratio written with betaln; the
// difference with the likelihood maximised by minimize_scalar.
func TestAnytime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		p    Proportion
		conf float64
		want Interval
	}{
		{Proportion{0, 20}, .95, Interval{0, 0.22400611201278264}},
		{Proportion{20, 20}, .95, Interval{0.7759938879872174, 1}},
		{Proportion{5, 20}, .95, Interval{0.04731893504764219, 0.5889026409813091}},
		{Proportion{100, 1000}, .95, Interval{0.0689014968617892, 0.1381835843516017}},
		{Proportion{1000, 10000}, .95, Interval{0.0885488027769037, 0.1122855552544135}},
		{Proportion{1000, 10000}, .99, Interval{0.08747148911854866, 0.11353431777206312}},
		{Proportion{}, .95, Interval{0, 1}},
	} {
		got := test.p.Anytime(test.conf)
		near(t, "low", got.Low, test.want.Low, 1e-11)
		near(t, "high", got.High, test.want.High, 1e-11)
	}
	for _, test := range []struct {
		p, q Proportion
		want Interval
	}{
		{Proportion{1000, 10000}, Proportion{300, 2000}, Interval{-0.09386173357601565, -0.010790582939904213}},
		{Proportion{5, 20}, Proportion{15, 30}, Interval{-0.6636662682329816, 0.2640548789087296}},
		{Proportion{130, 1000}, Proportion{1000, 10000}, Interval{-0.017847217436585586, 0.08814042089970299}},
		{Proportion{}, Proportion{}, Interval{-1, 1}},
	} {
		got := AnytimeDifference(test.p, test.q, .95)
		near(t, "low", got.Low, test.want.Low, 1e-9)
		near(t, "high", got.High, test.want.High, 1e-9)
		mirrored := AnytimeDifference(test.q, test.p, .95)
		near(t, "mirrored low", mirrored.Low, -got.High, 1e-12)
		near(t, "mirrored high", mirrored.High, -got.Low, 1e-12)
	}
}

// Interval and e-value are the same wager: at the bound the e-value is one over the level.
func TestDifferenceEAgreesWithInterval(t *testing.T) {
	t.Parallel()
	p, q := Proportion{130, 1000}, Proportion{1000, 10000}
	i := AnytimeDifference(p, q, .95)
	nearRelative(t, "e at the lower bound", DifferenceE(p, q, i.Low), 20, 1e-6)
	if e := DifferenceE(p, q, 0.05); !(e > 0 && e < 1) {
		t.Errorf("e against a margin above what was seen: %v", e)
	}
	if e := DifferenceE(Proportion{100, 100}, Proportion{0, 100}, 0.5); !(e > 1e10) || math.IsInf(e, 0) {
		t.Errorf("e of all against none: %v", e)
	}
	pairs := Pairs{Both: 800, First: 80, Second: 30, Neither: 90}
	j := pairs.Anytime(.95)
	nearRelative(t, "e of pairs at the lower bound", pairs.E(j.Low), 40, 1e-6)
}

// The share of streams whose interval ever leaves the truth, over 1,500 rows, the one proportion
// looked at after every row and the others after every tenth: 0.05 is promised for endless ones.
// Whether the truth is outside is asked of the e-value against it, which is quicker.
func TestAnytimeCoverage(t *testing.T) {
	t.Parallel()
	manyStreams(t)
	const streams, rows = 600, 1500
	var one, difference, paired, wilson int
	for seed := range uint64(streams) {
		rng := rand.New(rand.NewPCG(seed, 10))
		var p, q Proportion
		var pairs Pairs
		var missed struct{ one, difference, paired, wilson bool }
		for row := range rows {
			// A canary gets a tenth of the rows at first, later half.
			share := 0.1
			if row > 500 {
				share = 0.5
			}
			k := int64(bernoulli(rng, 0.1))
			if rng.Float64() < share {
				p.N, p.K = p.N+1, p.K+k
			} else {
				q.N, q.K = q.N+1, q.K+k
			}
			first := rng.Float64() < 0.1
			pairs.Count(first, first != (rng.Float64() < 0.1)) // differ in a tenth; the second more often has success
			all := Proportion{p.K + q.K, p.N + q.N}
			missed.one = missed.one || newMixture(float64(all.N), float64(all.K)).logE(0.1) >= math.Log(20)
			if row%10 != 0 {
				continue
			}
			a, b := newMixture(float64(p.N), float64(p.K)), newMixture(float64(q.N), float64(q.K))
			missed.difference = missed.difference || leastLogE(a, b, 0) >= math.Log(20)
			missed.wilson = missed.wilson || row > 100 && !all.Wilson(.95).Contains(0.1)
			mirrored := Pairs{First: pairs.Second, Second: pairs.First, Both: pairs.Both, Neither: pairs.Neither}
			missed.paired = missed.paired || pairs.logE(-0.08) >= math.Log(40) || mirrored.logE(0.08) >= math.Log(40)
		}
		for _, count := range []struct {
			missed bool
			n      *int
		}{{missed.one, &one}, {missed.difference, &difference}, {missed.paired, &paired}, {missed.wilson, &wilson}} {
			if count.missed {
				*count.n++
			}
		}
	}
	for name, n := range map[string]int{"one proportion": one, "difference": difference, "pairs": paired} {
		t.Logf("%s: %d of %d streams leave the interval (upper 99 %% bound %.4f)", name, n, streams, clopperPearson(n, streams))
		if clopperPearson(n, streams) > 0.06 {
			t.Errorf("%s: not covered in %d of %d streams", name, n, streams)
		}
	}
	t.Logf("wilson at every tenth row: %d of %d streams", wilson, streams)
	if wilson < streams/4 {
		t.Errorf("an ordinary interval failed in %d of %d streams only: the test looks too rarely", wilson, streams)
	}
}

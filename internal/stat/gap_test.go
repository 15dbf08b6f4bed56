package stat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func gapProcess(t testing.TB, margin float64) *GapProcess {
	t.Helper()
	g, err := NewGapProcess(margin, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// No bet gains on average under any pair of rates that the claim allows: summed over every outcome
// of a window.
func TestGapProcessIsFair(t *testing.T) {
	t.Parallel()
	for _, margin := range []float64{-0.1, 0, 0.02, 0.3} {
		for _, before := range [][2]Proportion{{{1, 10}, {100, 900}}, {{80, 100}, {9, 20}}, {{0, 50}, {0, 50}}} {
			for _, rows := range [][2]int64{{1, 1}, {3, 12}, {9, 4}} {
				g := gapProcess(t, margin)
				g.First, g.Second = before[0], before[1]
				for bet := range gapBets {
					odds := 0.1 * math.Ldexp(1, bet)
					for _, second := range []float64{0.0001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.95} {
						for _, gap := range []float64{margin, margin - 0.05} {
							first := second + gap
							if first < 0 || first > 1 {
								continue
							}
							mean := 0.0
							for k := range rows[0] + 1 {
								for l := range rows[1] + 1 {
									chance := distuv.Binomial{N: float64(rows[0]), P: first}.Prob(float64(k)) *
										distuv.Binomial{N: float64(rows[1]), P: second}.Prob(float64(l))
									mean += chance * math.Exp(g.logFactor(odds, Proportion{k, rows[0]}, Proportion{l, rows[1]}))
								}
							}
							if mean > 1+1e-6 {
								t.Errorf("margin %v, %v rows after %v, odds %v: mean factor %v at rates %v and %v", margin, rows, before, odds, mean, first, second)
							}
						}
					}
				}
			}
		}
	}
}

// twoStreams feeds windows of 50 rows until the process alarms at 0.025, and returns the rows, or 0.
// The first stream gets a twentieth of the rows at first, then the share.
func twoStreams(t testing.TB, g *GapProcess, rng *rand.Rand, windows int, share, first, second float64) int {
	t.Helper()
	for window := range windows {
		var a, b Proportion
		now := share
		if window < 20 {
			now = 0.05
		}
		for range 50 {
			if rng.Float64() < now {
				a.N, a.K = a.N+1, a.K+int64(bernoulli(rng, first))
			} else {
				b.N, b.K = b.N+1, b.K+int64(bernoulli(rng, second))
			}
		}
		if err := g.Take(a, b); err != nil {
			t.Fatal(err)
		}
		if g.P() <= 0.025 {
			return 50 * (window + 1)
		}
	}
	return 0
}

func TestGapProcessFalseAlarms(t *testing.T) {
	t.Parallel()
	manyStreams(t)
	const streams = 800
	for _, margin := range []float64{0, 0.02} {
		alarms := 0
		for seed := range uint64(streams) {
			if twoStreams(t, gapProcess(t, margin), rand.New(rand.NewPCG(seed, 21)), 80, 0.5, 0.1+margin, 0.1) > 0 {
				alarms++
			}
		}
		upper := clopperPearson(alarms, streams)
		t.Logf("margin %v: %d of %d streams alarm (upper 99 %% bound %.4f)", margin, alarms, streams, upper)
		if upper > 0.025 {
			t.Errorf("margin %v: upper bound of false alarms %.4f is above 0.025", margin, upper)
		}
	}
}

func TestGapProcessPower(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		share, first float64
		mostMedian   int
	}{
		{0.5, 0.13, 7000}, {0.5, 0.2, 1800}, {0.05, 0.2, 4500},
	} {
		var found []int
		for seed := range uint64(101) {
			rows := twoStreams(t, gapProcess(t, 0), rand.New(rand.NewPCG(seed, 22)), 1000, test.share, test.first, 0.1)
			if rows == 0 {
				t.Errorf("%v against 0.1 is not found in 50,000 rows", test.first)
				rows = 50_000
			}
			found = append(found, rows)
		}
		slices.Sort(found)
		t.Logf("share %v, %v against 0.1: found after %d rows at the median", test.share, test.first, found[50])
		if found[50] > test.mostMedian {
			t.Errorf("share %v, %v against 0.1: median %d rows, more than %d", test.share, test.first, found[50], test.mostMedian)
		}
	}
}

func TestGapProcessBounds(t *testing.T) {
	t.Parallel()
	g := gapProcess(t, 0.05)
	for range 2 { // the first only teaches
		near(t, "value", g.Value(), 1, 1e-12)
		if err := g.Take(Proportion{0, 10}, Proportion{1, 100}); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Take(Proportion{5, 5}, Proportion{}); err != nil || g.First.N != 25 {
		t.Errorf("a window of one stream: %+v, %v", g, err)
	}
	for range 50 {
		if err := g.Take(Proportion{1_000_000, 1_000_000}, Proportion{0, 1_000_000}); err != nil {
			t.Fatal(err)
		}
	}
	if !isFinite(g.Value()) || g.P() > 1e-100 {
		t.Errorf("value %v, p %v", g.Value(), g.P())
	}
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back GapProcess
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(*g, back) {
		t.Errorf("%s reads back as %+v, %v", data, back, err)
	}
	for _, bad := range []string{
		`{"margin":2}`, `{"margin":0,"first":{"k":2,"n":1}}`, `{"margin":0,"reserve":0,"peak":1,"capital":[1]}`,
		`{"margin":0,"reserve":0,"peak":1,"capital":[1,1,1,1,1,-1]}`,
	} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	for _, p := range []Proportion{{-1, 5}, {6, 5}} {
		if err := g.Take(p, Proportion{1, 2}); err == nil {
			t.Errorf("%v was taken in", p)
		}
	}
	for _, margin := range []float64{-1, 1, math.NaN()} {
		if _, err := NewGapProcess(margin, 1); err == nil {
			t.Errorf("margin %v was taken", margin)
		}
	}
}

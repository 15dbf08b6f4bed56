package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/window"
)

// options are the sizes of a study.
type options struct {
	features  int
	reference int // rows
	rows      int // of a window
	windows   int // without a shift
	shifted   int // of each shift
	each      int // windows against one reference, which is drawn anew after them
	shifts    []float64
	seed      uint64
}

func defaults() options {
	return options{features: 20, reference: 10_000, rows: 1000, windows: 20_000, shifted: 1000, each: 500, shifts: []float64{0.1, 0.2, 0.25, 0.3, 0.5}, seed: 20_261_122}
}

// draw returns one value of feature i. Features come in five shapes; the first, which is moved, is
// normal with a standard deviation of 1.
func draw(random *rand.Rand, i int) float64 {
	switch i % 5 {
	case 1: // a long tail
		return math.Exp(random.NormFloat64())
	case 2:
		return random.ExpFloat64()
	case 3: // counts: Poisson with mean 3
		n, limit := 0, math.Exp(-3)
		for p := random.Float64(); p > limit; p *= random.Float64() {
			n++
		}
		return float64(n)
	case 4: // six of ten are zero
		if random.Float64() < 0.6 {
			return 0
		}
		return random.ExpFloat64()
	default:
		return random.NormFloat64()
	}
}

func fill(random *rand.Rand, i int, values []float64, shift float64) {
	for k := range values {
		values[k] = draw(random, i) + shift
	}
}

// result counts the windows that each rule flags: of stable data those with an alarm for any feature,
// otherwise those with an alarm for the one that has moved.
type result struct {
	shift   float64
	windows int
	flagged []int
	worst   []float64 // the largest share of the windows of one reference
}

func (r result) share(rule int) float64 { return float64(r.flagged[rule]) / float64(r.windows) }

func (r result) name() string {
	if r.shift == 0 {
		return "nothing moved"
	}
	return fmt.Sprintf("%v sd", r.shift)
}

func (r *result) add(flagged []int, windows int) {
	r.windows += windows
	for i, n := range flagged {
		r.flagged[i] += n
		r.worst[i] = max(r.worst[i], float64(n)/float64(windows))
	}
}

// study returns the results without a shift and of each shift. They depend on the options alone, not on
// how many processors there are.
func study(ctx context.Context, o options) ([]result, error) {
	var results []result
	for k, shift := range append([]float64{0}, o.shifts...) {
		windows := o.shifted
		if shift == 0 {
			windows = o.windows
		}
		total := result{shift: shift, flagged: make([]int, len(ruleNames)), worst: make([]float64, len(ruleNames))}
		var mu sync.Mutex
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(2)
		for start := 0; start < windows; start += o.each {
			group.Go(func() error {
				n := min(o.each, windows-start)
				random := rand.New(rand.NewPCG(o.seed+uint64(k), uint64(start))) //nolint:gosec // numbers that can be drawn again
				flagged, err := part(ctx, o, random, shift, n)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				total.add(flagged, n)
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		results = append(results, total)
	}
	return results, nil
}

// part compares so many windows with one reference.
func part(ctx context.Context, o options, random *rand.Rand, shift float64, windows int) ([]int, error) {
	builder := window.NewBuilder(window.Options{})
	rules := make([]*rivals, o.features)
	for i := range rules {
		values := make([]float64, o.reference)
		fill(random, i, values, 0)
		var err error
		if rules[i], err = newRivals(values); err != nil {
			return nil, err
		}
		if err := builder.Number(fmt.Sprintf("f%d", i), window.RoleFeature, values, 0); err != nil {
			return nil, err
		}
	}
	reference, err := builder.Build()
	if err != nil {
		return nil, err
	}
	flagged := make([]int, len(ruleNames))
	values := make([]float64, o.rows)
	baseline := drift.NewBaseline(reference)
	for range windows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		profile := reference.Profile()
		profile.AddRows(int64(o.rows))
		alarms := make([][]bool, o.features) // by feature, then by rule
		exact := make([]drift.Feature, o.features)
		for i, r := range rules {
			moved := 0.0
			if i == 0 {
				moved = shift
			}
			fill(random, i, values, moved)
			profile.AddNumbers(i, values)
			alarms[i], exact[i] = r.judge(values)
		}
		judge := func(rule int, features []drift.Feature) {
			for i, f := range drift.Judge(features, int64(o.reference), int64(o.rows), drift.Defaults()).Features {
				alarms[i][rule] = f.Verdict != "pass"
			}
		}
		judge(ours, baseline.Features(profile))
		judge(oursExact, exact)
		for rule := range ruleNames {
			alarm := alarms[0][rule]
			if shift == 0 {
				for i := range alarms {
					alarm = alarm || alarms[i][rule]
				}
			}
			if alarm {
				flagged[rule]++
			}
		}
	}
	return flagged, nil
}

// upper returns the exact upper 99 % bound of a proportion of k in n (Clopper and Pearson, Biometrika 26
// (1934) 404-413).
func upper(k, n int) float64 {
	if k == n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k) + 1, Beta: float64(n - k)}.Quantile(0.99)
}

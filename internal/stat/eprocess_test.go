package stat

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func eProcess(t testing.TB, bound, stake float64) *EProcess {
	t.Helper()
	e, err := NewEProcess(bound, stake)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// firstAlarm returns the row at which the e-process first reaches 1/alpha, looked at after every
// row, or 0.
func firstAlarm(t testing.TB, e *EProcess, rows int, next func(row int) float64) int {
	t.Helper()
	for row := 1; row <= rows; row++ {
		if err := e.Add(next(row)); err != nil {
			t.Fatal(err)
		}
		if e.P() <= 0.05 {
			return row
		}
	}
	return 0
}

// bernoulli draws 1 with the given rate.
func bernoulli(rng *rand.Rand, rate float64) float64 {
	if rng.Float64() < rate {
		return 1
	}
	return 0
}

// clopperPearson returns the exact upper 99 % bound of a proportion (Biometrika 26 (1934) 404-413).
func clopperPearson(k, n int) float64 {
	if k == n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k) + 1, Beta: float64(n - k)}.Quantile(0.99)
}

// The share of streams that ever alarm at 0.05, looked at after each of 5,000 rows, though the rate
// is the very bound: the promise is 0.05 for an endless stream. A z-test at 5 % fires in 0.28 of
// such streams when it looks at every hundredth row.
func TestEProcessFalseAlarms(t *testing.T) {
	t.Parallel()
	manyStreams(t)
	const streams, rows = 1200, 5000
	for _, test := range []struct {
		name  string
		bound float64
		stake float64 // at the start; the rest a tenth at every 500th row
		most  float64 // of the exact upper 99 % bound
		draw  func(rng *rand.Rand, bound float64) float64
	}{
		{"errors", 0.10, 1, 0.05, bernoulli},
		{"rare errors", 0.005, 1, 0.05, bernoulli},
		{"staked by and by", 0.10, 0.5, 0.05, bernoulli},
		// Here a bet hardly ever leaps over 20, so that the promise is used up: 0.05 is the truth.
		{"values between", 0.5, 1, 0.07, func(rng *rand.Rand, _ float64) float64 { return rng.Float64() }},
	} {
		alarms := 0
		for seed := range uint64(streams) {
			rng, e := rand.New(rand.NewPCG(seed, 8)), eProcess(t, test.bound, test.stake)
			row := firstAlarm(t, e, rows, func(row int) float64 {
				if row%500 == 0 {
					e.Stake(0.05)
				}
				return test.draw(rng, test.bound)
			})
			if row > 0 {
				alarms++
			}
		}
		upper := clopperPearson(alarms, streams)
		t.Logf("%s: %d of %d streams alarm (%.4f, upper 99 %% bound %.4f)", test.name, alarms, streams, float64(alarms)/streams, upper)
		if upper > test.most {
			t.Errorf("%s: upper bound of false alarms %.4f is above %v", test.name, upper, test.most)
		}
	}
}

// How many rows pass before an error rate of 0.13 against 0.10 is found.
func TestEProcessPower(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		calm       int // rows at 0.05 before the rate rises
		stake      float64
		mostMedian int
	}{
		{"from the start", 0, 1, 900},
		{"half in reserve", 0, 0.5, 1050},
		{"after a long calm", 100_000, 0.5, 2600},
	} {
		var found []int
		for seed := range uint64(201) {
			rng, e := rand.New(rand.NewPCG(seed, 9)), eProcess(t, 0.10, test.stake)
			// A year of 365 windows, of which the calm are the first 100.
			for range 100 {
				k := int64(distuv.Binomial{N: float64(test.calm) / 100, P: 0.05, Src: rng}.Rand())
				if test.calm == 0 {
					k = 0
				}
				if err := e.AddCount(k, int64(test.calm/100)); err != nil {
					t.Fatal(err)
				}
				e.Stake(0.5 / 365)
			}
			row := firstAlarm(t, e, 10_000, func(row int) float64 {
				if row%1000 == 0 {
					e.Stake(0.5 / 365)
				}
				return bernoulli(rng, 0.13)
			})
			if row == 0 {
				t.Errorf("%s, seed %d: 0.13 against 0.10 is not found in 10,000 rows", test.name, seed)
				row = 10_000
			}
			found = append(found, row)
		}
		slices.Sort(found)
		median := found[len(found)/2]
		t.Logf("%s: found after %d rows at the median, %d at the 90th percentile", test.name, median, found[len(found)*9/10])
		if median > test.mostMedian {
			t.Errorf("%s: median %d rows, more than %d", test.name, median, test.mostMedian)
		}
	}
}

// The capital after a few rows, by hand: bets of rates 5, 2.5, 1.25, ... against 0.1.
func TestEProcessByHand(t *testing.T) {
	t.Parallel()
	e := eProcess(t, 0.1, 0.5)
	if len(e.Capital) != 7 {
		t.Fatalf("%d bets against 0.1", len(e.Capital))
	}
	want := 0.0
	for _, v := range []float64{1, 0, 0.25} {
		if err := e.Add(v); err != nil {
			t.Fatal(err)
		}
	}
	for i := range e.Capital {
		rate := 5 / math.Pow(2, float64(i))
		want += 0.5 / 7 * (1 + rate*0.9) * (1 - rate*0.1) * (1 + rate*0.15)
	}
	near(t, "capital", e.Value(), 0.5+want, 1e-12)
	near(t, "mean", e.Mean(), 1.25/3, 1e-15)
	before := *e
	if err := e.Add(math.NaN()); err != nil || !reflect.DeepEqual(*e, before) {
		t.Errorf("NaN changed %+v to %+v (%v)", before, *e, err)
	}
	for _, v := range []float64{-0.1, 1.1, math.Inf(1)} {
		if err := e.Add(v); err == nil {
			t.Errorf("%v was taken in", v)
		}
	}
	for _, bound := range []float64{0, 1, -1, math.NaN()} {
		if _, err := NewEProcess(bound, 1); err == nil {
			t.Errorf("bound %v was taken", bound)
		}
	}
}

// Rows one by one, counts of windows, and growths merged in another order are the same wager.
func TestEProcessOfWindows(t *testing.T) {
	t.Parallel()
	for _, bound := range []float64{1e-6, 0.003, 0.1, 0.5, 0.97} {
		rng := rand.New(rand.NewPCG(3, 4))
		rows, counts, growths := eProcess(t, bound, 0.3), eProcess(t, bound, 0.3), eProcess(t, bound, 0.3)
		for range 20 {
			window := make([]float64, 300)
			k := int64(0)
			for i := range window {
				window[i] = bernoulli(rng, min(0.99, bound*1.3))
				k += int64(window[i])
				if err := rows.Add(window[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := counts.AddCount(k, 300); err != nil {
				t.Fatal(err)
			}
			whole, part := NewGrowth(bound), NewGrowth(bound)
			if err := errors.Join(part.AddAll(window[:77]), whole.AddAll(window[77:]), whole.Merge(part), growths.Take(whole)); err != nil {
				t.Fatal(err)
			}
			for _, e := range []*EProcess{rows, counts, growths} {
				e.Stake(0.03)
			}
		}
		for _, e := range []*EProcess{counts, growths} {
			nearRelative(t, "capital of windows", e.Value(), rows.Value(), 1e-9)
			if e.N != rows.N || e.Sum != rows.Sum || e.Peak > rows.Peak*(1+1e-9) {
				t.Errorf("bound %v: windows %+v, rows %+v", bound, e, rows)
			}
		}
	}
	if err := eProcess(t, 0.1, 1).Take(NewGrowth(0.2)); err == nil {
		t.Error("growth against another bound was taken")
	}
	if err := NewGrowth(0.1).Merge(NewGrowth(0.2)); err == nil {
		t.Error("growth against another bound was merged")
	}
	if err := eProcess(t, 0.1, 1).AddCount(3, 2); err == nil {
		t.Error("three of two were taken in")
	}
	if g := NewGrowth(0.1); g.AddAll([]float64{0, 2}) == nil || g.N != 0 {
		t.Errorf("a value of 2 was taken in: %+v", g)
	}
}

// Capital that is lost or won beyond what floats hold stays a number.
func TestEProcessBounds(t *testing.T) {
	t.Parallel()
	e := eProcess(t, 0.01, 0.5)
	for range 100 {
		if err := e.AddCount(1_000_000, 1_000_000); err != nil {
			t.Fatal(err)
		}
	}
	if math.IsInf(e.Value(), 0) || e.P() > 1e-200 {
		t.Errorf("after 1e8 errors: value %v, p %v", e.Value(), e.P())
	}
	e = eProcess(t, 0.01, 0.5)
	if err := e.AddCount(0, 100_000_000); err != nil {
		t.Fatal(err)
	}
	near(t, "value after 1e8 rows without error", e.Value(), 0.5, 1e-12)
	e.Stake(7)
	near(t, "reserve", e.Reserve, 0, 0)
	near(t, "value once all is staked", e.Value(), 0.5, 1e-12)
}

// What is read from outside is refused or is a state that works and reads back as itself.
func FuzzStatesJSON(f *testing.F) {
	e, err := NewEProcess(0.1, 0.5)
	if err != nil {
		f.Fatal(err)
	}
	g, err := NewGapProcess(0.01, 0.5)
	if err != nil {
		f.Fatal(err)
	}
	a := NewADWIN()
	for i := range 100 {
		a.Add(float64(i % 3))
	}
	curve := Isotonic{[]float64{1, 2}, []float64{0.1, 0.9}}
	for _, state := range []any{e, g, a, curve, NewGrowth(0.3), NewDDM(), NewPageHinkley()} {
		data, err := json.Marshal(state)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, 3, 10)
	}
	f.Add([]byte(`{"bound":0.1,"capital":[1],"peak":1}`), 0, 0)
	f.Fuzz(func(t *testing.T, data []byte, k, n int) {
		if e, ok := readBack[EProcess](t, data); ok && e.AddCount(int64(k), int64(n)) == nil && !isFinite(e.Value()) {
			t.Fatalf("value %v after %d of %d", e.Value(), k, n)
		}
		if g, ok := readBack[GapProcess](t, data); ok {
			p := Proportion{int64(k), int64(n)}
			if g.Take(p, p) == nil && !isFinite(g.Value()) {
				t.Fatalf("value %v after %d of %d", g.Value(), k, n)
			}
		}
		if a, ok := readBack[ADWIN](t, data); ok {
			a.Every = 1
			for i := range 50 {
				a.Add(float64(k*(i%2) + n))
			}
		}
		if c, ok := readBack[Isotonic](t, data); ok && len(c.Scores) > 0 {
			if p := c.At(float64(k) / float64(n)); p < 0 || p > 1 {
				t.Fatalf("probability %v", p)
			}
		}
		readBack[Growth](t, data)
		if d, ok := readBack[DDM](t, data); ok {
			d.Add(true)
		}
		if d, ok := readBack[PageHinkley](t, data); ok {
			d.Add(float64(k))
		}
	})
}

// readBack reads a state, and once more what it writes.
func readBack[T any](t *testing.T, data []byte) (*T, bool) {
	t.Helper()
	state, again := new(T), new(T)
	if json.Unmarshal(data, state) != nil {
		return nil, false
	}
	written, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, again); err != nil || !reflect.DeepEqual(state, again) {
		t.Fatalf("%s reads back as %+v, %v", written, again, err)
	}
	return state, true
}

func TestGrowthJSON(t *testing.T) {
	t.Parallel()
	g := NewGrowth(0.2)
	if err := g.AddAll([]float64{0, 1, 0.5}); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back Growth
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(*g, back) {
		t.Errorf("%s reads back as %+v, %v", data, back, err)
	}
	for _, bad := range []string{`{}`, `{"bound":0.2,"log":[]}`, `{"bound":2,"log":[]}`, `{"bound":0.2,"n":1,"sum":2,"log":[0,0,0,0,0,0]}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

package stat

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// digits reads a stream of one digit a value. The streams are those of the examples in the
// documentation of river 0.21 (drift.PageHinkley, drift.ADWIN, drift.binary.DDM), made with Python:
//
//	rng = random.Random(12345)  # testdata/shift.txt
//	s = rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)
//	rng = random.Random(42)     # testdata/errors.txt
//	s = rng.choices([0, 1], k=1000) + rng.choices([0, 1], k=1000, weights=[.3, .7])
//	print(*s, sep="")
func digits(t *testing.T, name string) []float64 {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var values []float64
	for _, c := range strings.TrimSpace(string(text)) {
		values = append(values, float64(c-'0'))
	}
	return values
}

func TestPageHinkley(t *testing.T) {
	t.Parallel()
	d := NewPageHinkley()
	var at []int
	for i, v := range digits(t, "shift.txt") {
		if d.Add(v) {
			at = append(at, i)
		}
	}
	if want := []int{1006}; !slices.Equal(at, want) {
		t.Errorf("alarms at %v, river says %v", at, want)
	}
}

func TestADWIN(t *testing.T) {
	t.Parallel()
	a := NewADWIN()
	var at []int
	for i, v := range digits(t, "shift.txt") {
		if a.Add(v) {
			at = append(at, i)
		}
	}
	if want := []int{1023}; !slices.Equal(at, want) {
		t.Errorf("alarms at %v, river says %v", at, want)
	}
	if a.N() > 1010 || !(a.Mean() > 5.4 && a.Mean() < 5.6) {
		t.Errorf("kept %d values with mean %v, after 1,000 of mean 5.5", a.N(), a.Mean())
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back ADWIN
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, &back) {
		t.Errorf("read back %+v, want %+v", back, a)
	}
	for _, bad := range []string{
		`{"delta":2,"every":32}`, `{"delta":0.1,"every":0}`, `{"delta":0.1,"every":1,"levels":[[{"m2":-1}]]}`,
		`{"delta":0.1,"every":1,"levels":[[{},{},{},{},{},{}]]}`, `{"delta":0.1,"every":1,"levels":[[{}],[]]}`,
	} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// A window keeps the sum and spread of all its values, exactly for whole numbers, and its memory
// stays logarithmic.
func TestADWINKeepsMoments(t *testing.T) {
	t.Parallel()
	a, rng := NewADWIN(), rand.New(rand.NewPCG(1, 1))
	var m Moments
	for range 100_000 {
		v := float64(rng.IntN(2))
		m.Add(v)
		if a.Add(v) {
			t.Fatalf("alarm after %d values of one mean", m.N)
		}
	}
	w := a.window()
	near(t, "n", w.n, float64(m.N), 0)
	near(t, "mean", a.Mean(), m.Mean, 1e-12)
	nearRelative(t, "variance", w.variance, m.Variance(), 1e-9)
	buckets := 0
	for _, level := range a.Levels {
		buckets += len(level)
	}
	if buckets > 5*17 {
		t.Errorf("%d buckets for 100,000 values", buckets)
	}
}

func TestDDM(t *testing.T) {
	t.Parallel()
	d := NewDDM()
	var warnings, drifts []int
	warned := false
	for i, v := range digits(t, "errors.txt") {
		switch d.Add(v == 1) {
		case Drift:
			drifts, warned = append(drifts, i), false
		case Warning:
			if !warned {
				warnings, warned = append(warnings, i), true
			}
		case Calm:
		}
	}
	if !slices.Equal(warnings, []int{1084, 1492}) || !slices.Equal(drifts, []int{1334}) {
		t.Errorf("first warnings at %v, drift at %v; river says 1084 and 1492, 1334", warnings, drifts)
	}
}

func BenchmarkDetectors(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 1<<16)
	for i := range values {
		if rng.Float64() < 0.1 {
			values[i] = 1
		}
	}
	run := func(name string, add func(v float64)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, v := range values {
					add(v)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(values)), "ns/row")
		})
	}
	ph, ddm, adwin := NewPageHinkley(), NewDDM(), NewADWIN()
	run("page-hinkley", func(v float64) { ph.Add(v) })
	run("ddm", func(v float64) { ddm.Add(v == 1) })
	run("adwin", func(v float64) { adwin.Add(v) })
	for _, bound := range []float64{0.12, 0.001} {
		e, err := NewEProcess(bound, 1)
		if err != nil {
			b.Fatal(err)
		}
		run(fmt.Sprintf("e-process against %v", bound), func(v float64) { _ = e.Add(v) })
	}
	g := NewGrowth(0.12)
	b.Run("growth", func(b *testing.B) {
		for b.Loop() {
			_ = g.AddAll(values)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(values)), "ns/row")
	})
	gap, err := NewGapProcess(0, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("gap process, a window", func(b *testing.B) {
		for b.Loop() {
			_ = gap.Take(Proportion{5, 50}, Proportion{95, 950})
		}
	})
	b.Run("interval of a proportion", func(b *testing.B) {
		for b.Loop() {
			Proportion{1000, 10_000}.Anytime(.95)
		}
	})
	b.Run("interval of a difference", func(b *testing.B) {
		for b.Loop() {
			AnytimeDifference(Proportion{1000, 10_000}, Proportion{300, 2000}, .95)
		}
	})
	b.Run("interval of pairs", func(b *testing.B) {
		for b.Loop() {
			Pairs{Both: 9000, First: 300, Second: 200, Neither: 500}.Anytime(.95)
		}
	})
}

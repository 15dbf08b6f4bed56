package outcome

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/window"
)

// drawn returns predictions of a group each, of which some have labels.
func drawn(n int) (all []Prediction) {
	r := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		p := Prediction{Time: prediction.TimeOf(at.Add(time.Duration(i) * time.Second)), Score: prediction.Number(r.Float64())}
		for k := range p.ID {
			p.ID[k] = byte(r.Uint32())
		}
		p.Output = prediction.Boolean(r.IntN(3) == 0)
		if r.IntN(10) > 0 {
			p.Label, p.Event, p.Lag = prediction.Boolean(r.IntN(3) == 0), uint64(i+1), time.Duration(i)*time.Second
		}
		p.Groups = []prediction.Value{prediction.String([]string{"b", "a", "c"}[r.IntN(3)])}
		all = append(all, p)
	}
	return all
}

// TestOrderDoesNotMatter puts the same predictions in in another order: every figure has the same bits, whether all rows are kept
// or some.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, most := range []int{MaxRows, 700} {
		figures := func(all []Prediction) string {
			s, err := New(Reading{Task: performance.Binary}, []string{"job"})
			if err != nil {
				t.Fatal(err)
			}
			s.most = most
			for i := range all {
				s.Add(&all[i])
			}
			p, err := s.Performance()
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Counter(nil)
			if err != nil {
				t.Fatal(err)
			}
			if kept := len(s.kept); kept > most || most < 3000 && kept < most/3 {
				t.Errorf("%d of %d rows are kept, at most %d", kept, len(all), most)
			}
			if s.Rows != 3000 || s.Newest != 3000 && s.Newest != 2999 && s.Newest != 2998 {
				t.Errorf("%d rows, newest label %d", s.Rows, s.Newest)
			}
			data, err := json.Marshal([]any{p, performance.Calibrate(s.Scores()), c.Total(), s.Lags(0.5), s.Wrong(0)})
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		all := drawn(3000)
		before := figures(all)
		r := rand.New(rand.NewPCG(1, 1))
		r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		if after := figures(all); after != before {
			t.Errorf("in another order:\n%s\nwas\n%s", after, before)
		}
	}
}

// TestSampleKeepsAnOrder does the same with rows of numbers.
func TestSampleKeepsAnOrder(t *testing.T) {
	t.Parallel()
	all := drawn(5000)
	columns := func() string {
		s := NewSample(1000)
		for i := range all {
			x, _ := all[i].Score.Float()
			s.Add(all[i].ID, all[i].Time, []float64{x, float64(all[i].Time)})
		}
		c := s.Columns(2)
		if len(c[0]) > 1000 || len(c[0]) < 300 || s.Rows != 5000 {
			t.Errorf("%d of %d rows are kept", len(c[0]), s.Rows)
		}
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := columns()
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	if after := columns(); after != before {
		t.Error("another order gives another sample")
	}
}

// TestReading says what values mean.
func TestReading(t *testing.T) {
	t.Parallel()
	half := 0.5
	for _, c := range []struct {
		reading              Reading
		score, output, label prediction.Value
		predicted, actual    float64 // -1: not known
		unread               int64
	}{
		{Reading{}, prediction.Value{}, prediction.Boolean(true), prediction.Integer(0), 1, 0, 0},
		{Reading{}, prediction.Value{}, prediction.String("Yes"), prediction.String("no"), 1, 0, 0},
		{Reading{}, prediction.Value{}, prediction.String("approve"), prediction.String("paid"), -1, -1, 2}, // nobody says which is positive
		{Reading{Positive: []string{"default"}, Decided: []string{"reject", "refer"}}, prediction.Value{}, prediction.String("refer"), prediction.String("paid"), 1, 0, 0},
		{Reading{Positive: []string{"default"}}, prediction.Value{}, prediction.String("default"), prediction.String("default"), 1, 1, 0},
		{Reading{Threshold: &half}, prediction.Number(0.5), prediction.String("refer"), prediction.Integer(1), 1, 1, 0},
		{Reading{Threshold: &half}, prediction.Value{}, prediction.String("refer"), prediction.Integer(1), -1, 1, 0},
		{Reading{Task: performance.Regression}, prediction.Value{}, prediction.Number(2.5), prediction.Integer(2), 2.5, 2, 0},
		{Reading{Task: performance.Regression}, prediction.Value{}, prediction.Number(2.5), prediction.String("x"), 2.5, -1, 1},
		{Reading{}, prediction.Value{}, prediction.Value{}, prediction.Value{}, -1, -1, 0},
	} {
		s, err := New(c.reading, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Add(&Prediction{Score: c.score, Output: c.output, Label: c.label})
		known := func(x float64) float64 {
			if x != x {
				return -1
			}
			return x
		}
		if is := s.kept[0]; known(is.predicted) != c.predicted || known(is.actual) != c.actual || s.Unread != c.unread {
			t.Errorf("%+v of %s and %s: %+v, %d unread", c.reading, c.output, c.label, is, s.Unread)
		}
	}
	if _, err := New(Reading{}, make([]string, MaxGroups+1)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too many attributes: %v", err)
	}
}

// TestTaskOf says what a reference's outputs are.
func TestTaskOf(t *testing.T) {
	t.Parallel()
	of := func(build func(*window.Builder) error) performance.Task {
		b := window.NewBuilder(window.Options{})
		if err := build(b); err != nil {
			t.Fatal(err)
		}
		r, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return TaskOf(r)
	}
	numbers := []float64{0.5, 1.5, 2.5}
	for want, build := range map[performance.Task]func(*window.Builder) error{
		performance.Binary: func(b *window.Builder) error {
			return b.Category("output", window.RoleOutput, map[string]int64{"0": 3, "1": 2}, 0)
		},
		performance.Multiclass: func(b *window.Builder) error {
			return b.Category("output", window.RoleOutput, map[string]int64{"a": 3, "b": 2, "c": 1}, 0)
		},
		performance.Regression: func(b *window.Builder) error { return b.Number("output", window.RoleOutput, numbers, 0) },
		"":                     func(b *window.Builder) error { return b.Number("income", window.RoleFeature, numbers, 0) },
	} {
		if is := of(build); is != want {
			t.Errorf("the task is %q, want %q", is, want)
		}
	}
	if is := of(func(b *window.Builder) error { return b.Number("score", window.RoleScore, numbers, 0) }); is != performance.Binary {
		t.Errorf("a score alone is of the task %q", is)
	}
	if TaskOf(nil) != "" {
		t.Error("nothing has a task")
	}
}

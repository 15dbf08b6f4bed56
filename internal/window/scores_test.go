package window_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
)

func newScores(t testing.TB, o window.ScoreOptions) *window.Scores {
	t.Helper()
	s, err := window.NewScores(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Parts of scores merged in shuffled orders have the bytes and the metrics of the whole.
func TestScoresMergeExactly(t *testing.T) {
	t.Parallel()
	o := window.ScoreOptions{High: 1, Cells: 100, Groups: []string{"a", "b"}}
	random := rand.New(rand.NewPCG(31, 32))
	whole, parts := newScores(t, o), make([]*window.Scores, 50)
	want, err := stat.NewScoreHistogram(0, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range parts {
		parts[i] = newScores(t, o)
		for range 40 {
			group, label, score := []string{"a", "b", "c"}[random.IntN(3)], window.Label(random.IntN(3)), random.Float64()*1.2-0.1
			if random.IntN(20) == 0 {
				score = math.NaN()
			} else if label != window.Unlabelled {
				if err := want.Add(score, label == window.Positive); err != nil {
					t.Fatal(err)
				}
			}
			parts[i].Add(group, label, score)
			whole.Add(group, label, score)
		}
	}
	for range 5 {
		merged := newScores(t, o)
		for _, i := range random.Perm(len(parts)) {
			if err := merged.Merge(parts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(merged.Marshal(), whole.Marshal()) {
			t.Fatal("merged scores differ from the whole")
		}
	}
	got, err := whole.Histogram(-1)
	if err != nil {
		t.Fatal(err)
	}
	if got.ROCAUC() != want.ROCAUC() || got.N() != want.N() {
		t.Errorf("ROC AUC %v of %d, want %v of %d", got.ROCAUC(), got.N(), want.ROCAUC(), want.N())
	}
	var rows int64
	for group := range 3 {
		for _, label := range []window.Label{window.Negative, window.Positive, window.Unlabelled} {
			cells, missing := whole.Counts(group, label)
			for _, n := range cells {
				rows += n
			}
			rows += missing
		}
	}
	if rows != 2000 {
		t.Errorf("%d rows are counted, want 2,000", rows)
	}
	if err := whole.Merge(newScores(t, window.ScoreOptions{High: 1, Cells: 100})); err == nil {
		t.Error("scores of other groups were merged")
	}
}

func TestScoresRefuse(t *testing.T) {
	t.Parallel()
	for _, o := range []window.ScoreOptions{
		{}, {High: 1}, {High: 1, Cells: 5000}, {High: math.Inf(1), Cells: 10}, {Low: math.NaN(), High: 1, Cells: 1},
		{High: 1, Cells: 1, Groups: []string{"a", "a"}}, {High: 1, Cells: 1, Groups: []string{"\xff"}},
	} {
		if _, err := window.NewScores(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// Whatever is read as scores is written as the same bytes.
func FuzzParseScores(f *testing.F) {
	s := newScores(f, window.ScoreOptions{Low: -1, High: 1, Cells: 8, Groups: []string{"a", "ü"}})
	f.Add(s.Marshal())
	for i := range 40 {
		s.Add([]string{"a", "ü", "c"}[i%3], window.Label(i%4), math.Sin(float64(i)))
	}
	s.Add("a", window.Positive, math.NaN())
	f.Add(s.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := window.ParseScores(data)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Marshal(), data) {
			t.Errorf("%x is written in another way", data)
		}
		if _, err := s.Histogram(0); err != nil {
			t.Error(err)
		}
	})
}

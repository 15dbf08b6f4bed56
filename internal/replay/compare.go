package replay

import (
	"cmp"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// Terms are what differences are judged by.
type Terms struct {
	Tolerance float64  `json:"tolerance" minimum:"0" doc:"numbers that differ by no more are the same"`
	AtMost    *float64 `json:"at_most,omitempty" minimum:"0" maximum:"1" doc:"share of decisions that may change; absent: nothing is judged"`
}

// Check looks whether terms can be.
func (t Terms) Check() error {
	if !(t.Tolerance >= 0) || math.IsInf(t.Tolerance, 0) {
		return tallystick.Errorf(tallystick.Invalid, "a tolerance of %v cannot be", t.Tolerance).WithHint("0 or more")
	}
	if t.AtMost != nil && !(*t.AtMost >= 0 && *t.AtMost <= 1) {
		return tallystick.Errorf(tallystick.Invalid, "at most %v of the decisions cannot be", *t.AtMost).WithHint("a share of 0 to 1, such as 0.05")
	}
	return nil
}

// Outcome is what answers are, held against what was recorded. It has no value of a record: those can be erased, and
// what is kept of a replay cannot.
type Outcome struct {
	Sent      int64              `json:"sent" doc:"inputs that were sent"`
	Answered  int64              `json:"answered" doc:"of them, those with an answer"`
	Faults    map[string]int64   `json:"faults,omitempty" doc:"why the others have none"`
	Healed    int64              `json:"healed,omitempty" doc:"predictions that failed when they were recorded, and are answered now"`
	Bare      int64              `json:"bare,omitempty" doc:"answers that cannot be compared: the record has neither output nor score, or the answer has not the one that it has"`
	Decisions *Share             `json:"decisions,omitempty" doc:"decisions that changed; absent: none could be compared"`
	Decided   string             `json:"decided_by,omitempty" enum:"output,threshold,both" doc:"by what a decision is told: the outputs, or the scores held against the threshold of the record"`
	Numbers   *Shift             `json:"numbers,omitempty" doc:"scores, or outputs where there are no scores, now less then; absent: none could be compared"`
	Recorded  *Latency           `json:"latency_recorded,omitempty" doc:"as it was recorded"`
	Replayed  *Latency           `json:"latency_replayed,omitempty" doc:"as the one who asked saw it, with the network"`
	Largest   []Deviation        `json:"largest,omitempty" doc:"changed decisions first, then the largest differences; at most 20"`
	Verdict   tallystick.Verdict `json:"verdict,omitempty" doc:"absent: no share was stated that may change"`
	Words     string             `json:"words"`
}

// Share is k of n with its exact interval (Clopper and Pearson) at 95 %.
type Share struct {
	K    int64   `json:"k"`
	N    int64   `json:"n"`
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func newShare(k, n int64) *Share {
	if n == 0 {
		return nil
	}
	p := stat.Proportion{K: k, N: n}
	i := p.Exact(stat.Confidence)
	return &Share{k, n, p.Rate(), i.Low, i.High}
}

// Shift tells how numbers differ.
type Shift struct {
	Of      string  `json:"of" enum:"score,output,both" doc:"which numbers"`
	Differ  Share   `json:"differ" doc:"those that differ by more than the tolerance"`
	Mean    float64 `json:"mean" doc:"of the differences, now less then"`
	Low     float64 `json:"p05" doc:"difference that one in twenty is below"`
	Median  float64 `json:"median"`
	High    float64 `json:"p95" doc:"difference that one in twenty exceeds"`
	Largest float64 `json:"largest" doc:"largest difference of either sign, without it"`
}

// Latency tells how long answers took, in milliseconds.
type Latency struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
}

// Deviation is how one answer differs.
type Deviation struct {
	ID      string   `json:"id" doc:"of the prediction"`
	Changed bool     `json:"changed" doc:"the decision is another one"`
	Number  *float64 `json:"difference,omitempty" doc:"of the number, now less then; absent: none to compare"`
}

const (
	maxLargest = 20
	// fewest is how many decisions are too few for a share of them to be judged.
	fewest = 30
)

// Compare holds answers against the records of the same places.
func Compare(records []*prediction.Record, answers []Reply, t Terms) *Outcome {
	c := &Outcome{Faults: map[string]int64{}, Sent: int64(len(answers))}
	var changed, decided int64
	var differences, then, now []float64
	var all []Deviation
	of, by := map[string]bool{}, map[string]bool{}
	for i, r := range records {
		a := &answers[i]
		if us, _ := r.Latency.Float(); r.Latency.IsNumber() {
			then = append(then, us/1000)
		}
		if a.Fault != "" {
			c.Faults[a.Fault]++
			continue
		}
		c.Answered++
		now = append(now, float64(a.Latency)/1000)
		if r.Status == prediction.Failed || r.Status == prediction.TimedOut {
			c.Healed++
		}
		d := Deviation{ID: a.ID}
		number, which := difference(r, a)
		if which != "" {
			of[which], d.Number = true, &number
			differences = append(differences, number)
		}
		is, how := decision(r, a, t.Tolerance)
		if how != "" {
			by[how], d.Changed = true, is
			decided++
			if is {
				changed++
			}
		}
		if which == "" && how == "" {
			c.Bare++
			continue
		}
		if d.Changed || d.Number != nil && math.Abs(*d.Number) > t.Tolerance {
			all = append(all, d)
		}
	}
	c.Decisions, c.Decided = newShare(changed, decided), either(by, "output", "threshold")
	c.Numbers = numbers(differences, t.Tolerance)
	if c.Numbers != nil {
		c.Numbers.Of = either(of, "score", "output")
	}
	c.Recorded, c.Replayed = latency(then), latency(now)
	slices.SortStableFunc(all, func(x, y Deviation) int {
		if x.Changed != y.Changed {
			return map[bool]int{true: -1, false: 1}[x.Changed]
		}
		return cmp.Compare(y.size(), x.size())
	})
	c.Largest = all[:min(len(all), maxLargest)]
	c.judge(t)
	c.Words = c.words(t)
	return c
}

func (d *Deviation) size() float64 {
	if d.Number == nil {
		return 0
	}
	return math.Abs(*d.Number)
}

// either names which of two things there were.
func either(of map[string]bool, one, other string) string {
	switch {
	case of[one] && of[other]:
		return "both"
	case of[one]:
		return one
	case of[other]:
		return other
	}
	return ""
}

// difference returns by how much the numbers differ, and which these are; empty if there are none on both sides.
func difference(r *prediction.Record, a *Reply) (float64, string) {
	for _, pair := range []struct {
		then, now prediction.Value
		which     string
	}{{r.Score, a.Score, "score"}, {r.Output, a.Output, "output"}} {
		then, _ := pair.then.Float()
		now, _ := pair.now.Float()
		if d := now - then; pair.then.IsNumber() && pair.now.IsNumber() && !math.IsNaN(d) && !math.IsInf(d, 0) {
			return d, pair.which
		}
	}
	return 0, ""
}

// decision reports whether the decision is another one, and by what that is told; empty if it cannot be.
func decision(r *prediction.Record, a *Reply, tolerance float64) (changed bool, how string) {
	then := r.Output
	if r.Override != nil && !r.Override.From.IsNull() {
		then = r.Override.From // a person put another in its place: the model is compared with the model
	}
	if !then.IsNull() && !a.Output.IsNull() {
		x, _ := then.Float()
		y, _ := a.Output.Float()
		switch {
		case then.IsNumber() && a.Output.IsNumber():
			return math.Abs(x-y) > tolerance || math.IsNaN(x) != math.IsNaN(y), "output"
		default: // a class is the same whether it is written as a number or as text
			return then.String() != a.Output.String(), "output"
		}
	}
	x, _ := r.Score.Float()
	y, _ := a.Score.Float()
	limit, _ := r.Threshold.Float()
	if math.IsNaN(x) || math.IsNaN(y) || math.IsNaN(limit) {
		return false, ""
	}
	return (x >= limit) != (y >= limit), "threshold"
}

func numbers(all []float64, tolerance float64) *Shift {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	n, sum, differ := Shift{}, 0.0, int64(0)
	for _, d := range all {
		sum += d
		n.Largest = max(n.Largest, math.Abs(d))
		if math.Abs(d) > tolerance {
			differ++
		}
	}
	n.Differ, n.Mean = *newShare(differ, int64(len(all))), sum/float64(len(all))
	n.Low, n.Median, n.High = stat.Quantile(all, 0.05), stat.Quantile(all, 0.5), stat.Quantile(all, 0.95)
	return &n
}

func latency(ms []float64) *Latency {
	if len(ms) == 0 {
		return nil
	}
	slices.Sort(ms)
	return &Latency{len(ms), stat.Quantile(ms, 0.5), stat.Quantile(ms, 0.9), stat.Quantile(ms, 0.99)}
}

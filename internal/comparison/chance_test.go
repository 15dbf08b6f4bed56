package comparison

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

const canary = `apiVersion: tallystick/v1
kind: Comparison
name: canary
model: credit
window: 5m
longest: 12h
split: 20%
metrics:
  - {metric: errors, margin: 2%}
  - {metric: decisions, when: output = yes, margin: 8%}
  - {metric: overrides, margin: 3%, role: guard}
`

func parsed(t testing.TB, source string) *Document {
	t.Helper()
	d, err := Parse([]byte(source), "canary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rates are what one version does.
type rates struct{ errors, decisions, overrides float64 }

// stream is a comparison that goes on window by window.
type stream struct {
	doc  *Document
	rng  *rand.Rand
	l    *learnt
	f    *found
	pace int // predictions of a window
}

func begin(doc *Document, seed uint64, pace int) *stream {
	f := &found{duels: make([]duel, len(doc.Metrics)), agreed: make([]stat.Proportion, len(doc.Metrics)), groups: make([][]sides, len(doc.Metrics))}
	return &stream{doc: doc, rng: rand.New(rand.NewPCG(seed, 45)), l: &learnt{}, f: f, pace: pace}
}

// window draws a window of predictions and says what is answered then. share is that of predictions which the new version gets.
func (s *stream) window(share float64, a, b rates) *VersionsJudgement {
	at := len(s.l.windows)
	s.l.windows = append(s.l.windows, [2]int64{})
	for i := range s.f.duels {
		s.f.duels[i].windows = append(s.f.duels[i].windows, sides{})
	}
	draw := func(rate float64) outcome { return outcomeOf(s.rng.Float64() < rate) }
	for range s.pace {
		side, does := older, b
		if s.rng.Float64() < share {
			side, does = newer, a
		}
		s.l.windows[at][side]++
		s.f.rows[side]++
		for i, is := range []outcome{draw(does.errors), draw(does.decisions), draw(does.overrides)} {
			s.f.duels[i].count(at, side, is)
		}
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	to := from.Add(time.Duration(at+1) * s.doc.Width)
	for side := range s.f.newest {
		s.f.newest[side] = micros(to.Add(-time.Minute))
	}
	s.l.settleWindows()
	return s.doc.judge(Question{New: "4", Old: "3", From: from, To: to}, KnownOf{}, s.l, s.f)
}

// firstOf looks after every window until the answer is neither hold nor inconclusive, and returns it with the windows that it took.
func (s *stream) firstOf(windows int, share float64, a, b rates) (Verdict, int) {
	for w := range windows {
		if j := s.window(share, a, b); j.Verdict == Promote || j.Verdict == Rollback {
			return j.Verdict, w + 1
		}
	}
	return Hold, windows
}

// upper is the exact (Clopper-Pearson) 99 % bound of a share.
func upper(k, n int) float64 {
	if k == n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.99)
}

// TestChance: looked at after every window, a version that is worse by the margin is promoted, and one that is worse by no more
// is rolled back, with the stated probability at most; one that is as good is promoted, one that is bad rolled back.
func TestChance(t *testing.T) {
	t.Parallel()
	streams, windows := 400, 20
	if testing.Short() {
		streams = 60
	}
	old := rates{0.02, 0.3, 0.01}
	doc := parsed(t, canary)
	for _, test := range []struct {
		name     string
		new      rates
		wrong    Verdict // of which there may be few
		bound    float64
		right    Verdict // of which there must be most; empty: none
		least    float64
		switched float64 // share after a third of the time, as when a canary is given more
	}{
		{"A/A", old, Rollback, 0.05, Promote, 0.9, 0},
		{"A/A with another share later", old, Rollback, 0.05, "", 0, 0.5},
		{"worse by the margin in errors", rates{0.04, 0.3, 0.01}, Promote, 0.05, "", 0, 0},
		{"other by the margin in decisions", rates{0.02, 0.38, 0.01}, Promote, 0.05, "", 0, 0},
		{"worse by the margin, no more", rates{0.04, 0.38, 0.04}, Rollback, 0.05, "", 0, 0},
		{"bad", rates{0.1, 0.3, 0.01}, Promote, 0.02, Rollback, 0.95, 0},
		{"other decisions", rates{0.02, 0.5, 0.01}, Promote, 0.02, Rollback, 0.95, 0},
		{"overridden", rates{0.02, 0.3, 0.12}, Promote, 0.5, Rollback, 0.6, 0}, // a guard: what is primary may be settled first
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answers, took := map[Verdict]int{}, 0
			for seed := range streams {
				s := begin(doc, uint64(seed), 1200)
				var is Verdict
				var at int
				if test.switched > 0 {
					s.doc = parsed(t, strings.Replace(canary, "split: 20%\n", "", 1))
					if is, at = s.firstOf(windows/3, 0.2, test.new, old); is == Hold {
						var more int
						is, more = s.firstOf(windows/3, test.switched, test.new, old)
						at += more
					}
				} else {
					is, at = s.firstOf(windows, 0.2, test.new, old)
				}
				answers[is]++
				took += at
			}
			t.Logf("%v of %d streams, after %d windows of 1,200 predictions on average; upper 99 %% bound of %s %.4f", answers, streams, took/streams, test.wrong, upper(answers[test.wrong], streams))
			bound := test.bound
			if testing.Short() {
				bound += 0.15 // fewer streams have a wider bound
			}
			if u := upper(answers[test.wrong], streams); u > bound {
				t.Errorf("%d of %d streams end in %s, whose upper bound %.4f is above %.2f", answers[test.wrong], streams, test.wrong, u, bound)
			}
			if test.right != "" && float64(answers[test.right]) < test.least*float64(streams) {
				t.Errorf("%d of %d streams end in %s", answers[test.right], streams, test.right)
			}
		})
	}
}

// TestRouting: a routing that is as intended is not suspected, and one that is not makes every answer inconclusive.
func TestRouting(t *testing.T) {
	t.Parallel()
	doc, suspected := parsed(t, canary), 0
	same := rates{0.02, 0.3, 0.01}
	for seed := range uint64(150) {
		s := begin(doc, seed, 300)
		for range 20 {
			if j := s.window(0.2, same, same); *j.Traffic.ShareP <= routed {
				suspected++
				break
			}
		}
	}
	if suspected > 2 {
		t.Errorf("%d of 150 streams that are routed as intended are suspected", suspected)
	}
	for _, bad := range []rates{same, {0.5, 0.3, 0.01}} {
		s := begin(doc, 7, 3000)
		var j *VersionsJudgement
		for range 20 {
			j = s.window(0.26, bad, same)
		}
		if j.Verdict != Inconclusive || *j.Traffic.ShareP > routed || j.Score == 100 {
			t.Errorf("26 %% where 20 %% are intended: %s, p %v: %v", j.Verdict, *j.Traffic.ShareP, j.Reasons)
		}
	}
}

func micros(t time.Time) prediction.Time { return prediction.TimeOf(t) }

package monitor_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
)

// decided returns predictions with two numbers that go together as far as rho says, attributions of which the first feature has a
// share, and decisions that are positive as often as rate says for a job.
func decided(from time.Time, n int, seed uint64, rho, share float64, rate func(job string) float64) (all []prediction.Record) {
	r := rand.New(rand.NewPCG(seed, 5))
	all = made(from, time.Hour, n, usual(seed))
	for i := range all {
		x, e := r.NormFloat64(), r.NormFloat64()
		job := all[i].Features[1].Value.Text()
		all[i].Features = prediction.Features{{Name: "age", Value: prediction.Number(x)}, {Name: "income", Value: prediction.Number(rho*x + (1-rho*rho)*e)}, {Name: "job", Value: prediction.String(job)}}
		s := share + 0.1*r.NormFloat64()
		all[i].Attributions = prediction.Features{{Name: "age", Value: prediction.Number(s)}, {Name: "income", Value: prediction.Number(s - 1)}}
		all[i].Output = prediction.Boolean(r.Float64() < rate(job))
		if r.IntN(50) == 0 {
			all[i].Override = &prediction.Override{By: "eva", From: prediction.Boolean(true)}
		}
	}
	return all
}

// TestJointChecks judges windows in each of which one thing is odd that no drift of a feature shows: features that go together
// otherwise, contributions, decisions about some, overrides.
func TestJointChecks(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := noon.Add(-24 * time.Hour)
	even := func(string) float64 { return 0.3 }
	h.send(t, decided(began, 5000, 1, 0, 0.6, even)...)
	h.pin(t, monitor.Pin{From: began, To: began.Add(time.Hour)})
	h.apply(t, "window: 1h\nchecks: {multivariate: on, attribution: on, decisions: {by: [job, hour, version]}}\n")
	for i, c := range []struct {
		name           string
		records        func(at time.Time) []prediction.Record
		check, subject string
		want           tallystick.Verdict
		words          string
	}{
		{"nothing", func(at time.Time) []prediction.Record { return decided(at, 3000, 2, 0, 0.6, even) }, "multivariate", "", tallystick.Pass, "does not tell rows"},
		{"together", func(at time.Time) []prediction.Record { return decided(at, 3000, 3, 0.8, 0.6, even) }, "multivariate", "", tallystick.Fail, "age and income more often high together"},
		{"few", func(at time.Time) []prediction.Record { return decided(at, 150, 4, 0.8, 0.6, even) }, "multivariate", "", tallystick.Insufficient, "too few"},
		{"contributes less", func(at time.Time) []prediction.Record { return decided(at, 3000, 5, 0, 0.4, even) }, "attribution", "age", tallystick.Fail, "age makes 39.8 % of what contributes"},
		{"contributes a little less", func(at time.Time) []prediction.Record { return decided(at, 3000, 6, 0, 0.54, even) }, "attribution", "age", tallystick.Warn, "The order of features agrees with the reference to"},
		{"smiths are refused", func(at time.Time) []prediction.Record {
			return decided(at, 3000, 7, 0, 0.6, func(job string) float64 {
				return map[string]float64{"smith": 0.05}[job] + map[string]float64{"baker": 0.3, "judge": 0.3}[job]
			})
		}, "decisions", "positive, job = smith", tallystick.Fail, "Where job = smith, the decision is positive in 6.1 % of 986 predictions, in the baseline in 29.2 %"},
		{"the others are not", func(at time.Time) []prediction.Record {
			return decided(at, 3000, 7, 0, 0.6, func(job string) float64 {
				return map[string]float64{"smith": 0.05}[job] + map[string]float64{"baker": 0.3, "judge": 0.3}[job]
			})
		}, "decisions", "positive, job = judge", tallystick.Pass, "in the baseline in"},
		{"overruled", func(at time.Time) []prediction.Record {
			all := decided(at, 3000, 8, 0, 0.6, even)
			for i := range all {
				if i%5 == 0 {
					all[i].Override = &prediction.Override{By: "eva", From: prediction.Boolean(true)}
				}
			}
			return all
		}, "decisions", "overridden", tallystick.Fail, "people put another output"},
	} {
		at := began.Add(time.Duration(i+1) * time.Hour)
		h.send(t, c.records(at)...)
		j, _ := h.judge(t, at, time.Time{})
		if r := row(t, j, c.check, c.subject); r.Verdict != c.want || !strings.Contains(r.Words, c.words) {
			t.Errorf("%s: %s of %q is %s: %s", c.name, c.check, c.subject, r.Verdict, r.Words)
		}
		if c.name != "nothing" {
			continue
		}
		for _, r := range j.Rows {
			if r.Verdict != tallystick.Pass && r.Check != "drift" {
				t.Errorf("where nothing happened %s of %q is %s: %s", r.Check, r.Subject, r.Verdict, r.Words)
			}
		}
	}
}

// TestJointWithoutRows shows that what a file was the reference of has no rows to compare with, and does not pass.
func TestJointWithoutRows(t *testing.T) {
	t.Parallel()
	h := open(t)
	even := func(string) float64 { return 0.3 }
	h.send(t, decided(noon.Add(-2*time.Hour), 2000, 1, 0, 0.6, even)...)
	h.apply(t, "window: 1h\nchecks: {multivariate: on, attribution: on, decisions: on, labels: {mature: 0}, performance: on, agreement: on, concept: on}\n")
	j, _ := h.judge(t, noon.Add(-2*time.Hour), time.Time{})
	for _, check := range []string{"labels", "decisions", "performance"} {
		if r := row(t, j, check, ""); r.Verdict != tallystick.Insufficient {
			t.Errorf("%s is %s: %s", check, r.Verdict, r.Words)
		}
	}
	if j.Verdict != tallystick.Insufficient {
		t.Errorf("the window is %s: %s", j.Verdict, j.Words)
	}
}

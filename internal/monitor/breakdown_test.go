package monitor_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// breakdown pins a breakdown.
func (h *house) breakdown(t testing.TB, p monitor.BreakdownPin) monitor.Breakdown {
	t.Helper()
	p.Model = "credit"
	change, err := h.PrepareBreakdown(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeBreakdown(tx, change) })
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeBreakdown(tx, change) }) // changes nothing
	all, err := h.Breakdowns(t.Context(), "credit")
	if err != nil || len(all) == 0 || all[0].Digest != change.Breakdown {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

// nightly draws incomes that are higher at night.
func nightly(r *rand.Rand, at time.Time) float64 {
	income := 100 + 10*r.NormFloat64()
	if at.Hour() < 6 {
		income += 15
	}
	return income
}

// TestSeason shows that what changes each night is drift to the pinned reference and none to the season, that a change of the
// night is seen, and that a class with too few windows falls back and says so.
func TestSeason(t *testing.T) {
	h, r := open(t), rand.New(rand.NewPCG(1, 2))
	week := noon.Truncate(24*time.Hour).AddDate(0, 0, -14) // a Monday
	var all []prediction.Record
	for at := week; at.Before(week.AddDate(0, 0, 14)); at = at.Add(3 * time.Minute) {
		income := nightly(r, at)
		all = append(all, made(at, time.Second, 1, func(int) (float64, string) { return income, "baker" })...)
	}
	h.send(t, all...)
	h.pin(t, monitor.Pin{From: week, To: week.AddDate(0, 0, 14)})
	h.apply(t, "window: 6h\nchecks:\n  season: on\n")
	night, sunday := week.AddDate(0, 0, 14), week.AddDate(0, 0, 20)
	draw := func(from time.Time, shift float64) {
		h.send(t, made(from, 6*time.Hour, 600, func(int) (float64, string) { return nightly(r, from) + shift, "baker" })...)
	}
	draw(night, 0)
	draw(night.AddDate(0, 0, 1), -15)
	draw(sunday, 0)
	h.now = sunday.AddDate(0, 0, 1)
	if j, _ := h.judge(t, night, time.Time{}); !strings.Contains(row(t, j, "season", "").Words, "No reference by season is pinned") {
		t.Errorf("without a season: %+v", j.Rows)
	}
	before := h.now
	h.now = h.now.Add(time.Minute)
	if b := h.breakdown(t, monitor.BreakdownPin{Kind: monitor.BySeason, From: week, To: week.AddDate(0, 0, 14)}); b.Parts != 12 || b.Predictions != int64(len(all)) {
		t.Errorf("%+v", b)
	}
	h.now = h.now.Add(time.Minute)
	for _, c := range []struct {
		at              time.Time
		pinned, season  tallystick.Verdict
		says, saysNever string
	}{
		{night, tallystick.Fail, tallystick.Pass, "Against 10 windows of Mon-Fri 00-06", "fewer"},
		{night.AddDate(0, 0, 1), tallystick.Pass, tallystick.Fail, "Against the pinned reference: PSI", "fewer"},
		{sunday, tallystick.Fail, tallystick.Fail, "Of Sun 00-06 the seasonal reference has 2 windows, fewer than 5: compared with the pinned one.", "Against"},
	} {
		j, counted := h.judge(t, c.at, time.Time{})
		pinned, season := row(t, j, "drift", "income"), row(t, j, "season", "income")
		// A quarter of all rows are of the night, so that by day the pinned reference is only nearly what is seen.
		if season.Verdict != c.season || c.pinned == tallystick.Fail && pinned.Verdict == tallystick.Pass || !strings.Contains(season.Words, c.says) || strings.Contains(season.Words, c.saysNever) {
			t.Errorf("%s: pinned %s, season %s, %s", c.at, pinned.Verdict, season.Verdict, season.Words)
		}
		if _, err := h.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, again := h.judge(t, c.at, time.Time{}); again != counted {
			t.Errorf("%s: judged again:\n%s\nwas\n%s", c.at, again, counted)
		}
	}
	if j, _ := h.judge(t, night, before); !strings.Contains(row(t, j, "season", "").Words, "No reference by season is pinned") {
		t.Errorf("as of before the season: %+v", row(t, j, "season", ""))
	}
}

// TestSlices shows that a change of a few is found in their slice, that slices which do not change stay quiet, and that small ones
// are insufficient; from tallies and from records alike.
func TestSlices(t *testing.T) {
	h, r := open(t), rand.New(rand.NewPCG(3, 4))
	jobs := []string{"baker", "smith", "judge", "cook", "pilot"}
	few := func(shift float64) func(i int) (float64, string) {
		return func(i int) (float64, string) {
			job := jobs[i%5]
			income := 100 + 10*r.NormFloat64()
			if job == "judge" {
				income += shift
			}
			return income, job
		}
	}
	h.send(t, made(noon.Add(-48*time.Hour), 24*time.Hour, 10_000, few(0))...)
	h.pin(t, monitor.Pin{From: noon.Add(-48 * time.Hour), To: noon.Add(-24 * time.Hour)})
	h.apply(t, "window: 1h\nchecks:\n  slices: [{by: job}, {where: income > 110}, {where: income > 500}]\n")
	h.send(t, made(noon.Add(-2*time.Hour), time.Hour, 2000, few(0))...)
	h.send(t, made(noon.Add(-time.Hour), time.Hour, 2000, few(8))...)
	h.now = noon.Add(time.Hour)
	h.breakdown(t, monitor.BreakdownPin{Kind: monitor.BySlice, By: []string{"job"}, Where: []string{"income > 110"}, From: noon.Add(-48 * time.Hour), To: noon.Add(-24 * time.Hour)})
	quiet, _ := h.judge(t, noon.Add(-2*time.Hour), time.Time{})
	moved, read := h.judge(t, noon.Add(-time.Hour), time.Time{})
	verdicts := func(j *monitor.WindowJudgement) map[string]tallystick.Verdict {
		all := map[string]tallystick.Verdict{}
		for _, r := range j.Rows {
			if r.Check == "slices" {
				all[r.Slice] = all[r.Slice].Worse(r.Verdict)
			}
		}
		return all
	}
	was, is := verdicts(quiet), verdicts(moved)
	for _, job := range jobs {
		slice := `job = "` + job + `"`
		want := tallystick.Pass
		if job == "judge" {
			want = tallystick.Fail
		}
		if was[slice] != tallystick.Pass || is[slice] != want {
			t.Errorf("%s: %s, then %s; want pass, then %s", slice, was[slice], is[slice], want)
		}
	}
	if v := row(t, moved, "drift", "income").Verdict; v == tallystick.Fail {
		t.Errorf("the change fails in all: %s", v)
	}
	if is["income > 110"] == "" || is["income > 500"] != tallystick.Insufficient {
		t.Errorf("conditions: %v", is)
	}
	if !strings.Contains(moved.Words, `Where job = "judge": income`) {
		t.Errorf("words: %s", moved.Words)
	}
	if _, err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var counted string
	if n := h.reads(func() { _, counted = h.judge(t, noon.Add(-time.Hour), time.Time{}) }); n == 0 || counted != read {
		t.Errorf("from %d tallies:\n%s\nfrom records:\n%s", n, counted, read)
	}
}

func TestSlicesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[]":                               "must be a list of 1 to 20 slices",
		"[{by: job, where: a < 1}]":        "needs by or where, and not both",
		"[{}]":                             "needs by or where",
		"[{where: income}]":                "there is no =",
		"[{over: 3}]":                      "over",
		"[{where: \"hour = 3 and 4 = \"}]": "character",
	} {
		_, err := monitor.Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 1h\nchecks:\n  slices: "+text+"\n"), "watch.yaml")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "watch.yaml:7") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

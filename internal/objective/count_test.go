package objective_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/prediction"
)

// What comes late, out of order and over files that were joined is counted once, where it happened, and counting all again
// as of any moment says the same.
func TestCountsFollowRecords(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "indicator: {answered: {}}\ntarget: 99%\nperiod: 7d\n")
	if j := h.checkRecount(t); j.Verdict != tallystick.Insufficient || j.Count.Valid != 0 || j.Known != 0 {
		t.Errorf("nothing on record: %+v", j)
	}
	h.send(t, made(noon.Add(-time.Hour), 55*time.Minute, 1000, failing(100))...)
	counts(t, h.checkRecount(t), 990, 1000)
	asOf := h.now
	before := h.judge(t)

	h.now = h.now.Add(10 * time.Minute)
	h.send(t, made(noon.Add(-30*time.Minute), 20*time.Minute, 500, failing(50))...) // among those that are there
	h.send(t, made(noon.Add(-75*time.Hour), 90*time.Minute, 300, failing(10))...)   // in hours
	h.send(t, made(noon.Add(-49*time.Hour), 3*time.Hour, 60, nil)...)               // over the border of minutes and hours
	h.send(t, made(noon.Add(-8*24*time.Hour), time.Hour, 1000, failing(2))...)      // before the period
	h.send(t, made(noon.Add(9*time.Minute), 30*time.Second, 40, failing(2))...)     // not yet waited for
	counts(t, h.checkRecount(t), 990+490+270+60, 1000+500+300+60)
	h.now = h.now.Add(5 * time.Minute)
	counts(t, h.checkRecount(t), 990+490+270+60+20, 1000+500+300+60+40)

	if err := h.archive.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.checkRecount(t)
	h.now = h.now.Add(3 * 24 * time.Hour) // minutes become hours
	counts(t, h.checkRecount(t), 990+490+270+60+20, 1000+500+300+60+40)
	h.now = h.now.Add(21*time.Hour + 30*time.Minute) // the oldest hour lies half before the period, and counts whole
	counts(t, h.checkRecount(t), 990+490+270+60+20, 1000+500+300+60+40)
	h.now = h.now.Add(3 * time.Hour)
	counts(t, h.checkRecount(t), 990+490+60+20, 1000+500+60+40)

	again, err := h.Judge(t.Context(), "goal", asOf)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := before.Marshal()
	b, _ := again.Marshal()
	if string(a) != string(b) {
		t.Errorf("as of then it was\n%s\nand is\n%s", a, b)
	}
}

func TestIndicatorsOfRecords(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.version(t, "2")
	h.send(t, made(noon.Add(-time.Hour), 50*time.Minute, 1000, func(i int, r *prediction.Record) {
		if i%4 > 0 {
			r.Latency = prediction.Integer(int64(i%4) * 100_000)
		}
		if i%10 == 0 {
			r.Version, r.Status = "2", prediction.TimedOut
		}
		income := prediction.Number(float64(i))
		if i%5 == 0 {
			income = prediction.Value{}
		}
		r.Features = prediction.NewFeatures(map[string]prediction.Value{"income": income})
	})...)
	for _, test := range []struct {
		indicator   string
		good, valid int64
	}{
		{"{in_time: {limit: 200ms}}", 500, 750},
		{"{in_time: {limit: 199999us}}", 250, 750},
		{"{answered: {}}", 900, 1000},
		{"{answered: {}}\nversion: \"1\"", 900, 900},
		{"{answered: {}}\nwhere: [version = 2]", 0, 100},
		{"{share: {good: [f_income >= 500, status = ok]}}", 400, 1000},
		{"{valid_input: {}}", 0, 0}, // there is no reference to know by what is valid
	} {
		h.apply(t, "indicator: "+test.indicator+"\ntarget: 99%\n")
		counts(t, h.checkRecount(t), test.good, test.valid)
	}
}

func TestJudgementsGoOnRecord(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "indicator: {answered: {}}\ntarget: 99%\nperiod: 7d\n")
	run := func(want int) {
		t.Helper()
		if _, err := h.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := h.Judged(t.Context(), objective.JudgedFilter{Objective: "goal"})
		if err != nil || len(all) != want {
			t.Fatalf("%d judgements, %v, want %d", len(all), err, want)
		}
	}
	run(1)
	h.now = h.now.Add(59 * time.Minute)
	run(1) // nothing has changed
	h.now = h.now.Add(2 * time.Minute)
	run(2) // the heartbeat
	h.send(t, made(h.now.Add(-55*time.Minute), 53*time.Minute, 1000, failing(1000))...)
	run(3)
	h.now = h.now.Add(5 * time.Minute)
	h.send(t, made(h.now.Add(-7*time.Minute), 4*time.Minute, 500, failing(2))...)
	run(4)
	all, err := h.Judged(t.Context(), objective.JudgedFilter{Objective: "goal", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := all[0]; s.Verdict != tallystick.Fail || !s.Changed || s.Left >= 0 {
		t.Errorf("after 250 of 500 failed: %+v", s)
	}
	j, err := h.Judgement(t.Context(), all[0].Judgement)
	if err != nil || j.Rules[0].Verdict != tallystick.Fail || j.State != all[0].State {
		t.Errorf("the judgement on record is %+v, %v", j, err)
	}
}

// A budget of a month begins anew with it; a rule over three days looks back into the month before.
func TestMonthsOfBudget(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "indicator: {answered: {}}\ntarget: 90%\nperiod: 1mo\n")
	h.now = time.Date(2026, 2, 28, 20, 0, 0, 0, time.UTC)
	h.send(t, made(h.now.Add(-10*time.Hour), time.Hour, 1000, failing(5))...)
	j := h.checkRecount(t)
	counts(t, j, 800, 1000)
	if j.Verdict != tallystick.Fail || !j.From.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("from %s it is %s: %s", j.From, j.Verdict, j.Words)
	}
	h.now = time.Date(2026, 3, 2, 0, 10, 0, 0, time.UTC)
	h.send(t, made(h.now.Add(-10*time.Hour), time.Hour, 500, nil)...)
	j = h.checkRecount(t)
	counts(t, j, 500, 500)
	if !strings.Contains(j.Words, "of 500 since 2026-03-01, 90 % is the target") {
		t.Errorf("in words: %s", j.Words)
	}
	for _, b := range j.Rules {
		if b.Rule.Window == 72*time.Hour && (b.Long.Valid != 1500 || b.Long.Good != 1300) {
			t.Errorf("over three days %+v, want 1300 of 1500", b.Long)
		}
	}
	// In Berlin March has begun an hour earlier.
	h.apply(t, "indicator: {answered: {}}\ntarget: 90%\nperiod: 1mo\nzone: Europe/Berlin\n")
	h.send(t, made(time.Date(2026, 2, 28, 23, 10, 0, 0, time.UTC), time.Minute, 10, nil)...)
	counts(t, h.checkRecount(t), 510, 510)
}

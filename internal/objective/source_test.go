package objective_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// label puts labels on record.
func (h *house) label(t testing.TB, records []prediction.Record, value func(i int) string) {
	t.Helper()
	var batch label.Batch
	for i := range records {
		batch.Labels = append(batch.Labels, label.Sent{Label: label.Label{Prediction: records[i].ID, Value: prediction.String(value(i)), Time: prediction.TimeOf(h.now)}})
	}
	ready, err := h.labels.Prepare(t.Context(), "credit", batch, h.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		change, _, err := ready.Propose(tx)
		if change == nil {
			return nil, err
		}
		return change, err
	})
}

// pin pins the predictions of a time as the reference.
func (h *house) pin(t testing.TB, from, to time.Time) {
	t.Helper()
	change, _, err := h.monitors.PreparePin(t.Context(), monitor.Pin{Model: "credit", From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.monitors.ProposePin(tx, change) })
}

// at is a time of the day of noon.
func at(clock string) time.Time {
	of, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return noon.Truncate(24 * time.Hour).Add(time.Duration(of.Hour())*time.Hour + time.Duration(of.Minute())*time.Minute)
}

func answer(yes bool) string { return map[bool]string{true: "yes", false: "no"}[yes] }

// Of 100 predictions of noon 60 have a label in time, of which every third says otherwise: 40 are right. Of the 30 labels no, ten were
// predicted yes, and of the 30 labels yes ten were predicted no. What is labelled, labelled again or comes on record once the hour of maturity has passed changes nothing.
func TestIndicatorsOfLabels(t *testing.T) {
	t.Parallel()
	h := open(t)
	output := func(i int, r *prediction.Record) { r.Output = prediction.String(answer(i%2 == 0)) }
	truth := func(i int) string { return answer((i%2 == 0) != (i%3 == 0)) }
	records := made(noon, 50*time.Minute, 100, output)
	h.now = at("13:00")
	h.send(t, records...)
	h.now = at("13:30")
	h.label(t, records[:60], truth)
	both := func(right, ofAll, quiet, ofNo int64) {
		t.Helper()
		for indicator, want := range map[string][2]int64{"correct: {mature: 2h}": {right, ofAll}, `no_false_alarm: {mature: 2h, positive: "yes"}`: {quiet, ofNo}, `no_miss: {mature: 2h, positive: "yes"}`: {right - quiet, ofAll - ofNo}} {
			h.apply(t, "indicator: {"+indicator+"}\ntarget: 50%\nperiod: 1d\n")
			counts(t, h.checkRecount(t), want[0], want[1])
		}
	}
	h.now = at("14:50")
	both(0, 0, 0, 0) // the hour in which they are mature has not passed
	h.now = at("15:10")
	both(40, 60, 20, 30)

	h.apply(t, "indicator: {correct: {mature: 2h}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 40, 60)
	late := made(noon.Add(10*time.Minute), time.Minute, 50, output)
	h.send(t, late...)
	h.label(t, late, truth)
	h.label(t, records[60:80], truth)
	h.label(t, records[:1], func(int) string { return "yes" }) // it was predicted yes, and labelled no
	next := made(at("13:10"), 40*time.Minute, 10, output)
	h.send(t, next...)
	h.label(t, next, func(i int) string { return answer(i%2 == 0) })
	h.now = at("16:10")
	counts(t, h.checkRecount(t), 50, 70)
}

// Two windows are judged for drift of two features and the output: one feature of the second fails. Labels say that no output was
// wrong, so that drift and labels agree in the first alone. Once the first is judged again, it fails too.
func TestIndicatorsOfJudgements(t *testing.T) {
	t.Parallel()
	h := open(t)
	drawn := func(shift float64) func(int, *prediction.Record) {
		return func(i int, r *prediction.Record) {
			r.Output = prediction.String(answer(i%2 == 0))
			r.Features = prediction.Features{{Name: "a", Value: prediction.Number(float64(i * 7 % 101))}, {Name: "b", Value: prediction.Number(float64(i*11%103) + shift)}}
		}
	}
	same := func(i int) string { return answer(i%2 == 0) }
	past := made(noon.Add(-5*time.Hour), time.Hour, 2000, drawn(0))
	h.send(t, past...)
	h.pin(t, noon.Add(-5*time.Hour), noon.Add(-4*time.Hour))
	change, err := h.monitors.PrepareApply(t.Context(), "watch", []byte(`apiVersion: tallystick/v1
kind: Monitor
name: watch
model: credit
window: 1h
from: 2026-03-02T12:00:00Z
checks: {labels: {mature: 0}, performance: {metrics: [accuracy], limits: {accuracy: {min: 80%}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.monitors.ProposeApply(tx, change) })
	for i, shift := range []float64{0, 100} {
		records := made(noon.Add(time.Duration(i)*time.Hour), time.Hour, 1000, drawn(shift))
		h.now = noon.Add(time.Duration(i+1) * time.Hour)
		h.send(t, records...)
		h.label(t, records, same)
	}
	h.now = at("14:10")
	run := func(want string) {
		t.Helper()
		if said, err := h.monitors.Run(t.Context()); err != nil || said != want {
			t.Fatalf("%q, %v; want %q", said, err, want)
		}
	}
	run("judged 2 windows; 0 wait")
	both := func(stable, of, alike int64) {
		t.Helper()
		for indicator, want := range map[string][2]int64{"stable": {stable, of}, "drift_explained": {alike, of / 3}} {
			h.apply(t, "indicator: {"+indicator+": {monitor: watch}}\ntarget: 50%\nperiod: 1d\n")
			counts(t, h.checkRecount(t), want[0], want[1])
		}
	}
	h.now = at("15:05")
	both(5, 6, 1)

	h.apply(t, "indicator: {stable: {monitor: watch}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 5, 6)
	late := made(noon.Add(time.Minute), 50*time.Minute, 1000, drawn(100))
	h.send(t, late...)
	h.label(t, late, same)
	run("judged 1 again, of which more predictions came on record")
	counts(t, h.checkRecount(t), 4, 6)
	both(4, 6, 0)
}

// Three cases are decided as the model said, one otherwise, and one is of a prediction without an output. One of them is of the
// lab, and one is decided later.
func TestIndicatorsOfCases(t *testing.T) {
	t.Parallel()
	h := open(t)
	decide := func(environment, output, outcome string) {
		t.Helper()
		r := made(h.now.Add(-time.Minute), time.Second, 1, nil)[0]
		r.Environment = environment
		if output != "" {
			r.Output = prediction.String(output)
		}
		id := h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return h.cases.Open(tx, &r, casework.Opening{Reason: "a complaint"})
		}).Receipt.ID
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return h.cases.Judge(tx, id, casework.Judgement{Outcome: prediction.String(outcome), Rationale: "the file says so"}, access.Local("ada"))
		})
	}
	decide("lab", "yes", "yes")
	decide("production", "yes", "yes")
	decide("production", "yes", "no")
	decide("production", "", "no")
	h.now = at("13:05")
	h.apply(t, "indicator: {not_overridden: {}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 2, 3)
	decide("production", "no", "no")
	h.now = at("14:05")
	counts(t, h.checkRecount(t), 3, 4)
	h.apply(t, "environment: production\nindicator: {not_overridden: {}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 2, 3)
}

// An evaluation that passed at 13:30 is in force at 14:00 and 15:00 of 24 hours; one that failed never is. The version of noon is
// young until 15:00, that of 15:30 at 16:00.
func TestIndicatorsOfHours(t *testing.T) {
	t.Parallel()
	h := open(t)
	evaluate := func(verdict tallystick.Verdict) {
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return &catalog.EvidenceAttached{Model: "credit", Version: "1", EvidenceDetails: catalog.EvidenceDetails{
				Kind: catalog.EvaluationEvidence, Digest: tallystick.DigestOf([]byte(verdict)), Verdict: verdict,
			}}, nil
		})
	}
	h.now = at("13:30")
	evaluate(tallystick.Pass)
	h.now = at("15:30")
	evaluate(tallystick.Fail)
	h.version(t, "2")
	h.now = at("17:05")
	h.apply(t, "indicator: {audited: {every: 2h}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 2, 24)
	h.apply(t, "indicator: {retrained: {every: 3h}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 4, 5)
	h.now = at("19:05")
	counts(t, h.checkRecount(t), 6, 7)
}

// Ten predictions against a reference of incomes from 0 to 999 and two jobs, of which every row has both; then five more that came
// late, and are as they should be.
func TestIndicatorsOfReferences(t *testing.T) {
	t.Parallel()
	h := open(t)
	with := func(income, job prediction.Value) func(int, *prediction.Record) {
		return func(_ int, r *prediction.Record) {
			r.Features = nil
			for name, v := range map[string]prediction.Value{"income": income, "job": job} {
				if !v.IsNull() {
					r.Features = append(r.Features, prediction.Feature{Name: name, Value: v})
				}
			}
			if len(r.Features) == 2 && r.Features[0].Name == "job" {
				r.Features[0], r.Features[1] = r.Features[1], r.Features[0]
			}
		}
	}
	began := noon.Add(-72 * time.Hour)
	h.send(t, made(began, time.Hour, 1000, func(i int, r *prediction.Record) {
		with(prediction.Number(float64(i)), prediction.String([]string{"baker", "smith"}[i%2]))(i, r)
	})...)
	h.pin(t, began, began.Add(time.Hour))
	fine := with(prediction.Number(10), prediction.String("smith"))
	h.send(t, made(noon.Add(-time.Hour), time.Minute, 4, fine)...)
	h.send(t, made(noon.Add(-time.Hour), time.Minute, 2, with(prediction.Number(10), prediction.Value{}))...)
	h.send(t, made(noon.Add(-time.Hour), time.Minute, 1, with(prediction.String("many"), prediction.String("smith")))...)
	h.send(t, made(noon.Add(-time.Hour), time.Minute, 2, with(prediction.Number(5000), prediction.String("smith")))...)
	h.send(t, made(noon.Add(-time.Hour), time.Minute, 1, with(prediction.Number(10), prediction.String("judge")))...)
	for indicator, good := range map[string]int64{"valid_input": 4 + 2 + 1, "in_domain": 4 + 2} {
		h.apply(t, "indicator: {"+indicator+": {}}\ntarget: 50%\nperiod: 1d\n")
		counts(t, h.checkRecount(t), good, 10)
	}
	h.apply(t, "indicator: {valid_input: {}}\ntarget: 50%\nperiod: 1d\n")
	counts(t, h.checkRecount(t), 7, 10)
	h.now = h.now.Add(time.Hour)
	h.send(t, made(noon.Add(-50*time.Minute), time.Minute, 5, fine)...)
	counts(t, h.checkRecount(t), 12, 15)
}

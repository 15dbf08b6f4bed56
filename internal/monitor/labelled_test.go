package monitor_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// label puts labels on record: those for which value says one.
func (h *house) label(t testing.TB, records []prediction.Record, value func(i int) (prediction.Value, bool)) {
	t.Helper()
	store := label.New(h.DB, h.Evidence)
	var batch label.Batch
	flush := func() {
		if len(batch.Labels) == 0 {
			return
		}
		ready, err := store.Prepare(t.Context(), "credit", batch, h.now, nil)
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
		batch.Labels = nil
	}
	for i := range records {
		v, ok := value(i)
		if !ok {
			continue
		}
		batch.Labels = append(batch.Labels, label.Sent{Label: label.Label{Prediction: records[i].ID, Value: v, Time: prediction.TimeOf(h.now)}})
		if len(batch.Labels) == label.MaxLabels {
			flush()
		}
	}
	flush()
}

// scored returns predictions whose scores are probabilities, with their outcomes as they are, and as the opposite of what the scores say in
// some of them.
func scored(from time.Time, n int, seed uint64, flip float64) (records []prediction.Record, truth []bool) {
	r := rand.New(rand.NewPCG(seed, 7))
	records = made(from, time.Hour, n, usual(seed))
	for i := range records {
		p := r.Float64()
		records[i].Score, records[i].Output = prediction.Number(p), prediction.Boolean(p >= 0.5)
		was := r.Float64() < p
		if r.Float64() < flip {
			was = !was
		}
		truth = append(truth, was)
	}
	return records, truth
}

func outcomes(truth []bool) func(int) (prediction.Value, bool) {
	return func(i int) (prediction.Value, bool) { return prediction.Boolean(truth[i]), true }
}

// TestPerformance has a window judged when it is due, and again when its labels are there: at first it is not known how well
// the model did, and that hides nothing; then it is. As of each moment the judgement is that of then.
func TestPerformance(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := noon.Add(-24 * time.Hour)
	past, truth := scored(began, 8000, 1, 0)
	h.now = noon.Add(-2 * time.Hour)
	h.send(t, past...)
	h.label(t, past, outcomes(truth))
	h.pin(t, monitor.Pin{From: began, To: began.Add(time.Hour)})
	h.apply(t, `window: 1h
from: 2026-03-02T10:00:00Z
checks:
  labels: {mature: 7d}
  performance: {metrics: [roc_auc, accuracy], limits: {false_positive_rate: {max: 30%}}}
  calibration: {}
  estimate: {}
`)
	good, goodTruth := scored(noon.Add(-2*time.Hour), 8000, 2, 0)
	bad, badTruth := scored(noon.Add(-time.Hour), 8000, 3, 0.3)
	h.now = noon
	h.send(t, good...)
	h.send(t, bad...)
	h.now = noon.Add(time.Hour)
	if said, err := h.Run(t.Context()); err != nil || said != "judged 2 windows; 0 wait" {
		t.Fatalf("%q, %v", said, err)
	}
	then := h.now
	first, before := h.judge(t, noon.Add(-time.Hour), time.Time{})
	if r := row(t, first, "performance", ""); first.Verdict != tallystick.Pass || r.Verdict != tallystick.Insufficient || !r.Awaits.Equal(noon.AddDate(0, 0, 7).Add(time.Minute)) || !first.Awaits.Equal(r.Awaits) {
		t.Errorf("before labels are there: %s, %s: %s", first.Verdict, r.Verdict, r.Words)
	}
	if r := row(t, first, "estimate", "roc_auc"); r.Verdict != tallystick.Pass || math.Abs(float64(r.Value)-0.8333) > 0.02 { // of p uniform, and labels drawn by p, ROC AUC is 5/6
		t.Errorf("estimated: %s: %s", r.Verdict, r.Words)
	}

	h.now = noon.AddDate(0, 0, 6)
	h.label(t, good, outcomes(goodTruth))
	h.label(t, bad, outcomes(badTruth))
	if said, err := h.Run(t.Context()); err != nil || !strings.HasPrefix(said, "judged 61 windows") { // silent hours since
		t.Fatalf("%q, %v", said, err)
	}
	h.now = noon.AddDate(0, 0, 7).Add(2 * time.Minute)
	for range 5 {
		if _, err := h.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := h.Judged(t.Context(), monitor.JudgedFilter{Monitor: "watch", From: noon.Add(-2 * time.Hour), To: noon, All: true})
	if err != nil || len(all) != 4 || all[0].Labelled != 8000 || !all[0].Awaits.IsZero() || all[0].Verdict != tallystick.Fail || all[1].Verdict != tallystick.Pass {
		t.Fatalf("%+v, %v", all, err)
	}
	j, err := h.Judgement(t.Context(), all[0].Judgement)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		check, subject string
		want           tallystick.Verdict
		words          string
	}{
		{"labels", "", tallystick.Pass, "8000 of 8000 predictions have a label. Half of the labels came within 6"},
		{"performance", "roc_auc", tallystick.Fail, "ROC AUC is 0.6"},
		{"performance", "accuracy", tallystick.Fail, "in the reference: a difference of"},
		{"performance", "false_positive_rate", tallystick.Fail, "surely above 30.0 %"},
		{"calibration", "ece", tallystick.Fail, "Scores are off by"},
		{"calibration", "in_the_large", tallystick.Pass, "The mean score is off"},
		{"estimate", "roc_auc", tallystick.Pass, "As far as scores tell, ROC AUC is 0.8"},
		{"estimate", "roc_auc realised", tallystick.Warn, "not to be believed until that is explained"},
	} {
		if r := row(t, &j, c.check, c.subject); r.Verdict != c.want || !strings.Contains(r.Words, c.words) {
			t.Errorf("%s of %s is %s: %s", c.check, c.subject, r.Verdict, r.Words)
		}
	}
	calm, err := h.Judgement(t.Context(), all[1].Judgement)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range calm.Rows {
		if r.Verdict != tallystick.Pass {
			t.Errorf("of the window before: %s of %q is %s: %s", r.Check, r.Subject, r.Verdict, r.Words)
		}
	}
	if _, again := h.judge(t, noon.Add(-time.Hour), then); again != before {
		t.Errorf("as of then:\n%s\nwas\n%s", again, before)
	}
	one, data := h.judge(t, noon.Add(-time.Hour), h.now)
	if _, again := h.judge(t, noon.Add(-time.Hour), time.Time{}); again != data || one.Labelled != 8000 {
		t.Errorf("as of now:\n%s\nis\n%s", again, data)
	}
}

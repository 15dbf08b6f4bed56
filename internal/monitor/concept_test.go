package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestConcept has outputs become wrong more often, bit by bit: the stream of windows says so where each window alone is too small
// to tell. It comes to the same when a window is judged again, alone.
func TestConcept(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := rand.New(rand.NewPCG(9, 9))
	began := noon.Add(-24 * time.Hour)
	h.send(t, made(began.Add(-time.Hour), time.Hour, 1000, usual(1))...)
	h.pin(t, monitor.Pin{From: began.Add(-time.Hour), To: began})
	monitors := func(concept string) string {
		return fmt.Sprintf("window: 1h\nfrom: %s\nchecks: {labels: {mature: 0, task: binary}, performance: {metrics: [accuracy], limits: {accuracy: {min: 50%%}}}, agreement: {windows: 20}, concept: %s}\n", began.Format(time.RFC3339), concept)
	}
	h.apply(t, monitors("{max_error: 12%}"))
	const windows = 20
	for hour := range windows {
		records := made(began.Add(time.Duration(hour)*time.Hour), time.Hour, 300, usual(uint64(hour)))
		wrong := 0.1
		if hour >= 8 {
			wrong = 0.18
		}
		truth := make([]bool, len(records))
		for i := range records {
			truth[i] = r.IntN(2) == 0
			records[i].Output = prediction.Boolean(truth[i] != (r.Float64() < wrong))
		}
		h.now = began.Add(time.Duration(hour+1) * time.Hour)
		h.send(t, records...)
		h.label(t, records, outcomes(truth))
		h.now = began.Add(time.Duration(hour+1)*time.Hour + 10*time.Minute)
		if _, err := h.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.now = noon
	verdicts := ""
	for hour := range windows {
		j, _ := h.judge(t, began.Add(time.Duration(hour)*time.Hour), time.Time{})
		c := row(t, j, "concept", "")
		if c.N != int64(300*(hour+1)) || c.P == nil || j.Labelled != 300 || j.Wrong == 0 {
			t.Errorf("window %d: %d rows, %d of %d wrong: %s", hour, c.N, j.Wrong, j.Labelled, c.Words)
		}
		verdicts += map[tallystick.Verdict]string{tallystick.Pass: ".", tallystick.Fail: "!"}[c.Verdict]
	}
	if !strings.HasPrefix(verdicts, "..........") || !strings.HasSuffix(verdicts, "!!!!") {
		t.Errorf("windows from the 9th on are wrong more often: %s", verdicts)
	}
	last := began.Add((windows - 1) * time.Hour)
	j, _ := h.judge(t, last, time.Time{})
	if r := row(t, j, "concept", ""); !strings.Contains(r.Words, "which is sure since the window of 2026-03-0") || j.Known.Judged == 0 {
		t.Errorf("%+v: %s", j.Known, r.Words)
	}
	if r := row(t, j, "agreement", ""); r.Verdict != tallystick.Pass || r.N != windows-1 {
		t.Errorf("%s: %s", r.Verdict, r.Words)
	}
	for _, method := range []string{"page_hinkley", "ddm", "adwin"} {
		h.apply(t, monitors("{method: "+method+"}"))
		j, _ := h.judge(t, last, time.Time{})
		if r := row(t, j, "concept", ""); r.N != 300*windows || r.Verdict != tallystick.Pass && r.Verdict != tallystick.Warn || r.Threshold != nil {
			t.Errorf("%s is %s: %s", method, r.Verdict, r.Words)
		}
	}
	h.apply(t, monitors("{max_error: 12%, since: "+last.Format(time.RFC3339)+"}"))
	if j, _ := h.judge(t, last, time.Time{}); row(t, j, "concept", "").N != 300 {
		t.Errorf("a new stream has %d rows", row(t, j, "concept", "").N)
	}

	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "replay.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	p := trail.Replayer{Changes: monitor.Changes(), Tables: monitor.Tables()}
	if _, err := p.Check(t.Context(), h.Trail, scratch); err != nil {
		t.Errorf("the tables do not follow from the trail: %v", err)
	}
}

// TestConceptOfQuantities needs to know by how much a number may be off.
func TestConceptOfQuantities(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := noon.Add(-2 * time.Hour)
	records := made(began, time.Hour, 2000, usual(1))
	r := rand.New(rand.NewPCG(1, 9))
	actual := make([]float64, len(records))
	for i := range records {
		x := 100 * r.Float64()
		records[i].Output, actual[i] = prediction.Number(x), x+r.NormFloat64()
	}
	h.send(t, records...)
	h.label(t, records, func(i int) (prediction.Value, bool) { return prediction.Number(actual[i]), i%20 > 0 })
	h.pin(t, monitor.Pin{From: began, To: began.Add(time.Hour)})
	for concept, want := range map[string]tallystick.Verdict{"on": tallystick.Insufficient, "{tolerance: 2}": tallystick.Pass, "{tolerance: 1, max_error: 20%}": tallystick.Fail} {
		h.apply(t, "window: 1h\nchecks: {labels: {mature: 0}, performance: {limits: {mae: {max: 1}}}, concept: "+concept+"}\n")
		j, _ := h.judge(t, began, time.Time{})
		if r := row(t, j, "concept", ""); r.Verdict != want {
			t.Errorf("%s is %s: %s", concept, r.Verdict, r.Words)
		}
		if r := row(t, j, "performance", "mae"); r.Verdict != tallystick.Pass || r.N != 1900 || *r.Low > 0.798 || *r.High < 0.798 { // the mean of |N(0, 1)| is sqrt(2/pi)
			t.Errorf("mae is %s: %s", r.Verdict, r.Words)
		}
		if r := row(t, j, "performance", "rmse"); r.Verdict != tallystick.Pass {
			t.Errorf("rmse is %s: %s", r.Verdict, r.Words)
		}
	}
}

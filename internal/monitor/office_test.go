package monitor_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestChecksOfRecords judges what checks read of recorded predictions beside the reference's features: time, digest, status,
// extra, features that nobody knows, the hours of the day before the window, and a reference that is not pinned any more.
func TestChecksOfRecords(t *testing.T) {
	t.Parallel()
	h := open(t)
	day := noon.Add(-36 * time.Hour) // midnight
	h.send(t, made(day, 24*time.Hour, 3000, usual(1))...)
	h.pin(t, monitor.Pin{From: day, To: day.Add(24 * time.Hour)})
	pinned, err := h.References(t.Context(), "credit")
	if err != nil {
		t.Fatal(err)
	}
	shifted := made(noon.Add(-2*time.Hour), time.Hour, 1200, usual(2))
	for i := range shifted {
		shift(20)(i, &shifted[i])
		shifted[i].Extra = json.RawMessage(`{"cost":0.02}`)
	}
	h.send(t, shifted...)
	h.pin(t, monitor.Pin{From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}) // what serves is the reference now

	at := noon.Add(-time.Hour)
	records := made(at, 45*time.Minute, 1000, usual(3))
	for i := range records {
		shift(20)(i, &records[i])
		records[i].Extra = json.RawMessage(`{"basket":30,"cost":0.01}`)
		records[i].Status = prediction.OK
		records[i].InputDigest = tallystick.DigestOf([]byte{byte(i % 125)})
		if i%4 == 0 {
			records[i].Status = prediction.Fallback
			records[i].Features = append(records[i].Features, prediction.Feature{Name: "zone", Value: prediction.String("x")})
		}
	}
	h.send(t, records...)
	h.apply(t, "window: 1h\nchecks:\n  schema: on\n  duplicates: on\n  staleness: {newest: 10m}\n  error_kinds: {kinds: {fallback: 30%}}\n"+
		"  cost: {of: extra.cost, budget: {window: 20, day: 30}}\n  kpi: {basket: {of: extra.basket, min: 20}}\n  skew: {against: "+string(pinned[0].Digest)+"}\n")
	h.now = noon.Add(time.Minute)
	j, _ := h.judge(t, at, time.Time{})
	for _, c := range []struct {
		check, subject string
		want           tallystick.Verdict
		words          string
	}{
		{"drift", "income", tallystick.Pass, ""},
		{"skew", "income", tallystick.Fail, "rises from"},
		{"skew", "job", tallystick.Pass, ""},
		{"schema", "income", tallystick.Pass, ""},
		{"schema", "zone", tallystick.Warn, "zone is a feature that the reference does not have, in 25.0 % of rows."},
		{"duplicates", "", tallystick.Fail, "87.5 % of predictions repeat an input"},
		{"staleness", "", tallystick.Fail, "The newest prediction is 15m3s older than the end of the window; 10m0s may be."},
		{"error_kinds", "fallback", tallystick.Pass, "25.0 % of predictions have status = fallback; 30.0 % may."},
		{"cost", "window", tallystick.Pass, "1000 predictions of the window cost 10, of a budget of 20."},
		{"cost", "day", tallystick.Fail, "2200 predictions of the day cost 34, of a budget of 30."},
		{"kpi", "basket", tallystick.Pass, ""},
	} {
		if r := row(t, j, c.check, c.subject); r.Verdict != c.want || !strings.Contains(r.Words, c.words) {
			t.Errorf("%s of %q is %s, want %s: %s", c.check, c.subject, r.Verdict, c.want, r.Words)
		}
	}
	_, again := h.judge(t, at, h.now)
	if data, _ := j.Marshal(); string(data) != again {
		t.Error("judged as of now, it says something else")
	}
}

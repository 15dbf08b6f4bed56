package monitor_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestAdaptive lets some of a feature's values be missing, as they are each hour: the check's own limit warns each time, what is
// learned does not. What is more than usual warns, and more often than chance fails; a row says by which limit, and as of then it is
// judged so again.
func TestAdaptive(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := noon.Add(-48 * time.Hour)
	lacking := func(from time.Time, n, missing int, seed uint64) []prediction.Record {
		all := made(from, time.Hour, n, usual(seed))
		for i := range all[:missing] {
			all[i].Features = all[i].Features[:1] // income alone
		}
		return all
	}
	h.send(t, lacking(began.Add(-time.Hour), 2000, 0, 1)...)
	h.pin(t, monitor.Pin{From: began.Add(-time.Hour), To: began})
	// Hours have 60 to 69 of 1,000 without a job, four times over, then 90.
	for i := range 46 {
		missing := 60 + i%10
		if i >= 40 {
			missing = 90
		}
		h.send(t, lacking(began.Add(time.Duration(i)*time.Hour), 1000, missing, uint64(i+2))...)
	}
	h.now = began.Add(48 * time.Hour)
	h.apply(t, "window: 1h\nchecks:\n  missing: {warn: 1%, fail: 20%}\n  adaptive: {share: 5%, windows: 30, of: {missing: {floor: 2%}}}\n")
	var then time.Time
	var first string
	for i := range 46 {
		at := began.Add(time.Duration(i) * time.Hour)
		j, data := h.judge(t, at, time.Time{})
		change, err := h.Keep(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeJudged(tx, change) })
		r := row(t, j, "missing", "job")
		want := tallystick.Pass
		switch {
		case i < 39: // 19 windows and 20 more
			want = tallystick.Warn
		case i == 39:
			// Of 19 windows, the hours 0 to 18, the greatest is 69.
			if math.Abs(*r.Warn-0.069) > 1e-12 || r.Learned != 19 || r.Origin != "learned" || !strings.Contains(r.Words, "That is usual, up to 6.90 %") && !strings.Contains(r.Words, "That is usual, up to 6.9 %") {
				t.Errorf("learned: %v from %d, %s: %s", *r.Warn, r.Learned, r.Origin, r.Words)
			}
		case i < 44:
			want = tallystick.Warn
		default: // five of 21 are beyond what one in twenty is
			want = tallystick.Fail
		}
		if r.Verdict != want {
			t.Errorf("hour %d: %s, want %s: %s", i, r.Verdict, want, r.Words)
		}
		if i == 39 {
			first, then = data, h.now
			h.now = h.now.Add(time.Minute)
		}
	}
	if _, again := h.judge(t, began.Add(39*time.Hour), then); again != first {
		t.Errorf("as of then it was\n%s\nand is\n%s", first, again)
	}
}

func TestAdaptiveIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"on":                         "states no limit",
		"{share: 1%}":                "learns of no check",
		"{of: {drift: {}}}":          "states no floor",
		"{of: {volume: {floor: 1}}}": "volume",
		"{share: 0.01%, of: {drift: {floor: 0.1}}}":              "which is not between",
		"{windows: 50, of: {drift: {floor: 0.1}}}":               "windows is not between 99 and 1000",
		"{windows: 5000, of: {drift: {floor: 0.1}}}":             "windows is not between 99 and 1000",
		"{share: 5%, windows: 18, of: {latency: {floor: 0.1%}}}": "windows is not between 19 and 1000",
	} {
		_, err := monitor.Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 1h\nchecks:\n  adaptive: "+text+"\n"), "watch.yaml")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

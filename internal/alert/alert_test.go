package alert_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// verdicts are written as letters: f fail, w warn, p pass, i insufficient, x inconclusive.
var letters = map[rune]tallystick.Verdict{'f': tallystick.Fail, 'w': tallystick.Warn, 'p': tallystick.Pass, 'i': tallystick.Insufficient, 'x': tallystick.Inconclusive}

// TestStates: what becomes of an alert, window by window: . none, P pending, F firing, R resolved.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, verdicts, states, events string }{
		{"one bad window is no alert that fires", "pfppp", ".PPPR", "pending resolved"},
		{"two in a row fire", "ffppp", "PFFFR", "pending fired resolved"},
		{"two of three fire", "fpfppp", "PPFFFR", "pending fired resolved"},
		{"one of three again and again never fires", "fppfppf", "PPPPPPP", "pending"},
		{"two good windows do not resolve", "ffppfppp", "PFFFFFFR", "pending fired resolved"},
		{"a warning neither fires nor passes", "ffpwppp", "PFFFFFR", "pending fired resolved"},
		{"warnings end what is pending", "fwww", "PPPR", "pending resolved"},
		{"warnings alone are no alert", "wwww", "....", ""},
		{"too little seen neither fires nor resolves", "fiixfiipipp", "PPPPFFFFFFR", "pending fired resolved"},
		{"too little seen raises nothing", "ixi", "...", ""},
		{"again after it resolved", "ffpppff", "PFFFRPF", "pending fired resolved pending fired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			var got strings.Builder
			for hour, letter := range tt.verdicts {
				h.judge(drift(hour, letters[letter]))
				h.run(t)
				all := h.alerts(t, alert.Filter{})
				if len(all) == 0 {
					got.WriteByte('.')
					continue
				}
				got.WriteString(strings.ToUpper(string(all[0].State[:1])))
			}
			if got.String() != tt.states {
				t.Errorf("states of %s = %s, want %s", tt.verdicts, got.String(), tt.states)
			}
			if events := h.events(t); events != tt.events {
				t.Errorf("events = %s, want %s", events, tt.events)
			}
			if tt.events != "" {
				h.replays(t)
			}
		})
	}
}

// TestAlertTells: an alert says what was judged when its state changed, and how it goes on.
func TestAlertTells(t *testing.T) {
	t.Parallel()
	h := open(t)
	for hour, letter := range "ffi" {
		h.judge(drift(hour, letters[letter]))
	}
	if outcome := h.run(t); outcome != "1 pending, 1 fired, 0 resolved" {
		t.Errorf("outcome = %q", outcome)
	}
	a := h.alerts(t, alert.Filter{Live: true})[0]
	if a.Words != "income in hour 1: fail" || !a.From.Equal(noon.Add(time.Hour)) || a.Judged != 2 || a.Verdict != tallystick.Fail || a.Severity != alert.Ticket {
		t.Errorf("alert = %+v", a)
	}
	if a.Standing == nil || a.Standing.Unjudged != 1 || !a.Standing.UnjudgedSince.Equal(noon.Add(2*time.Hour)) || !a.Standing.Last.Equal(noon.Add(time.Hour)) {
		t.Errorf("standing = %+v", a.Standing)
	}
	if a.Pending.IsZero() || a.Fired.Before(a.Pending) {
		t.Errorf("pending %v, fired %v", a.Pending, a.Fired)
	}
	if got := a.Summary(); got != "drift of income: credit@1 in production" {
		t.Errorf("summary = %q", got)
	}
	lines, err := h.History(t.Context(), a.ID, 0, 10)
	if err != nil || len(lines) != 2 || !strings.Contains(lines[0].Words, "fired an alert of monitor/hourly/drift about credit@1 in production, income: ticket") {
		t.Errorf("history = %+v, %v", lines, err)
	}
	if _, err := h.Alert(t.Context(), "no"); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("err = %v", err)
	}
}

// TestFingerprint: an alert is known by its labels alone, and their borders count.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	o := drift(0, tallystick.Fail)
	later := drift(7, tallystick.Pass)
	if o.Fingerprint() != later.Fingerprint() {
		t.Error("window or verdict change the fingerprint")
	}
	const want = `environment="production"` + "\n" + `model="credit"` + "\n" + `rule="monitor/hourly/drift"` + "\n" + `segment=""` + "\n" + `subject="income"` + "\n" + `version="1"` + "\n"
	if o.Fingerprint() != tallystick.DigestOf([]byte(want)) {
		t.Error("the fingerprint is not the SHA-256 of the sorted labels")
	}
	a, b := o, o
	a.Subject, a.Segment = `x"`+"\n"+`version="1`, ""
	b.Subject, b.Segment = "x", ""
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("two subjects are one")
	}
}

// TestAtOnce: missing telemetry fires at the first window and resolves at the first good one.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	gap := drift(0, tallystick.Fail)
	gap.Rule, gap.Subject, gap.Terms, gap.Severity, gap.Whole = "monitor/hourly/telemetry", "", alert.AtOnce(), alert.Page, true
	h.judge(gap)
	h.run(t)
	if a := h.alerts(t, alert.Filter{State: alert.Firing}); len(a) != 1 || a[0].Severity != alert.Page || !a[0].Pending.IsZero() {
		t.Fatalf("alerts = %+v", a)
	}
	back := gap
	back.From, back.To, back.Verdict = gap.From.Add(time.Hour), gap.To.Add(time.Hour), tallystick.Pass
	h.judge(back)
	h.run(t)
	if got := h.events(t); got != "fired resolved" {
		t.Errorf("events = %s", got)
	}
	h.replays(t)
}

// TestJudgedAgain: a window that is judged anew counts once, with its new verdict; older windows that come late are put
// in their place.
func TestJudgedAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.judge(drift(3, tallystick.Fail))
	h.judge(drift(3, tallystick.Fail))
	h.judge(drift(3, tallystick.Fail))
	h.run(t)
	if got := h.events(t); got != "pending" {
		t.Errorf("one window judged three times: %s", got)
	}
	h.judge(drift(2, tallystick.Pass))
	h.judge(drift(1, tallystick.Pass))
	h.judge(drift(0, tallystick.Fail)) // older than the three that count
	h.run(t)
	if got := h.events(t); got != "pending" {
		t.Errorf("late windows: %s", got)
	}
	h.judge(drift(2, tallystick.Fail)) // late records changed the verdict
	h.run(t)
	if got := h.events(t); got != "pending fired" {
		t.Errorf("after back-filling: %s", got)
	}
	for hour := 1; hour <= 3; hour++ {
		h.judge(drift(hour, tallystick.Pass))
	}
	h.run(t)
	if got := h.events(t); got != "pending fired resolved" {
		t.Errorf("after all was judged good: %s", got)
	}
}

// TestExactlyOnce: evaluations that run at the same time, are cut off and run again look at each judgement once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	const rounds = 150 // more than two transactions
	for i := range rounds {
		o := drift(i, letters[rune("ffppp"[i%5])])
		h.judge(o)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			office := h.office()
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if _, err := office.Run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	h.run(t)
	want := strings.TrimSuffix(strings.Repeat("pending fired resolved ", rounds/5), " ")
	if got := h.events(t); got != want {
		t.Errorf("events = %d %.200s", len(strings.Fields(got)), got)
	}
	if outcome := h.run(t); outcome != "" {
		t.Errorf("nothing new, but %s", outcome)
	}
	h.replays(t)
}

// TestReplaced: when a rule watches another version its alerts about the one before end, and those of a monitor that was
// removed do.
func TestReplaced(t *testing.T) {
	t.Parallel()
	h := open(t)
	old := drift(0, tallystick.Fail)
	old.Sole = true
	again := drift(1, tallystick.Fail)
	again.Sole = true
	h.judge(old)
	h.judge(again)
	fresh := drift(2, tallystick.Fail)
	fresh.Version, fresh.Sole = "2", true
	h.judge(fresh)
	h.run(t)
	all := h.alerts(t, alert.Filter{})
	if len(all) != 2 || all[1].State != alert.Ended || all[1].Cause != "replaced" || all[0].State != alert.Pending || all[0].Version != "2" {
		t.Fatalf("alerts = %+v", all)
	}
	h.judge(alert.Observation{Rule: "monitor/hourly/", Model: "credit", Over: true})
	h.run(t)
	if all := h.alerts(t, alert.Filter{Live: true}); len(all) != 0 {
		t.Errorf("alerts = %+v", all)
	}
	h.replays(t)
}

// TestByHand: a person resolves an alert and says why; what is still bad raises another.
func TestByHand(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.judge(drift(0, tallystick.Fail))
	h.judge(drift(1, tallystick.Fail))
	h.run(t)
	id := h.alerts(t, alert.Filter{})[0].ID
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		if _, err := h.Resolve(tx, id, ""); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("without a reason: %v", err)
		}
		change, err := h.Resolve(tx, id, "the feature was taken out")
		return []trail.Change{change}, err
	})
	a, err := h.Alert(t.Context(), id)
	if err != nil || a.State != alert.Ended || a.Cause != "person" || a.Reason != "the feature was taken out" || a.Standing != nil {
		t.Errorf("alert = %+v, %v", a, err)
	}
	h.judge(drift(2, tallystick.Fail))
	h.run(t)
	if all := h.alerts(t, alert.Filter{Live: true}); len(all) != 1 || all[0].ID == id || all[0].State != alert.Pending {
		t.Errorf("alerts = %+v", all)
	}
	h.replays(t)
}

package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (h *house) silence(t testing.TB, s alert.Silencing) string {
	t.Helper()
	var id string
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) {
		changes, err := h.Silence(tx, s)
		if err == nil {
			id = changes[0].(*alert.SilenceCreated).Silence
		}
		return changes, err
	})
	return id
}

// TestSuppressedIsOnRecord is A15: a silence keeps notifications back and nothing else. The alert is judged, fires, says
// what suppressed it, and stands on the trail.
func TestSuppressedIsOnRecord(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.silence(t, alert.Silencing{Matchers: []string{"model=credit", `subject=~"age|income"`}, Reason: "new bureau file", Until: h.now.Add(time.Hour)})
	h.judge(drift(0, tallystick.Fail))
	h.judge(drift(1, tallystick.Fail))
	h.run(t)
	a := h.alerts(t, alert.Filter{State: alert.Firing})
	if len(a) != 1 || a[0].SuppressedBy != "silence "+id {
		t.Fatalf("alerts = %+v", a)
	}
	events, err := h.Trail.Events(t.Context(), trail.Filter{Type: trail.AlertFired})
	if err != nil || len(events) != 1 || events[0].Sealed()["suppressed_by"] != "silence "+id {
		t.Errorf("event = %v, %v", events, err)
	}
	// Its time is over: the record says that notifications go again.
	h.now = h.now.Add(time.Hour)
	h.run(t)
	if a := h.alerts(t, alert.Filter{State: alert.Firing}); len(a) != 1 || a[0].SuppressedBy != "" {
		t.Errorf("after the silence: %+v", a)
	}
	if got := h.events(t); got != "created pending fired ended unsuppressed" {
		t.Errorf("events = %s", got)
	}
	// One that begins while it fires counts at once, and one that is ended too.
	id = h.silence(t, alert.Silencing{Matchers: []string{"alertname=drift", `owner=""`}, Reason: "again", Until: h.now.Add(time.Hour)})
	if a := h.alerts(t, alert.Filter{State: alert.Firing}); a[0].SuppressedBy != "silence "+id {
		t.Errorf("silenced while firing: %+v", a[0])
	}
	h.do(t, func(tx *state.Tx) ([]trail.Change, error) { return h.EndSilence(tx, id) })
	if a := h.alerts(t, alert.Filter{State: alert.Firing}); a[0].SuppressedBy != "" {
		t.Errorf("after it was ended: %+v", a[0])
	}
	if all, err := h.Silences(t.Context(), false, 0, 0); err != nil || len(all) != 0 {
		t.Errorf("silences = %+v, %v", all, err)
	}
	if all, err := h.Silences(t.Context(), true, 0, 0); err != nil || len(all) != 2 || all[0].EndedBy != "person" || all[1].EndedBy != "time" || all[1].Reason != "new bureau file" {
		t.Errorf("silences = %+v, %v", all, err)
	}
	h.replays(t)
}

// TestSilenceRefused: what cannot be a silence is refused in one line.
func TestSilenceRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	good := alert.Silencing{Matchers: []string{"model=credit"}, Reason: "maintenance", Until: h.now.Add(time.Hour)}
	for _, tt := range []struct {
		name   string
		change func(*alert.Silencing)
		want   string
	}{
		{"no condition", func(s *alert.Silencing) { s.Matchers = nil }, "1 to 20 conditions"},
		{"no condition that picks", func(s *alert.Silencing) { s.Matchers = []string{`model=~".*"`} }, "nearly everything"},
		{"negative alone", func(s *alert.Silencing) { s.Matchers = []string{"model!=fraud"} }, "nearly everything"},
		{"nonsense", func(s *alert.Silencing) { s.Matchers = []string{"model"} }, `the condition "model" is none`},
		{"bad expression", func(s *alert.Silencing) { s.Matchers = []string{`model=~"("`} }, "is none"},
		{"no reason", func(s *alert.Silencing) { s.Reason = "" }, "does not say why"},
		{"over", func(s *alert.Silencing) { s.Until = h.now.Add(-time.Minute) }, "not after it begins"},
		{"too long", func(s *alert.Silencing) { s.Until = h.now.Add(31 * 24 * time.Hour) }, "31 days; at most 30"},
		{"unknown model", func(s *alert.Silencing) { s.Matchers = []string{"model=cradit"} }, `"cradit"`},
	} {
		s := good
		tt.change(&s)
		err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
			_, err := h.Silence(tx, s)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestInhibited: while all data of a window is wrong, alerts about single features fire and are kept back, by name; those
// of other environments are not.
func TestInhibited(t *testing.T) {
	t.Parallel()
	h := open(t)
	volume := drift(0, tallystick.Fail)
	volume.Rule, volume.Subject, volume.Terms, volume.Whole = "monitor/hourly/volume", "", alert.AtOnce(), true
	elsewhere := func(hour int) alert.Observation {
		o := drift(hour, tallystick.Fail)
		o.Environment = "staging"
		return o
	}
	h.judge(volume, drift(0, tallystick.Fail), elsewhere(0))
	h.judge(drift(1, tallystick.Fail), elsewhere(1))
	h.run(t)
	by := map[string]string{}
	var pipeline string
	for _, a := range h.alerts(t, alert.Filter{State: alert.Firing}) {
		by[a.Environment+"/"+a.Subject] = a.SuppressedBy
		if a.Whole {
			pipeline = a.ID
		}
	}
	if by["production/income"] != "alert "+pipeline || by["staging/income"] != "" || by["production/"] != "" || len(by) != 3 {
		t.Errorf("suppressed by: %v, the volume is %s", by, pipeline)
	}
	better := volume
	better.From, better.To, better.Verdict = better.From.Add(2*time.Hour), better.To.Add(2*time.Hour), tallystick.Pass
	h.judge(better)
	h.run(t)
	for _, a := range h.alerts(t, alert.Filter{State: alert.Firing}) {
		if a.SuppressedBy != "" {
			t.Errorf("still suppressed: %+v", a)
		}
	}
	h.replays(t)
}

// TestTooMany: of a model there are at most so many alerts, and one that says so, until there are fewer.
func TestTooMany(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, "name: all\nmost: 10\n")
	features := func(hour, n int, v tallystick.Verdict) (all []alert.Observation) {
		for i := range n {
			o := drift(hour, v)
			o.Subject = fmt.Sprintf("f%02d", i)
			all = append(all, o)
		}
		return all
	}
	h.judge(features(0, 14, tallystick.Fail)...)
	h.run(t)
	if all := h.alerts(t, alert.Filter{Live: true}); len(all) != 11 {
		t.Errorf("%d alerts", len(all))
	}
	said := h.alerts(t, alert.Filter{State: alert.Firing})
	if len(said) != 1 || !strings.Contains(said[0].Words, "credit has 10 alerts that are pending or firing, which is the most: of what is judged bad besides, 4 times now, no alert is raised") {
		t.Fatalf("firing = %+v", said)
	}
	for hour := 1; hour <= 3; hour++ {
		h.judge(features(hour, 14, tallystick.Pass)...)
	}
	h.run(t)
	if all := h.alerts(t, alert.Filter{Live: true}); len(all) != 0 {
		t.Errorf("alerts = %+v", all)
	}
	h.replays(t)
}

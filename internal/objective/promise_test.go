package objective

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

const month = 30 * 24 * time.Hour

// Table 5-8 of The Site Reliability Workbook, for 99.9 % over 30 days.
func TestThresholds(t *testing.T) {
	t.Parallel()
	rules := Rules(month)
	for i, want := range []struct {
		action Action
		burn   float64
		window time.Duration
		short  time.Duration
	}{
		{Page, 14.4, time.Hour, 5 * time.Minute},
		{Page, 6, 6 * time.Hour, 30 * time.Minute},
		{Ticket, 1, 72 * time.Hour, 6 * time.Hour},
		{Pause, 2, 72 * time.Hour, 6 * time.Hour},
	} {
		r := rules[i]
		if r.Action != want.action || math.Abs(r.Threshold(month)-want.burn) > 1e-12 || r.Window != want.window || r.Short != want.short {
			t.Errorf("rule %d: %+v at burn rate %v, want %+v", i, r, r.Threshold(month), want)
		}
		if err := r.Validate(Promise{Indicator: "answered", Target: 0.999, Period: month}); err != nil {
			t.Errorf("rule %d: %v", i, err)
		}
	}
	if len(rules) != 4 {
		t.Errorf("%d rules", len(rules))
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	o := Promise{Indicator: "answered", Target: 0.999, Period: month}
	hour := Rules(month)[0]
	for _, test := range []struct {
		name        string
		long, short Count
		min         int64
		want        tallystick.Verdict
	}{
		{"both at 14.4", Count{98_560, 100_000}, Count{9856, 10_000}, 0, tallystick.Fail},
		{"one event less", Count{98_561, 100_000}, Count{9856, 10_000}, 0, tallystick.Pass},
		{"over already", Count{98_000, 100_000}, Count{10_000, 10_000}, 0, tallystick.Pass},
		{"just begun", Count{99_900, 100_000}, Count{9000, 10_000}, 0, tallystick.Pass},
		{"one bad event of few", Count{68, 69}, Count{5, 6}, 0, tallystick.Insufficient},
		{"two bad events of few", Count{68, 70}, Count{5, 6}, 0, tallystick.Fail},
		{"fewer than wanted", Count{68, 70}, Count{5, 6}, 1000, tallystick.Insufficient},
		{"nothing in the short window", Count{98_000, 100_000}, Count{}, 0, tallystick.Insufficient},
		{"nothing at all", Count{}, Count{}, 0, tallystick.Insufficient},
	} {
		o.MinEvents = test.min
		got := o.Judge(hour, test.long, test.short)
		if got.Verdict != test.want {
			t.Errorf("%s: %s, want %s (%+v)", test.name, got.Verdict, test.want, got)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// 1/(14.4 x 0.001) is 69.4: of 69 events a single bad one burns at 14.5.
	if enough := (Promise{Target: 0.999, MinEvents: 1000}).enough(14.4); enough != 1000 {
		t.Errorf("enough with a minimum of 1,000: %d", enough)
	}
	if enough := (Promise{Target: 0.999}).enough(14.4); enough != 70 {
		t.Errorf("enough: %d", enough)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	o := Promise{Indicator: "answered", Target: 0.995, Period: month}
	b := o.Budget(Count{Good: 99_900, Valid: 100_000})
	if math.Abs(b.Allowed-500) > 1e-9 || b.Bad != 100 || math.Abs(b.Left-0.8) > 1e-12 {
		t.Errorf("budget %+v, want 100 of 500", b)
	}
	if b := o.Budget(Count{99_000, 100_000}); math.Abs(b.Left+1) > 1e-9 {
		t.Errorf("a budget used twice has %v left", b.Left)
	}
	if b := o.Budget(Count{}); b.Left != 1 || b.Allowed != 0 {
		t.Errorf("budget without events %+v", b)
	}
	// What a rule calls its share is what its threshold uses up in its window.
	for _, r := range Rules(month) {
		if got := o.Spent(r.Threshold(month), r.Window); math.Abs(got-r.Share) > 1e-12 {
			t.Errorf("%v of the budget in %v, want %v", got, r.Window, r.Share)
		}
	}
	if d, ok := o.Exhaustion(14.4); !ok || d.Round(time.Minute) != 50*time.Hour {
		t.Errorf("at 14.4 a budget lasts %v, %v", d, ok)
	}
	for _, burn := range []float64{0, -1, 0.01, math.NaN()} {
		if d, ok := o.Exhaustion(burn); ok {
			t.Errorf("at %v a budget lasts %v", burn, d)
		}
	}
	day := Count{Good: 9, Valid: 10}
	if sum := day.Add(Count{1, 5}); sum != (Count{10, 15}) || sum.Bad() != 5 || sum.Ratio() != 10./15 {
		t.Errorf("sum %+v", sum)
	}
	if !math.IsNaN(o.BurnRate(Count{})) {
		t.Error("a burn rate without events")
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Promise{Indicator: "in_time", Target: 0.99, Period: month}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Promise{
		"names no indicator": {Target: 0.9, Period: month},
		"target 1 ":          {Indicator: "x", Target: 1, Period: month},
		"target NaN":         {Indicator: "x", Target: math.NaN(), Period: month},
		"a period of 1h":     {Indicator: "x", Target: 0.9, Period: time.Hour},
		"minimum of -1":      {Indicator: "x", Target: 0.9, Period: month, MinEvents: -1},
	} {
		wantInvalid(t, o.Validate(), name)
	}
	for name, r := range map[string]BurnRule{
		`action "shout"`:                 {"shout", 0.02, time.Hour, time.Minute},
		"windows of 1h0m0s":              {Page, 0.02, time.Hour, time.Hour},
		"in a period of 720h0m0s":        {Page, 0.02, 2 * month, time.Hour},
		"a share of 0":                   {Page, 0, time.Hour, time.Minute},
		"more bad events than there are": {Page, 0.5, time.Hour, time.Minute},
	} {
		wantInvalid(t, r.Validate(good), name)
	}
	seen := make(map[string]bool)
	for _, s := range Indicators() {
		if found, ok := FindIndicator(s.Name); !ok || found != s || seen[s.Name] || tallystick.ValidateName("indicator", s.Name) != nil {
			t.Errorf("indicator %+v", s)
		}
		seen[s.Name] = true
	}
	if _, ok := FindIndicator("none"); ok {
		t.Error("an indicator that there is none of was found")
	}
}

func wantInvalid(t *testing.T, err error, part string) {
	t.Helper()
	var e *tallystick.Error
	if !errors.As(err, &e) || e.Code != tallystick.Invalid || e.Hint == "" || !strings.Contains(e.Message, part) {
		t.Errorf("error %v, want an invalid one with %q and a hint", err, part)
	}
}

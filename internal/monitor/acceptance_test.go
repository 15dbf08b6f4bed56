package monitor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// TestACSEmployment replays the census data of Massachusetts on a synthetic clock: 5,000 rows an hour, for the file has
// the year alone. NannyML, who publish it, find in chunks of 5,000 rows that AGEP, RELP and SCHL drift hard in two late
// ones, where RELP = 17 goes to almost 70 %. The file is ordered by more than time: from the 15th chunk on RELP = 17, group
// quarters, is gone but in three of them. That is a change, and a warning; the others pass.
func TestACSEmployment(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 278 thousand predictions in")
	}
	reference, analysis := shared(t, "acs-employment/employment_MA_reference.pq"), shared(t, "acs-employment/employment_MA_analysis.pq")
	h := open(t)
	began, step := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour/5000
	skip := map[string]bool{"id": true, "year": true, "employed": true}
	h.send(t, stream(t, reference, "predicted_probability", "prediction", skip, began.Add(-24*time.Hour), step)...)
	h.send(t, stream(t, analysis, "predicted_probability", "prediction", skip, began, step)...)
	h.pin(t, monitor.Pin{From: began.Add(-24 * time.Hour), To: began})
	h.apply(t, "window: 1h\n")

	for hour := range 41 {
		j, _ := h.judge(t, began.Add(time.Duration(hour)*time.Hour), time.Time{})
		want := tallystick.Warn
		switch {
		case hour < 14:
			want = tallystick.Pass
		case hour >= 26 && hour <= 28:
			want = tallystick.Fail
		}
		if j.Verdict != want || j.Predictions != 5000 {
			t.Errorf("window %d of %d predictions: %s, want %s: %s", hour, j.Predictions, j.Verdict, want, j.Words)
		}
		for _, name := range []string{"AGEP", "RELP", "SCHL"} {
			if r := row(t, j, "drift", name); (hour == 27 || hour == 28) && r.Verdict != tallystick.Fail {
				t.Errorf("window %d: %s", hour, r.Words)
			}
		}
		if hour == 27 {
			if words := row(t, j, "drift", "RELP").Words; !strings.HasPrefix(words, "RELP = 17 rises from 5.2 % to 69.6 % of rows") {
				t.Errorf("the worst window says of RELP: %s", words)
			}
			if first := j.Worst()[0]; first.Role != "score" {
				t.Errorf("the worst row is that of %q, want the score first", first.Subject)
			}
		}
	}
}

// TestCaliforniaHousing replays the house prices by the hours that the file has, one every hour, in months of 30 days. Latitude and
// longitude run through the file, which is ordered by place: every window differs hard from the whole, and says in which feature.
func TestCaliforniaHousing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 20 thousand predictions in")
	}
	reference, analysis := shared(t, "california-housing/california_housing_reference.csv"), shared(t, "california-housing/california_housing_analysis.csv")
	h := open(t)
	began, step := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), 7*24*time.Hour/1000 // 1,000 rows a week
	skip := map[string]bool{"timestamp": true, "partition": true, "clf_target": true, "id": true, "identifier": true}
	h.send(t, stream(t, reference, "y_pred_proba", "y_pred", skip, began.Add(-70*24*time.Hour), step)...)
	h.now = began.AddDate(0, 0, 80)
	h.send(t, stream(t, analysis, "y_pred_proba", "y_pred", skip, began, step)...)
	h.pin(t, monitor.Pin{From: began.Add(-70 * 24 * time.Hour), To: began})
	h.apply(t, "window: 7d\n")
	for week := range 9 {
		j, _ := h.judge(t, began.AddDate(0, 0, 7*week), time.Time{})
		if j.Verdict != tallystick.Fail || row(t, j, "drift", "Latitude").Verdict != tallystick.Fail || row(t, j, "drift", "Longitude").Verdict != tallystick.Fail {
			t.Errorf("week %d: %s: %s", week, j.Verdict, j.Words)
		}
	}
}

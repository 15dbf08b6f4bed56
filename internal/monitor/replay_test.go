package monitor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/table"
)

// numbers reads a column of numbers.
func numbers(t testing.TB, path, name string) (all []float64) {
	t.Helper()
	data, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	err = data.Scan(t.Context(), []string{name}, func(b *table.Block) error {
		if b.Cols[0].Kind != table.Number {
			return fmt.Errorf("column %s is of kind %s", name, b.Cols[0].Kind)
		}
		all = append(all, b.Cols[0].Float[:b.N]...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// whether returns labels: whether a column of numbers is 1.
func whether(all []float64) func(int) (prediction.Value, bool) {
	return func(i int) (prediction.Value, bool) { return prediction.Boolean(all[i] == 1), true }
}

// late returns the labels of predictions that are named by ids, from a file of others.
func late(t testing.TB, path, label string, ids []float64) func(int) (prediction.Value, bool) {
	t.Helper()
	values := map[float64]float64{}
	of := numbers(t, path, "id")
	for i, v := range numbers(t, path, label) {
		values[of[i]] = v
	}
	return func(i int) (prediction.Value, bool) {
		v, ok := values[ids[i]]
		return prediction.Boolean(v == 1), ok
	}
}

// TestACSLabels replays the census data on the synthetic clock of TestACSEmployment, with labels that come 30 days after the last
// prediction. Before, estimates tell of the two windows in which the publisher found that ROC AUC falls sharply; then labels do.
func TestACSLabels(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 278 thousand predictions in")
	}
	reference, analysis, target := shared(t, "acs-employment/employment_MA_reference.pq"), shared(t, "acs-employment/employment_MA_analysis.pq"), shared(t, "acs-employment/employment_MA_analysis_target.pq")
	h := open(t)
	began, step := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), time.Hour/5000
	skip := map[string]bool{"id": true, "year": true, "employed": true}
	past := stream(t, reference, "predicted_probability", "prediction", skip, began.Add(-24*time.Hour), step)
	seen := stream(t, analysis, "predicted_probability", "prediction", skip, began, step)
	h.now = began.Add(42 * time.Hour)
	h.send(t, past...)
	h.label(t, past, whether(numbers(t, reference, "employed")))
	h.send(t, seen...)
	h.pin(t, monitor.Pin{From: began.Add(-24 * time.Hour), To: began})
	h.apply(t, "window: 1h\nchecks: {labels: {mature: 30d}, performance: {metrics: [roc_auc]}, estimate: {metrics: [roc_auc]}, drift: off, new_values: off, missing: off, range: off, constant: off}\n")
	at := func(hour int) time.Time { return began.Add(time.Duration(hour) * time.Hour) }
	for hour := range 41 {
		j, _ := h.judge(t, at(hour), time.Time{})
		r := row(t, j, "estimate", "roc_auc")
		if want := verdictIf(hour == 27, tallystick.Warn); r.Verdict != want || j.Verdict != want || !j.Awaits.Equal(at(hour+1).AddDate(0, 0, 30).Add(time.Minute)) {
			t.Errorf("window %d, before there are labels, is %s and awaits them on %s: %s", hour, j.Verdict, j.Awaits, r.Words)
		}
	}
	h.now = began.AddDate(0, 0, 30).Add(43 * time.Hour)
	h.label(t, seen, late(t, target, "employed", numbers(t, analysis, "id")))
	for hour := range 41 {
		j, _ := h.judge(t, at(hour), time.Time{})
		want := verdictIf(hour == 28, tallystick.Warn)
		if hour == 27 {
			want = tallystick.Fail
		}
		if r := row(t, j, "performance", "roc_auc"); r.Verdict != want || j.Verdict != want || j.Labelled != 5000 {
			t.Errorf("window %d: %s, %s, of %d labels: %s", hour, j.Verdict, r.Verdict, j.Labelled, r.Words)
		}
		r := row(t, j, "estimate", "roc_auc realised")
		if r.Verdict != verdictIf(hour == 27, tallystick.Warn) {
			t.Errorf("window %d: %s", hour, r.Words)
		}
		if want := "Labels show roc_auc of 0.803, the estimate was 0.821 to 0.853."; hour == 27 && !strings.HasPrefix(r.Words, want) {
			t.Errorf("the worst window: %s", r.Words)
		}
	}
}

func verdictIf(is bool, v tallystick.Verdict) tallystick.Verdict {
	if is {
		return v
	}
	return tallystick.Pass
}

// TestCaliforniaLabels replays the house prices on the synthetic clock of TestCaliforniaHousing, with labels a month later.
func TestCaliforniaLabels(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 20 thousand predictions in")
	}
	reference, analysis := shared(t, "california-housing/california_housing_reference.csv"), shared(t, "california-housing/california_housing_analysis.csv")
	target := shared(t, "california-housing/california_housing_analysis_gt.csv")
	h := open(t)
	began, step := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), 7*24*time.Hour/1000 // 1,000 rows a week
	skip := map[string]bool{"timestamp": true, "partition": true, "clf_target": true, "id": true, "identifier": true}
	past := stream(t, reference, "y_pred_proba", "y_pred", skip, began.Add(-70*24*time.Hour), step)
	seen := stream(t, analysis, "y_pred_proba", "y_pred", skip, began, step)
	h.now = began.AddDate(0, 0, 100)
	h.send(t, past...)
	h.label(t, past, whether(numbers(t, reference, "clf_target")))
	h.send(t, seen...)
	h.pin(t, monitor.Pin{From: began.Add(-70 * 24 * time.Hour), To: began})
	h.apply(t, "window: 7d\nchecks: {labels: {mature: 30d}, performance: {metrics: [roc_auc]}, estimate: {metrics: [roc_auc]}, multivariate: on, drift: off, new_values: off, missing: off, range: off, constant: off}\n")
	h.label(t, seen, late(t, target, "clf_target", numbers(t, analysis, "id")))
	short := map[tallystick.Verdict]string{tallystick.Pass: ".", tallystick.Warn: "w", tallystick.Fail: "F", tallystick.Inconclusive: "?", tallystick.Insufficient: "-"}
	said := map[string]string{}
	for week := range 9 {
		j, _ := h.judge(t, began.AddDate(0, 0, 7*week), time.Time{})
		for _, of := range [][2]string{{"performance", "roc_auc"}, {"estimate", "roc_auc"}, {"estimate", "roc_auc realised"}, {"multivariate", ""}} {
			r := row(t, j, of[0], of[1])
			said[of[0]+" "+of[1]] += short[r.Verdict]
			if week == 4 && of[1] == "roc_auc realised" && !strings.HasPrefix(r.Words, "Labels show roc_auc of 0.842, the estimate was 0.884 to 0.937. The same scores have other labels than before") {
				t.Errorf("week 4: %s", r.Words)
			}
		}
	}
	for check, want := range map[string]string{
		"performance roc_auc":       "wFFww.w..",
		"estimate roc_auc":          ".ww......",
		"estimate roc_auc realised": "....w....", // in week 4 the estimate is above what labels show
		"multivariate ":             "FFFFFFFFF", // the file is ordered by place
	} {
		if said[check] != want {
			t.Errorf("%s of nine weeks: %s, want %s", check, said[check], want)
		}
	}
}

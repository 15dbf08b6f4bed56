package monitor_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// screenings reads the defendants of Broward County by the month in which they were screened.
func screenings(t testing.TB) (months []string, by map[string][]map[string]string) {
	t.Helper()
	f, err := os.Open(shared(t, "compas/compas-two-years.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	by = map[string][]map[string]string{}
	for year := 2013; year <= 2014; year++ {
		for month := 1; month <= 12; month++ {
			months = append(months, fmt.Sprintf("%d-%02d", year, month))
		}
	}
	for _, row := range rows[1:] {
		fields := map[string]string{}
		for i, name := range rows[0] {
			fields[name] = row[i]
		}
		month := fields["compas_screening_date"][:7]
		by[month] = append(by[month], fields)
	}
	return months, by
}

// TestCOMPAS replays the screenings when they were, judged month by month. High
// risk is a decile of five or more, as ProPublica has it; the favourable decision is the other. Labels come with
// predictions: two years of them have passed.
func TestCOMPAS(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("judges 24 windows of labels")
	}
	months, by := screenings(t)
	h := open(t)
	began := time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []prediction.Record
	var truth []bool
	for _, month := range months {
		for _, fields := range by[month] {
			decile, err := strconv.ParseFloat(fields["decile_score"], 64)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.DateOnly, fields["compas_screening_date"])
			if err != nil {
				t.Fatal(err)
			}
			r := record(at, prediction.Features{{Name: "race", Value: prediction.String(fields["race"])}, {Name: "sex", Value: prediction.String(fields["sex"])}})
			r.Score = prediction.Number(decile)
			records, truth = append(records, r), append(truth, fields["two_year_recid"] == "1")
		}
	}
	h.send(t, records...)
	h.label(t, records, outcomes(truth))
	h.pin(t, monitor.Pin{From: began, To: began.AddDate(2, 0, 0)})
	h.apply(t, `window: 1mo
checks:
  drift: off
  new_values: off
  missing: off
  labels: {mature: 0, threshold: 5}
  performance: off
  fairness: {groups: [race, sex], favourable: negative, compare_with: {race: Caucasian}}
`)
	const fpr = "false_positive_rate race = African-American"
	verdicts := map[string]tallystick.Verdict{}
	for i, month := range months {
		j, _ := h.judge(t, began.AddDate(0, i, 14), time.Time{})
		for _, r := range j.Rows {
			if r.Check != "fairness" || r.Against == 0 {
				continue
			}
			if r.N < 100 || r.Against < 100 || r.Low == nil || r.High == nil || float64(r.Value) < *r.Low || float64(r.Value) > *r.High {
				t.Errorf("%s: %s is judged from %d and %d rows: %s", month, r.Subject, r.N, r.Against, r.Words)
			}
			if r.Subject != fpr {
				continue
			}
			verdicts[month] = r.Verdict
			here, there := innocent(by[month], "African-American"), innocent(by[month], "Caucasian")
			if r.N != here.N || r.Against != there.N || math.Abs(float64(r.Value)-(here.Rate()-there.Rate())) > 1e-12 {
				t.Errorf("%s: of %d and %d without recidivism %g more are called high risk; counted by hand %+v and %+v", month, r.N, r.Against, r.Value, here, there)
			}
		}
		judged := row(t, j, "fairness", "race")
		if large := len(by[month]) >= 300; large != (judged.Verdict == tallystick.Pass) || !large && j.Verdict != tallystick.Insufficient || large && !strings.Contains(judged.Words, "Too small to judge: Asian, Hispanic") {
			t.Errorf("%s, %d screenings: %s", month, len(by[month]), judged.Words)
		}
	}
	want := map[string]tallystick.Verdict{
		"2013-01": tallystick.Fail, "2013-02": tallystick.Inconclusive, "2013-03": tallystick.Fail, "2013-04": tallystick.Fail, "2013-05": tallystick.Fail,
		"2013-08": tallystick.Inconclusive, "2013-09": tallystick.Inconclusive, "2013-10": tallystick.Fail, "2013-12": tallystick.Inconclusive,
	}
	if !maps.Equal(verdicts, want) {
		t.Errorf("false positive rates by month: %v, want %v", verdicts, want)
	}
}

// innocent counts the screenings of a group that were followed by no other crime, and those of them that were called high
// risk.
func innocent(rows []map[string]string, race string) (p stat.Proportion) {
	for _, fields := range rows {
		if fields["race"] == race && fields["two_year_recid"] == "0" {
			p.N++
			if fields["score_text"] != "Low" {
				p.K++
			}
		}
	}
	return p
}

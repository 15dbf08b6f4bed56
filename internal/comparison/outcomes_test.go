package comparison_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestOutcomes: of two recommenders that each get half of the visitors, clicks and amounts come as labels; more is better, and the
// figures are those of a count by hand.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		clicks, amounts float64 // chances of the new version; the old one has 0.2 and 0.1
		want            comparison.Verdict
	}{
		{"more clicks, as much revenue", 0.26, 0.1, comparison.Promote},
		{"fewer clicks", 0.12, 0.1, comparison.Rollback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.apply(t, `environment: production
longest: 24h
metrics:
  - {metric: outcomes, name: clicks, when: label >= 1, margin: 2%, mature: 10m}
  - {metric: outcomes, name: revenue, when: label >= 20, margin: 3%, mature: 10m, role: guard}
`)
			all := h.predict(noon, 12_000, 0.5, usual, usual)
			h.now = noon.Add(time.Hour + 11*time.Minute)
			h.send(t, all)
			var labels []label.Sent
			counts := map[string][3]int64{}
			for _, r := range all {
				clicks, amounts, luck := 0.2, 0.1, h.rng.Float64()
				if r.Version == "4" {
					clicks, amounts = tt.clicks, tt.amounts
				}
				value, c := 0.0, counts[r.Version]
				if c[0]++; luck < clicks {
					value = 1
					c[1]++
				}
				if luck < amounts {
					value = 25
					c[2]++
				}
				if r.Time.Time().Before(noon.Add(55 * time.Minute)) { // those of the last window are not mature
					counts[r.Version] = c
				}
				labels = append(labels, label.Sent{Label: label.Label{Prediction: r.ID, Value: prediction.Number(value), Time: prediction.TimeOf(r.Time.Time().Add(time.Minute)), Source: "shop"}})
			}
			for len(labels) > 0 {
				n := min(5000, len(labels))
				h.label(t, labels[:n])
				labels = labels[n:]
			}
			j, _ := h.judge(t, asked)
			if j.Verdict != tt.want {
				t.Errorf("%s, want %s: %v", j.Verdict, tt.want, j.Reasons)
			}
			for i, row := range j.Rows[:2] {
				is, was := counts["4"], counts["3"]
				if row.NewRows != is[0] || row.OldRows != was[0] || float64(row.New) != float64(is[1+i])/float64(is[0]) || float64(row.Old) != float64(was[1+i])/float64(was[0]) || row.Better != comparison.More {
					t.Errorf("%s: %+v, counted %v and %v", row.Metric, row, is, was)
				}
			}
		})
	}
}

func TestOutcomesRefused(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: tallystick/v1\nkind: Comparison\nname: a\nmodel: credit\n"
	for text, said := range map[string]string{
		"metrics: [{metric: outcomes, margin: 1%, mature: 1d}]":                                     "has no when",
		"metrics: [{metric: outcomes, when: label = 1, margin: 1%}]":                                "has no mature",
		"metrics: [{metric: outcomes, when: output = a, margin: 1%, mature: 1d}]":                   "cannot be of the column output",
		"metrics: [{metric: decisions, when: label = 1, margin: 1%}]":                               "cannot be of the column label",
		"pair_by: trace_id\nmetrics: [{metric: outcomes, when: label = 1, margin: 1%, mature: 1d}]": "the same for both answers",
	} {
		_, err := comparison.Parse([]byte(head+text+"\n"), "a.yaml")
		if err == nil || !strings.Contains(err.Error(), said) || !strings.Contains(err.Error(), "a.yaml:") {
			t.Errorf("%s: %v, want %q", text, err, said)
		}
	}
}

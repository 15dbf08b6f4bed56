// Command compas judges fairness month by month where it is known what became of people: the screenings of Broward County that
// ProPublica published.
//
//	go run ./bench/compas [--data ../shared/data/compas/compas-two-years.csv] [--svg docs/compas.svg]
//
// It prints a table for docs/monitoring.md, with the counts, intervals and verdicts that a monitor would have of each month
// (internal/outcome, internal/fairness). No month in which a group has fewer than 100 people of whom the rate is gets a verdict.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// The groups that are compared, and the rate.
const (
	group     = "African-American"
	reference = "Caucasian"
	metric    = "false_positive_rate"
)

func main() {
	data := flag.String("data", "../shared/data/compas/compas-two-years.csv", "file of the screenings")
	svg := flag.String("svg", "", "file for the picture")
	flag.Parse()
	if err := run(*data, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "compas:", err)
		os.Exit(1)
	}
}

func run(data, svg string) error {
	screenings, err := read(data)
	if err != nil {
		return err
	}
	months, err := judge(screenings)
	if err != nil {
		return err
	}
	fmt.Printf("| month | screenings | called high risk, without recidivism: %s | %s | difference (95 %% interval) | verdict |\n|---|---|---|---|---|---|\n", group, reference)
	for _, m := range months {
		fmt.Println(m.line())
	}
	if svg == "" {
		return nil
	}
	if err := os.WriteFile(svg, []byte(picture(months)), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// screening is one line of the file.
type screening struct {
	at         time.Time
	race       string
	high, came bool // called high risk; another crime within two years
}

func read(path string) (all []screening, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the screenings: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("%s is no table: %w", path, err)
	}
	var at [4]int
	for i, name := range []string{"compas_screening_date", "race", "score_text", "two_year_recid"} {
		if at[i] = slices.Index(rows[0], name); at[i] < 0 {
			return nil, fmt.Errorf("%s has no column %s", path, name)
		}
	}
	for _, row := range rows[1:] {
		s := screening{race: row[at[1]], high: row[at[2]] != "Low", came: row[at[3]] == "1"}
		if s.at, err = time.Parse(time.DateOnly, row[at[0]]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// month is what is said of one.
type month struct {
	name string
	rows int64
	is   fairness.Comparison
}

// judge compares the groups of each month as a monitor does.
func judge(all []screening) (months []month, err error) {
	sets := map[string]*outcome.Set{}
	var names []string
	for i, s := range all {
		name := s.at.Format("2006-01")
		if sets[name] == nil {
			if sets[name], err = outcome.New(outcome.Reading{Task: performance.Binary}, []string{"race"}); err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		at := s.at.Add(time.Duration(i) * time.Millisecond)
		sets[name].Add(&outcome.Prediction{
			ID: prediction.NewID(at), Time: prediction.TimeOf(at), Output: prediction.Boolean(s.high), Label: prediction.Boolean(s.came), Groups: []prediction.Value{prediction.String(s.race)},
		})
	}
	slices.Sort(names)
	for _, name := range names {
		counter, err := sets[name].Counter(map[string]string{"race": reference})
		if err != nil {
			return nil, err
		}
		result := counter.Result(fairness.Config{Limits: fairness.DefaultLimits()})
		for _, c := range result.Comparisons {
			if c.Value == group && c.Metric == metric {
				months = append(months, month{name, sets[name].Rows, c})
			}
		}
	}
	return months, nil
}

func (m month) judged() bool { return m.is.Verdict != tallystick.Insufficient }

func (m month) line() string {
	rate := func(r stat.Number, n int64) string { return fmt.Sprintf("%s of %d", figure.Percent(float64(r)), n) }
	if !m.judged() {
		return fmt.Sprintf("| %s | %d | of %d | of %d | too few to judge | `%s` |", m.name, m.rows, m.is.N, m.is.NRef, m.is.Verdict)
	}
	points := figure.Points(m.is.Difference, m.is.DiffCI)
	return fmt.Sprintf("| %s | %d | %s | %s | %s points (%s) | `%s` |", m.name, m.rows, rate(m.is.Rate, m.is.N), rate(m.is.RateOfRef, m.is.NRef), points.Value, points.Spelt(), m.is.Verdict)
}

// picture draws the difference by month, with a gap where it is not judged.
func picture(months []month) string {
	c := chart.Line{
		Header: chart.Header{
			Title:       "False positive rate, African-American less Caucasian, by month of screening",
			Description: "Difference of the shares that were called high risk, of those without another crime within two years, with 95 % intervals. A gap is a month with fewer than 100 such people in either group.",
		},
		Limits: []chart.Limit{{Value: fairness.DefaultLimits().Gap, Name: "accepted"}},
		Format: chart.Percent,
	}
	marks := map[tallystick.Verdict]chart.Mark{tallystick.Pass: chart.Good, tallystick.Fail: chart.Bad, tallystick.Inconclusive: chart.Unclear}
	for _, m := range months {
		p := chart.LinePoint{Label: m.name, Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		if m.judged() {
			p.Value, p.Low, p.High, p.Mark = float64(m.is.Difference), m.is.DiffCI.Low, m.is.DiffCI.High, marks[m.is.Verdict]
		}
		c.Points = append(c.Points, p)
	}
	return string(c.SVG())
}

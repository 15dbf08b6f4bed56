package demo

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick/internal/durable"
)

// sample is made-up data of a made-up lender: applications, what a scoring model said, and who
// later defaulted. In one file, from the third month on, incomes from one channel come in thousands, so
// the model sees poor people where there are none: the silent failure that an audit must find.
type sample struct {
	random *rand.Rand
	start  time.Time
}

const (
	sampleRows   = 24_000
	sampleMonths = 4

	sampleThreshold = 0.4 // of the score, from which on the model says no
)

const sampleContract = `# What each column must be, and what the model must achieve.
apiVersion: tallystick/v1
kind: Contract
name: credit
columns:
  application: {unique: true, nulls: 0}
  age: {type: integer, nulls: 0, min: 18, max: 100}
  income: {type: number, nulls: 0.02, min: 0}
  channel: {type: category, values: [branch, broker, online]}
  sex: {type: category, values: [female, male]}
  probability: {type: number, min: 0, max: 1}
limits:
  performance:
    roc_auc: {min: 0.70}
  calibration:
    ece: {max: 0.10}
  fairness:
    gap: 0.1
`

// write makes reference.csv, sound.csv, broken.csv, contract.yaml and what else a release takes in dir.
func (s sample) write(dir string) error {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"reference.csv", func(w io.Writer) error { return s.rows(w, 0, s.start.AddDate(0, -sampleMonths, 0), false) }},
		{"sound.csv", func(w io.Writer) error { return s.rows(w, sampleRows, s.start, false) }},
		{"broken.csv", func(w io.Writer) error { return s.rows(w, 2*sampleRows, s.start, true) }},
		{"contract.yaml", text(sampleContract)},
		{"requirements.txt", text("numpy==2.1.0\nscikit-learn==1.6.0\n")},
	} {
		if err := durable.WriteFile(filepath.Join(dir, f.name), 0o644, f.write); err != nil {
			return fmt.Errorf("write sample: %w", err)
		}
	}
	return nil
}

func text(content string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}
}

// rows writes sampleRows applications over sampleMonths months.
func (s sample) rows(w io.Writer, first int, from time.Time, broken bool) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "application,applied_at,age,income,debt,channel,sex,age_band,probability,rejected,defaulted")
	span := from.AddDate(0, sampleMonths, 0).Sub(from)
	for i := range sampleRows {
		at := from.Add(span / sampleRows * time.Duration(i))
		a := s.applicant()
		defaulted := s.defaults(a)
		seen := a.income
		if broken && a.channel == "broker" && at.Sub(from) > span/2 {
			seen /= 1000
		}
		probability := a.score(seen)
		fmt.Fprintf(out, "A%06d,%s,%d,%.2f,%.2f,%s,%s,%s,%.4f,%d,%d\n", first+i+1, at.Format(time.RFC3339), a.age, seen, a.debt,
			a.channel, a.sex, ageBand(a.age), probability, number(probability >= sampleThreshold), number(defaulted))
	}
	return out.Flush()
}

// applicant is somebody who asks for a loan.
type applicant struct {
	age          int
	income, debt float64
	channel, sex string
}

func (s sample) applicant() (a applicant) {
	a.age = 18 + int(55*math.Pow(s.random.Float64(), 1.3))
	a.income = math.Exp(10.3 + 0.5*s.random.NormFloat64())
	a.debt = a.income * 0.4 * s.random.ExpFloat64()
	a.channel = [...]string{"branch", "online", "online", "broker"}[s.random.IntN(4)]
	a.sex = [...]string{"female", "male"}[s.random.IntN(2)]
	return a
}

// defaults says whether somebody will not pay.
func (s sample) defaults(a applicant) bool {
	return s.random.Float64() < logistic(a.risk(a.income)+0.2*s.random.NormFloat64())
}

// parts are what debt, income and age add to the risk of somebody whose income is seen as this, in logits.
func (a applicant) parts(income float64) (debt, earned, age float64) {
	return 4 * (math.Log1p(a.debt/income) - 0.3), -1.8 * (math.Log(income) - 10.3), -0.002 * float64(a.age-40)
}

func (a applicant) risk(income float64) float64 {
	debt, earned, age := a.parts(income)
	return -1.4 + debt + earned + age
}

// score is what the model says of somebody whose income is seen as this.
func (a applicant) score(income float64) float64 { return logistic(max(-4, min(4, a.risk(income)))) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func ageBand(age int) string {
	switch {
	case age < 30:
		return "18-29"
	case age < 50:
		return "30-49"
	}
	return "50+"
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

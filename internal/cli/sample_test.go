package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// loan is one row of the sample: a lender's model and what became of its loans.
type loan struct {
	ID          int64   `parquet:"id"`
	Defaulted   int64   `parquet:"defaulted"`
	Predicted   int64   `parquet:"predicted"`
	Probability float64 `parquet:"probability"`
	Sex         string  `parquet:"sex"`
	Region      string  `parquet:"region"`
	Age         int64   `parquet:"age"`
	Income      float64 `parquet:"income"`
	When        string  `parquet:"decided"`
}

const loanHeader = "id,defaulted,predicted,probability,sex,region,age,income,decided\n"

func (l loan) csv() string {
	return fmt.Sprintf("%d,%d,%d,%.4f,%s,%s,%d,%.2f,%s\n", l.ID, l.Defaulted, l.Predicted, l.Probability, l.Sex, l.Region, l.Age, l.Income, l.When)
}

// loans draws n loans of a calibrated model, over three months, alike for all groups.
func loans(n int, seed uint64) []loan {
	rng := rand.New(rand.NewPCG(seed, 1))
	rows := make([]loan, n)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		income := 20 + 60*rng.Float64()
		p := 1 / (1 + math.Exp((income-45)/7+0.4*rng.NormFloat64()))
		l := loan{
			ID: int64(i + 1), Probability: p, Sex: []string{"female", "male"}[rng.IntN(2)],
			Region: []string{"north", "south", "west"}[rng.IntN(3)], Age: 18 + rng.Int64N(60), Income: income,
			When: begin.Add(time.Duration(i) * 90 * 24 * time.Hour / time.Duration(n)).Format(time.RFC3339),
		}
		if rng.Float64() < p {
			l.Defaulted = 1
		}
		if p >= 0.5 {
			l.Predicted = 1
		}
		rows[i] = l
	}
	return rows
}

func loansCSV(rows []loan) string {
	var b strings.Builder
	b.WriteString(loanHeader)
	for _, l := range rows {
		b.WriteString(l.csv())
	}
	return b.String()
}

// writeSamples writes the tables that scripts use.
func writeSamples(dir string) error {
	rows, reference := loans(600, 1), loans(1500, 2)
	text := loansCSV(rows)
	files := map[string]string{"loans.csv": text, "reference.csv": loansCSV(reference)}

	var labels, unlabelled strings.Builder
	labels.WriteString("loan,defaulted\n")
	unlabelled.WriteString(strings.Replace(loanHeader, "defaulted,", "", 1))
	for i, l := range rows {
		if i%6 != 0 { // the labels of the others are not known yet
			fmt.Fprintf(&labels, "%d,%d\n", l.ID, l.Defaulted)
		}
		unlabelled.WriteString(strings.Replace(l.csv(), fmt.Sprintf(",%d,", l.Defaulted), ",", 1))
	}
	files["labels.csv"] = strings.Replace(labels.String(), "loan,", "id,", 1)
	files["unlabelled.csv"] = unlabelled.String()

	rng := rand.New(rand.NewPCG(3, 1))
	classes, prices, clicks := "label,prediction,size\n", "price,estimate,rooms\n", "user,item,label,score\n"
	kinds := []string{"cat", "dog", "owl"}
	for i := range 600 {
		k := rng.IntN(3)
		guess := k
		if rng.IntN(4) == 0 {
			guess = rng.IntN(3)
		}
		classes += fmt.Sprintf("%s,%s,%.2f\n", kinds[k], kinds[guess], float64(k)+rng.NormFloat64())
		price := 100 + 400*rng.Float64()
		prices += fmt.Sprintf("%.2f,%.2f,%d\n", price, price+20*rng.NormFloat64(), 1+rng.IntN(6))
		relevant := rng.IntN(4) / 3
		clicks += fmt.Sprintf("u%d,i%d,%d,%.3f\n", i/10, rng.IntN(40), relevant, float64(relevant)/2+rng.Float64())
	}
	files["classes.csv"], files["prices.csv"], files["clicks.csv"] = classes, prices, clicks

	var zipped, columns bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	if _, err := gz.Write([]byte(text)); err != nil {
		return err
	}
	if err := gz.Close(); err != nil {
		return err
	}
	if err := parquet.Write(&columns, rows); err != nil {
		return err
	}
	files["loans.csv.gz"], files["loans.parquet"] = zipped.String(), columns.String()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

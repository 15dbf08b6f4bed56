package stat

import (
	"math"

	"github.com/tallystick/tallystick"
)

// Matrix counts predictions of K classes: m[i][j] rows have label i and prediction j.
type Matrix [][]int64

// Validate returns an Invalid error unless the matrix is square and counts nothing below zero.
func (m Matrix) Validate() error {
	for i, row := range m {
		if len(row) != len(m) {
			return tallystick.Errorf(tallystick.Invalid, "confusion matrix of %d classes has %d cells in row %d", len(m), len(row), i)
		}
		for j, count := range row {
			if count < 0 {
				return tallystick.Errorf(tallystick.Invalid, "confusion matrix has %d rows in cell %d,%d", count, i, j)
			}
		}
	}
	return nil
}

// Class returns the confusion of class k against the rest.
func (m Matrix) Class(k int) Confusion { return m.Classes()[k] }

// Classes returns the confusion of each class against the rest.
func (m Matrix) Classes() []Confusion {
	classes := make([]Confusion, len(m))
	for i, row := range m {
		for j, count := range row {
			if i == j {
				classes[i].TP += count
				continue
			}
			classes[i].FN += count
			classes[j].FP += count
		}
	}
	n := m.N()
	for k, c := range classes {
		classes[k].TN = n - c.TP - c.FN - c.FP
	}
	return classes
}

// N returns the number of predictions.
func (m Matrix) N() int64 {
	var n int64
	for _, row := range m {
		for _, count := range row {
			n += count
		}
	}
	return n
}

// Accuracy is the share of predictions that are right. With one label a row it is also the
// micro-averaged precision, recall and F1.
func (m Matrix) Accuracy() Proportion {
	var right int64
	for k := range m {
		right += m[k][k]
	}
	return Proportion{right, m.N()}
}

// Averages are precision, recall and F1 over classes with delta-method intervals. A class that is
// never predicted has precision 0, and one that no label has recall 0, as in scikit-learn.
type Averages struct{ Precision, Recall, F1 Estimate }

// Macro weighs classes alike.
func (m Matrix) Macro() Averages {
	s := m.shares()
	k := float64(len(m))
	return Averages{
		Precision: m.delta(mean(s.precision), func(i, j int) float64 { return s.dPrecision(i, j) / k }).clip(0, 1),
		Recall:    m.delta(mean(s.recall), func(i, j int) float64 { return s.dRecall(i, j) / k }).clip(0, 1),
		F1:        m.delta(mean(s.f1), func(i, j int) float64 { return s.dF1(i, j, 1/k, 1/k) }).clip(0, 1),
	}
}

// Weighted weighs each class by the rows that have it as label. Its recall is the accuracy.
func (m Matrix) Weighted() Averages {
	s := m.shares()
	p, f1 := dot(s.label, s.precision), dot(s.label, s.f1)
	recall := m.Accuracy()
	return Averages{
		// Weights are estimated too: a row of label i pulls its own class's value in.
		Precision: m.delta(p, func(i, j int) float64 {
			return s.precision[i] - p + s.label[j]*s.dPrecision(i, j)
		}).clip(0, 1),
		Recall: recall.Estimate(),
		F1: m.delta(f1, func(i, j int) float64 {
			return s.f1[i] - f1 + s.dF1(i, j, s.label[i], s.label[j])
		}).clip(0, 1),
	}
}

// Kappa returns Cohen's kappa with the large-sample interval of Fleiss, Cohen and Everitt
// (Psychological Bulletin 72 (1969) 323-327); NaN where chance alone agrees always.
func (m Matrix) Kappa() Estimate {
	s := m.shares()
	agree, chance := m.Accuracy().Rate(), dot(s.label, s.predicted)
	if !(chance < 1) {
		return noEstimate(m.N(), "delta")
	}
	return m.delta((agree-chance)/(1-chance), func(i, j int) float64 {
		d := -agree
		if i == j {
			d++
		}
		return d/(1-chance) - (1-agree)/((1-chance)*(1-chance))*(s.predicted[i]+s.label[j]-2*chance)
	}).clip(-1, 1)
}

// delta returns value with the interval that the influence of a row with label i and prediction j
// on it gives.
func (m Matrix) delta(value float64, influence func(i, j int) float64) Estimate {
	n := m.N()
	if n == 0 || math.IsNaN(value) {
		return noEstimate(n, "delta")
	}
	var squares float64
	for i, row := range m {
		for j, count := range row {
			if count > 0 {
				d := influence(i, j)
				squares += float64(count) * d * d
			}
		}
	}
	se := math.Sqrt(squares) / float64(n)
	return Estimate{value, around(value, se), n, "delta"}
}

// shares holds, for each class, its share of labels and of predictions and its rates.
type shares struct{ label, predicted, precision, recall, f1 []float64 }

func (m Matrix) shares() shares {
	k, n := len(m), float64(m.N())
	s := shares{
		make([]float64, k), make([]float64, k),
		make([]float64, k), make([]float64, k), make([]float64, k),
	}
	for c, one := range m.Classes() {
		s.label[c] = float64(one.TP+one.FN) / n
		s.predicted[c] = float64(one.TP+one.FP) / n
		hit := float64(one.TP) / n
		s.precision[c] = ratioOrZero(hit, s.predicted[c])
		s.recall[c] = ratioOrZero(hit, s.label[c])
		s.f1[c] = ratioOrZero(2*hit, s.label[c]+s.predicted[c])
	}
	return s
}

// dPrecision is the influence of a row with label i and prediction j on the precision of class j,
// the only one that it moves.
func (s shares) dPrecision(i, j int) float64 {
	d := -s.precision[j]
	if i == j {
		d++
	}
	return ratioOrZero(d, s.predicted[j])
}

// dRecall is that on the recall of class i.
func (s shares) dRecall(i, j int) float64 {
	d := -s.recall[i]
	if i == j {
		d++
	}
	return ratioOrZero(d, s.label[i])
}

// dF1 is that on the F1 of the classes i and j, with their weights.
func (s shares) dF1(i, j int, weightI, weightJ float64) float64 {
	d := -weightI*ratioOrZero(s.f1[i], s.label[i]+s.predicted[i]) -
		weightJ*ratioOrZero(s.f1[j], s.label[j]+s.predicted[j])
	if i == j {
		d += 2 * weightI / (s.label[i] + s.predicted[i])
	}
	return d
}

func ratioOrZero(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

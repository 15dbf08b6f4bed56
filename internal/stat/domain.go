package stat

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas64"
)

// Domain says whether rows of a window can be told from rows of the reference, all features taken
// together: it finds a drift that none of them shows alone.
type Domain struct {
	// AUC of the classifier on rows that it did not learn from: 0.5 where the rows cannot be told
	// apart.
	AUC   Estimate     `json:"auc"`
	SE    float64      `json:"se"`
	Pairs bool         `json:"pairs"` // products of features took part; else there were too many
	Terms []DomainTerm `json:"terms"` // what tells rows apart, the weightiest first, 20 at most
}

// DomainTerm is one term of the classifier, in units of its standard deviation: a feature alone
// (Other is -1), that it is missing, its square (Other is Feature), or the product of two. Weight is
// above 0 where more of it speaks for the window.
type DomainTerm struct {
	Feature int     `json:"feature"`
	Other   int     `json:"other"`
	Missing bool    `json:"missing,omitempty"`
	Weight  float64 `json:"weight"`
}

// Bounds of what a domain classifier takes.
const (
	DomainRows     = 20_000 // of either side
	DomainFeatures = 200
	minDomainRows  = 50
	domainFolds    = 5
	domainTerms    = 320 // beyond which products are left out
	domainListed   = 20
)

// LowerBound returns the one-sided lower bound of the AUC at the given confidence.
func (d Domain) LowerBound(conf float64) float64 {
	return d.AUC.Value - normalQuantile(2*conf-1)*d.SE
}

// ClassifyDomains learns to tell the rows of a window from those of a reference, both given by
// column, and measures how well it does in five folds; row i is of fold i mod 5 (the discriminator
// of Friedman, SLAC-PUB-10325, 2003, and of Rabanser and others, NeurIPS 2019, arXiv 1810.11953).
//
// The classifier is a logistic regression on the features' normal scores, the ranks among all rows
// as quantiles of a normal, their squares and products: it sees location, spread and correlation,
// whatever the scale, and outliers do not lead it. NaN is an absent value, which is a term of its
// own. Nothing is drawn at random.
func ClassifyDomains(reference, window [][]float64) (Domain, error) {
	n, err := domainSize(reference, window)
	if err != nil {
		return Domain{}, fmt.Errorf("classify domains: %w", err)
	}
	terms, pairs := domainTermsOf(reference, window)
	if len(terms) == 0 {
		// Nothing differs between any two rows.
		return Domain{AUC: Estimate{0.5, Interval{0.5, 0.5}, n.reference + n.window, "constant"}, Pairs: pairs}, nil
	}
	rows := int(n.reference + n.window)
	x := blas64.General{Rows: rows, Cols: len(terms) + 1, Stride: len(terms) + 1, Data: make([]float64, rows*(len(terms)+1))}
	positive, fold := make([]bool, rows), make([]int, rows)
	for row := range rows {
		values := x.Data[row*x.Stride:]
		values[0] = 1
		for j, t := range terms {
			values[j+1] = t.values[row]
		}
		positive[row], fold[row] = row >= int(n.reference), row%domainFolds
		if positive[row] {
			fold[row] = (row - int(n.reference)) % domainFolds
		}
	}
	return classify(x, positive, fold, terms, pairs)
}

// classify fits all rows for the weights, and all but each fold for the AUC. The penalty weighs as
// much as a hundredth of the rows.
func classify(x blas64.General, positive []bool, fold []int, terms []domainTerm, pairs bool) (Domain, error) {
	const penalty = 0.01 / 4
	all := gram(x)
	weights, err := fitLogistic(x, positive, func(int) bool { return true }, all, penalty*float64(x.Rows))
	if err != nil {
		return Domain{}, err
	}
	d := Domain{Pairs: pairs, AUC: Estimate{N: int64(x.Rows), Method: "delong, mean of 5 folds, corrected"}}
	variance := 0.0
	for f := range domainFolds {
		var held blas64.General
		held.Cols, held.Stride = x.Cols, x.Cols
		for row := range x.Rows {
			if fold[row] == f {
				held.Data = append(held.Data, x.Data[row*x.Stride:(row+1)*x.Stride]...)
				held.Rows++
			}
		}
		rest := gram(held)
		for i, v := range all.Data {
			rest.Data[i] = v - rest.Data[i]
		}
		w, err := fitLogistic(x, positive, func(row int) bool { return fold[row] != f }, rest, penalty*float64(x.Rows-held.Rows))
		if err != nil {
			return Domain{}, err
		}
		var scores []float64
		var labels []bool
		for row := range x.Rows {
			if fold[row] == f {
				scores = append(scores, dot(x.Data[row*x.Stride:(row+1)*x.Stride], w))
				labels = append(labels, positive[row])
			}
		}
		s, err := NewScored(scores, labels)
		if err != nil {
			return Domain{}, fmt.Errorf("classify domains: %w", err)
		}
		area := areaOf(s)
		d.AUC.Value += area.value / domainFolds
		variance += area.variance / domainFolds
	}
	// Folds learn from each other's rows, so their mean varies more than that of five independent
	// areas, by how much no fold can tell. Nadeau and Bengio's correction (Machine Learning 52 (2003)
	// 239-281) is on the safe side here: without it 5 % of intervals that should be 2.5 % miss.
	d.SE = math.Sqrt(variance * (1./domainFolds + 1./(domainFolds-1)))
	d.AUC.Interval = around(d.AUC.Value, d.SE).clip(0, 1)
	for j, t := range terms {
		t.Weight = weights[j+1]
		d.Terms = append(d.Terms, t.DomainTerm)
	}
	slices.SortStableFunc(d.Terms, func(a, b DomainTerm) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	d.Terms = d.Terms[:min(domainListed, len(d.Terms))]
	return d, nil
}

type domainRows struct{ reference, window int64 }

func domainSize(reference, window [][]float64) (domainRows, error) {
	if len(reference) == 0 || len(reference) != len(window) || len(reference) > DomainFeatures {
		return domainRows{}, fmt.Errorf("%d features and %d, of at most %d", len(reference), len(window), DomainFeatures)
	}
	rows := func(columns [][]float64) (int64, error) {
		n := len(columns[0])
		for _, c := range columns {
			if len(c) != n {
				return 0, errors.New("columns differ in length")
			}
		}
		if n < minDomainRows || n > DomainRows {
			return 0, fmt.Errorf("%d rows, not between %d and %d", n, minDomainRows, DomainRows)
		}
		return int64(n), nil
	}
	r, errR := rows(reference)
	w, errW := rows(window)
	return domainRows{r, w}, errors.Join(errR, errW)
}

// domainTerm is a term with its standardised value of every row, the reference's first.
type domainTerm struct {
	DomainTerm
	values []float64
}

// domainTermsOf leaves out terms that are the same in all rows.
func domainTermsOf(reference, window [][]float64) (terms []domainTerm, pairs bool) {
	add := func(t DomainTerm, values []float64) {
		m := MomentsOf(values)
		if sd := m.SD(); sd > 1e-9 {
			for i := range values {
				values[i] = (values[i] - m.Mean) / sd
			}
			terms = append(terms, domainTerm{t, values})
		}
	}
	var scores [][]float64
	for j := range reference {
		values := slices.Concat(reference[j], window[j])
		missing := make([]float64, len(values))
		for i, v := range values {
			if math.IsNaN(v) {
				missing[i] = 1
			}
		}
		scores = append(scores, normalScores(values))
		add(DomainTerm{Feature: j, Other: -1}, slices.Clone(scores[j]))
		add(DomainTerm{Feature: j, Other: -1, Missing: true}, missing)
	}
	d := len(reference)
	pairs = len(terms)+d*(d+1)/2 <= domainTerms
	for i := range d {
		for j := i; j < d && (pairs || j == i); j++ {
			product := make([]float64, len(scores[i]))
			for row := range product {
				product[row] = scores[i][row] * scores[j][row]
			}
			add(DomainTerm{Feature: i, Other: j}, product)
		}
	}
	return terms, pairs
}

// normalScores replaces values by the normal quantile of their rank over n + 1 (van der Waerden
// 1952), equal values by that of their mean rank, and NaN by 0.
func normalScores(values []float64) []float64 {
	order := make([]int, 0, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	scores := make([]float64, len(values))
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && values[order[end]] == values[order[start]] {
			end++
		}
		rank := float64(start+end+1) / 2 // mean of start+1 .. end
		score := math.Sqrt2 * math.Erfinv(2*rank/float64(len(order)+1)-1)
		for _, i := range order[start:end] {
			scores[i] = score
		}
		start = end
	}
	return scores
}

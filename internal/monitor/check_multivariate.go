package monitor

import (
	"context"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// multivariateCheck judges whether a classifier can tell predictions of the window from those of the reference, all
// features taken together.
type multivariateCheck struct {
	rows   int64
	most   float64
	origin string
}

func newMultivariateCheck() *multivariateCheck { return &multivariateCheck{5000, 0.55, ofDefault} }

func (*multivariateCheck) about() About {
	return About{
		Key:    "multivariate",
		Method: "ROC AUC, in five folds, of a logistic regression that tells rows of the window from rows of the reference by all features, their squares and products; of at most 5,000 rows each, those of smallest hash",
		Fails:  "the lower end of the one-sided 99 % interval lies above `max_auc` (0.55)",
		Why:    "off: it reads rows again. It finds what no feature shows alone, and says by which features rows can be told",
	}
}

func (c *multivariateCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var rows *int64
		var most *float64
		if err := d.Mapping(node, path, yamldoc.Key("rows", d.Count(&rows, 500)), yamldoc.Key("max_auc", d.Share(&most))); err != nil {
			return err
		}
		if rows != nil {
			if c.rows = *rows; c.rows > stat.DomainRows {
				return d.Errorf(node, "%s.rows is %d: at most %d are taken", path, c.rows, int64(stat.DomainRows))
			}
		}
		if most != nil {
			if c.most, c.origin = *most, ofMonitor; c.most < 0.5 || c.most >= 1 {
				return d.Errorf(node, "%s.max_auc is %g: 0.5 is what cannot be told apart, and 1 what always can", path, c.most)
			}
		}
		return nil
	}
}

func (c *multivariateCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if s.reference == nil {
		return &look{compares: true}, nil
	}
	baseline, why, ok, err := s.baselineOf(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return &look{judge: func(*facts) []Row { return []Row{c.none(0, 0, "There are no rows to tell apart from: "+why+".")} }}, nil
	}
	e := newEncoder(&s.document.Checks, s.reference)
	var sides [2]*outcome.Sample
	for i, selection := range []query.Selection{baseline, s.selection} {
		if sides[i], err = s.office.sample(ctx, selection, e.columns(), int(c.rows), e.encode); err != nil {
			return nil, err
		}
	}
	return &look{judge: func(f *facts) []Row { return []Row{c.row(f, e, sides[0], sides[1])} }}, nil
}

func (c *multivariateCheck) none(n, against int64, words string) Row {
	return Row{
		Check: "multivariate", Method: "multivariate/1", N: n, Against: against, Measure: "roc_auc", Value: stat.Number(math.NaN()), Threshold: number(c.most), Origin: c.origin,
		Verdict: tallystick.Insufficient, Words: words,
	}
}

func (c *multivariateCheck) row(f *facts, e *encoder, reference, seen *outcome.Sample) Row {
	was, is := reference.Columns(len(e.names)), seen.Columns(len(e.names))
	if len(e.names) == 0 {
		return c.none(0, 0, "There are no features to tell rows by.")
	}
	n, against := int64(len(is[0])), int64(len(was[0]))
	if n < f.document.Checks.Drift.MinRows || against < f.document.Checks.Drift.MinRows {
		return c.none(n, against, fmt.Sprintf("%d rows, and %d of the reference, are too few to tell apart.", n, against))
	}
	d, err := stat.ClassifyDomains(was, is)
	if err != nil {
		return c.none(n, against, "Rows cannot be told apart: "+err.Error()+".")
	}
	low, high := d.LowerBound(confidence), 2*d.AUC.Value-d.LowerBound(confidence)
	r := c.none(n, against, "")
	r.Method = "multivariate/1: logistic regression on normal scores, five folds, one-sided 99 % bounds by " + d.AUC.Method
	if !d.Pairs {
		r.Method += "; without products of features, which are too many"
	}
	r.Value, r.Low, r.High = stat.Number(d.AUC.Value), &low, &high
	switch {
	case low > c.most:
		r.Verdict = tallystick.Fail
		r.Words = fmt.Sprintf("A classifier tells rows of the window from those of the reference (ROC AUC %.3f, surely above %.3f), by %s.", d.AUC.Value, low, strings.Join(e.told(d.Terms), ", "))
	case high <= c.most:
		r.Verdict = tallystick.Pass
		r.Words = fmt.Sprintf("A classifier does not tell rows of the window from those of the reference (ROC AUC %.3f).", d.AUC.Value)
	default:
		r.Verdict = tallystick.Inconclusive
		r.Words = fmt.Sprintf("Whether a classifier tells rows of the window from those of the reference is not settled (ROC AUC %.3f, %.3f to %.3f).", d.AUC.Value, low, high)
	}
	if e.left > 0 {
		r.Words += fmt.Sprintf(" %d columns beyond %d were left out.", e.left, stat.DomainFeatures)
	}
	return r
}

// encoder makes numbers of the features that a reference has: a number is itself, a category says for each of its
// frequent values whether it is that.
type encoder struct {
	features []window.Feature
	first    []int            // place of the first column of each feature
	places   []map[string]int // of the values of a category, from the first column on
	names    []string         // of columns
	number   []bool           // whether a column is a number
	left     int              // columns beyond the bound
}

// The values of a category that a classifier is told of.
const (
	maxValuesTold = 10
	minValueTold  = 0.01 // share of the reference's rows
)

func newEncoder(c *Checks, r *window.Reference) *encoder {
	e := &encoder{}
	for _, kind := range []string{window.KindNumber, window.KindCategory} {
		for _, f := range r.Features {
			if f.Role == window.RoleFeature && f.Kind == kind && c.judged(&f) {
				e.add(f, r.Rows)
			}
		}
	}
	return e
}

func (e *encoder) add(f window.Feature, rows int64) {
	names, places := []string{f.Name}, map[string]int(nil)
	if f.Kind == window.KindCategory {
		names, places = nil, map[string]int{}
		for i, value := range f.Category.Values {
			if len(names) == maxValuesTold || float64(f.Category.Counts[i]) < minValueTold*float64(rows) {
				break
			}
			places[value] = len(names)
			names = append(names, f.Name+" = "+value)
		}
		if f.Category.Complete() && len(names) == len(f.Category.Values) && len(names) > 1 {
			delete(places, f.Category.Values[len(names)-1]) // it is what is none of the others
			names = names[:len(names)-1]
		}
	}
	if len(e.names)+len(names) > stat.DomainFeatures {
		e.left += len(names)
		return
	}
	if len(names) == 0 {
		return
	}
	e.features, e.first, e.places = append(e.features, f), append(e.first, len(e.names)), append(e.places, places)
	for _, name := range names {
		e.names, e.number = append(e.names, name), append(e.number, f.Kind == window.KindNumber)
	}
}

func (e *encoder) columns() (names []string) {
	for i := range e.features {
		names = append(names, "f_"+e.features[i].Name)
	}
	return names
}

// encode makes a row. A missing value is NaN in the first column of its feature.
func (e *encoder) encode(value func(column int) prediction.Value) []float64 {
	row := make([]float64, len(e.names))
	for i := range e.features {
		v := value(i)
		switch places := e.places[i]; {
		case places == nil:
			x, _ := v.Float()
			if row[e.first[i]] = x; !v.IsNumber() {
				row[e.first[i]] = math.NaN()
			}
		case v.IsNull():
			row[e.first[i]] = math.NaN()
		default:
			if at, known := places[v.String()]; known {
				row[e.first[i]+at] = 1
			}
		}
	}
	return row
}

// told says by which terms rows are told apart, three at most.
func (e *encoder) told(terms []stat.DomainTerm) (words []string) {
	for _, t := range terms[:min(3, len(terms))] {
		more, name := t.Weight > 0, e.names[t.Feature]
		switch {
		case t.Missing:
			words = append(words, name+" missing "+either(more, "more", "less")+" often")
		case t.Other == t.Feature:
			words = append(words, name+" "+either(more, "further from", "nearer to")+" its middle")
		case t.Other >= 0:
			words = append(words, name+" and "+e.names[t.Other]+" "+either(more, "more", "less")+" often high together")
		case e.number[t.Feature]:
			words = append(words, name+" "+either(more, "higher", "lower"))
		default:
			words = append(words, name+" "+either(more, "more", "less")+" often")
		}
	}
	return words
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

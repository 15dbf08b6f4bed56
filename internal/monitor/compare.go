package monitor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
)

// The roles of what is compared.
const (
	roleScore  = window.RoleScore
	roleOutput = window.RoleOutput
)

// judged reports whether a feature of the reference is.
func (c *Checks) judged(f *window.Feature) bool {
	if f.Role == roleScore || f.Role == roleOutput {
		return !slices.Contains(c.Except, f.Name)
	}
	if len(c.Features) > 0 {
		return slices.Contains(c.Features, f.Name)
	}
	return !slices.Contains(c.Except, f.Name)
}

// compared are the rows of the reference's features: scores and outputs first, which show best that something has
// changed (Rabanser et al., NeurIPS 2019), then features by name.
func (d *Document) compared(s *Seen) (rows []Row) {
	if s.Profile == nil {
		return []Row{{
			Check: "drift", Method: "drift/1", N: s.Predictions, Measure: "psi", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient,
			Words: fmt.Sprintf("No reference is pinned for %s: nothing to compare with.", d.Model),
		}}
	}
	reference := s.Profile.Reference()
	var features []drift.Feature
	for i, f := range drift.FromProfile(s.Profile) {
		if d.Checks.judged(&reference.Features[i]) {
			features = append(features, f)
		}
	}
	judged := drift.Judge(features, reference.Rows, s.Predictions, d.Checks.Drift)
	slices.SortStableFunc(judged.Features, func(a, b drift.Feature) int {
		if a.Role != b.Role {
			return priority(a.Role) - priority(b.Role)
		}
		return strings.Compare(a.Name, b.Name)
	})
	for i := range judged.Features {
		rows = append(rows, d.moved(&judged.Features[i]))
	}
	for i := range judged.Features {
		f := &judged.Features[i]
		if f.Kind == window.KindCategory {
			rows = append(rows, d.unseen(f, reference.Rows))
		}
		rows = append(rows, d.missing(f, reference.Rows))
	}
	return rows
}

func priority(role string) int {
	return slices.Index([]string{roleScore, roleOutput, window.RoleFeature}, role)
}

func (d *Document) moved(f *drift.Feature) Row {
	th := d.Checks.Drift
	omitted := trim(f)
	return Row{
		Check: "drift", Subject: f.Name, Role: f.Role, Method: "drift/1: " + f.Method, N: f.N, Against: f.NReference, P: valid(f.P), Adjusted: valid(f.PAdjusted),
		Measure: "psi", Value: f.PSI, Threshold: number(th.FailPSI), Warn: number(th.WarnPSI), Origin: th.Origin, Verdict: f.Verdict, Words: f.Words, Feature: f, Omitted: omitted,
	}
}

// few reports whether there is too little to judge.
func (d *Document) few(n, reference int64) bool {
	return n < d.Checks.Drift.MinRows || reference < d.Checks.Drift.MinReference
}

// unseen judges values that the reference never had. The lower end of the interval decides, so that one odd row of a
// small window does not.
func (d *Document) unseen(f *drift.Feature, reference int64) Row {
	l := d.Checks.New
	r := Row{
		Check: "new_values", Subject: f.Name, Role: f.Role, Method: "new-values/1: share of values that the reference does not have, lower end of its 99 % Wilson interval", N: f.N, Against: f.NReference,
		Measure: "share", Value: f.UnseenShare, Threshold: number(l.Fail), Warn: number(l.Warn), Origin: l.Origin, Verdict: tallystick.Pass,
	}
	if d.few(f.N, reference) || !f.UnseenShare.Valid() {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("%s: too few rows, or too many values, to tell new ones.", f.Name)
		return r
	}
	is := stat.Proportion{K: int64(math.Round(float64(f.UnseenShare) * float64(f.N))), N: f.N}
	if is.K == 0 {
		r.Words = f.Name + " has no new values."
		return r
	}
	i := is.Wilson(confidence)
	r.Low, r.High = &i.Low, &i.High
	switch {
	case i.Low > l.Fail:
		r.Verdict = tallystick.Fail
	case i.Low > l.Warn:
		r.Verdict = tallystick.Warn
	}
	r.Words = fmt.Sprintf("%s has values that the reference never had, in %s of rows", f.Name, figure.Percent(is.Rate()))
	if len(f.UnseenExamples) > 0 {
		r.Words += ", such as " + strings.Join(f.UnseenExamples, ", ")
	}
	r.Words += "."
	return r
}

// missing judges whether more values are missing, NaN or infinite than in the reference: surely more, and by more than
// matters.
func (d *Document) missing(f *drift.Feature, reference int64) Row {
	l := d.Checks.Missing
	r := Row{
		Check: "missing", Subject: f.Name, Role: f.Role, Method: "missing/1: rise of the share of missing, NaN and infinite values over the reference, 99 % Newcombe interval", N: f.N, Against: f.NReference,
		Measure: "rise of the share", Value: stat.Number(math.NaN()), Threshold: number(l.Fail), Warn: number(l.Warn), Origin: l.Origin, Verdict: tallystick.Pass,
	}
	if d.few(f.N, reference) || !f.Missing.Valid() || !f.MissingRef.Valid() {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("%s: too few rows to judge how many are missing.", f.Name)
		return r
	}
	now := stat.Proportion{K: int64(math.Round(float64(f.Missing) * float64(f.N))), N: f.N}
	was := stat.Proportion{K: int64(math.Round(float64(f.MissingRef) * float64(f.NReference))), N: f.NReference}
	rise, i := now.Rate()-was.Rate(), stat.Newcombe(now, was, confidence)
	r.Value, r.Low, r.High = stat.Number(rise), &i.Low, &i.High
	switch {
	case i.Low > l.Fail:
		r.Verdict = tallystick.Fail
	case i.Low > 0 && rise >= l.Warn:
		r.Verdict = tallystick.Warn
	}
	r.Words = fmt.Sprintf("%s is missing in %s of rows, in the reference in %s.", f.Name, figure.Percent(now.Rate()), figure.Percent(was.Rate()))
	return r
}

// valid returns a number, nil if it is none.
func valid(n stat.Number) *float64 {
	if !n.Valid() {
		return nil
	}
	return number(float64(n))
}

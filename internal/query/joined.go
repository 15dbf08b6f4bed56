package query

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// Row is a prediction with what is known of its outcome.
type Row struct {
	ID      prediction.ID
	Time    prediction.Time
	Version string
	Score   prediction.Value
	Output  prediction.Value
	Columns []prediction.Value // that were asked for
	Held    label.Held
}

// Joined yields the predictions of a selection with their labels, those without one too, in the order of the files.
// All labels are as of one moment. A row is valid until the next. watermark, if it is not nil, is set before the first.
func (a *Asker) Joined(ctx context.Context, s Selection, columns []string, watermark *label.Watermark) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for _, name := range columns {
			if err := checkColumn(name); err != nil {
				yield(nil, err)
				return
			}
		}
		files, err := a.open(ctx, &s)
		if err != nil {
			yield(nil, err)
			return
		}
		if err := known(ctx, files, append(columnsOf(s.Where), columns...)); err != nil {
			yield(nil, err)
			return
		}
		p := newPlan(&s, append([]string{columnLabel, columnVersion, columnScore, columnOutput}, columns...)...)
		if p.watermark, err = a.labels.Watermark(ctx, s.Model, s.AsOf); err != nil {
			yield(nil, err)
			return
		}
		if watermark != nil {
			*watermark = p.watermark
		}
		version, score, output := p.column(columnVersion), p.column(columnScore), p.column(columnOutput)
		var others []column
		for _, name := range columns {
			others = append(others, newColumn(p, name))
		}
		row := &Row{Columns: make([]prediction.Value, len(columns))}
		for f, err := range a.frames(ctx, files, p) {
			if err != nil {
				yield(nil, err)
				return
			}
			for k, at := range f.chosen {
				row.ID, row.Time, row.Held = f.id(at), f.time(at), f.held[k]
				row.Version, row.Score, row.Output = f.value(version, at).Text(), f.value(score, at), f.value(output, at)
				for i, c := range others {
					row.Columns[i] = c.value(f, k, at)
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// Labels returns up to where labels of a model were known at a moment; zero means now.
func (a *Asker) Labels(ctx context.Context, model string, asOf time.Time) (label.Watermark, error) {
	return a.labels.Watermark(ctx, model, asOf)
}

// LabelCoverage says how many predictions have labels, and how long those took.
type LabelCoverage struct {
	Model   string          `json:"model"`
	Labels  label.Watermark `json:"labels" doc:"up to where labels were known"`
	Mature  string          `json:"mature" doc:"age from which a prediction should have a label"`
	All     Covered         `json:"all"`
	By      []CoveredBy     `json:"versions" doc:"by version, the one with most predictions first"`
	Ages    []CoveredBy     `json:"ages" doc:"by the age of the prediction when labels were known last"`
	Waiting *int64          `json:"waiting,omitempty" doc:"predictions that have labels but are not on record, of all times; absent where a time is named"`
}

// CoveredBy is the coverage of a part.
type CoveredBy struct {
	Name string `json:"name"`
	Covered
}

// Covered counts predictions and labels.
type Covered struct {
	Predictions int64     `json:"predictions"`
	Matured     int64     `json:"matured" doc:"predictions that are old enough"`
	Labelled    int64     `json:"labelled" doc:"matured ones that have a label"`
	Rate        *float64  `json:"rate" doc:"labelled of matured; null without any"`
	Low         *float64  `json:"low" doc:"of its 95 % Wilson interval"`
	High        *float64  `json:"high"`
	Lag         *LabelLag `json:"lag,omitempty" doc:"from the prediction to its first label on record, of all that have one"`
	lags        sample
}

// LabelLag holds quantiles of times in seconds.
type LabelLag struct {
	N      int64   `json:"n"`
	Median float64 `json:"median_seconds"`
	P90    float64 `json:"p90_seconds"`
	P99    float64 `json:"p99_seconds"`
	Max    float64 `json:"max_seconds"`
	Method string  `json:"method"`
}

// ages are the bounds between ages that coverage is told of.
func ages() []struct {
	name string
	from time.Duration
} {
	const day = 24 * time.Hour
	return []struct {
		name string
		from time.Duration
	}{{"under a day", 0}, {"1 to 7 days", day}, {"7 to 30 days", 7 * day}, {"30 to 90 days", 30 * day}, {"90 days and more", 90 * day}}
}

// maxVersions bounds the versions that coverage is told of; the rest are one.
const maxVersions = 200

// Coverage measures the labels of a selection. A prediction counts from the age mature on.
func (a *Asker) Coverage(ctx context.Context, s Selection, mature time.Duration) (LabelCoverage, error) {
	out := LabelCoverage{Model: s.Model, Mature: mature.String(), By: []CoveredBy{}}
	for _, age := range ages() {
		out.Ages = append(out.Ages, CoveredBy{Name: age.name})
	}
	whole := s.From.IsZero() && s.To.IsZero() && len(s.Where) == 0
	if !s.AsOf.IsZero() && (s.To.IsZero() || s.AsOf.Before(s.To)) {
		s.To = s.AsOf // what was predicted later was not there
	}
	versions := map[string]*CoveredBy{}
	var room room
	for row, err := range a.Joined(ctx, s, nil, &out.Labels) {
		if err != nil {
			return LabelCoverage{}, err
		}
		if versions[row.Version] == nil {
			if len(versions) == maxVersions {
				row.Version = "others"
			}
			if versions[row.Version] == nil {
				versions[row.Version] = &CoveredBy{Name: row.Version}
			}
		}
		age := out.Labels.AsOf.Sub(row.Time.Time())
		at := 0
		for i, a := range ages() {
			if age >= a.from {
				at = i
			}
		}
		for _, c := range []*Covered{&out.All, &versions[row.Version].Covered, &out.Ages[at].Covered} {
			c.add(row, age >= mature, &room)
		}
	}
	if whole {
		n, err := a.labels.Predictions(ctx, s.Model, out.Labels)
		if err != nil {
			return LabelCoverage{}, err
		}
		n = max(0, n-out.All.lags.n)
		out.Waiting = &n
	}
	for _, v := range versions {
		out.By = append(out.By, *v)
	}
	slices.SortFunc(out.By, func(a, b CoveredBy) int {
		return cmp.Or(cmp.Compare(b.Predictions, a.Predictions), cmp.Compare(a.Name, b.Name))
	})
	out.All.settle()
	for _, part := range [][]CoveredBy{out.By, out.Ages} {
		for i := range part {
			part[i].settle()
		}
	}
	return out, nil
}

func (c *Covered) add(row *Row, matured bool, r *room) {
	c.Predictions++
	if matured {
		c.Matured++
		if row.Held.Labelled() {
			c.Labelled++
		}
	}
	if row.Held.Labels > 0 {
		c.lags.add(row.Held.First.Sub(row.Time.Time()).Seconds(), r) // three samples for a version fit, in bins at the latest
	}
}

func (c *Covered) settle() {
	if c.Matured > 0 {
		e := stat.Proportion{K: c.Labelled, N: c.Matured}.Estimate()
		c.Rate, c.Low, c.High = &e.Value, &e.Interval.Low, &e.Interval.High
	}
	if c.lags.n > 0 {
		at, method := c.lags.quantiles([]float64{0.5, 0.9, 0.99, 1})
		c.Lag = &LabelLag{N: c.lags.n, Median: at[0], P90: at[1], P99: at[2], Max: at[3], Method: method}
	}
}

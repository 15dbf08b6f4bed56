package report

import (
	"cmp"
	"html/template"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
)

// featureView is one feature with the chart of its distribution.
type featureView struct {
	drift.Feature
	SVG template.HTML
}

const (
	shownBars       = 40
	shownQuietBars  = 10 // where nothing drifts
	shownFeatures   = 8  // charts of the whole file
	shownInWindow   = 4  // charts of one window
	shownWindows    = 8  // windows that are told one by one
	shownHeatRows   = 40
	shownWindowPlot = 3
)

func (p *page) drift() {
	dr := p.Document.Drift
	if dr == nil {
		return
	}
	p.DriftRows = byDrift(dr.Features)
	p.DriftBars = psiBars(p.DriftRows, dr.Thresholds)
	p.DriftCharts = featureCharts(p.DriftRows, shownFeatures)
}

func psiBars(features []drift.Feature, t drift.Thresholds) template.HTML {
	bars := chart.Bars{Header: chart.Header{Title: "Population stability index by column", Width: 940},
		Limits: []chart.Limit{{Name: "warn", Value: t.WarnPSI}, {Name: "fail", Value: t.FailPSI}}}
	shown := shownBars
	if len(features) > 0 && !judged(features[0].Verdict) {
		shown = shownQuietBars
	}
	for _, f := range features[:min(len(features), shown)] {
		bars.Rows = append(bars.Rows, chart.Bar{Label: f.Name, Value: float64(f.PSI), Mark: mark(f.Verdict)})
	}
	return bars.SVG()
}

// featureCharts draws the distributions of the first features that have bins: those that drifted,
// and at least two for comparison.
func featureCharts(ordered []drift.Feature, most int) []featureView {
	var views []featureView
	for _, f := range ordered {
		moved := f.Verdict == tallystick.Fail || f.Verdict == tallystick.Warn
		if len(f.Bins) == 0 || len(views) == most || !moved && len(views) >= 2 {
			continue
		}
		views = append(views, featureView{f, featureHistogram(f, 450, 150)})
	}
	return views
}

func featureHistogram(f drift.Feature, width, height float64) template.HTML {
	h := chart.Histogram{Header: chart.Header{Title: "Distribution of " + f.Name, Width: width}, Height: height}
	for _, b := range f.Bins {
		h.Bins = append(h.Bins, chart.Bin{Label: b.Label, Reference: b.Reference, Current: b.Current})
	}
	return h.SVG()
}

// windowRow is a row of the table of all windows.
type windowRow struct {
	Window
	Figures  []windowFigure
	Drifted  []string
	Features int
}

type windowFigure struct {
	Figure  figure.Figure
	Verdict tallystick.Verdict
}

// windowView is one window that is not passed, told in full.
type windowView struct {
	Window
	Charts []featureView
}

func (p *page) windows() {
	windows := p.Document.Windows
	if len(windows) == 0 {
		return
	}
	names := windowMetrics(windows)
	for _, name := range names {
		p.WindowCharts = append(p.WindowCharts, windowLine(windows, name))
	}
	p.WindowHeat = windowHeat(windows)
	for _, w := range windows {
		row := windowRow{Window: w}
		for _, name := range names {
			f := windowFigure{Figure: figure.Figure{Value: figure.None}}
			if m, ok := w.Performance.Metric(name); ok {
				f.Figure = figure.Estimate(name, m.Estimate)
			}
			f.Verdict = comparisonOf(w, name).Verdict
			row.Figures = append(row.Figures, f)
		}
		if w.Drift != nil {
			row.Drifted, row.Features = driftedNames(w.Drift), len(w.Drift.Features)
		}
		p.WindowRows = append(p.WindowRows, row)
	}
	worst := troubled(windows)
	for _, w := range worst[:min(len(worst), shownWindows)] {
		v := windowView{Window: w}
		if w.Drift != nil && (w.Drift.Verdict == tallystick.Fail || w.Drift.Verdict == tallystick.Warn) {
			v.Charts = featureCharts(byDrift(w.Drift.Features), shownInWindow)
		}
		p.WindowsOpen = append(p.WindowsOpen, v)
	}
}

// WindowMetrics names the metrics that windows are judged by, for the head of the table.
func (p *page) WindowMetrics() []string {
	var titles []string
	for _, name := range windowMetrics(p.Document.Windows) {
		titles = append(titles, windowMetricTitle(p.Document.Windows, name))
	}
	return titles
}

// windowMetrics returns the metrics that were compared, else the key metrics that are there.
func windowMetrics(windows []Window) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) && len(names) < shownWindowPlot {
			names = append(names, name)
		}
	}
	for _, w := range windows {
		for _, c := range w.Comparisons {
			add(c.Metric)
		}
	}
	if len(names) > 0 {
		return names
	}
	for _, name := range keyMetrics {
		if slices.ContainsFunc(windows, func(w Window) bool { _, ok := w.Performance.Metric(name); return ok }) && len(names) < 2 {
			add(name)
		}
	}
	return names
}

func windowMetricTitle(windows []Window, name string) string {
	for _, w := range windows {
		if m, ok := w.Performance.Metric(name); ok {
			return m.Title
		}
	}
	return metricTitle(nil, name)
}

func comparisonOf(w Window, metric string) performance.Comparison {
	for _, c := range w.Comparisons {
		if c.Metric == metric {
			return c
		}
	}
	return performance.Comparison{}
}

func windowLine(windows []Window, metric string) figureView {
	title := windowMetricTitle(windows, metric)
	line := chart.Line{Header: chart.Header{Title: title + " by window", Width: 940}}
	if figure.IsRate(metric) {
		line.Format = chart.Percent
	}
	for _, w := range windows {
		pt := chart.LinePoint{Label: windowName(w), Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		if m, ok := w.Performance.Metric(metric); ok {
			pt.Value, pt.Low, pt.High = m.Value, m.Interval.Low, m.Interval.High
		}
		c := comparisonOf(w, metric)
		pt.Mark = mark(c.Verdict)
		if line.Baseline == nil && c.Metric != "" && c.Baseline.Valid() {
			line.Baseline = &chart.Limit{Name: "baseline", Value: rounded(c.Baseline.Value)}
		}
		line.Points = append(line.Points, pt)
	}
	return figureView{Caption: title + " by window, with 95 % intervals", SVG: line.SVG()}
}

// windowHeat draws PSI by column and window, the columns with the greatest PSI first.
func windowHeat(windows []Window) template.HTML {
	type row struct {
		name  string
		top   float64
		cells []chart.Cell
	}
	var rows []row
	index := map[string]int{}
	heat := chart.Heat{Header: chart.Header{Title: "PSI by column and window", Width: 940}}
	for i, w := range windows {
		heat.Columns = append(heat.Columns, windowName(w))
		if w.Drift == nil {
			continue
		}
		heat.Full = 2 * w.Drift.Thresholds.FailPSI
		for _, f := range w.Drift.Features {
			at, ok := index[f.Name]
			if !ok {
				at = len(rows)
				index[f.Name] = at
				cells := make([]chart.Cell, len(windows))
				for j := range cells {
					cells[j].Value = math.NaN()
				}
				rows = append(rows, row{name: f.Name, cells: cells})
			}
			rows[at].cells[i] = chart.Cell{Value: float64(f.PSI), Mark: mark(f.Verdict)}
			rows[at].top = max(rows[at].top, effect(f)+10*float64(max(0, verdictOrder(f.Verdict)-2)))
		}
	}
	if len(rows) == 0 {
		return ""
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.top, a.top) })
	for _, r := range rows[:min(len(rows), shownHeatRows)] {
		heat.Rows, heat.Cells = append(heat.Rows, r.name), append(heat.Cells, r.cells)
	}
	return heat.SVG()
}

// qualityRow is a column with a small chart where its bins are known.
type qualityRow struct {
	quality.Column
	SVG template.HTML
}

func (p *page) quality() {
	q := p.Document.Quality
	if q == nil {
		return
	}
	bins := map[string]drift.Feature{}
	if p.Document.Drift != nil {
		for _, f := range p.Document.Drift.Features {
			bins[f.Name] = f
		}
	}
	for _, c := range q.Columns {
		row := qualityRow{Column: c}
		if f, ok := bins[c.Name]; ok && len(f.Bins) > 0 {
			thumb := chart.Thumb{Header: chart.Header{Title: "Distribution of " + c.Name}}
			for _, b := range f.Bins {
				thumb.Bins = append(thumb.Bins, chart.Bin{Label: b.Label, Reference: b.Reference, Current: b.Current})
			}
			row.SVG = thumb.SVG()
		}
		p.QualityRows = append(p.QualityRows, row)
	}
	slices.SortStableFunc(p.QualityRows, func(a, b qualityRow) int {
		return cmp.Compare(verdictOrder(b.Verdict), verdictOrder(a.Verdict))
	})
}

package report

import (
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/stat"
)

// page is what the template of the HTML report sees.
type page struct {
	*Document
	Style    template.CSS
	Policy   string // Content-Security-Policy of the file
	Sections []section

	GateWords string
	GateRules []policy.Rule
	GateIdle  []policy.Idle

	Metrics       []performance.Metric
	ROC, PR       template.HTML
	Confusion     template.HTML
	Reliability   template.HTML
	Calibrated    []calibrationFigure
	Attributes    []attributeView
	OpenFindings  []comparisonGroup
	DriftRows     []drift.Feature
	DriftBars     template.HTML
	DriftCharts   []featureView
	WindowCharts  []figureView
	WindowHeat    template.HTML
	WindowsOpen   []windowView
	WindowRows    []windowRow
	QualityRows   []qualityRow
	ContractWords string
	Methods       []string
}

// section is an entry of the contents.
type section struct {
	ID, Title string
	Verdict   tallystick.Verdict
}

// figureView is a chart with its caption.
type figureView struct {
	Caption string
	SVG     template.HTML
}

func newPage(d *Document) *page {
	p := &page{
		Document: d, GateWords: gateWords(d.Gate), Metrics: d.Performance.Metrics(),
	}
	p.GateRules, p.GateIdle = policy.Fold(orderedRules(d.Gate.Rules))
	p.performance()
	p.calibration()
	p.fairness()
	p.drift()
	p.windows()
	p.quality()
	if d.Contract != nil {
		p.ContractWords = contractWords(*d.Contract)
		ordered := *d.Contract
		ordered.Checks = orderedChecks(d.Contract.Checks)
		copied := *d
		copied.Contract, p.Document = &ordered, &copied
	}
	p.Methods = methods(d)
	p.contents()
	return p
}

// contents lists the sections that the document has, in order.
func (p *page) contents() {
	add := func(there bool, id, title string, v tallystick.Verdict) {
		if there {
			p.Sections = append(p.Sections, section{id, title, v})
		}
	}
	add(true, "gate", "Gate", p.Gate.Verdict)
	add(p.Document.Performance != nil, "performance", "Performance", p.BaselineVerdict())
	add(p.Document.Calibration != nil, "calibration", "Calibration", "")
	add(p.Document.Fairness != nil, "fairness", "Fairness", p.FairnessVerdict())
	if p.Document.Drift != nil {
		add(true, "drift", "Drift", p.Document.Drift.Verdict)
	}
	add(len(p.Document.Windows) > 0, "windows", "Windows", p.WindowsVerdict())
	add(len(p.Slices) > 0, "slices", "Worst slices", "")
	add(len(p.Leakage) > 0, "leakage", "Leakage", p.LeakageVerdict())
	if p.Document.Quality != nil {
		add(true, "quality", "Data quality", p.Document.Quality.Verdict)
	}
	if p.Contract != nil {
		add(true, "contract", "Contract", p.Contract.Verdict)
	}
	add(true, "criteria", "Criteria", "")
	add(len(p.Limits) > 0, "limits", "What this audit cannot show", "")
	add(true, "verify", "How to verify this report", "")
	add(true, "provenance", "Provenance and methods", "")
}

// BaselineVerdict is the foremost of the comparisons with the baseline, empty without any.
func (p *page) BaselineVerdict() tallystick.Verdict {
	v := tallystick.Verdict("")
	if p.Baseline != nil {
		for _, c := range p.Baseline.Metrics {
			v = Foremost(v, c.Verdict)
		}
	}
	return v
}

// WindowsVerdict is the foremost of the windows.
func (p *page) WindowsVerdict() tallystick.Verdict {
	v := tallystick.Verdict("")
	for _, w := range p.Document.Windows {
		v = Foremost(v, w.Verdict)
	}
	return v
}

// LeakageVerdict is the foremost of the suspicions.
func (p *page) LeakageVerdict() tallystick.Verdict {
	v := tallystick.Verdict("")
	for _, l := range p.Leakage {
		v = Foremost(v, l.Verdict)
	}
	return v
}

// FairnessVerdict is the foremost of the comparisons of groups.
func (p *page) FairnessVerdict() tallystick.Verdict {
	v := tallystick.Verdict("")
	if p.Document.Fairness != nil {
		for _, c := range p.Document.Fairness.Comparisons {
			v = Foremost(v, c.Verdict)
		}
	}
	return v
}

// mark translates a verdict for charts.
func mark(v tallystick.Verdict) chart.Mark {
	switch v {
	case tallystick.Pass:
		return chart.Good
	case tallystick.Warn:
		return chart.Caution
	case tallystick.Fail:
		return chart.Bad
	case tallystick.Inconclusive, tallystick.Insufficient:
		return chart.Unclear
	}
	return chart.Plain
}

func (p *page) performance() {
	perf := p.Document.Performance
	if perf == nil {
		return
	}
	if c := perf.Confusion; c != nil {
		p.Confusion = chart.Confusion{Header: chart.Header{Title: "Confusion matrix"}, Classes: []string{"positive", "negative"},
			Counts: [][]int64{{c.TP, c.FN}, {c.FP, c.TN}}}.SVG()
	}
	if m := perf.Matrix; m != nil {
		p.Confusion = chart.Confusion{Header: chart.Header{Title: "Confusion matrix"}, Classes: m.Classes, Counts: m.Counts}.SVG()
	}
	if len(perf.ROC) > 0 {
		p.ROC = chart.Curve{Header: chart.Header{Title: "ROC curve"}, XName: "false positive rate", YName: "true positive rate",
			Points: curve(perf.ROC), Diagonal: true, Operating: operating(perf.FPR, perf.Recall)}.SVG()
	}
	if len(perf.PR) > 0 {
		c := chart.Curve{Header: chart.Header{Title: "Precision and recall"}, XName: "recall", YName: "precision",
			Points: curve(perf.PR), Operating: operating(perf.Recall, perf.Precision)}
		if perf.Positives != nil && perf.N > 0 {
			c.Level = &chart.Limit{Name: "base rate", Value: rounded(float64(*perf.Positives) / float64(perf.N))}
		}
		p.PR = c.SVG()
	}
}

// rounded leaves the digits of a computed value that the label of a line has room for.
func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }

func curve(points []stat.Point) []chart.XY {
	xy := make([]chart.XY, len(points))
	for i, pt := range points {
		xy[i] = chart.XY{X: pt.X, Y: pt.Y}
	}
	return xy
}

func operating(x, y *stat.Estimate) *chart.NamedXY {
	if x == nil || y == nil {
		return nil
	}
	return &chart.NamedXY{XY: chart.XY{X: x.Value, Y: y.Value}, Name: "decisions"}
}

// calibrationFigure is one row of the calibration table.
type calibrationFigure struct {
	Title  string
	Figure figure.Figure
	stat.Estimate
}

func calibrationFigures(c *performance.Calibration) []calibrationFigure {
	var figures []calibrationFigure
	for _, f := range []struct {
		title    string
		estimate *stat.Estimate
	}{
		{"Expected calibration error", c.ECE},
		{"Expected calibration error, bins of equal mass", c.ECEEqualMass},
		{"Largest calibration error of a bin", c.MCE},
		{"Mean score minus observed rate", c.InTheLarge},
		{"Calibration slope (1 is right)", c.Slope},
		{"Calibration intercept (0 is right)", c.Intercept},
	} {
		if f.estimate != nil {
			figures = append(figures, calibrationFigure{f.title, figure.Estimate("", *f.estimate), *f.estimate})
		}
	}
	return figures
}

func (p *page) calibration() {
	c := p.Document.Calibration
	if c == nil || c.Skipped != "" {
		return
	}
	p.Calibrated = calibrationFigures(c)
	r := chart.Reliability{Header: chart.Header{Title: "Reliability diagram"}}
	for _, b := range c.Table {
		r.Bins = append(r.Bins, chart.ReliabilityBin{N: b.N, MeanScore: b.MeanScore, Observed: b.Observed.Value, Low: b.Observed.Interval.Low, High: b.Observed.Interval.High})
	}
	p.Reliability = r.SVG()
}

// methods lists the methods behind the figures, each once.
func methods(d *Document) []string {
	var all []string
	add := func(m string) {
		if m = strings.TrimSpace(m); m != "" && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	for _, m := range d.Performance.Metrics() {
		add(m.Name + ": " + m.Method)
	}
	if d.Calibration != nil {
		for _, f := range calibrationFigures(d.Calibration) {
			add(strings.ToLower(f.Title) + ": " + f.Method)
		}
		if d.Calibration.Method != "" {
			add("reliability table: " + d.Calibration.Method)
		}
	}
	if d.Fairness != nil {
		add("rates of groups: wilson")
		for _, c := range d.Fairness.Comparisons {
			add("comparisons of groups: " + c.Method)
		}
	}
	if d.Drift != nil {
		for _, f := range d.Drift.Features {
			add("drift of a " + f.Kind + ": " + f.Method)
		}
	}
	return all[:min(len(all), 60)]
}

package chart_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick/internal/chart"
)

var update = flag.Bool("update", false, "write the golden files")

var nan = math.NaN()

// drawer is any chart.
type drawer interface{ SVG() template.HTML }

// gallery is one of each chart with ordinary data.
func gallery() map[string]drawer {
	line := chart.Line{
		Header:   chart.Header{Title: "ROC AUC by window"},
		Baseline: &chart.Limit{Name: "reference", Value: 0.963},
		Limits:   []chart.Limit{{Name: "minimum", Value: 0.85}},
	}
	heat := chart.Heat{Header: chart.Header{Title: "PSI by feature and window"}, Full: 0.5, Rows: []string{"RELP", "AGEP", "SCHL", "a feature with a name that is far too long to fit beside its row", "SEX"}}
	heat.Cells = make([][]chart.Cell, len(heat.Rows))
	spark := chart.Sparkline{Header: chart.Header{Title: "ROC AUC"}}
	for i := range 47 {
		v := 0.96 + 0.004*math.Sin(float64(i))
		p := chart.LinePoint{Label: fmt.Sprintf("rows %d-%d", i*5000, i*5000+4999), Value: v, Low: v - 0.008, High: v + 0.006, Mark: chart.Good}
		switch i {
		case 12:
			p.Value = nan
		case 30:
			p.Value, p.Low, p.High, p.Mark = 0.80, 0.78, 0.82, chart.Bad
		case 33:
			p.Value, p.Low, p.High, p.Mark = 0.86, 0.84, 0.88, chart.Caution
		case 40:
			p.Mark = chart.Unclear
		}
		line.Points = append(line.Points, p)
		spark.Points = append(spark.Points, p)
		heat.Columns = append(heat.Columns, p.Label)
		for r := range heat.Rows {
			cell := chart.Cell{Value: 0.02 + 0.01*math.Abs(math.Sin(float64(i*(r+1)))), Mark: chart.Good}
			if i == 30 && r < 3 {
				cell = chart.Cell{Value: 0.9 - 0.25*float64(r), Mark: chart.Bad}
			}
			if i == 33 && r == 0 {
				cell = chart.Cell{Value: 0.15, Mark: chart.Caution}
			}
			if i == 5 {
				cell = chart.Cell{Value: nan, Mark: chart.Unclear}
			}
			heat.Cells[r] = append(heat.Cells[r], cell)
		}
	}
	// The published COMPAS table; intervals are Wilson's.
	dots := chart.Dots{
		Header: chart.Header{Title: "Error rates by race"}, Reference: 1,
		Rows: []chart.DotRow{{Label: "African-American", Note: "3,696"}, {Label: "Caucasian", Note: "2,454"}, {Label: "Hispanic", Note: "637"}, {Label: "Asian", Note: "32"}},
		Panels: []chart.Panel{
			{Title: "False positive rate", Format: chart.Percent, Gap: 0.1, Dots: []chart.Dot{
				{Value: 0.4485, Low: 0.4256, High: 0.4716, Mark: chart.Bad}, {Value: 0.2345, Low: 0.2137, High: 0.2567},
				{Value: 0.2148, Low: 0.1776, High: 0.2574, Mark: chart.Good}, {Value: 0.0870, Low: 0.0242, High: 0.2680, Mark: chart.Unclear}}},
			{Title: "False negative rate", Format: chart.Percent, Gap: 0.1, Dots: []chart.Dot{
				{Value: 0.2799, Low: 0.2602, High: 0.3005, Mark: chart.Bad}, {Value: 0.4772, Low: 0.4459, High: 0.5087},
				{Value: 0.5560, Low: 0.4914, High: 0.6188, Mark: chart.Caution}, {Value: nan}}},
		},
	}
	return map[string]drawer{
		"line":      line,
		"sparkline": spark,
		"heat":      heat,
		"dots":      dots,
		"histogram": chart.Histogram{Header: chart.Header{Title: "RELP"}, Bins: []chart.Bin{
			{Label: "0", Reference: 0.39, Current: 0.10}, {Label: "1", Reference: 0.19, Current: 0.06}, {Label: "2", Reference: 0.25, Current: 0.08},
			{Label: "16", Reference: 0.03, Current: 0.04}, {Label: "17", Reference: 0.05, Current: 0.70}, {Label: "other", Reference: 0.09, Current: 0.02}}},
		"thumb": chart.Thumb{Header: chart.Header{Title: "age"}, Bins: []chart.Bin{
			{Label: "≤ 23", Reference: 0.1, Current: 0.11}, {Label: "23 – 26", Reference: nan, Current: 0.12}, {Label: "26 – 28", Reference: 0.2, Current: nan}}},
		"histogram-alone": chart.Histogram{Header: chart.Header{Title: "age"}, Bins: []chart.Bin{
			{Label: "≤ 23", Reference: nan, Current: 0.11}, {Label: "23 – 26", Reference: nan, Current: 0.12}, {Label: "26 – 28", Reference: nan, Current: 0.09}}},
		"bars": chart.Bars{Header: chart.Header{Title: "PSI by feature"}, Limits: []chart.Limit{{Name: "warn", Value: 0.1}, {Name: "fail", Value: 0.25}},
			Rows: []chart.Bar{{Label: "RELP", Value: 1.32, Mark: chart.Bad}, {Label: "AGEP", Value: 0.18, Mark: chart.Caution}, {Label: "SCHL", Value: 0.04, Mark: chart.Good}, {Label: "CIT", Value: nan, Mark: chart.Unclear}}},
		"roc": chart.Curve{Header: chart.Header{Title: "ROC"}, XName: "false positive rate", YName: "true positive rate", Diagonal: true,
			Points:    []chart.XY{{X: 0, Y: 0}, {X: 0.12, Y: 0.34}, {X: 0.32, Y: 0.63}, {X: 0.6, Y: 0.86}, {X: 1, Y: 1}},
			Operating: &chart.NamedXY{XY: chart.XY{X: 0.32, Y: 0.63}, Name: "decision"}},
		"pr": chart.Curve{Header: chart.Header{Title: "Precision and recall"}, XName: "recall", YName: "precision", Level: &chart.Limit{Name: "base rate", Value: 0.45},
			Points: []chart.XY{{X: 0, Y: 0.8}, {X: 0.3, Y: 0.72}, {X: 0.63, Y: 0.61}, {X: 1, Y: 0.45}}},
		"reliability": chart.Reliability{Header: chart.Header{Title: "Reliability"}, Bins: []chart.ReliabilityBin{
			{N: 1440, MeanScore: 0.1, Observed: 0.21, Low: 0.19, High: 0.23}, {N: 941, MeanScore: 0.2, Observed: 0.31, Low: 0.28, High: 0.34},
			{N: 0, MeanScore: nan, Observed: nan}, {N: 383, MeanScore: 1, Observed: 0.79, Low: 0.74, High: 0.82}}},
		"confusion-classes": chart.Confusion{Header: chart.Header{Title: "Land cover"}, Classes: []string{"broadleaf forest", "needleleaf forest", "cropland", "water", "built-up area"},
			Counts: [][]int64{{912, 61, 20, 0, 7}, {80, 890, 25, 1, 4}, {31, 40, 880, 9, 40}, {0, 2, 11, 980, 7}, {12, 9, 60, 10, 909}}},
		"confusion": chart.Confusion{Header: chart.Header{Title: "Confusion matrix"}, Classes: []string{"positive", "negative"}, Counts: [][]int64{{2035, 1216}, {1282, 2681}}},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, c := range gallery() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(c.SVG())
			check(t, got)
			path := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs (-want +got), run with -update if that is right:\n%s", path, diff)
			}
		})
	}
}

// hostile is a name that tries to leave every kind of quotation, with characters that XML forbids.
const hostile = `</title><script>alert(1)</script>"' onload="x" &amp; ]]> <!-- ` + "\x00\x1b[31m\xff" + ` 名前 very long indeed, very long indeed, very long indeed`

func hostiles() map[string]drawer {
	h := chart.Header{Title: hostile}
	limit := chart.Limit{Name: hostile, Value: 0.5}
	return map[string]drawer{
		"line":      chart.Line{Header: h, Points: []chart.LinePoint{{Label: hostile, Value: 1, Low: math.Inf(-1), High: nan, Mark: chart.Bad}}, Baseline: &limit, Limits: []chart.Limit{limit}},
		"sparkline": chart.Sparkline{Header: h, Points: []chart.LinePoint{{Label: hostile, Value: 1}}},
		"heat":      chart.Heat{Header: h, Rows: []string{hostile}, Columns: []string{hostile}, Cells: [][]chart.Cell{{{Value: 1, Mark: chart.Bad}}}},
		"dots": chart.Dots{Header: h, Rows: []chart.DotRow{{Label: hostile, Note: hostile}}, Panels: []chart.Panel{
			{Title: hostile, Dots: []chart.Dot{{Value: 1, Tooltip: hostile}, {Value: 2}}, Limits: []chart.Limit{limit}}, {Title: "empty"}}},
		"thumb":       chart.Thumb{Header: h, Bins: []chart.Bin{{Label: hostile, Current: 5, Reference: -1}}},
		"histogram":   chart.Histogram{Header: h, ReferenceName: hostile, CurrentName: hostile, Bins: []chart.Bin{{Label: hostile, Current: 0.5, Reference: 0.2}}},
		"bars":        chart.Bars{Header: h, Rows: []chart.Bar{{Label: hostile, Value: -3}, {Label: "", Value: 1e300}}, Limits: []chart.Limit{limit}},
		"curve":       chart.Curve{Header: h, XName: hostile, YName: hostile, Points: []chart.XY{{X: -5, Y: 7}}, Level: &limit, Operating: &chart.NamedXY{Name: hostile}},
		"reliability": chart.Reliability{Header: h, Bins: []chart.ReliabilityBin{{N: 1, MeanScore: 3, Observed: -1}}},
		"confusion":   chart.Confusion{Header: h, Classes: []string{hostile, ""}, Counts: [][]int64{{math.MaxInt64 / 4, 1}, {0, 0}}},
	}
}

func TestHostileLabels(t *testing.T) {
	t.Parallel()
	for name, c := range hostiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(c.SVG())
			check(t, got)
			if strings.Contains(got, "<script") {
				t.Error("a label became an element")
			}
		})
	}
}

func TestNoData(t *testing.T) {
	t.Parallel()
	h := chart.Header{Title: "nothing"}
	for name, c := range map[string]drawer{
		"line":                 chart.Line{Header: h},
		"line of NaN":          chart.Line{Header: h, Points: []chart.LinePoint{{Label: "a", Value: nan, Low: 0, High: 1}, {Value: math.Inf(1)}}},
		"sparkline":            chart.Sparkline{Header: h, Points: []chart.LinePoint{{Value: nan}}},
		"heat":                 chart.Heat{Header: h, Rows: []string{"a"}, Columns: []string{"b"}, Cells: [][]chart.Cell{{{Value: nan}}}},
		"heat without cells":   chart.Heat{Header: h, Rows: []string{"a"}, Columns: []string{"b"}},
		"dots":                 chart.Dots{Header: h, Rows: []chart.DotRow{{Label: "a"}}, Panels: []chart.Panel{{Dots: []chart.Dot{{Value: nan}}}}},
		"dots without panels":  chart.Dots{Header: h, Rows: []chart.DotRow{{Label: "a"}}},
		"histogram":            chart.Histogram{Header: h, Bins: []chart.Bin{{Label: "a", Reference: nan, Current: nan}}},
		"thumb":                chart.Thumb{Header: h, Bins: []chart.Bin{{Reference: nan, Current: 0}}},
		"bars":                 chart.Bars{Header: h, Rows: []chart.Bar{{Label: "a", Value: nan}}},
		"curve":                chart.Curve{Header: h, Points: []chart.XY{{X: nan, Y: 1}}},
		"reliability":          chart.Reliability{Header: h, Bins: []chart.ReliabilityBin{{N: 0}}},
		"confusion":            chart.Confusion{Header: h},
		"confusion of zeros":   chart.Confusion{Header: h, Classes: []string{"a"}, Counts: [][]int64{{0}}},
		"confusion not square": chart.Confusion{Header: h, Classes: []string{"a", "b"}, Counts: [][]int64{{1, 2}, {3}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(c.SVG())
			check(t, got)
			if !strings.Contains(got, ">no data<") {
				t.Errorf("no data is not said:\n%s", got)
			}
		})
	}
}

func TestManyRowsAreBounded(t *testing.T) {
	t.Parallel()
	const n = 5000
	bars, line := chart.Bars{}, chart.Line{}
	heat := chart.Heat{Rows: make([]string, n), Columns: make([]string, n), Cells: make([][]chart.Cell, n)}
	dots := chart.Dots{Panels: []chart.Panel{{}}}
	hist := chart.Histogram{}
	confusion := chart.Confusion{Classes: make([]string, 50), Counts: make([][]int64, 50)}
	for i := range n {
		bars.Rows = append(bars.Rows, chart.Bar{Label: "b", Value: 1})
		line.Points = append(line.Points, chart.LinePoint{Label: "l", Value: float64(i)})
		heat.Cells[i] = []chart.Cell{{Value: 1}}
		dots.Rows = append(dots.Rows, chart.DotRow{Label: "d"})
		dots.Panels[0].Dots = append(dots.Panels[0].Dots, chart.Dot{Value: 1})
		hist.Bins = append(hist.Bins, chart.Bin{Label: "h", Current: 0.1})
	}
	heat.Cells[0] = make([]chart.Cell, n)
	for i := range confusion.Counts {
		confusion.Counts[i] = make([]int64, 50)
		confusion.Counts[i][i] = int64(i)
	}
	for name, test := range map[string]struct {
		chart drawer
		says  string
	}{
		"bars":      {bars, "and 4,800 more"},
		"line":      {line, "the last 2,000 of 5,000 windows"},
		"heat":      {heat, "200 of 5,000 rows, the last 400 of 5,000 windows"},
		"dots":      {dots, "first 200 of 5,000 groups"},
		"histogram": {hist, "first 60 of 5,000 bins"},
		"confusion": {confusion, "the 20 of 50 classes with most rows"},
	} {
		got := string(test.chart.SVG())
		check(t, got)
		if !strings.Contains(got, test.says) {
			t.Errorf("%s does not say %q", name, test.says)
		}
		if len(got) > 1<<20 {
			t.Errorf("%s has %d bytes", name, len(got))
		}
	}
}

var (
	forbidden = regexp.MustCompile(`(?i)^(style|on.*|href|src)$`)
	numbers   = regexp.MustCompile(`^[0-9.\-]+$`)
)

// check parses a picture and holds it to what the package promises.
func check(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var title, desc, depth int
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		switch el := token.(type) {
		case xml.StartElement:
			depth++
			switch el.Name.Local {
			case "svg", "line", "rect", "path", "circle", "text", "g":
			case "title":
				if depth == 2 {
					title++
				}
			case "desc":
				desc++
			default:
				t.Errorf("element %s", el.Name.Local)
			}
			seen := map[string]bool{}
			for _, a := range el.Attr {
				name := a.Name.Local
				if forbidden.MatchString(name) || seen[name] {
					t.Errorf("attribute %s of %s is forbidden or there twice", name, el.Name.Local)
				}
				seen[name] = true
				switch name {
				case "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height":
					if !numbers.MatchString(a.Value) {
						t.Errorf("%s = %q", name, a.Value)
					}
				}
			}
			if depth == 1 && !seen["role"] {
				t.Error("no role")
			}
		case xml.EndElement:
			depth--
		case xml.ProcInst, xml.Directive, xml.Comment:
			t.Errorf("unexpected %T", token)
		}
	}
	if title != 1 || desc != 1 {
		t.Errorf("%d titles and %d descriptions, want one of each", title, desc)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value  float64
		format chart.Format
		want   string
	}{
		{0, chart.Number, "0"}, {-0.0001, chart.Percent, "0 %"}, {0.05, chart.Percent, "5.0 %"}, {0.448, chart.Percent, "44.8 %"},
		{1, chart.Percent, "100 %"}, {1234567, chart.Number, "1,234,567"}, {-1234.5, chart.Number, "−1,234"}, {0.702166, chart.Number, "0.702"},
		{0.0042, chart.Number, "0.0042"}, {1e-7, chart.Number, "1e-07"}, {1e12, chart.Number, "1e+12"}, {nan, chart.Number, "–"}, {math.Inf(1), chart.Percent, "–"},
	} {
		if got := chart.Value(test.value, test.format); got != test.want {
			t.Errorf("Value(%v, %v) = %q, want %q", test.value, test.format, got, test.want)
		}
	}
}

// TestStylesheetBindsEveryClass keeps the stylesheet and the pictures in step.
func TestStylesheetBindsEveryClass(t *testing.T) {
	t.Parallel()
	class := regexp.MustCompile(`class="([a-z-]+)"`)
	css := string(chart.Stylesheet())
	for name, c := range gallery() {
		for _, m := range class.FindAllStringSubmatch(string(c.SVG()), -1) {
			if !regexp.MustCompile(`\.` + m[1] + `[ ,{]`).MatchString(css) {
				t.Errorf("%s: no rule for class %s", name, m[1])
			}
		}
	}
}

// TestFromZero keeps the scale of counts from beginning at the least of them, where a tenth fewer looks like none.
func TestFromZero(t *testing.T) {
	t.Parallel()
	line := func(fromZero bool, values ...float64) string {
		c := chart.Line{Header: chart.Header{Title: "Predictions"}, FromZero: fromZero}
		for _, v := range values {
			c.Points = append(c.Points, chart.LinePoint{Label: "w", Value: v, Low: nan, High: nan})
		}
		svg := string(c.SVG())
		check(t, svg)
		return svg
	}
	const zero = ">0</text>"
	if strings.Contains(line(false, 900, 1000), zero) || !strings.Contains(line(true, 900, 1000), zero) || !strings.Contains(line(true, -3, -2), zero) {
		t.Error("a scale that is to have 0 has it, and no other")
	}
	if none := line(true, 0, 0); !strings.Contains(none, ">0.0</text>") || strings.Contains(none, "−") {
		t.Errorf("nothing at all is drawn at the bottom of the scale:\n%s", none)
	}
}

// TestSpans draws states that last as long as their bars are, and leaves out what lies outside.
func TestSpans(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return from.Add(time.Duration(hours) * time.Hour) }
	svg := string(chart.Spans{Header: chart.Header{Title: "States", Width: 500}, From: from, To: at(10), Rows: []chart.SpanRow{{Spans: []chart.Span{
		{From: at(-9), To: at(-8), Name: "long ago", Mark: chart.Bad}, {From: at(2), To: at(4), Name: "pending", Mark: chart.Caution}, {From: at(4), To: at(10), Name: "<b>firing</b>", Mark: chart.Bad},
	}}}}.SVG())
	check(t, svg)
	// The chart is 500 wide, 12 of which are left for labels and 4 at the right: an hour is 48.4.
	for _, want := range []string{`x="108.8" y="10" width="96.8"`, `x="205.6" y="10" width="290.4"`, "&lt;b&gt;firing", "03-03 03:00", "the last &lt;b&gt;firing&lt;/b&gt; since 2026-03-03 04:00"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "long ago, ") || strings.Contains(svg, "<b>") {
		t.Errorf("what is not to be drawn is:\n%s", svg)
	}
	if got := string(chart.Spans{From: from, To: from, Rows: []chart.SpanRow{{}}}.SVG()); !strings.Contains(got, "no data") {
		t.Errorf("no time at all:\n%s", got)
	}
}

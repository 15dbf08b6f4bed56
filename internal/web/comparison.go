package web

import (
	"html/template"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// The bounds of the pages of comparisons.
const (
	shownAnswers    = 100 // judgements in the history of one comparison
	answersPerPage  = 50
	shownSlices     = 20
	differenceWidth = 640
)

func comparisonAddress(name string) string { return "/comparisons/" + url.PathEscape(name) }

// answerLine is what was answered about two versions.
type answerLine struct{ comparison.JudgedVersions }

// Href is the address of the whole answer.
func (l answerLine) Href() string {
	return comparisonAddress(l.Comparison) + "?" + url.Values{"judgement": {string(l.Judgement)}}.Encode()
}

func answerLines(all []comparison.JudgedVersions) (lines []answerLine) {
	for _, j := range all {
		lines = append(lines, answerLine{j})
	}
	return lines
}

// comparisonsPage lists how versions are compared, and what was answered last.
type comparisonsPage struct {
	Model       string
	Comparisons []comparison.Comparison
	Answers     []answerLine
	More        string
}

// Href is the address of a comparison.
func (comparisonsPage) Href(name string) string { return comparisonAddress(name) }

func (s *server) comparisons(v *visit) error {
	p := comparisonsPage{Model: strings.TrimSpace(v.query("model"))}
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return err
	}
	if p.Comparisons, err = s.Comparisons.Comparisons(v.ctx(), p.Model); err != nil {
		return err
	}
	p.Comparisons = slices.DeleteFunc(p.Comparisons, func(c comparison.Comparison) bool { return c.Removed })
	found, err := s.Comparisons.Judged(v.ctx(), comparison.Filter{Model: p.Model, Before: before, Limit: answersPerPage + 1})
	if err != nil {
		return err
	}
	if len(found) > answersPerPage {
		found = found[:answersPerPage]
		p.More = v.with("before", strconv.FormatUint(found[answersPerPage-1].Event, 10))
	}
	p.Answers = answerLines(found)
	return s.show(v, "comparisons", "Comparisons", p)
}

// comparisonPage is two versions held against each other.
type comparisonPage struct {
	Name     string
	Known    *comparison.Comparison // nil: it was sent with the question, and is not on record under its name
	Document *comparison.Document
	Model    string
	Reads    bool
	Newest   answerLine // the answer that is shown
	Older    bool       // it is not the last one
	Whole    *comparison.VersionsJudgement
	Picture  template.HTML // of the differences
	Course   template.HTML // of the answers
	Rows     []metricLine
	Slices   []metricLine
	History  []answerLine
}

// Chance writes the p-value of routing as it is intended.
func (p *comparisonPage) Chance() string {
	if p.Whole.Traffic.ShareP == nil {
		return ""
	}
	return ", p = " + figure.Number(*p.Whole.Traffic.ShareP)
}

// metricLine is a metric with its figures as people write them.
type metricLine struct {
	comparison.MetricRow
	Is, Was, Between string
}

func (s *server) comparison(v *visit) error {
	p := &comparisonPage{Name: v.r.PathValue("comparison"), Reads: v.who.Allows(access.PredictionRead, whole) == nil}
	is, doc, err := s.Comparisons.Comparison(v.ctx(), p.Name)
	switch {
	case err == nil:
		p.Known, p.Document, p.Model = &is, doc, is.Model
	case tallystick.CodeOf(err) != tallystick.NotFound:
		return err
	}
	found, errJudged := s.Comparisons.Judged(v.ctx(), comparison.Filter{Comparison: p.Name, Limit: shownAnswers})
	if errJudged != nil {
		return errJudged
	}
	if len(found) == 0 && err != nil { // neither is on record
		return err
	}
	p.History = answerLines(found)
	if len(found) > 0 {
		p.Model = found[0].Model
		if err := s.answer(v, p, tallystick.Digest(v.query("judgement"))); err != nil {
			return err
		}
		p.Course = answersOver(p.Newest, found, s.Now())
	}
	return s.show(v, "comparison", "Comparison "+p.Name, p)
}

// answer finds the answer that is asked for, or the last one, and reads it for those who may read predictions: slices name
// values of them.
func (s *server) answer(v *visit, p *comparisonPage, asked tallystick.Digest) error {
	p.Newest = p.History[0]
	if asked != "" {
		i := slices.IndexFunc(p.History, func(l answerLine) bool { return l.Judgement == asked })
		if i < 0 {
			return tallystick.Errorf(tallystick.NotFound, "the last %d answers of %s have none with this digest", len(p.History), p.Name).WithHint("`tallystick comparison judgements` has all of them")
		}
		p.Newest, p.Older = p.History[i], i > 0
	}
	if !p.Reads {
		return nil
	}
	whole, err := s.Comparisons.Judgement(v.ctx(), p.Newest.Judgement)
	if err != nil {
		return err
	}
	p.Whole = &whole
	for _, r := range whole.Rows {
		p.Rows = append(p.Rows, metricLineOf(r))
	}
	for _, r := range whole.Slices[:min(len(whole.Slices), shownSlices)] {
		p.Slices = append(p.Slices, metricLineOf(r))
	}
	p.Picture = differences(&whole)
	return nil
}

func metricLineOf(r comparison.MetricRow) metricLine {
	write := func(n stat.Number) string {
		if !n.Valid() {
			return "–"
		}
		return figure.Percent(float64(n))
	}
	return metricLine{r, write(r.New), write(r.Old), r.Points().String()}
}

// Title names the metric, and the slice if it is of one.
func (l metricLine) Title() string {
	if l.Slice != nil {
		return readable(l.Metric) + " where " + l.Slice.String()
	}
	return readable(l.Metric)
}

// Allowed says by how much the new version may differ.
func (l metricLine) Allowed() string {
	return figure.Percent(math.Abs(l.Margin)) + map[bool]string{true: " less", false: " worse"}[l.Margin < 0]
}

// differences draws the difference of each metric with its interval, and where it would begin to matter.
func differences(j *comparison.VersionsJudgement) template.HTML {
	c := chart.Dots{Header: chart.Header{Title: "Difference of " + j.New + " and " + j.Old, Width: differenceWidth}, Reference: -1}
	panel := chart.Panel{Format: chart.Percent, Limits: []chart.Limit{{Value: 0}}}
	for _, r := range slices.Concat(j.Rows, j.Slices[:min(len(j.Slices), shownSlices)]) {
		if !r.Difference.Valid() {
			continue
		}
		line := metricLineOf(r)
		dot := chart.Dot{Value: float64(r.Difference), Low: float64(r.Low), High: float64(r.High), Mark: markOf(r.Verdict), Tooltip: r.Words}
		switch r.Better {
		case comparison.Less:
			dot.Bounds = []float64{r.Margin}
		case comparison.More:
			dot.Bounds = []float64{-r.Margin}
		case comparison.Either:
			dot.Bounds = []float64{-r.Margin, r.Margin}
		}
		c.Rows = append(c.Rows, chart.DotRow{Label: line.Title(), Note: string(r.Verdict)})
		panel.Dots = append(panel.Dots, dot)
	}
	c.Panels = []chart.Panel{panel}
	return c.SVG()
}

// answersOver draws what was answered about the same two versions, from one answer to the next.
func answersOver(about answerLine, all []comparison.JudgedVersions, now time.Time) template.HTML {
	marks := map[comparison.Verdict]chart.Mark{
		comparison.Promote: chart.Good, comparison.Hold: chart.Unclear, comparison.Inconclusive: chart.Unclear, comparison.Rollback: chart.Bad,
	}
	row := chart.SpanRow{Label: "answer"}
	for _, j := range slices.Backward(all) {
		if j.New != about.New || j.Old != about.Old {
			continue
		}
		if n := len(row.Spans); n > 0 {
			last := &row.Spans[n-1]
			last.To = j.Judged
			if last.Name == string(j.Verdict) { // it was said again
				continue
			}
		}
		row.Spans = append(row.Spans, chart.Span{From: j.Judged, Name: string(j.Verdict), Mark: marks[j.Verdict]})
	}
	row.Spans[len(row.Spans)-1].To = now
	from := row.Spans[0].From
	return chart.Spans{
		Header: chart.Header{Title: "Answers about " + about.New + " and " + about.Old, Width: spansWidth}, From: from.Add(-max(time.Minute, now.Sub(from)/40)), To: now, Rows: []chart.SpanRow{row},
	}.SVG()
}

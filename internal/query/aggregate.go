package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/stat"
)

// What a question for figures may ask at most.
const (
	maxBy         = 4
	maxFigures    = 16 // of each kind
	maxBinsOf     = 200
	maxGroups     = 10_000 // that figures are kept of
	defaultGroups = 100    // that are told
)

// Figures is a question for figures of the predictions that are chosen, by groups.
type Figures struct {
	Selection
	By         []string    // columns whose values make the groups; hour, day and month too
	Rates      []Condition // the share of which each holds
	Means      []string    // columns of numbers
	Quantiles  []Quantiles
	Histograms []Histogram
	Groups     int // told, those with most predictions; 0: 100
}

// Quantiles are asked for of a column of numbers.
type Quantiles struct {
	Column string
	At     []float64 // each from 0 to 1
}

// Histogram is asked for of a column of numbers.
type Histogram struct {
	Column    string
	Bins      int     // of equal width; 0: 20
	Low, High float64 // both 0: from the smallest to the greatest
}

// Figured is what Aggregate found.
type Figured struct {
	Predictions int64            `json:"predictions" doc:"that were chosen"`
	Files       int              `json:"files" doc:"files that were read for it"`
	Groups      []FiguredGroup   `json:"groups" doc:"those with most predictions first; one without a key if nothing was grouped by"`
	More        int              `json:"more_groups,omitempty" doc:"groups that are not told; at least so many if ungrouped is not 0"`
	Ungrouped   int64            `json:"ungrouped,omitempty" doc:"predictions of groups that came after the ten thousandth, of which no figures are kept"`
	Labels      *label.Watermark `json:"labels,omitempty" doc:"up to where labels were known, if the question needs them"`
}

// FiguredGroup is one combination of values of the columns that were grouped by, with its figures in the order in which
// they were asked for.
type FiguredGroup struct {
	Key        []any         `json:"key,omitempty" doc:"number, text, boolean or null for each column"`
	Count      int64         `json:"count"`
	Rates      []FiguredRate `json:"rates,omitempty"`
	Means      []FiguredMean `json:"means,omitempty"`
	Quantiles  []Quantiled   `json:"quantiles,omitempty"`
	Histograms []FiguredBars `json:"histograms,omitempty"`
}

// FiguredRate is a share with its 95 % interval.
type FiguredRate struct {
	Of    string  `json:"of" doc:"condition"`
	Count int64   `json:"count" doc:"predictions of which it holds"`
	N     int64   `json:"n"`
	Rate  float64 `json:"rate"`
	Low   float64 `json:"low" doc:"of the Wilson interval"`
	High  float64 `json:"high"`
}

// FiguredMean tells of the finite numbers of a column.
type FiguredMean struct {
	Column string   `json:"column"`
	N      int64    `json:"n"`
	Mean   *float64 `json:"mean" doc:"null without numbers"`
	Min    *float64 `json:"min"`
	Max    *float64 `json:"max"`
	Other  int64    `json:"other,omitempty" doc:"values that are no finite numbers"`
}

// Quantiled holds quantiles of the finite numbers of a column.
type Quantiled struct {
	Column string    `json:"column"`
	N      int64     `json:"n"`
	Method string    `json:"method" doc:"exact, or the bins and their error"`
	At     []float64 `json:"at"`
	Values []float64 `json:"values" doc:"empty without numbers"`
}

// FiguredBars count the finite numbers of a column by bins of equal width. A number on an edge is of the bin that
// begins there; the last bin has its upper edge too.
type FiguredBars struct {
	Column string  `json:"column"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Counts []int64 `json:"counts" doc:"empty without numbers"`
	Under  int64   `json:"under,omitempty"`
	Over   int64   `json:"over,omitempty"`
}

func (q *Figures) validate() error {
	if len(q.By) > maxBy {
		return tallystick.Errorf(tallystick.Invalid, "figures are grouped by %d columns, the limit is %d", len(q.By), maxBy)
	}
	if n := max(len(q.Rates), len(q.Means), len(q.Quantiles), len(q.Histograms)); n > maxFigures {
		return tallystick.Errorf(tallystick.Invalid, "%d figures of one kind are asked for, the limit is %d", n, maxFigures)
	}
	for _, name := range q.columns() {
		if err := checkColumn(name); err != nil {
			return err
		}
	}
	for _, k := range q.Quantiles {
		if len(k.At) == 0 || len(k.At) > maxFigures {
			return tallystick.Errorf(tallystick.Invalid, "%d quantiles of %s are asked for, between 1 and %d can be", len(k.At), k.Column, maxFigures)
		}
		for _, at := range k.At {
			if !(at >= 0 && at <= 1) {
				return tallystick.Errorf(tallystick.Invalid, "quantile %v of %s is not between 0 and 1", at, k.Column)
			}
		}
	}
	for i := range q.Histograms {
		h := &q.Histograms[i]
		h.Bins = cmp.Or(h.Bins, 20)
		if h.Bins < 1 || h.Bins > maxBinsOf || !(h.Low <= h.High) || math.IsInf(h.High-h.Low, 0) || h.Low == h.High && h.Low != 0 {
			return tallystick.Errorf(tallystick.Invalid, "a histogram of %s in %d bins from %v to %v is none", h.Column, h.Bins, h.Low, h.High).
				WithHint("use 1 to %d bins", maxBinsOf)
		}
	}
	return nil
}

// columns returns what the question needs but for its conditions.
func (q *Figures) columns() []string {
	all := slices.Concat(q.By, q.Means)
	for _, c := range q.Rates {
		all = append(all, c.Column)
	}
	for _, k := range q.Quantiles {
		all = append(all, k.Column)
	}
	for _, h := range q.Histograms {
		all = append(all, h.Column)
	}
	return all
}

// Aggregate answers a question for figures. It reads the files once, and once more for the range of a histogram that
// does not say its own.
func (a *Asker) Aggregate(ctx context.Context, q Figures) (Figured, error) {
	if err := q.validate(); err != nil {
		return Figured{}, err
	}
	files, release, err := a.open(ctx, &q.Selection)
	if err != nil {
		return Figured{}, err
	}
	defer release()
	if err := known(files, append(q.columns(), columnsOf(q.Where)...)); err != nil {
		return Figured{}, err
	}
	p := newPlan(&q.Selection, q.columns()...)
	q.Histograms = slices.Clone(q.Histograms)
	if err := a.range_(ctx, files, p, &q); err != nil {
		return Figured{}, err
	}
	t := newTally(&q, p)
	for f, err := range a.frames(ctx, files, p) {
		if err == nil {
			err = t.add(f)
		}
		if err != nil {
			return Figured{}, err
		}
	}
	answer := t.answer()
	answer.Files = len(files)
	if p.labels {
		answer.Labels = &p.watermark
	}
	return answer, nil
}

func columnsOf(conditions []Condition) (names []string) {
	for _, c := range conditions {
		names = append(names, c.Column)
	}
	return names
}

// known returns a NotFound error for a feature or attribution that no prediction in the files has.
func known(files []*segment.File, columns []string) error {
	if len(files) == 0 {
		return nil
	}
	var all []string
	spills := false
	for _, f := range files {
		for _, c := range f.Columns() {
			all = append(all, c.Name)
			spills = spills || c.Name == columnOverflow
		}
	}
	for _, name := range columns {
		if spills || !strings.HasPrefix(name, "f_") && !strings.HasPrefix(name, "a_") || slices.Contains(all, name) {
			continue
		}
		err := tallystick.Errorf(tallystick.NotFound, "no prediction of that time has %.140q", name)
		if near := tallystick.Nearest(name, all); near != "" {
			return err.WithHint("did you mean %s?", near)
		}
		return err
	}
	return nil
}

// range_ settles the ranges of histograms that do not say their own.
func (a *Asker) range_(ctx context.Context, files []*segment.File, p *plan, q *Figures) error {
	var open []int
	for i, h := range q.Histograms {
		if h.Low == h.High {
			open = append(open, i)
			q.Histograms[i].Low, q.Histograms[i].High = math.Inf(1), math.Inf(-1)
		}
	}
	if len(open) == 0 {
		return nil
	}
	for f, err := range a.frames(ctx, files, p) {
		if err != nil {
			return err
		}
		for _, i := range open {
			h := &q.Histograms[i]
			read := newColumn(p, h.Column)
			for k, row := range f.chosen {
				if x, ok := read.number(f, k, row); ok && finite(x) {
					h.Low, h.High = min(h.Low, x), max(h.High, x)
				}
			}
		}
	}
	return nil
}

func finite(x float64) bool { return x-x == 0 }

// column reads one column of frames, those of labels and periods too.
type column struct {
	at     int
	label  bool
	layout string
}

func newColumn(p *plan, name string) column {
	return column{at: p.column(name), label: name == columnLabel, layout: periodLayout(name)}
}

// value returns what the k-th chosen row, which is row, has.
func (c column) value(f *frame, k, row int) prediction.Value {
	switch {
	case c.label:
		return f.held[k].Value
	case c.layout != "":
		return prediction.String(f.period(c.layout, row))
	}
	return f.value(c.at, row)
}

func (c column) number(f *frame, k, row int) (float64, bool) {
	if c.at >= 0 {
		return f.number(c.at, row)
	}
	v := c.value(f, k, row)
	if !v.IsNumber() {
		return 0, false
	}
	x, _ := v.Float()
	return x, true
}

// appendKey appends what tells the value from others.
func (c column) appendKey(dst []byte, f *frame, k, row int) []byte {
	if c.at >= 0 {
		if cell := &f.cells[c.at]; cell.Kind == segment.Text && !cell.Null[row] {
			return append(append(strconv.AppendInt(dst, int64(len(cell.Bytes[row])), 10), ':'), cell.Bytes[row]...)
		}
	}
	v := c.value(f, k, row)
	if v.Kind() == prediction.Text {
		return append(append(strconv.AppendInt(dst, int64(len(v.Text())), 10), ':'), v.Text()...)
	}
	return append(append(dst, '#'), append(v.AppendJSON(nil), ';')...)
}

// tally gathers the figures of a question.
type tally struct {
	q                             *Figures
	by                            []column
	rates, means, quantiles, bars []column
	groups                        map[string]*gathered
	order                         []*gathered
	total, ungrouped              int64
	beyond                        bool
	key                           []byte
	room                          room
}

// gathered is a group while it is gathered.
type gathered struct {
	key     []prediction.Value
	count   int64
	rates   []int64
	means   []mean
	samples []sample
	bars    []FiguredBars
}

type mean struct {
	n, other        int64
	sum, lost       float64 // Neumaier's compensated sum
	lowest, highest float64
}

func (m *mean) add(x float64) {
	if m.n == 0 {
		m.lowest, m.highest = x, x
	}
	m.n++
	t := m.sum + x
	if math.Abs(m.sum) >= math.Abs(x) {
		m.lost += (m.sum - t) + x
	} else {
		m.lost += (x - t) + m.sum
	}
	m.sum = t
	m.lowest, m.highest = min(m.lowest, x), max(m.highest, x)
}

func newTally(q *Figures, p *plan) *tally {
	t := &tally{q: q, groups: map[string]*gathered{}}
	for _, name := range q.By {
		t.by = append(t.by, newColumn(p, name))
	}
	for _, c := range q.Rates {
		t.rates = append(t.rates, newColumn(p, c.Column))
	}
	for _, name := range q.Means {
		t.means = append(t.means, newColumn(p, name))
	}
	for _, k := range q.Quantiles {
		t.quantiles = append(t.quantiles, newColumn(p, k.Column))
	}
	for _, h := range q.Histograms {
		t.bars = append(t.bars, newColumn(p, h.Column))
	}
	if len(q.By) == 0 {
		t.group(nil, nil, 0, 0)
	}
	return t
}

// group returns the group of a key, nil if there are too many.
func (t *tally) group(key []byte, f *frame, k, row int) *gathered {
	if g := t.groups[string(key)]; g != nil {
		return g
	}
	if len(t.order) == maxGroups {
		t.beyond = true
		return nil
	}
	g := &gathered{
		rates: make([]int64, len(t.rates)), means: make([]mean, len(t.means)), samples: make([]sample, len(t.quantiles)), bars: make([]FiguredBars, len(t.bars)),
	}
	for _, c := range t.by {
		g.key = append(g.key, c.value(f, k, row))
	}
	for i, h := range t.q.Histograms {
		g.bars[i] = FiguredBars{Column: h.Column, Counts: []int64{}}
		if h.Low <= h.High {
			g.bars[i].Low, g.bars[i].High, g.bars[i].Counts = h.Low, h.High, make([]int64, h.Bins)
		}
	}
	t.groups[string(key)] = g
	t.order = append(t.order, g)
	return g
}

// add takes in the rows of a frame.
func (t *tally) add(f *frame) error {
	t.total += int64(len(f.chosen))
	for k, row := range f.chosen {
		key := t.key[:0]
		for _, c := range t.by {
			key = c.appendKey(key, f, k, row)
		}
		t.key = key
		g := t.group(key, f, k, row)
		if g == nil {
			t.ungrouped++
			continue
		}
		g.count++
		if err := t.figures(g, f, k, row); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) figures(g *gathered, f *frame, k, row int) error {
	for i, c := range t.rates {
		if t.q.Rates[i].holds(c.value(f, k, row)) {
			g.rates[i]++
		}
	}
	for i, c := range t.means {
		if x, ok := c.number(f, k, row); ok && finite(x) {
			g.means[i].add(x)
		} else {
			g.means[i].other++
		}
	}
	for i, c := range t.quantiles {
		if x, ok := c.number(f, k, row); ok && finite(x) && !g.samples[i].add(x, &t.room) {
			return tallystick.Errorf(tallystick.Invalid, "the quantiles of so many groups take too much memory").WithHint("ask for fewer groups, or for a shorter time")
		}
	}
	for i, c := range t.bars {
		if x, ok := c.number(f, k, row); ok && finite(x) {
			g.bars[i].add(x)
		}
	}
	return nil
}

func (b *FiguredBars) add(x float64) {
	switch {
	case x < b.Low:
		b.Under++
	case x > b.High:
		b.Over++
	case b.Low == b.High:
		b.Counts[0]++
	default:
		n := len(b.Counts)
		b.Counts[min(int((x-b.Low)/(b.High-b.Low)*float64(n)), n-1)]++
	}
}

func (t *tally) answer() Figured {
	answer := Figured{Predictions: t.total, Ungrouped: t.ungrouped, Groups: []FiguredGroup{}}
	slices.SortStableFunc(t.order, func(a, b *gathered) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.CompareFunc(a.key, b.key, func(x, y prediction.Value) int { return strings.Compare(x.String(), y.String()) }))
	})
	told := min(len(t.order), cmp.Or(t.q.Groups, defaultGroups))
	answer.More = len(t.order) - told
	for _, g := range t.order[:told] {
		answer.Groups = append(answer.Groups, t.told(g))
	}
	return answer
}

func (t *tally) told(g *gathered) FiguredGroup {
	out := FiguredGroup{Count: g.count, Histograms: g.bars}
	for _, v := range g.key {
		out.Key = append(out.Key, Plain(v))
	}
	for i, k := range g.rates {
		rate := FiguredRate{Of: t.q.Rates[i].String(), Count: k, N: g.count}
		if g.count > 0 {
			e := stat.Proportion{K: k, N: g.count}.Estimate()
			rate.Rate, rate.Low, rate.High = e.Value, e.Interval.Low, e.Interval.High
		}
		out.Rates = append(out.Rates, rate)
	}
	for i := range g.means {
		m := &g.means[i]
		is := FiguredMean{Column: t.q.Means[i], N: m.n, Other: m.other}
		if value := (m.sum + m.lost) / float64(m.n); m.n > 0 && finite(value) {
			is.Mean, is.Min, is.Max = &value, &m.lowest, &m.highest
		}
		out.Means = append(out.Means, is)
	}
	for i := range g.samples {
		s, asked := &g.samples[i], t.q.Quantiles[i]
		is := Quantiled{Column: asked.Column, N: s.n, Method: exactly, At: asked.At, Values: []float64{}}
		if s.n > 0 {
			is.Values, is.Method = s.quantiles(asked.At)
		}
		out.Quantiles = append(out.Quantiles, is)
	}
	return out
}

// Plain returns a value as encoding/json writes it: what JSON has no number for is text, as in a record.
func Plain(v prediction.Value) any {
	switch v.Kind() {
	case prediction.Bool:
		return v.Bool()
	case prediction.Int:
		return v.Int()
	case prediction.Float:
		if f, _ := v.Float(); finite(f) {
			return f
		}
		return strings.Trim(v.String(), `"`)
	case prediction.Text:
		return v.Text()
	}
	return nil
}

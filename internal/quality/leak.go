package quality

import (
	"fmt"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// Leak is how well one column alone predicts the label. A column that predicts it too well is
// perhaps not known before it.
type Leak struct {
	Column    string             `json:"column"`
	Statistic string             `json:"statistic"` // roc_auc, lambda or correlation
	Value     stat.Estimate      `json:"value"`     // roc_auc of the better direction, correlation without its sign
	Verdict   tallystick.Verdict `json:"verdict"`   // pass: no suspicion
	Words     string             `json:"words"`
}

// The statistics of a Leak.
const (
	// StatisticAUC is for labels of two classes: the area under the ROC curve of the column's
	// values, or of its categories ordered by their rate of the second class.
	StatisticAUC = "roc_auc"
	// StatisticLambda is for labels of more classes: the share of the mistakes of "always guess the
	// commonest class" that knowing the column's value avoids (Goodman and Kruskal, JASA 49 (1954)
	// 732-764).
	StatisticLambda = "lambda"
	// StatisticCorrelation is for labels that are numbers: Pearson's or Spearman's correlation,
	// whichever is stronger; for categories the correlation of the label with its category's mean.
	StatisticCorrelation = "correlation"
)

// leakLimits are the lower bounds of the interval from which a statistic is suspicious.
var leakLimits = map[string]struct{ warn, fail float64 }{
	StatisticAUC:         {0.95, 0.98},
	StatisticLambda:      {0.95, 0.98},
	StatisticCorrelation: {0.97, 0.99},
}

// minLeakRows is the number of labelled rows, for classes that of the smaller one, below which
// nothing is said.
const minLeakRows = 10

// LeakConfig says what a LeakDetector looks at.
type LeakConfig struct {
	Column  table.Column
	Classes int  // of the label; 0 for a label that is a number
	Ordinal bool // the column only says when or where a row was recorded: at most a warning
}

// LeakDetector asks how well one column alone predicts the label, block by block in bounded
// memory. Categories are counted exactly. Of numbers a systematic sample is kept, per class at
// most 65,536 rows for two classes, fewer for more. What is learnt from the rows, such as the rate
// of the label in each category, is learnt from one half of them and judged on the other, so that
// a column of many rare values does not look like a leak.
type LeakDetector struct {
	cfg  LeakConfig
	row  int64 // of the next block
	zero int64 // first time seen, so that times keep their resolution

	samples []sample   // of numbers, by class
	missing [][2]int64 // numbers: rows without a value, by class and half
	cells   halves     // categories, code+1 being the cell and 0 for missing
	pairs   pairs      // numbers with numbers
	means   cellMeans  // categories with numbers
	wide    bool       // more categories than can be counted
}

// maxLeakCells bounds the counters of categories by classes.
const maxLeakCells = 1 << 21

// NewLeakDetector returns a LeakDetector that has seen nothing.
func NewLeakDetector(cfg LeakConfig) *LeakDetector {
	d := &LeakDetector{cfg: cfg, zero: math.MinInt64, samples: make([]sample, cfg.Classes), missing: make([][2]int64, cfg.Classes)}
	for i := range d.samples {
		d.samples[i].limit = max(1024, 1<<17/cfg.Classes)
	}
	d.cells.classes = cfg.Classes
	return d
}

// AddClasses takes in the next n rows. class returns the label of row i of the block, negative for
// none. A nil vector stands for the number of the row.
func (d *LeakDetector) AddClasses(n int, v *table.Vector, class func(i int) int) {
	d.add(n, v, func(i int, x float64, missing bool) {
		c := class(i)
		switch {
		case c < 0 || c >= d.cfg.Classes:
		case missing:
			d.missing[c][half(d.row+int64(i))]++
		default:
			d.samples[c].add(x)
		}
	}, func(i, cell int) {
		c := class(i)
		if c < 0 || c >= d.cfg.Classes {
			return
		}
		if (cell+1)*d.cfg.Classes > maxLeakCells {
			d.wide = true
			return
		}
		d.cells.add(half(d.row+int64(i)), cell, c, 1)
	})
}

// AddNumbers takes in the next n rows of a label that is a number. label returns that of row i of
// the block, NaN for none. A nil vector stands for the number of the row.
func (d *LeakDetector) AddNumbers(n int, v *table.Vector, label func(i int) float64) {
	d.add(n, v, func(i int, x float64, missing bool) {
		if y := label(i); y-y == 0 && !missing && x-x == 0 {
			d.pairs.add(x, y)
		}
	}, func(i, cell int) {
		y := label(i)
		if y-y != 0 {
			return
		}
		if cell > maxLeakCells {
			d.wide = true
			return
		}
		d.means.add(half(d.row+int64(i)), cell, y)
	})
}

// add calls number or category for each row.
func (d *LeakDetector) add(n int, v *table.Vector, number func(i int, x float64, missing bool), category func(i, cell int)) {
	switch {
	case v == nil:
		for i := range n {
			number(i, float64(d.row+int64(i)), false)
		}
	case v.Kind == table.Number:
		for i, x := range v.Float {
			number(i, x, x != x)
		}
	case v.Kind == table.Category:
		for i, code := range v.Code {
			category(i, int(code+1)) // NoCode + 1 is 0
		}
	case v.Kind == table.Time:
		for i, at := range v.Time {
			missing := v.Null != nil && v.Null[i]
			if d.zero == math.MinInt64 && !missing {
				d.zero = at
			}
			number(i, float64(at-d.zero), missing)
		}
	}
	d.row += int64(n)
}

// half deals rows out to two halves that no period of the data can follow.
func half(row int64) int { return int(mix(uint64(row)) & 1) }

// Result says how well the column predicts the label.
func (d *LeakDetector) Result() Leak {
	var statistic string
	var best stat.Estimate
	var same bool // the label under another name
	switch d.cfg.Classes {
	case 0:
		statistic = StatisticCorrelation
		best, same = d.correlation()
	case 2:
		statistic = StatisticAUC
		best, same = d.auc()
	default:
		statistic = StatisticLambda
		best, same = d.lambda()
	}
	l := Leak{Column: d.cfg.Column.Name, Statistic: statistic, Value: best}
	l.Verdict, l.Words = d.judge(statistic, best, same)
	return l
}

func (d *LeakDetector) judge(statistic string, value stat.Estimate, same bool) (tallystick.Verdict, string) {
	name := d.cfg.Column.Name
	switch {
	case d.cfg.Column.Kind == table.Text:
		return tallystick.Insufficient, fmt.Sprintf("%s is text with too many different values to be held against the label", name)
	case d.wide:
		return tallystick.Insufficient, fmt.Sprintf("%s has too many different values to be held against the label", name)
	case !value.Valid() || value.N < minLeakRows:
		return tallystick.Insufficient, fmt.Sprintf("too few labelled rows to say whether %s leaks the label: %d are needed of each class", name, minLeakRows)
	}
	limits := leakLimits[statistic]
	found := fmt.Sprintf("%s %s, at least %s", statisticWords[statistic], number(value.Value), number(value.Interval.Low))
	verdict := tallystick.Pass
	switch {
	case value.Interval.Low >= limits.fail:
		verdict = tallystick.Fail
	case value.Interval.Low >= limits.warn:
		verdict = tallystick.Warn
	}
	switch {
	case verdict == tallystick.Pass:
		return verdict, fmt.Sprintf("%s alone does not give the label away (%s)", name, found)
	case d.cfg.Ordinal:
		return tallystick.Warn, fmt.Sprintf("%s alone predicts the label (%s): rows lie in the order of their labels, so windows hold different labels", name, found)
	case same:
		return verdict, fmt.Sprintf("%s is the label under another name (%s)", name, found)
	}
	return verdict, fmt.Sprintf("%s alone predicts the label (%s): if it is known only after the outcome, every metric here looks better than it is", name, found)
}

var statisticWords = map[string]string{
	StatisticAUC: "ROC AUC", StatisticLambda: "share of mistakes avoided", StatisticCorrelation: "correlation",
}

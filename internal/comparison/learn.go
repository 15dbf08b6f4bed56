package comparison

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
)

// teaching is how many predictions of each version tell what is compared: where the deciles of scores are, and which values
// are slices. What is chosen so is chosen before anything is wagered on it.
const teaching = 100

// learnt is what the first windows told.
type learnt struct {
	windows []([2]int64) // rows of each version
	until   int          // the first window that is wagered on; len(windows) if there are too few predictions
	edges   []float64    // deciles of the old version's scores
	slices  []SliceOf
	index   []map[string]int // of each column of slices, the values
	groups  []map[string]int // of each metric of fairness, its groups
}

// SliceOf is the predictions with one value of a feature.
type SliceOf struct {
	Feature string `json:"feature"`
	Value   string `json:"value"`
}

// String returns the slice as sentences have it.
func (s SliceOf) String() string { return s.Feature + " = " + s.Value }

// settleWindows finds where wagering begins.
func (l *learnt) settleWindows() {
	var rows [2]int64
	for i, w := range l.windows {
		rows[newer], rows[older] = rows[newer]+w[newer], rows[older]+w[older]
		if min(rows[newer], rows[older]) >= teaching {
			l.until = i + 1
			return
		}
	}
	l.until = len(l.windows)
}

// settleScores takes the deciles of the old version's scores.
func (l *learnt) settleScores(scores []float64) {
	if len(scores) < teaching {
		return
	}
	slices.Sort(scores)
	for k := 1; k < 10; k++ {
		edge := scores[(len(scores)*k+9)/10-1]
		if edge < scores[len(scores)-1] { // all are at or below the greatest
			l.edges = append(l.edges, edge)
		}
	}
	l.edges = slices.Compact(l.edges)
}

// settleSlices takes the most frequent values of each column.
func (l *learnt) settleSlices(names []string, counts []map[string]int64) {
	for i, name := range names {
		index := map[string]int{}
		for _, value := range frequent(counts[i], maxValues) {
			index[value] = len(l.slices)
			l.slices = append(l.slices, SliceOf{name, value})
		}
		l.index = append(l.index, index)
	}
}

// settleGroups takes the most frequent groups of each metric of fairness.
func (l *learnt) settleGroups(counts []map[string]int64) {
	for _, of := range counts {
		index := map[string]int{}
		for i, value := range frequent(of, maxGroups) {
			index[value] = i
		}
		l.groups = append(l.groups, index)
	}
}

func frequent(counts map[string]int64, most int) []string {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	return values[:min(len(values), most)]
}

// slice returns which slice a value of a column is, -1 if it is none.
func (l *learnt) slice(column int, v prediction.Value) int {
	if at, ok := l.index[column][word(v)]; ok && !v.IsNull() {
		return at
	}
	return -1
}

// below returns the first edge that a score is at or below; the number of edges if it is above all.
func (l *learnt) below(v prediction.Value) (uint16, bool) {
	x, ok := number(v)
	if !ok || len(l.edges) == 0 {
		return 0, false
	}
	at, _ := slices.BinarySearch(l.edges, x)
	return uint16(at), true
}

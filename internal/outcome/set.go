// Package outcome holds the predictions of a stretch of time with what is known of how they turned out: in bounded memory,
// and in an order that does not depend on how they are stored, so that whoever computes a figure again gets the same bits.
package outcome

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Bounds of a Set.
const (
	MaxRows    = 500_000 // that are kept; of more, those of smallest hash
	MaxGroups  = 4       // attributes
	MaxValues  = 200     // of one attribute
	MaxClasses = 100
	MaxParts   = 64
)

// None is the value of an attribute that a prediction does not have.
const None = "(none)"

// Prediction is what a Set is told of one prediction.
type Prediction struct {
	ID            prediction.ID
	Time          prediction.Time
	Score, Output prediction.Value
	Label         prediction.Value // null: none is known
	Event         uint64           // that recorded the label
	Lag           time.Duration    // from the prediction to its first label on record
	Groups        []prediction.Value
	Parts         uint64 // those that it belongs to, a bit each
}

// Set is a set of predictions. It is for one goroutine.
type Set struct {
	Reading  Reading
	Groups   []string // names of the attributes
	Rows     int64    // predictions
	Labelled int64    // of those, with a label
	Unread   int64    // values of outputs and labels that do not say what they mean
	Example  string   // one of those, the first by its bytes
	Newest   uint64   // event that recorded the last of the labels that count
	Thinned  int      // one prediction in 2^Thinned is kept

	kept    []row
	most    int
	classes names
	values  []names // of attributes
	parts   [MaxParts]struct{ rows, labelled int64 }
	settled bool
	wrong   string // why the groups cannot be compared
}

// row is a prediction that is kept. NaN stands for what is not known.
type row struct {
	id                       prediction.ID
	at                       prediction.Time
	score, predicted, actual float64 // of classes 0 and 1, or the number of the class
	lag                      float64 // seconds
	groups                   [MaxGroups]uint16
	parts                    uint64
}

// New returns an empty set. Attributes beyond MaxGroups are an Invalid error.
func New(r Reading, groups []string) (*Set, error) {
	if len(groups) > MaxGroups {
		return nil, tallystick.Errorf(tallystick.Invalid, "%d attributes of groups are more than %d", len(groups), MaxGroups)
	}
	return &Set{Reading: r, Groups: groups, most: MaxRows, classes: names{most: MaxClasses}, values: make([]names, len(groups))}, nil
}

// names numbers values in the order in which they come.
type names struct {
	most  int
	codes map[string]uint16
	full  bool
}

func (n *names) code(value string) (uint16, bool) {
	if code, ok := n.codes[value]; ok {
		return code, true
	}
	if len(n.codes) >= n.most {
		n.full = true
		return 0, false
	}
	if n.codes == nil {
		n.codes = map[string]uint16{}
	}
	code := uint16(len(n.codes))
	n.codes[value] = code
	return code, true
}

// sorted returns the values in the order of their bytes, and for each number the place of its value there.
func (n *names) sorted() (values []string, places []uint16) {
	for value := range n.codes {
		values = append(values, value)
	}
	slices.Sort(values)
	places = make([]uint16, len(values))
	for i, value := range values {
		places[n.codes[value]] = uint16(i)
	}
	return values, places
}

// hash spreads ids evenly (FNV-1a, then the finaliser of SplitMix64), so that which rows of many are kept depends on nothing
// but their ids.
func hash(id prediction.ID) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range id {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// chosen reports whether an id is among one in 2^thinned.
func chosen(id prediction.ID, thinned int) bool { return hash(id)&(1<<thinned-1) == 0 }

// Add takes in a prediction.
func (s *Set) Add(p *Prediction) {
	s.Rows++
	r := row{id: p.ID, at: p.Time, score: finite(p.Score), predicted: s.predicted(p), actual: math.NaN(), lag: p.Lag.Seconds(), parts: p.Parts}
	for left := p.Parts; left != 0; left &= left - 1 {
		of := &s.parts[bits.TrailingZeros64(left)]
		if of.rows++; !p.Label.IsNull() {
			of.labelled++
		}
	}
	if !p.Label.IsNull() {
		s.Labelled++
		s.Newest = max(s.Newest, p.Event)
		r.actual = s.actual(p.Label)
	}
	for i, v := range p.Groups {
		text := None
		if !v.IsNull() {
			text = v.String()
		}
		s.values[i].most = MaxValues
		code, ok := s.values[i].code(text)
		if r.groups[i] = code; !ok {
			s.wrong = s.Groups[i]
		}
	}
	if !chosen(p.ID, s.Thinned) {
		return
	}
	s.kept = append(s.kept, r)
	for len(s.kept) > s.most {
		s.Thinned++
		s.kept = slices.DeleteFunc(s.kept, func(r row) bool { return !chosen(r.id, s.Thinned) })
	}
}

func (s *Set) unread(v prediction.Value) float64 {
	s.Unread++
	if text := v.String(); s.Example == "" || text < s.Example {
		s.Example = text
	}
	return math.NaN()
}

func (s *Set) predicted(p *Prediction) float64 {
	switch s.Reading.Task {
	case performance.Regression:
		return finite(p.Output)
	case performance.Multiclass:
		return s.class(p.Output)
	}
	a := s.Reading.decided(p.Score, p.Output)
	if a == unread {
		if s.Reading.Threshold == nil && !p.Output.IsNull() {
			return s.unread(p.Output)
		}
		return math.NaN()
	}
	return float64(a)
}

func (s *Set) actual(label prediction.Value) float64 {
	switch s.Reading.Task {
	case performance.Regression:
		if x := finite(label); x == x {
			return x
		}
		return s.unread(label)
	case performance.Multiclass:
		return s.class(label)
	}
	a := read(label, s.Reading.Positive)
	if a == unread {
		return s.unread(label)
	}
	return float64(a)
}

func (s *Set) class(v prediction.Value) float64 {
	if v.IsNull() {
		return math.NaN()
	}
	code, ok := s.classes.code(v.String())
	if !ok {
		return s.unread(v)
	}
	return float64(code)
}

// finite returns a number, NaN if it is none or not finite.
func finite(v prediction.Value) float64 {
	if x, _ := v.Float(); v.IsNumber() && x-x == 0 {
		return x
	}
	return math.NaN()
}

// Settle puts the rows in the order of time and ids.
func (s *Set) Settle() {
	if s.settled {
		return
	}
	s.settled = true
	slices.SortFunc(s.kept, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.at, b.at), bytes.Compare(a.id[:], b.id[:]))
	})
}

// Part returns the predictions of one of the parts, as a set that nothing is added to.
func (s *Set) Part(i int) *Set {
	s.Settle()
	part := &Set{Reading: s.Reading, Rows: s.parts[i].rows, Labelled: s.parts[i].labelled, Newest: s.Newest, Thinned: s.Thinned, classes: s.classes, settled: true}
	for _, r := range s.kept {
		if r.parts>>i&1 == 1 {
			part.kept = append(part.kept, r)
		}
	}
	return part
}

// Lags returns the quantiles of the time from a prediction to its first label on record, of those that have one; NaN
// without any.
func (s *Set) Lags(qs ...float64) []time.Duration {
	var lags []float64
	for _, r := range s.kept {
		if r.actual == r.actual {
			lags = append(lags, r.lag)
		}
	}
	return quantiles(lags, qs)
}

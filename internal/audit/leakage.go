package audit

import (
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/table"
)

// leakWatch feeds one column and the labels to the detector of leaks. A nil watch does nothing.
type leakWatch struct {
	looked   *looked
	detector *quality.LeakDetector
}

// leakDetector returns nil for a column that is no input of the model, or where nothing is known
// of the labels.
func (pass *columnPass) leakDetector(c table.Column, role string) *leakWatch {
	l := pass.rows.looked
	if pass.plan.Label == "" || pass.rows.labelled == 0 || c.Kind == table.Text {
		return nil
	}
	ordinal := role == "time" || c.Kind == table.Time
	if !ordinal && role != "feature" && role != "group" {
		return nil
	}
	return &leakWatch{looked: l, detector: quality.NewLeakDetector(quality.LeakConfig{
		Column: c, Classes: l.classes, Ordinal: ordinal,
	})}
}

// add takes in the looked-at rows of a block.
func (l *leakWatch) add(s *strip) {
	switch {
	case l == nil || s.n == 0:
	case l.looked.class != nil:
		class := l.looked.class[s.at:]
		l.detector.AddClasses(s.n, &s.vector, func(i int) int {
			if class[i] == noClass {
				return -1
			}
			return int(class[i])
		})
	case l.looked.actual != nil:
		actual := l.looked.actual[s.at:]
		l.detector.AddNumbers(s.n, &s.vector, func(i int) float64 { return actual[i] })
	}
}

// result returns nil where the column was not looked at.
func (l *leakWatch) result() *quality.Leak {
	if l == nil {
		return nil
	}
	leak := l.detector.Result()
	return &leak
}

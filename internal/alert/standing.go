package alert

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick"
)

// Terms say how often something must be bad for its alert to fire, and good for it to resolve.
type Terms struct {
	On   tallystick.Verdict `json:"on" doc:"verdict from which a window is bad: fail or warn"`
	Bad  int                `json:"bad" doc:"so many bad windows fire the alert"`
	Of   int                `json:"of" doc:"of so many that were judged last"`
	Good int                `json:"good" doc:"so many windows in a row that pass resolve it"`
}

// Defaults are the terms of what states none: two of three bad windows, three good ones. One bad window is often
// chance, and an alert that comes and goes is read by nobody; Alertmanager's "for" and "keep_firing_for" have the
// same purpose in time.
func Defaults() Terms { return Terms{On: tallystick.Fail, Bad: 2, Of: 3, Good: 3} }

// AtOnce are the terms of what fires at the first bad window and resolves at the first good one: missing telemetry, and
// judgements that look at several windows themselves.
func AtOnce() Terms { return Terms{On: tallystick.Fail, Bad: 1, Of: 1, Good: 1} }

// maxWindows bounds Of and Good.
const maxWindows = 50

// looked is one window in a standing.
type looked struct {
	From    int64              `json:"f"` // microseconds
	Verdict tallystick.Verdict `json:"v"`
}

// standing is what is known of a thing whose alert is pending or firing: its last verdicts, by window.
type standing struct {
	recent      []looked // oldest window first
	unjudged    int64    // windows in a row without a verdict
	unjudgedUs  int64    // beginning of the first of them
	lastUs      int64    // beginning of the last window with a verdict
	lastVerdict tallystick.Verdict
	lastDigest  tallystick.Digest
}

// settles reports whether a verdict is one: that too little was seen, or that an interval crosses a limit, neither
// fires an alert nor resolves it.
func settles(v tallystick.Verdict) bool {
	return v == tallystick.Pass || v == tallystick.Warn || v == tallystick.Fail
}

func (t Terms) bad(v tallystick.Verdict) bool {
	return v == tallystick.Fail || v == tallystick.Warn && t.On == tallystick.Warn
}

// note takes a window in. A window that was judged before is judged anew, and one that is older than what is kept
// changes nothing.
func (s *standing) note(o *Observation, t Terms) {
	from := o.From.UnixMicro()
	if !settles(o.Verdict) {
		if i := s.find(from); i >= 0 { // it was judged, and is taken back
			s.recent = slices.Delete(s.recent, i, i+1)
		}
		if s.unjudged++; s.unjudgedUs == 0 {
			s.unjudgedUs = from
		}
		return
	}
	s.unjudged, s.unjudgedUs = 0, 0
	if from >= s.lastUs {
		s.lastUs, s.lastVerdict, s.lastDigest = from, o.Verdict, o.Evidence
	}
	if i := s.find(from); i >= 0 {
		s.recent[i].Verdict = o.Verdict
		return
	}
	at, _ := slices.BinarySearchFunc(s.recent, from, func(l looked, from int64) int { return cmp.Compare(l.From, from) })
	s.recent = slices.Insert(s.recent, at, looked{from, o.Verdict})
	if most := max(t.Of, t.Good); len(s.recent) > most {
		s.recent = s.recent[len(s.recent)-most:]
	}
}

func (s *standing) find(from int64) int {
	return slices.IndexFunc(s.recent, func(l looked) bool { return l.From == from })
}

// newest returns the last n windows that were judged, fewer if there are.
func (s *standing) newest(n int) []looked { return s.recent[max(0, len(s.recent)-n):] }

// fires reports whether enough of the last windows were bad.
func (s *standing) fires(t Terms) bool {
	n := 0
	for _, l := range s.newest(t.Of) {
		if t.bad(l.Verdict) {
			n++
		}
	}
	return n >= t.Bad
}

// clear reports whether the last windows passed, so many in a row as resolve an alert that fires.
func (s *standing) clear(t Terms) bool {
	last := s.newest(t.Good)
	return len(last) == t.Good && !slices.ContainsFunc(last, func(l looked) bool { return l.Verdict != tallystick.Pass })
}

// calm reports whether none of the windows that count for firing was bad: an alert that is pending ends.
func (s *standing) calm(t Terms) bool {
	last := s.newest(t.Of)
	return (len(last) == t.Of || len(last) == 0) && !slices.ContainsFunc(last, func(l looked) bool { return t.bad(l.Verdict) })
}

package label

import (
	"cmp"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// What a batch and a label may have at most. Lengths are in bytes.
const (
	MaxLabels = 10_000
	maxBatch  = 128
	maxSource = 128
	maxNote   = 1024
)

// ahead is how far the clock of a sender may be ahead of ours.
const ahead = 5 * time.Minute

// Label is the outcome of one prediction.
type Label struct {
	Prediction prediction.ID
	Value      prediction.Value // null takes back what was said before
	Time       prediction.Time  // of the outcome
	Stated     prediction.Time  // when the source said so; zero: when it was received
	Source     string           // who or what said so
	Note       string
}

// Key names a prediction by something else than its ID. At most one is set.
type Key struct {
	Trace   prediction.TraceID
	Subject string
}

// IsZero reports whether k names nothing.
func (k Key) IsZero() bool { return k == Key{} }

// Sent is a label as it came in.
type Sent struct {
	Label
	Key Key    // in place of an ID
	Err error  // why it cannot be read; then the rest is empty
	raw []byte // what cannot be read
}

// RejectedLabel says why a label was not taken.
type RejectedLabel struct {
	Index   int             `json:"index" doc:"place of the label in the batch, from 0"`
	Code    tallystick.Code `json:"code" enum:"invalid,not_found,conflict"`
	Message string          `json:"message"`
	Hint    string          `json:"hint,omitempty"`
}

// Reject says why the label at a place was not taken.
func Reject(index int, err error) RejectedLabel {
	message, hint := tallystick.Words(err)
	return RejectedLabel{Index: index, Code: tallystick.CodeOf(err), Message: message, Hint: hint}
}

// validate returns an Invalid error unless the label is whole and could have been stated by now.
func (l *Label) validate(now time.Time) error {
	latest := prediction.TimeOf(now.Add(ahead))
	switch {
	case l.Prediction.IsZero():
		return tallystick.Errorf(tallystick.Invalid, "nothing says which prediction it is about").WithHint("give prediction, trace_id or subject")
	case l.Time.IsZero():
		return tallystick.Errorf(tallystick.Invalid, "time is missing: when the outcome was")
	case l.Time > latest:
		return tallystick.Errorf(tallystick.Invalid, "time %s lies ahead: it is no outcome yet", l.Time)
	case l.Stated > latest:
		return tallystick.Errorf(tallystick.Invalid, "stated %s lies ahead: it would stand against all corrections until then", l.Stated)
	}
	return cmp.Or(text("source", l.Source, maxSource), text("note", l.Note, maxNote))
}

func text(name, s string, most int) error {
	if len(s) > most {
		return tallystick.Errorf(tallystick.Invalid, "%s is %d bytes long, the limit is %d", name, len(s), most)
	}
	if !utf8.ValidString(s) {
		return tallystick.Errorf(tallystick.Invalid, "%s is not UTF-8", name)
	}
	for _, r := range s {
		if r == 0 {
			return tallystick.Errorf(tallystick.Invalid, "%s has a NUL", name)
		}
	}
	return nil
}

package label

import (
	"bytes"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// The members of a label in JSON, and the columns of a CSV file.
const (
	memberPrediction = "prediction"
	memberTrace      = "trace_id"
	memberSubject    = "subject"
	memberValue      = "value"
	memberTime       = "time"
	memberStated     = "stated"
	memberSource     = "source"
	memberNote       = "note"
)

const maxSubject = 256 // as in a record

// appendLine appends the canonical JSON of a label, what is absent left out, and a line feed.
func appendLine(dst []byte, l *Label, key Key) []byte {
	f := make(prediction.Features, 0, 8) // in the order of the names
	words := func(name, value string) {
		if value != "" {
			f = append(f, prediction.Feature{Name: name, Value: prediction.String(value)})
		}
	}
	words(memberNote, l.Note)
	words(memberPrediction, l.Prediction.String())
	words(memberSource, l.Source)
	if !l.Stated.IsZero() {
		words(memberStated, l.Stated.String())
	}
	words(memberSubject, key.Subject)
	if !l.Time.IsZero() {
		words(memberTime, l.Time.String())
	}
	if key.Trace != (prediction.TraceID{}) {
		words(memberTrace, key.Trace.String())
	}
	f = append(f, prediction.Feature{Name: memberValue, Value: l.Value})
	return append(f.AppendJSON(dst), '\n')
}

// Lines returns the canonical lines of labels.
func Lines(labels []Label) []byte {
	var dst []byte
	for i := range labels {
		dst = appendLine(dst, &labels[i], Key{})
	}
	return dst
}

// ParseLines reads what Lines wrote, and refuses everything else.
func ParseLines(data []byte) ([]Label, error) {
	var labels []Label
	for n := 0; len(data) > 0; n++ {
		line, rest, ended := bytes.Cut(data, []byte{'\n'})
		s := readObject(line)
		if n == MaxLabels || !ended || s.Err != nil || !s.Key.IsZero() || !slices.Equal(appendLine(nil, &s.Label, Key{}), data[:len(line)+1]) {
			return nil, tallystick.Errorf(tallystick.Invalid, "line %d is not the canonical form of a label", n+1)
		}
		labels, data = append(labels, s.Label), rest
	}
	return labels, nil
}

// readObject reads a label from a JSON object.
func readObject(data []byte) Sent {
	var f prediction.Features // an object of values, each name once
	if err := f.UnmarshalJSON(data); err != nil {
		return unread(data, err)
	}
	var b builder
	for _, member := range f {
		b.put(member.Name, member.Value)
	}
	return b.sent(data)
}

// builder puts a label together from its members.
type builder struct {
	Sent
	valued bool
	err    error
}

// put sets a member. A null is as good as none, but as the value.
func (b *builder) put(name string, v prediction.Value) {
	if name == memberValue {
		b.Value, b.valued = v, true
		return
	}
	if v.IsNull() || b.err != nil {
		return
	}
	if v.Kind() != prediction.Text {
		b.err = tallystick.Errorf(tallystick.Invalid, "%s is not text", name)
		return
	}
	b.words(name, v.Text())
}

// words sets a member that is text.
func (b *builder) words(name, s string) {
	var err error
	switch name {
	case memberPrediction:
		b.Prediction, err = prediction.ParseID(s)
	case memberTrace:
		err = b.Key.Trace.UnmarshalText([]byte(s))
	case memberSubject:
		b.Key.Subject, err = s, text(memberSubject, s, maxSubject)
	case memberTime:
		err = b.Time.UnmarshalText([]byte(s))
	case memberStated:
		err = b.Stated.UnmarshalText([]byte(s))
	case memberSource:
		b.Source = s
	case memberNote:
		b.Note = s
	default:
		err = tallystick.Errorf(tallystick.Invalid, "a label has no %.100q", name)
	}
	if err != nil && b.err == nil {
		message, _ := tallystick.Words(err)
		b.err = tallystick.Errorf(tallystick.Invalid, "%.60s: %s", name, message)
	}
}

// sent returns the label. It is read, but nothing says yet that it is valid.
func (b *builder) sent(raw []byte) Sent {
	names := 0
	for _, named := range []bool{!b.Prediction.IsZero(), b.Key.Trace != (prediction.TraceID{}), b.Key.Subject != ""} {
		if named {
			names++
		}
	}
	switch {
	case b.err != nil:
		return unread(raw, b.err)
	case !b.valued:
		return unread(raw, tallystick.Errorf(tallystick.Invalid, "value is missing"))
	case names != 1:
		return unread(raw, tallystick.Errorf(tallystick.Invalid, "it names its prediction in %d ways", names))
	}
	return b.Sent
}

func unread(raw []byte, err error) Sent {
	message, _ := tallystick.Words(err)
	return Sent{raw: slices.Clone(raw), Err: tallystick.Errorf(tallystick.Invalid, "%s", message).
		WithHint("a label has value, time, and one of prediction, trace_id and subject; beside them stated, source and note")}
}

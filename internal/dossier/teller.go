package dossier

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
)

// line is an event in words.
type line struct {
	Sequence uint64
	Time     time.Time
	Type     string
	Outcome  tallystick.Outcome
	Words    string
	Said     []said // what people wrote, if it is shown
}

// said is something that somebody wrote.
type said struct{ What, Text string }

func (l line) At() string { return l.Time.UTC().Format("2006-01-02 15:04:05") }

// write writes the line into the history.
func (l line) write(out *bytes.Buffer) {
	out.WriteString(l.Time.UTC().Format(time.RFC3339))
	out.WriteByte('\t')
	out.WriteString(strconv.FormatUint(l.Sequence, 10))
	out.WriteByte('\t')
	out.WriteString(l.Type)
	out.WriteByte('\t')
	out.WriteString(oneLine(l.Words))
	for _, s := range l.Said {
		out.WriteString(" (" + s.What + ": " + oneLine(s.Text) + ")")
	}
	out.WriteByte('\n')
}

// writings are the fields in which people write freely, and what they are called.
var writings = []said{
	{"description", "reason"}, {"reason", "reason"}, {"purpose", "purpose"}, {"comment", "comment"}, {"conflict", "conflict of interest"}, {"control", "compensating control"},
	{"owner", "owner"}, {"note", "note"}, {"changelog", "changes"}, {"justification", "justification"}, {"recipient", "for"}, {"intended_purpose", "intended purpose"},
}

// teller tells events in words. It keeps the names of people.
type teller struct {
	open   bool
	people catalog.People
	names  map[string]string
}

func newTeller(open bool, people catalog.People) *teller {
	return &teller{open: open, people: people, names: map[string]string{}}
}

func (t *teller) line(ctx context.Context, e trail.Event) (line, error) {
	l := line{Sequence: e.Sequence, Time: e.Time, Type: e.Type.Short(), Outcome: e.Outcome}
	telling := catalog.Telling{Data: e.Sealed()}
	if t.open {
		data, err := e.Data()
		if err != nil {
			return l, err
		}
		if err := t.learn(ctx, catalog.Persons(e, data)); err != nil {
			return l, err
		}
		telling = catalog.Telling{Who: e.Actor, Data: data, Names: t.names}
		for _, w := range writings {
			if text, ok := data[w.What].(string); ok && text != "" {
				l.Said = append(l.Said, said{w.Text, text})
			}
		}
	}
	l.Words = catalog.Words(e, telling)
	return l, nil
}

// learn asks for the names of people whom the teller has not met.
func (t *teller) learn(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, known := t.names[id]; known {
			continue
		}
		names, err := t.people.Names(ctx, []string{id})
		if err != nil {
			return err
		}
		t.names[id] = names[id]
	}
	return nil
}

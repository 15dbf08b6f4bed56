package verify

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

const (
	// MaxLeaf is the largest leaf of a ledger in bytes: tlog-tiles writes the length of an entry
	// as a uint16. Larger evidence is recorded by its digest.
	MaxLeaf = 65535

	specVersion     = "1.0"
	dataContentType = "application/json"

	maxSequenceDigits = 20
	eventTimeLayout   = "2006-01-02T15:04:05.000Z"
)

// Event is one event of the trail, before it is sealed into a leaf.
type Event struct {
	ID       string         // unique in its source
	Source   string         // URI reference of the workspace that recorded it
	Type     string         // name of the event type, with its version
	Subject  string         // what the event is about; may be empty
	Time     time.Time      // kept to the millisecond, in UTC
	Sequence uint64         // position in the trail, gapless
	Data     map[string]any // JSON values; an absent optional field is an explicit nil
}

// Draft is an event encoded except for its sequence number, which a recorder knows only inside
// its transaction.
type Draft struct {
	head, tail []byte // before and behind the number
	openings   []byte
}

// EncodeEvent returns the leaf of e and the disclosures that open its sealed fields.
//
// The leaf is the RFC 8785 form of a CloudEvents 1.0 envelope. Every field of Data for which
// public does not say true is replaced in its own place by {"commitment":"sha256:<hex>"}, see
// [Disclosure]. public is asked with the field's JSON pointer (RFC 6901) inside Data: once per
// field, objects before their members. A public object stands in the clear as a whole; any other
// object is walked, so that each of its members is judged and sealed on its own; arrays and empty
// objects are sealed as one value.
//
// The salts are read from random, 16 bytes per sealed field. Data that cannot be encoded, or whose
// leaf is longer than [MaxLeaf], is an Invalid error.
func EncodeEvent(e Event, public func(pointer string) bool, random io.Reader) (leaf []byte, disclosures []Disclosure, err error) {
	s := sealer{public: public}
	if err := s.begin(&e); err != nil {
		return nil, nil, err
	}
	if err := s.object(e.Data, 0); err != nil {
		return nil, nil, err
	}
	d, err := s.draft(&e, random)
	if err != nil {
		return nil, nil, err
	}
	if leaf, err = d.Leaf(e.Sequence); err != nil {
		return nil, nil, err
	}
	return leaf, s.disclosures(), nil
}

// Drafter drafts events. It keeps its working memory from one to the next, so it is for one
// goroutine at a time. Its zero value is ready.
type Drafter struct {
	sealer sealer
}

// Draft does all the work of [EncodeEvent] that does not need the sequence number. It takes the data
// from members, which must be in the order of RFC 8785 section 3.2.3, each with its own word on
// whether it is public; e.Data and e.Sequence are not looked at. In a map among the values nothing
// is public.
func (d *Drafter) Draft(e Event, members []Member, random io.Reader) (Draft, error) {
	s := &d.sealer
	if err := s.begin(&e); err != nil {
		return Draft{}, err
	}
	if err := s.members(members, 0); err != nil {
		return Draft{}, err
	}
	return s.draft(&e, random)
}

// begin writes what comes before the data of e.
func (s *sealer) begin(e *Event) error {
	s.leaf = append(s.leaf[:0], `{"data":`...)
	s.openings = append(s.openings[:0], '[')
	s.pointer, s.seals = s.pointer[:0], s.seals[:0]
	return e.validate()
}

// draft writes what comes behind the data of e.
func (s *sealer) draft(e *Event, random io.Reader) (Draft, error) {
	s.leaf = append(s.leaf, `,"datacontenttype":"`+dataContentType+`","id":`...)
	s.leaf, _ = appendString(s.leaf, e.ID) // validate has seen that it is UTF-8
	s.leaf = append(s.leaf, `,"sequence":"`...)
	cut := len(s.leaf)
	s.leaf = append(s.leaf, `","source":`...)
	s.leaf, _ = appendString(s.leaf, e.Source)
	s.leaf = append(s.leaf, `,"specversion":"`+specVersion+`"`...)
	if e.Subject != "" {
		s.leaf = append(s.leaf, `,"subject":`...)
		s.leaf, _ = appendString(s.leaf, e.Subject)
	}
	s.leaf = append(s.leaf, `,"time":"`...)
	s.leaf = e.Time.UTC().AppendFormat(s.leaf, eventTimeLayout)
	s.leaf = append(s.leaf, `","type":`...)
	s.leaf, _ = appendString(s.leaf, e.Type)
	s.leaf = append(s.leaf, '}')
	if err := s.finish(random); err != nil {
		return Draft{}, err
	}
	// All in one piece, with room for the number and the tail behind the head: Leaf need not copy the
	// head, which is most of the leaf.
	room := maxSequenceDigits + len(s.leaf) - cut
	kept := make([]byte, 0, len(s.leaf)+room+len(s.openings))
	kept = append(kept, s.leaf[:cut]...)[:cut+room]
	kept = append(kept, s.leaf[cut:]...)
	kept = append(kept, s.openings...)
	return Draft{head: kept[: cut : cut+room], tail: kept[cut+room : len(s.leaf)+room], openings: kept[len(s.leaf)+room:]}, nil
}

// Openings returns what opens the sealed fields, in the order of the leaf, in the form that
// [ParseOpenings] reads. The caller must not change it.
func (d Draft) Openings() []byte { return d.openings }

// Leaf returns the leaf of the draft at its place in the trail. It is valid until the next call, which
// writes the leaf of another place over it.
func (d Draft) Leaf(sequence uint64) ([]byte, error) {
	leaf := strconv.AppendUint(d.head, sequence, 10)
	leaf = append(leaf, d.tail...)
	if len(leaf) > MaxLeaf {
		return nil, errLeafSize(len(leaf))
	}
	return leaf, nil
}

func errLeafSize(n int) error {
	return tallystick.Errorf(tallystick.Invalid, "event is %d bytes long, the limit is %d", n, MaxLeaf).
		WithHint("store large values as evidence and record their digest")
}

func (e *Event) validate() error {
	if err := cmp.Or(
		checkAttribute("id", e.ID, true),
		checkAttribute("source", e.Source, true),
		checkAttribute("type", e.Type, true),
		checkAttribute("subject", e.Subject, false),
	); err != nil {
		return err
	}
	if y := e.Time.UTC().Year(); e.Time.IsZero() || y < 1 || y > 9999 {
		return tallystick.Errorf(tallystick.Invalid, "event %q has no time between the years 1 and 9999", e.ID)
	}
	return nil
}

func checkAttribute(name, value string, required bool) error {
	if value == "" && required {
		return tallystick.Errorf(tallystick.Invalid, "event has no %s", name)
	}
	for i := range len(value) {
		if c := value[i]; c >= 0x20 && c < 0x7f {
			continue
		}
		if !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			return tallystick.Errorf(tallystick.Invalid, "event %s %.40q is not printable UTF-8", name, value)
		}
		break
	}
	return nil
}

// isControl reports whether CloudEvents 1.0 forbids r in an attribute (section "Type System").
func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// SealedEvent is an event as the ledger holds it: Data has a commitment object in the place of
// every sealed field.
type SealedEvent struct {
	Event
}

// DecodeEvent reads a leaf. It accepts only canonical JSON with exactly the members that
// [EncodeEvent] writes, so there is one leaf for one event.
func DecodeEvent(leaf []byte) (SealedEvent, error) {
	e, err := decodeEvent(leaf, (*parser).value)
	return SealedEvent{e}, err
}

// ReadEvent is [DecodeEvent] for whoever needs little of an event: the leaf is judged as strictly, but of the data
// only those members are made that are named.
func ReadEvent(leaf []byte, members ...string) (Event, error) {
	return decodeEvent(leaf, func(p *parser, depth int) (any, bool) { return p.some(depth, members) })
}

// decodeEvent reads a leaf, of which data reads the data.
func decodeEvent(leaf []byte, data func(p *parser, depth int) (any, bool)) (Event, error) {
	if len(leaf) > MaxLeaf {
		return Event{}, errLeafSize(len(leaf))
	}
	p := parser{s: string(leaf)}
	var e envelope
	if !p.members(func(name string) bool {
		read := (*parser).value
		if name == "data" {
			read = data
		}
		value, ok := read(&p, 1)
		e.take(name, value)
		return ok
	}) || p.i != len(p.s) {
		return Event{}, fmt.Errorf("leaf: %w", p.err())
	}
	if err := e.read(); err != nil {
		return Event{}, err
	}
	if err := e.validate(); err != nil {
		return Event{}, err
	}
	return e.Event, nil
}

// envelope is a leaf as it is read, member by member.
type envelope struct {
	Event
	contentType, sequence, specVersion, time string
	wrong                                    error // with the first member that EncodeEvent does not write
}

func errNoData() error { return tallystick.Errorf(tallystick.Invalid, "event has no data") }

// take takes a member of the leaf. One that EncodeEvent does not write is refused.
func (e *envelope) take(name string, value any) {
	var into *string
	switch name {
	case "data":
		var ok bool
		if e.Data, ok = value.(map[string]any); !ok && e.wrong == nil {
			e.wrong = tallystick.Errorf(tallystick.Invalid, "event member data is not an object")
		}
		return
	case "datacontenttype":
		into = &e.contentType
	case "id":
		into = &e.ID
	case "sequence":
		into = &e.sequence
	case "source":
		into = &e.Source
	case "specversion":
		into = &e.specVersion
	case "subject":
		into = &e.Subject
	case "time":
		into = &e.time
	case "type":
		into = &e.Type
	default:
		if e.wrong == nil {
			e.wrong = tallystick.Errorf(tallystick.Invalid, "event has a member %.40q that is not known", name)
		}
		return
	}
	if *into, _ = value.(string); *into == "" && e.wrong == nil {
		e.wrong = tallystick.Errorf(tallystick.Invalid, "event member %s is not a text", name)
	}
}

// read reads what the members say.
func (e *envelope) read() (err error) {
	switch {
	case e.wrong != nil:
		return e.wrong
	case e.Data == nil:
		return errNoData()
	case e.specVersion != specVersion:
		return tallystick.Errorf(tallystick.Invalid, "event has specversion %.40q, want %s", e.specVersion, specVersion)
	case e.contentType != dataContentType:
		return tallystick.Errorf(tallystick.Invalid, "event has datacontenttype %.40q, want %s", e.contentType, dataContentType)
	}
	var room [len(eventTimeLayout) + maxSequenceDigits]byte
	e.Sequence, err = strconv.ParseUint(e.sequence, 10, 64)
	if err != nil || string(strconv.AppendUint(room[:0], e.Sequence, 10)) != e.sequence {
		return tallystick.Errorf(tallystick.Invalid, "event sequence %.40q is not a decimal number", e.sequence)
	}
	e.Time, err = time.Parse(eventTimeLayout, e.time)
	if err != nil || string(e.Time.AppendFormat(room[:0], eventTimeLayout)) != e.time {
		return tallystick.Errorf(tallystick.Invalid, "event time %.40q is not RFC 3339 in UTC with milliseconds", e.time)
	}
	return nil
}

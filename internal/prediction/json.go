package prediction

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// ParseJSON reads one record in the form that the API takes. It refuses what is not JSON, what
// stands twice and what is of the wrong type, with one line that names the field; it does not ask
// whether the record is complete, as Validate does.
//
// A null means that the thing is absent, except among the features. Names that the record does not
// have are gathered in extra.
func ParseJSON(data []byte) (Record, error) {
	var r Record
	err := r.UnmarshalJSON(data)
	return r, err
}

// UnmarshalJSON is ParseJSON for [encoding/json]. As that does with slices, it uses the memory of features and
// attributions again.
func (r *Record) UnmarshalJSON(data []byte) error { return r.ReadJSON(string(data)) }

// ReadJSON is UnmarshalJSON of a text, of which the texts of r are parts then.
func (r *Record) ReadJSON(text string) error {
	*r = Record{Features: r.Features[:0], Attributions: r.Attributions[:0]}
	if !utf8.ValidString(text) {
		return tallystick.Errorf(tallystick.Invalid, "the record is not text in UTF-8")
	}
	p := parser{scanner: scanner{data: text}}
	if err := p.record(r); err != nil {
		return err
	}
	if p.peek(); p.at != len(p.data) {
		return tallystick.Errorf(tallystick.Invalid, "the record is followed by something else, at byte %d", p.at)
	}
	return nil
}

// parser reads records. Its first fault is either one of the syntax, in the scanner, or wrong.
type parser struct {
	scanner
	wrong   error
	unknown []member
	field   string
}

// refuse notes what is wrong with the present field.
func (p *parser) refuse(what string) {
	if p.wrong == nil && p.fault == "" {
		p.wrong = invalid(p.field, what)
	}
}

func (p *parser) record(r *Record) error {
	p.wrong, p.unknown = nil, nil
	if p.peek() != '{' {
		return tallystick.Errorf(tallystick.Invalid, "the record is not a JSON object")
	}
	var seen uint64
	p.object(func(key string) bool {
		p.field = key
		tag := p.member(key, r)
		if tag != 0 && seen&(1<<tag) != 0 {
			p.refuse("stands twice")
		}
		seen |= 1 << tag
		return p.wrong == nil
	})
	if p.fault != "" {
		return tallystick.Errorf(tallystick.Invalid, "the record is not JSON: %s, at byte %d", p.fault, p.at)
	}
	if p.wrong == nil {
		p.gather(r)
	}
	return p.wrong
}

// gather makes extra of what is unknown and of the extra that came.
func (p *parser) gather(r *Record) {
	if len(p.unknown) == 0 {
		return
	}
	extra, twice := appendMembers(nil, p.unknown)
	if p.field = clip(twice); twice != "" {
		p.refuse("stands twice, perhaps once in extra")
	}
	r.Extra = extra
}

// member reads the value of a member and returns its tag, 0 if the record does not have it.
func (p *parser) member(key string, r *Record) Tag {
	switch key {
	case "id":
		p.parse(&r.ID)
		return TagID
	case "time":
		p.parse(&r.Time)
		return TagTime
	case "model":
		return p.text(TagModel, &r.Model)
	case "version_requested":
		return p.text(TagVersionRequested, &r.VersionRequested)
	case "version":
		return p.text(TagVersion, &r.Version)
	case "version_source":
		return p.text(TagVersionSource, &r.VersionSource)
	case "environment":
		return p.text(TagEnvironment, &r.Environment)
	case "route":
		return p.text(TagRoute, &r.Route)
	case "actor":
		return p.text(TagActor, &r.Actor)
	case "subject":
		return p.text(TagSubject, &r.Subject)
	case "trace_id":
		p.parse(&r.TraceID)
		return TagTraceID
	case "span_id":
		p.parse(&r.SpanID)
		return TagSpanID
	case "input_digest":
		return p.text(TagInputDigest, (*string)(&r.InputDigest))
	case "input_keyed":
		v := p.value()
		if r.InputKeyed = v.Bool(); v.kind != Bool && v.kind != Null {
			p.refuse("is not true or false")
		}
		return TagInputKeyed
	case "features":
		r.Features = p.features(r.Features)
		return TagFeatures
	case "features_ref":
		return p.text(TagFeaturesRef, &r.FeaturesRef)
	case "output":
		r.Output = p.value()
		return TagOutput
	}
	return p.laterMember(key, r)
}

func (p *parser) laterMember(key string, r *Record) Tag {
	switch key {
	case "score":
		r.Score = p.value()
		return TagScore
	case "threshold":
		r.Threshold = p.value()
		return TagThreshold
	case "rule":
		return p.text(TagRule, &r.Rule)
	case "rationale":
		return p.text(TagRationale, &r.Rationale)
	case "attributions":
		r.Attributions = p.features(r.Attributions)
		return TagAttributions
	case "latency_us":
		r.Latency = p.value()
		return TagLatency
	case "status":
		return p.text(TagStatus, (*string)(&r.Status))
	case "decided_by":
		return p.text(TagDecidedBy, (*string)(&r.DecidedBy))
	case "override":
		p.override(r)
		return TagOverrideBy
	case "flags":
		p.flags(r)
		return TagFlags
	case "extra":
		if p.peek() == 'n' {
			p.value()
		} else if p.peek() != '{' {
			p.refuse("is not an object")
		} else {
			p.object(func(key string) bool {
				p.unknown = append(p.unknown, member{key, p.canonical(nil, 1)})
				return true
			})
		}
		return TagExtra
	case "body_rule":
		return p.text(TagBodyRule, &r.BodyRule)
	case "request_body":
		r.RequestBody = p.body()
		return TagRequestDigest
	case "response_body":
		r.ResponseBody = p.body()
		return TagResponseDigest
	case "salt":
		p.parse(&r.Salt)
		return TagSalt
	}
	p.unknown = append(p.unknown, member{key, p.canonical(nil, 1)})
	return 0
}

// value reads a scalar.
func (p *parser) value() Value {
	v, ok := p.scalar()
	if !ok {
		p.refuse("is an object or array, not a single value")
	}
	return v
}

// string reads a text or null.
func (p *parser) string() string {
	switch p.peek() {
	case '"':
		return p.scanner.text()
	case 'n':
		p.scalar()
	default:
		p.refuse("is not a text")
	}
	return ""
}

func (p *parser) text(tag Tag, into *string) Tag {
	*into = p.string()
	return tag
}

// parse reads a text that has a form of its own.
func (p *parser) parse(into interface{ UnmarshalText([]byte) error }) {
	if s := p.string(); s != "" && p.fault == "" {
		if err := into.UnmarshalText([]byte(s)); err != nil && p.wrong == nil {
			p.wrong = err
		}
	}
}

func (p *parser) features(f Features) Features {
	field := p.field
	defer func() { p.field = field }()
	if p.peek() == 'n' {
		p.scalar()
		return nil
	}
	if p.peek() != '{' {
		p.refuse("is not an object")
		return nil
	}
	if f == nil {
		f = make(Features, 0, 16)
	}
	ordered := true
	p.object(func(name string) bool {
		v, ok := p.scalar()
		if n := len(f); n > 0 && f[n-1].Name >= name {
			ordered = false
		}
		if f = append(f, Feature{name, v}); !ok {
			p.field = field + "." + clip(name)
			p.refuse("is an object or array, not a single value")
		} else if len(f) > maxFeatures {
			p.refuse("has too many names")
		}
		return p.wrong == nil
	})
	if !ordered {
		f.sort()
	}
	for i := 1; i < len(f) && !ordered; i++ {
		if f[i-1].Name == f[i].Name {
			p.field = field + "." + clip(f[i].Name)
			p.refuse("stands twice")
		}
	}
	if len(f) == 0 {
		return nil
	}
	return f
}

func (p *parser) override(r *Record) {
	if p.peek() == 'n' {
		p.scalar()
		return
	}
	if p.peek() != '{' {
		p.refuse("is not an object")
		return
	}
	o := &Override{}
	var seen [3]bool
	once := func(i int) {
		if seen[i] {
			p.refuse("stands twice")
		}
		seen[i] = true
	}
	p.object(func(key string) bool {
		switch p.field = "override." + clip(key); key {
		case "by":
			o.By = p.string()
			once(0)
		case "from":
			o.From = p.value()
			once(1)
		case "why":
			o.Why = p.string()
			once(2)
		default:
			p.refuse("is not known")
		}
		return p.wrong == nil
	})
	r.Override = o
}

// flags reads the flags in any order, repeated ones too.
func (p *parser) flags(r *Record) {
	if p.peek() == 'n' {
		p.scalar()
		return
	}
	if p.peek() != '[' {
		p.refuse("is not an array")
		return
	}
	p.array(func() bool {
		if p.peek() != '"' {
			p.refuse("has something else than a text")
			return false
		}
		r.Flags = append(r.Flags, p.scanner.text())
		if len(r.Flags) > 4*maxFlags {
			p.refuse("has too many words")
		}
		return p.wrong == nil
	})
	slices.Sort(r.Flags)
	r.Flags = slices.Compact(r.Flags)
}

var (
	_ json.Unmarshaler = (*Record)(nil)
	_ json.Marshaler   = (*Record)(nil)
)

package obligation

import (
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// State says how far evidence, or all evidence for a control, is there.
type State string

// The states. What is stale was there and counts no longer: it is too old, or about another version or
// other files. What is not applicable does not concern the model, or not yet.
const (
	Present       State = "present"
	Stale         State = "stale"
	Missing       State = "missing"
	NotApplicable State = "not_applicable"
)

// ParseState returns the state of that name, or an Invalid error.
func ParseState(name string) (State, error) {
	switch s := State(strings.ReplaceAll(name, "-", "_")); s {
	case Present, Stale, Missing, NotApplicable, "":
		return s, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "state %.40q is not known", name).WithHint("use present, stale, missing or not_applicable")
}

// Piece is one type of evidence that a control asks for, as it stands for a model.
type Piece struct {
	Type    string            `json:"type" doc:"type of the evidence, such as eval.report"`
	Noun    string            `json:"noun" doc:"the type in words"`
	What    string            `json:"what" doc:"what such evidence holds"`
	State   State             `json:"state" enum:"present,stale,missing,not_applicable"`
	Words   string            `json:"words" doc:"the state in words, with its reason"`
	Event   uint64            `json:"event,omitempty" doc:"sequence of the event that recorded it"`
	Digest  tallystick.Digest `json:"evidence_digest,omitempty" doc:"of what was recorded"`
	Version string            `json:"of_version,omitempty" doc:"version that it is about; absent if it is about the model"`
	At      time.Time         `json:"at,omitzero" doc:"when it was produced"`
	Until   time.Time         `json:"until,omitzero" doc:"until when it counts; since when it does not"`
	Owes    Role              `json:"owes" doc:"who owes it: a role"`
	Name    string            `json:"owes_name,omitempty" doc:"whoever has that role for the model, if anybody is named"`
	Command string            `json:"command,omitempty" doc:"the command that puts it on record; absent if it is there"`

	Signer         string `json:"signer,omitempty" doc:"id of the key that has signed it; absent if nobody has, or if it is of the record itself"`
	SignerStanding string `json:"signer_standing,omitempty" enum:"counts,revoked,unknown" doc:"whether the key is registered for such statements; what is signed by another satisfies no rule of the gate"`

	since time.Time // since when it is lacking
}

// lacking reports whether something is to be done.
func (p Piece) lacking() bool { return p.State == Missing || p.State == Stale }

// bench is what judging needs besides the model: it is the same for all.
type bench struct {
	types map[string]string       // what each type of evidence holds
	kinds map[string]kind         // by id
	owed  map[string]catalog.Owed // by id
	now   time.Time
	brief bool // leave out words and commands

	signers Signers // nil: nobody can say
}

func newBench(c *Catalogue, now time.Time) *bench {
	b := &bench{types: c.EvidenceTypes, kinds: map[string]kind{}, owed: map[string]catalog.Owed{}, now: now}
	for _, k := range kinds() {
		k.facts = append(k.facts, "name:"+k.name())
		b.kinds[k.id] = k
	}
	for _, o := range catalog.OwedEvidence() {
		b.owed[o.ID] = o
	}
	return b
}

// judge says how evidence of one type stands for the subject, as far as no control says more.
func (b *bench) judge(id string, s *subject) Piece {
	k := b.kinds[id]
	p := Piece{Type: id, Noun: k.noun, What: b.types[id]}
	p.Owes, p.Name = k.owes(s.model)
	own, other := k.newest(s)
	switch {
	case own != nil:
		b.stands(&p, k, s, own)
	case other != nil:
		p.put(other)
		p.State, p.since = Stale, s.since()
		if b.brief {
			break
		}
		p.Words = "the newest is of " + p.day() + " and about version " + other.version + ", not " + s.version.Version
		if other.version == s.version.Version || other.version == "" {
			p.Words = "the newest is of " + p.day() + " and about " + tallystick.Digest(other.subject).Short() + ", not these files"
		}
	default:
		p.State, p.since = Missing, s.since()
		p.Words = "nothing is on record"
		if k.without != "" {
			p.State, p.Words = NotApplicable, k.without
		}
	}
	if p.State == Missing || p.State == Stale {
		if reason := s.unconcerned(k.needs); reason != "" {
			p.excuse(reason)
		}
	}
	if p.lacking() && !b.brief {
		p.Command = k.commandFor(s.model, s.version.Version)
	}
	return p
}

// stands judges what is on record of the subject itself.
func (b *bench) stands(p *Piece, k kind, s *subject, t *trace) {
	p.put(t)
	p.State = Present
	if !b.brief {
		p.Words = p.says(t) + b.signed(p, t)
	}
	if lacks := b.lacks(k, s, t); lacks != "" {
		p.State, p.since = Missing, s.since()
		p.Words = "on record, without " + lacks
		return
	}
	if term := k.term(s.model.Tier, b.owed); term > 0 {
		p.Until = p.At.Add(term)
	}
	if until := moment(t.until); !until.IsZero() && (p.Until.IsZero() || until.Before(p.Until)) {
		p.Until = until
	}
	b.age(p)
}

// says tells of something on record.
func (p *Piece) says(t *trace) string {
	words := "of " + p.day()
	if t.at == 0 {
		words = "on record"
	}
	if t.name != "" && t.kind == "" {
		words += ", " + t.name
	}
	if t.verdict != "" && t.verdict != "success" {
		words += ", " + strings.ReplaceAll(t.verdict, "_", " ")
	}
	return words
}

// The standings of signers.
const (
	SignerCounts  = "counts"
	SignerRevoked = "revoked"
	SignerUnknown = "unknown"
)

// signed says of evidence that somebody attached who has signed it, and whether that counts.
func (b *bench) signed(p *Piece, t *trace) string {
	if !t.attached {
		return ""
	}
	if t.signer == "" {
		return ", claimed and signed by nobody"
	}
	p.Signer = t.signer
	if b.signers == nil {
		return ""
	}
	name, standing := b.signers(t.signer, t.predicate)
	p.SignerStanding = standing
	switch standing {
	case SignerCounts:
		return ", signed by " + name + ", who is registered for it"
	case SignerRevoked:
		return ", signed by " + name + ", whose key was revoked: the gate lets it not count"
	}
	if name != "" {
		return ", signed by " + name + ", who is not registered for such statements: the gate lets it not count"
	}
	return fmt.Sprintf(", signed by the key %.12s, which is not registered: the gate lets it not count", t.signer)
}

// age makes what has had its time stale.
func (b *bench) age(p *Piece) {
	if p.State == Present && !p.Until.IsZero() && !b.now.Before(p.Until) {
		p.State, p.since = Stale, p.Until
		if !b.brief {
			p.Words += ", stale since " + p.Until.Format(time.DateOnly)
		}
	}
}

// lacks returns what keeps something on record from being evidence.
func (b *bench) lacks(k kind, s *subject, t *trace) string {
	switch k.id {
	case "artifact.digest":
		if _, owed := b.owed["signature"].Term(s.model.Tier); owed && !s.model.ThirdParty && !s.signed() {
			return "a signature over the files: tallystick model sign"
		}
	case "dataset.snapshot":
		if t.verdict == "" && s.unconcerned([]string{"personal-data"}) == "" {
			return "a consent basis of the data set " + t.name
		}
	}
	return t.lacks
}

func (s *subject) signed() bool {
	for _, t := range s.on["evidence:signature"] {
		if s.isAbout(t) {
			return true
		}
	}
	return false
}

// newest returns the newest that is about the version, or about the model if that counts, and the
// newest that is about something else. Either can be nil.
func (k kind) newest(s *subject) (own, other *trace) {
	for _, fact := range k.facts {
		for i := range s.on[fact] {
			t := &s.on[fact][i]
			into := &other
			if s.isAbout(*t) && (t.version == s.version.Version || k.ofModel) {
				into = &own
			} else if t.version == "" {
				continue // about the model, where that does not count
			}
			if *into == nil || t.at > (*into).at || t.at == (*into).at && t.event > (*into).event {
				*into = t
			}
		}
	}
	return own, other
}

// isAbout reports whether something is about the version's own files, or about the model.
func (s *subject) isAbout(t trace) bool {
	if t.version != s.version.Version && t.version != "" {
		return false
	}
	v := s.version
	return t.subject == "" || v.Digest == "" || t.subject == string(v.Digest) || t.subject == string(v.Root)
}

// since is from when on the model owes anything.
func (s *subject) since() time.Time {
	if s.version.Version == "" {
		return s.model.Created
	}
	return s.version.Created
}

func (p *Piece) put(t *trace) {
	p.Event, p.Digest, p.Version, p.At = t.event, tallystick.Digest(t.digest), t.version, moment(t.at)
}

func (p *Piece) day() string { return p.At.Format(time.DateOnly) }

// excuse makes what is lacking not applicable.
func (p *Piece) excuse(reason string) {
	p.State, p.Words, p.Command, p.since = NotApplicable, reason, "", time.Time{}
}

// under returns the piece as a control asks for it: it can be younger than the tier asks for, or come later.
func (b *bench) under(p Piece, c *Control, s *subject, ahead bool, reason string) Piece {
	if c.maxAge > 0 && p.State == Present && !p.At.IsZero() {
		if until := p.At.Add(c.maxAge); p.Until.IsZero() || until.Before(p.Until) {
			p.Until = until
			b.age(&p)
			if p.State == Stale {
				p.Command = b.kinds[p.Type].commandFor(s.model, s.version.Version)
			}
		}
	}
	switch {
	case !p.lacking():
	case c.Level == Nothing:
		p.excuse("nothing on record can show this")
	case reason != "":
		p.excuse(reason)
	case b.now.Before(c.From.Time) && !ahead:
		p.excuse("not in force before " + c.From.String())
	case b.now.After(c.From.Time) && c.From.After(p.since) && p.State == Missing:
		p.since = c.From.Time
	}
	return p
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// plural writes a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

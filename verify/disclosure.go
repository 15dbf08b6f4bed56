package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"
	"github.com/tallystick/tallystick"
)

const (
	commitmentMember = "commitment"
	saltSize         = 16 // bytes
	saltDigits       = 22 // of base64url without padding
	// maxValue bounds one sealed value; like a leaf, larger evidence goes by digest.
	maxValue = MaxLeaf
)

// Disclosure opens one sealed field of an event. The commitment in the leaf is the SHA-256 of the
// RFC 8785 form of the array [salt, pointer, value]. Without the salt the value cannot be guessed,
// so the disclosure of one field says nothing about its neighbours; once a disclosure is erased
// nobody can open the field, and every proof of the event stays valid.
type Disclosure struct {
	Pointer string          `json:"pointer"` // JSON pointer (RFC 6901) inside the event's data
	Salt    string          `json:"salt"`    // 16 random bytes in base64url without padding
	Value   json.RawMessage `json:"value"`   // RFC 8785 form
}

// strictSalt reads salts, and nothing that only looks like one.
var strictSalt = base64.RawURLEncoding.Strict()

// Commitment returns the commitment that d opens. A malformed salt or value is an Invalid error.
func (d Disclosure) Commitment() (string, error) {
	sum, _, err := d.read()
	return string(appendDigest(nil, sum)), err
}

// read returns the digest of the commitment that d opens, and the value.
func (d Disclosure) read() (sum [sha256.Size]byte, value any, err error) {
	canonical, err := d.canonical()
	if err != nil {
		return sum, nil, err
	}
	if sum, err = d.sum(canonical); err != nil {
		return sum, nil, err
	}
	value, err = parseCanonical(string(canonical))
	return sum, value, err
}

// canonical returns the RFC 8785 form of the value.
func (d Disclosure) canonical() ([]byte, error) {
	if len(d.Value) > maxValue {
		return nil, tallystick.Errorf(tallystick.Invalid, "disclosure of %q: value is longer than %d bytes", d.Pointer, maxValue)
	}
	p := parser{s: string(d.Value)}
	if p.skip(0) && p.i == len(p.s) {
		return d.Value, nil
	}
	canonical, err := jcs.Transform(d.Value) // somebody has written it in another form
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "disclosure of %q: value: %w", d.Pointer, err)
	}
	return canonical, nil
}

// sum returns the digest of the commitment, given the RFC 8785 form of the value.
func (d Disclosure) sum(canonical []byte) (sum [sha256.Size]byte, err error) {
	var salt [saltSize + 2]byte // room for a decoder that is given more
	if len(d.Salt) != saltDigits {
		return sum, d.errSalt()
	}
	if n, err := strictSalt.Decode(salt[:], []byte(d.Salt)); err != nil || n != saltSize {
		return sum, d.errSalt()
	}
	var room [512]byte
	preimage, err := appendPreimage(room[:0], d.Salt, d.Pointer, canonical)
	if err != nil {
		return sum, err
	}
	return sha256.Sum256(preimage), nil
}

func (d Disclosure) errSalt() error {
	return tallystick.Errorf(tallystick.Invalid, "disclosure of %q: salt is not 16 bytes of base64url", d.Pointer)
}

// MarshalDisclosures returns the RFC 8785 form of a list of disclosures, sorted by pointer.
func MarshalDisclosures(ds []Disclosure) ([]byte, error) {
	sorted := slices.SortedFunc(slices.Values(ds), func(a, b Disclosure) int { return strings.Compare(a.Pointer, b.Pointer) })
	if sorted == nil {
		sorted = []Disclosure{}
	}
	return Canonical(sorted)
}

// ParseOpenings reads a list of disclosures in its short form: a JSON array of the arrays
// [salt, pointer, value] that the commitments hash. It does not judge what they hold.
//
// The values share the memory of data.
func ParseOpenings(data []byte) ([]Disclosure, error) {
	if ds, ok := parseOpenings(data); ok {
		return ds, nil
	}
	var openings [][]json.RawMessage
	if err := json.Unmarshal(data, &openings); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "openings: %w", err)
	}
	ds := make([]Disclosure, len(openings))
	for i, o := range openings {
		if len(o) != 3 {
			return nil, tallystick.Errorf(tallystick.Invalid, "opening %d has %d elements, not salt, pointer and value", i, len(o))
		}
		if err := errors.Join(json.Unmarshal(o[0], &ds[i].Salt), json.Unmarshal(o[1], &ds[i].Pointer)); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "opening %d: %w", i, err)
		}
		ds[i].Value = o[2]
	}
	return ds, nil
}

// parseOpenings reads openings that are written as [Draft.Openings] writes them; ok is false for every
// other form.
func parseOpenings(data []byte) (ds []Disclosure, ok bool) {
	p := parser{s: string(data)}
	if !p.next('[') {
		return nil, false
	}
	ds = make([]Disclosure, 0, bytes.Count(data, []byte(`["`)))
	for !p.next(']') {
		if len(ds) > 0 && !p.next(',') || !p.next('[') {
			return nil, false
		}
		var d Disclosure
		if d.Salt, ok = p.text(); !ok || !p.next(',') {
			return nil, false
		}
		if d.Pointer, ok = p.text(); !ok || !p.next(',') {
			return nil, false
		}
		start := p.i
		if !p.skip(0) {
			return nil, false
		}
		d.Value = data[start:p.i:p.i]
		if !p.next(']') {
			return nil, false
		}
		ds = append(ds, d)
	}
	return ds, p.i == len(data)
}

// Commitments returns the JSON pointers of the sealed fields, sorted.
func (s SealedEvent) Commitments() []string {
	var pointers []string
	collectCommitments(&pointers, nil, s.Data)
	slices.Sort(pointers)
	return pointers
}

// Check recomputes the commitment of d and compares it with the one in its place in the event.
func (s SealedEvent) Check(d Disclosure) error {
	_, err := s.value(d)
	return err
}

// value returns what d shows if it opens the commitment in its place.
func (s SealedEvent) value(d Disclosure) (any, error) {
	members, name := fieldAt(s.Data, d.Pointer)
	object, _ := members[name].(map[string]any)
	want, isText := object[commitmentMember].(string)
	if !isText || len(object) != 1 {
		return nil, errNotSealed("event "+s.ID, d.Pointer)
	}
	sum, value, err := d.read()
	if err != nil {
		return nil, err
	}
	var room [2*sha256.Size + 8]byte
	if string(appendDigest(room[:0], sum)) != want {
		return nil, errOther("event "+s.ID, d.Pointer)
	}
	return value, nil
}

// Open returns a copy of the event's data with the values of ds in their places, each checked
// first. Fields that ds does not open stay commitment objects. A field may be opened once.
func (s SealedEvent) Open(ds []Disclosure) (map[string]any, error) {
	return s.open(copyObject(s.Data), ds)
}

// OpenEvent reads a leaf as [DecodeEvent] does and returns its data as [SealedEvent.Open] does.
func OpenEvent(leaf []byte, ds []Disclosure) (map[string]any, error) {
	s, err := DecodeEvent(leaf)
	if err != nil {
		return nil, err
	}
	return s.open(s.Data, ds)
}

// open puts the values of ds into opened, which is the event's data or a copy, once all are checked.
func (s SealedEvent) open(opened map[string]any, ds []Disclosure) (map[string]any, error) {
	values := make([]any, len(ds))
	for i, d := range ds {
		var err error
		if values[i], err = s.value(d); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(ds[:i], func(before Disclosure) bool { return before.Pointer == d.Pointer }) {
			return nil, errTwice("event "+s.ID, d.Pointer)
		}
	}
	for i, d := range ds {
		members, name := fieldAt(opened, d.Pointer)
		members[name] = values[i]
	}
	return opened, nil
}

func errNotSealed(event, pointer string) error {
	return tallystick.Errorf(tallystick.Invalid, "%s has no sealed field %q", event, pointer)
}

func errOther(event, pointer string) error {
	return tallystick.Errorf(tallystick.Invalid, "%s: the value shown for %q is not the one that was recorded", event, pointer)
}

func errTwice(event, pointer string) error {
	return tallystick.Errorf(tallystick.Invalid, "%s: two disclosures of %q", event, pointer)
}

// copyObject copies an object with those in it, down to what has the form of a commitment: nobody changes that.
func copyObject(members map[string]any) map[string]any {
	copied := maps.Clone(members)
	for name, value := range members {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		if _, isText := object[commitmentMember].(string); !isText || len(object) != 1 {
			copied[name] = copyObject(object)
		}
	}
	return copied
}

// fieldAt returns the object in which the field of a pointer stands, and its name there; nil if there
// is none. Like those who seal, it does not look into arrays.
func fieldAt(members map[string]any, pointer string) (in map[string]any, name string) {
	rest, ok := strings.CutPrefix(pointer, "/")
	for ok {
		name, rest, ok = strings.Cut(rest, "/")
		if strings.Contains(name, "~") {
			plain := strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			if string(appendPointer(nil, plain)) != "/"+name {
				return nil, ""
			}
			name = plain
		}
		if _, there := members[name]; !there {
			return nil, ""
		}
		if !ok {
			return members, name
		}
		members, _ = members[name].(map[string]any)
	}
	return nil, ""
}

// collectCommitments notes the pointer of every commitment object below members. Arrays are never looked
// into: they are sealed or public as a whole.
func collectCommitments(into *[]string, pointer []byte, members map[string]any) {
	for name, value := range members {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		at := appendPointer(pointer, name)
		if _, ok := commitmentOf(object); ok {
			*into = append(*into, string(at))
			continue
		}
		collectCommitments(into, at, object)
	}
}

// commitmentOf reports whether object has the form of a commitment.
func commitmentOf(object map[string]any) (string, bool) {
	value, ok := object[commitmentMember]
	if !ok || len(object) != 1 {
		return "", false
	}
	return commitmentIn(commitmentMember, value)
}

// commitmentIn reports whether an object of just this member has the form of a commitment.
func commitmentIn(name string, value any) (string, bool) {
	if name != commitmentMember {
		return "", false
	}
	plain, err := plainValue(value)
	c, ok := plain.(string)
	return c, ok && err == nil && tallystick.Digest(c).Validate() == nil
}

package verify

import (
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

// Commitment returns the commitment that d opens. A malformed salt or value is an Invalid error.
func (d Disclosure) Commitment() (string, error) {
	salt, err := base64.RawURLEncoding.Strict().DecodeString(d.Salt)
	if err != nil || len(salt) != saltSize || len(d.Salt) != saltDigits {
		return "", tallystick.Errorf(tallystick.Invalid, "disclosure of %q: salt is not 16 bytes of base64url", d.Pointer)
	}
	if len(d.Value) > maxValue {
		return "", tallystick.Errorf(tallystick.Invalid, "disclosure of %q: value is longer than %d bytes", d.Pointer, maxValue)
	}
	value, err := jcs.Transform(d.Value)
	if err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "disclosure of %q: value: %w", d.Pointer, err)
	}
	preimage, err := appendPreimage(nil, d.Salt, d.Pointer, value)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(preimage)
	return string(appendDigest(nil, sum)), nil
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
func ParseOpenings(data []byte) ([]Disclosure, error) {
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

// Commitments returns the JSON pointers of the sealed fields, sorted.
func (s SealedEvent) Commitments() []string { return slices.Sorted(maps.Keys(s.commitments)) }

// Check recomputes the commitment of d and compares it with the one in its place in the event.
func (s SealedEvent) Check(d Disclosure) error {
	want, ok := s.commitments[d.Pointer]
	if !ok {
		return tallystick.Errorf(tallystick.Invalid, "event %s has no sealed field %q", s.ID, d.Pointer)
	}
	got, err := d.Commitment()
	if err != nil {
		return err
	}
	if got != want {
		return tallystick.Errorf(tallystick.Invalid, "event %s: the value shown for %q is not the one that was recorded", s.ID, d.Pointer)
	}
	return nil
}

// Open returns a copy of the event's data with the values of ds in their places, each checked
// first. Fields that ds does not open stay commitment objects. A field may be opened once.
func (s SealedEvent) Open(ds []Disclosure) (map[string]any, error) {
	values := make(map[string]any, len(ds))
	for _, d := range ds {
		if err := s.Check(d); err != nil {
			return nil, err
		}
		if _, twice := values[d.Pointer]; twice {
			return nil, tallystick.Errorf(tallystick.Invalid, "event %s: two disclosures of %q", s.ID, d.Pointer)
		}
		var value any
		if err := json.Unmarshal(d.Value, &value); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "disclosure of %q: %w", d.Pointer, err)
		}
		values[d.Pointer] = value
	}
	return openObject(nil, s.Data, values), nil
}

func openObject(pointer []byte, members, values map[string]any) map[string]any {
	opened := make(map[string]any, len(members))
	for name, value := range members {
		at := appendPointer(pointer, name)
		if disclosed, ok := values[string(at)]; ok {
			value = disclosed
		} else if object, ok := value.(map[string]any); ok {
			value = openObject(at, object, values)
		}
		opened[name] = value
	}
	return opened
}

// collectCommitments notes every commitment object below members. Arrays are never looked into:
// they are sealed or public as a whole.
func collectCommitments(into map[string]string, pointer []byte, members map[string]any) {
	for name, value := range members {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		at := appendPointer(pointer, name)
		if c, ok := commitmentOf(object); ok {
			into[string(at)] = c
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

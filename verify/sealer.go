package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/tallystick/tallystick"
)

// Member is one member of a JSON object that is to be sealed.
type Member struct {
	Name    string
	Value   any      // a JSON value
	Members []Member // in the place of Value, unless it is empty: an object of which each member says whether it is public
	Public  bool     // leaves Value in the clear, as a whole
}

// sealer writes the data of one event: first the leaf with room for the commitments and the
// openings with room for the salts, then, at once for all, both.
type sealer struct {
	public   func(pointer string) bool // asked about the members of a map; nil means that none is
	leaf     []byte
	pointer  []byte // of the field at hand
	openings []byte // see Draft.Openings
	salts    []byte
	seals    []seal
}

// seal says where one sealed field is.
type seal struct {
	commitment        int // in the leaf: offset of the digits
	start, value, end int // in the openings: the preimage of the commitment, and the value in it
}

// object writes a map of which public judges the members.
func (s *sealer) object(members map[string]any, depth int) error {
	if depth > maxDepth {
		return errDepth()
	}
	s.leaf = append(s.leaf, '{')
	var stack [16]string
	for i, name := range sortedNames(stack[:0], members) {
		parent, err := s.enter(i, name)
		if err != nil {
			return err
		}
		public := s.public != nil && s.public(string(s.pointer))
		if err := s.field(members[name], public, depth); err != nil {
			return err
		}
		s.pointer = s.pointer[:parent]
	}
	s.leaf = append(s.leaf, '}')
	return nil
}

// members writes an object whose members say themselves whether they are public.
func (s *sealer) members(members []Member, depth int) error {
	if depth > maxDepth {
		return errDepth()
	}
	if len(members) == 1 && len(members[0].Members) == 0 {
		if _, reserved := commitmentIn(members[0].Name, members[0].Value); reserved {
			return errReserved()
		}
	}
	s.leaf = append(s.leaf, '{')
	for i, m := range members {
		if i > 0 && compareUTF16(members[i-1].Name, m.Name) >= 0 {
			return tallystick.Errorf(tallystick.Invalid, "event members %q and %q are not in order", members[i-1].Name, m.Name)
		}
		parent, err := s.enter(i, m.Name)
		if err != nil {
			return err
		}
		if len(m.Members) > 0 {
			err = s.members(m.Members, depth+1)
		} else {
			err = s.field(m.Value, m.Public, depth)
		}
		if err != nil {
			return err
		}
		s.pointer = s.pointer[:parent]
	}
	s.leaf = append(s.leaf, '}')
	return nil
}

// enter writes the name of an object's member i and makes it the field at hand. parent is the length
// to which the pointer goes back behind it.
func (s *sealer) enter(i int, name string) (parent int, err error) {
	if len(s.leaf) > MaxLeaf {
		return 0, errLeafSize(len(s.leaf))
	}
	if i > 0 {
		s.leaf = append(s.leaf, ',')
	}
	if s.leaf, err = appendString(s.leaf, name); err != nil {
		return 0, err
	}
	s.leaf = append(s.leaf, ':')
	parent = len(s.pointer)
	s.pointer = appendPointer(s.pointer, name)
	return parent, nil
}

func (s *sealer) field(value any, public bool, depth int) error {
	value, err := plainValue(value)
	if err != nil {
		return s.errField(err)
	}
	object, isObject := value.(map[string]any)
	switch {
	case public:
		if err = refuseCommitments(value); err == nil {
			s.leaf, err = appendCanonical(s.leaf, value, depth+1)
		}
	case isObject && len(object) > 0:
		if _, reserved := commitmentOf(object); !reserved {
			return s.object(object, depth+1)
		}
		err = errReserved()
	default:
		err = s.seal(value)
	}
	if err != nil {
		return s.errField(err)
	}
	return nil
}

func (s *sealer) errField(err error) error { return fmt.Errorf("event field %q: %w", s.pointer, err) }

func errDepth() error {
	return tallystick.Errorf(tallystick.Invalid, "event data is nested deeper than %d", maxDepth)
}

// refuseCommitments keeps data in the clear from posing as a sealed field.
func refuseCommitments(value any) error {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	if _, ok := commitmentOf(object); ok {
		return errReserved()
	}
	for _, member := range object {
		if err := refuseCommitments(member); err != nil {
			return err
		}
	}
	return nil
}

func errReserved() error {
	return tallystick.Errorf(tallystick.Invalid, "an object with the one member %q and a digest is reserved for sealed fields", commitmentMember)
}

// seal writes the commitment to value and what opens it, both with digits still to come.
func (s *sealer) seal(value any) (err error) {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	if len(s.seals) > 0 {
		s.openings = append(s.openings, ',')
	}
	at := seal{start: len(s.openings)}
	s.openings = append(s.openings, `["`...)
	s.openings = append(s.openings, zeros[:saltDigits]...)
	s.openings = append(s.openings, `",`...)
	if s.openings, err = appendString(s.openings, s.pointer); err != nil {
		return err
	}
	s.openings = append(s.openings, ',')
	at.value = len(s.openings)
	if s.openings, err = appendCanonical(s.openings, value, 0); err != nil {
		return err
	}
	if n := len(s.openings) - at.value; n > maxValue {
		return tallystick.Errorf(tallystick.Invalid, "value is %d bytes long, the limit is %d", n, maxValue).
			WithHint("store large values as evidence and record their digest")
	}
	s.openings = append(s.openings, ']')
	at.end = len(s.openings)
	s.leaf = append(s.leaf, `{"`+commitmentMember+`":"sha256:`...)
	at.commitment = len(s.leaf)
	s.leaf = append(s.leaf, zeros...)
	s.leaf = append(s.leaf, `"}`...)
	s.seals = append(s.seals, at)
	return nil
}

// finish draws the salts and writes them and the commitments into the room left for them.
func (s *sealer) finish(random io.Reader) error {
	s.openings = append(s.openings, ']')
	s.salts = slices.Grow(s.salts[:0], saltSize*len(s.seals))[:saltSize*len(s.seals)]
	if _, err := io.ReadFull(random, s.salts); err != nil {
		return fmt.Errorf("read salts: %w", err)
	}
	for i, at := range s.seals {
		preimage := s.openings[at.start:at.end]
		base64.RawURLEncoding.Encode(preimage[len(`["`):], s.salts[i*saltSize:(i+1)*saltSize])
		sum := sha256.Sum256(preimage)
		hex.Encode(s.leaf[at.commitment:], sum[:])
	}
	return nil
}

// disclosures returns what finish has written, one by one.
func (s *sealer) disclosures() []Disclosure {
	ds := make([]Disclosure, len(s.seals))
	for i, at := range s.seals {
		const salt = len(`["`)
		ds[i] = Disclosure{
			Pointer: unquote(s.openings[at.start+salt+saltDigits+len(`",`) : at.value-len(`,`)]),
			Salt:    string(s.openings[at.start+salt : at.start+salt+saltDigits]),
			Value:   s.openings[at.value : at.end-len(`]`) : at.end-len(`]`)],
		}
	}
	return ds
}

// unquote returns the text that appendString has written.
func unquote(quoted []byte) (text string) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	_ = json.Unmarshal(quoted, &text) // cannot fail: it is our own writing
	return text
}

func appendPreimage(dst []byte, salt, pointer string, value []byte) ([]byte, error) {
	dst = append(dst, `["`...)
	dst = append(dst, salt...)
	dst = append(dst, `",`...)
	dst, err := appendString(dst, pointer)
	if err != nil {
		return dst, err
	}
	dst = append(dst, ',')
	dst = append(dst, value...)
	return append(dst, ']'), nil
}

func appendDigest(dst []byte, sum [sha256.Size]byte) []byte {
	return hex.AppendEncode(append(dst, "sha256:"...), sum[:])
}

// appendPointer appends one reference token (RFC 6901 section 4).
func appendPointer(pointer []byte, name string) []byte {
	pointer = append(pointer, '/')
	for i := range len(name) {
		switch c := name[i]; c {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, c)
		}
	}
	return pointer
}

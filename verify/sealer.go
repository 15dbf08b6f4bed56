package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/tallystick/tallystick"
)

// sealer writes the data of one event and collects the disclosures.
type sealer struct {
	public      func(string) bool
	random      io.Reader
	leaf        []byte
	pointer     []byte // of the field at hand
	disclosures []Disclosure
	values      []byte // backing store of the disclosures' values
	scratch     []byte // preimage of the commitment at hand
	salt        [saltSize]byte
}

// newSealer sizes the buffers for an ordinary event: a dozen fields, half of them sealed.
func newSealer(public func(string) bool, random io.Reader) *sealer {
	return &sealer{
		public:      public,
		random:      random,
		leaf:        make([]byte, 0, 1536),
		pointer:     make([]byte, 0, 64),
		disclosures: make([]Disclosure, 0, 6),
		values:      make([]byte, 0, 384),
		scratch:     make([]byte, 0, 256),
	}
}

func (s *sealer) object(members map[string]any, depth int) error {
	if depth > maxDepth {
		return tallystick.Errorf(tallystick.Invalid, "event data is nested deeper than %d", maxDepth)
	}
	s.leaf = append(s.leaf, '{')
	var err error
	var stack [16]string
	for i, name := range sortedNames(stack[:0], members) {
		if i > 0 {
			s.leaf = append(s.leaf, ',')
		}
		if s.leaf, err = appendString(s.leaf, name); err != nil {
			return err
		}
		s.leaf = append(s.leaf, ':')
		parent := len(s.pointer)
		s.pointer = appendPointer(s.pointer, name)
		if err := s.field(members[name], depth); err != nil {
			return err
		}
		s.pointer = s.pointer[:parent]
		if len(s.leaf) > MaxLeaf {
			return errLeafSize(len(s.leaf))
		}
	}
	s.leaf = append(s.leaf, '}')
	return nil
}

func (s *sealer) field(value any, depth int) error {
	pointer := string(s.pointer)
	value, err := plainValue(value)
	if err != nil {
		return fmt.Errorf("event field %q: %w", pointer, err)
	}
	object, isObject := value.(map[string]any)
	switch {
	case s.public(pointer):
		if err = refuseCommitments(value); err == nil {
			s.leaf, err = appendCanonical(s.leaf, value, depth+1)
		}
	case isObject && len(object) > 0:
		if _, reserved := commitmentOf(object); !reserved {
			return s.object(object, depth+1)
		}
		err = errReserved()
	default:
		err = s.seal(pointer, value)
	}
	if err != nil {
		return fmt.Errorf("event field %q: %w", pointer, err)
	}
	return nil
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

// seal writes the commitment to value and keeps what opens it.
func (s *sealer) seal(pointer string, value any) error {
	if _, err := io.ReadFull(s.random, s.salt[:]); err != nil {
		return fmt.Errorf("read salt: %w", err)
	}
	start := len(s.values)
	var err error
	if s.values, err = appendCanonical(s.values, value, 0); err != nil {
		return err
	}
	end := len(s.values)
	if end-start > maxValue {
		return tallystick.Errorf(tallystick.Invalid, "value is %d bytes long, the limit is %d", end-start, maxValue).
			WithHint("store large values as evidence and record their digest")
	}
	d := Disclosure{
		Pointer: pointer,
		Salt:    base64.RawURLEncoding.EncodeToString(s.salt[:]),
		Value:   s.values[start:end:end],
	}
	if s.scratch, err = appendPreimage(s.scratch[:0], d.Salt, d.Pointer, d.Value); err != nil {
		return err
	}
	s.leaf = append(s.leaf, `{"`+commitmentMember+`":"`...)
	s.leaf = appendDigest(s.leaf, sha256.Sum256(s.scratch))
	s.leaf = append(s.leaf, `"}`...)
	s.disclosures = append(s.disclosures, d)
	return nil
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

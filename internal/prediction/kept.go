package prediction

import (
	"encoding/binary"

	"github.com/tallystick/tallystick"
)

// withBodies is the first byte of a record that is kept with bodies. Of one that is not the first is version1.
const withBodies = 2

// Kept is a record with what is kept beside it.
type Kept struct {
	Encoding []byte
	Bodies   Bodies
}

// Bodies are the bytes of the bodies of a record, nil where there are none. The record has their digests.
type Bodies struct{ Request, Response []byte }

// Bodies returns the bytes that are at hand.
func (r *Record) Bodies() (b Bodies) {
	if r.RequestBody != nil {
		b.Request = r.RequestBody.Data
	}
	if r.ResponseBody != nil {
		b.Response = r.ResponseBody.Data
	}
	return b
}

// Attach gives r the bytes of its bodies.
func (r *Record) Attach(b Bodies) {
	if r.RequestBody != nil {
		r.RequestBody.Data = b.Request
	}
	if r.ResponseBody != nil {
		r.ResponseBody.Data = b.Response
	}
}

// Append appends k in one piece, from which ParseKept tells the parts. Without bodies that is the encoding.
func (k Kept) Append(dst []byte) []byte {
	if len(k.Bodies.Request)+len(k.Bodies.Response) == 0 {
		return append(dst, k.Encoding...)
	}
	dst = append(dst, withBodies)
	for _, part := range [...][]byte{k.Encoding, k.Bodies.Request} {
		dst = append(binary.AppendUvarint(dst, uint64(len(part))), part...)
	}
	return append(dst, k.Bodies.Response...)
}

// ParseKept returns the parts of what Append has written, in its memory. It does not look into them.
func ParseKept(data []byte) (k Kept, err error) {
	if len(data) == 0 || data[0] != withBodies {
		return Kept{Encoding: data}, nil
	}
	wrong := tallystick.Errorf(tallystick.Invalid, "a record that is kept with its bodies ends early")
	rest := data[1:]
	next := func() (part []byte, ok bool) {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return nil, false
		}
		end := n + int(length)
		part, rest = rest[n:end:end], rest[end:]
		return part, true
	}
	var ok bool
	if k.Encoding, ok = next(); !ok {
		return Kept{}, wrong
	}
	if k.Bodies.Request, ok = next(); !ok {
		return Kept{}, wrong
	}
	if k.Bodies.Response = rest; len(k.Bodies.Request) == 0 {
		k.Bodies.Request = nil
	}
	if len(rest) == 0 {
		k.Bodies.Response = nil
	}
	return k, nil
}

// Check returns an Invalid error unless the bytes are those of which the view has the digests.
func (v *View) Check(b Bodies) error {
	for _, part := range [...]struct {
		tag  Tag
		data []byte
	}{{TagRequestDigest, b.Request}, {TagResponseDigest, b.Response}} {
		if part.data == nil {
			continue
		}
		sum, _ := (&Body{Data: part.data}).Sum()
		if string(v.Bytes(v.Field(part.tag))) != string(sum[:]) {
			return tallystick.Errorf(tallystick.Invalid, "a body is not the one of which the record has the digest")
		}
	}
	return nil
}

package prediction

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/tallystick/tallystick"
)

// View is a record as its encoding has it: fields by tag, without a copy of its texts. It is what
// handles many records at a time; [Record] is for one. A View is used again and again, and the encoding
// that it has decoded must not change meanwhile.
type View struct {
	Features     []RawFeature // in order
	Attributions []RawFeature // in order
	Flags        []Raw        // in order

	fields [tagEnd]Raw
	data   []byte

	featureNames, attributionNames template
}

// Layouts tell whether the names of the features, and those of the attributions, are the same as
// those of another record that this View decoded: then the numbers are.
func (v *View) Layouts() (features, attributions int) {
	return v.featureNames.layout, v.attributionNames.layout
}

// Raw is a value in a View. The zero value is null, or a field that is absent.
type Raw struct {
	Kind  Kind
	Bits  uint64 // of a number as Value has them, or 1 for true
	at, n uint32 // of a text or bytes, in the View's data
}

// Span returns where in the encoding a text or bytes begin, and how many bytes they have.
func (r Raw) Span() (at, n uint32) { return r.at, r.n }

// RawFeature is a feature in a View.
type RawFeature struct {
	at, n uint32 // of the name
	Value Raw
}

// Field returns a field that is no map and no list.
func (v *View) Field(tag Tag) Raw { return v.fields[tag] }

// Bytes returns a text, or bytes.
func (v *View) Bytes(r Raw) []byte { return v.data[r.at : r.at+r.n : r.at+r.n] }

// Name returns the name of a feature.
func (v *View) Name(f RawFeature) []byte { return v.data[f.at : f.at+f.n : f.at+f.n] }

// Value returns r as a value of its own.
func (v *View) Value(r Raw) Value {
	if r.Kind == Text {
		return Value{kind: Text, text: string(v.Bytes(r))}
	}
	return Value{kind: r.Kind, bits: r.Bits}
}

// Reset empties v, for the Put methods to build another record.
func (v *View) Reset() {
	v.fields = [tagEnd]Raw{}
	v.Features, v.Attributions, v.Flags, v.data = v.Features[:0], v.Attributions[:0], v.Flags[:0], v.data[:0]
}

// PutBytes sets a field of text or bytes; it copies b.
func (v *View) PutBytes(tag Tag, b []byte) {
	if kind := kindOf(tag); kind == Octets || len(b) > 0 {
		v.fields[tag] = v.keep(kind, b)
	}
}

// PutBits sets a field that is an integer or a boolean.
func (v *View) PutBits(tag Tag, bits uint64) {
	if kind := kindOf(tag); kind != Bool || bits != 0 {
		v.fields[tag] = Raw{Kind: kind, Bits: bits}
	}
}

// PutValue sets a field that is a value.
func (v *View) PutValue(tag Tag, value Value) { v.fields[tag] = v.raw(value) }

// PutFeature appends a feature. They can come in any order.
func (v *View) PutFeature(name []byte, value Value) { v.Features = v.feature(v.Features, name, value) }

// PutAttribution appends an attribution. They can come in any order.
func (v *View) PutAttribution(name []byte, value Value) {
	v.Attributions = v.feature(v.Attributions, name, value)
}

// PutFlag appends a flag.
func (v *View) PutFlag(flag string) { v.Flags = append(v.Flags, v.keep(Text, []byte(flag))) }

func (v *View) keep(kind Kind, b []byte) Raw {
	at := len(v.data)
	v.data = append(v.data, b...)
	return Raw{Kind: kind, at: uint32(at), n: uint32(len(b))}
}

func (v *View) raw(value Value) Raw {
	if value.kind == Text {
		at := len(v.data)
		v.data = append(v.data, value.text...)
		return Raw{Kind: Text, at: uint32(at), n: uint32(len(value.text))}
	}
	return Raw{Kind: value.kind, Bits: value.bits}
}

func (v *View) feature(f []RawFeature, name []byte, value Value) []RawFeature {
	r := v.keep(Text, name)
	return append(f, RawFeature{at: r.at, n: r.n, Value: v.raw(value)})
}

// Append appends the encoding of what was put into v.
func (v *View) Append(dst []byte) ([]byte, error) {
	e := encoder{out: append(dst, version1)}
	for tag := TagID; tag < tagEnd; tag++ {
		switch tag {
		case TagFeatures:
			v.appendMap(&e, tag, v.Features)
		case TagAttributions:
			v.appendMap(&e, tag, v.Attributions)
		case TagFlags:
			v.appendFlags(&e)
		default:
			if r := v.fields[tag]; r.Kind != Null {
				e.out = append(e.out, byte(tag))
				v.appendRaw(&e, r)
			}
		}
	}
	if n := len(e.out) - len(dst); e.unordered || n > MaxEncoded {
		return dst, errors.New("encode record: it is too large, or has a name twice")
	}
	return e.out, nil
}

func (v *View) appendMap(e *encoder, tag Tag, f []RawFeature) {
	if len(f) == 0 {
		return
	}
	byName := func(a, b RawFeature) int { return bytes.Compare(v.Name(a), v.Name(b)) }
	if !slices.IsSortedFunc(f, byName) {
		slices.SortFunc(f, byName)
	}
	e.out = append(e.out, byte(tag), typeMap)
	e.out = binary.AppendUvarint(e.out, uint64(len(f)))
	for i := range f {
		name := v.Name(f[i])
		e.unordered = e.unordered || i > 0 && bytes.Equal(v.Name(f[i-1]), name)
		e.out = append(binary.AppendUvarint(e.out, uint64(len(name))), name...)
		v.appendRaw(e, f[i].Value)
	}
}

func (v *View) appendFlags(e *encoder) {
	if len(v.Flags) == 0 {
		return
	}
	e.out = append(e.out, byte(TagFlags), typeList)
	e.out = binary.AppendUvarint(e.out, uint64(len(v.Flags)))
	for i, flag := range v.Flags {
		e.unordered = e.unordered || i > 0 && bytes.Compare(v.Bytes(v.Flags[i-1]), v.Bytes(flag)) >= 0
		e.out = append(binary.AppendUvarint(e.out, uint64(flag.n)), v.Bytes(flag)...)
	}
}

func (v *View) appendRaw(e *encoder, r Raw) {
	switch r.Kind {
	case Text:
		e.out = append(binary.AppendUvarint(append(e.out, typeText), uint64(r.n)), v.Bytes(r)...)
	case Octets:
		e.out = append(append(e.out, typeBytes, byte(r.n)), v.Bytes(r)...)
	default:
		e.typed(Value{kind: r.Kind, bits: r.Bits})
	}
}

// Decode makes v a view of encoding, or returns an Invalid error if that is not the one encoding of
// a record. It does not ask whether the record is valid.
func (v *View) Decode(encoding []byte) error {
	v.Reset()
	v.data = encoding
	if len(encoding) > MaxEncoded {
		return tallystick.Errorf(tallystick.Invalid, "encoding of a record: %d bytes, the limit is %d", len(encoding), MaxEncoded)
	}
	d := decoder{data: encoding}
	d.record(v)
	if d.fault != "" {
		return tallystick.Errorf(tallystick.Invalid, "encoding of a record: %s at byte %d", d.fault, d.at)
	}
	return nil
}

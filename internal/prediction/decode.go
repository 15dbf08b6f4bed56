package prediction

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// decoder reads an encoding; after a fault every read gives zero.
type decoder struct {
	data  []byte
	at    int
	fault string
}

// fail notes the first fault. What it formats is few and small.
func (d *decoder) fail(format string, args ...any) {
	if d.fault == "" {
		d.fault = fmt.Sprintf(format, args...)
	}
}

func (d *decoder) record(v *View) {
	if d.byte() != version1 {
		d.fail("it is not of version 1")
	}
	last := Tag(0)
	for d.fault == "" && d.at < len(d.data) {
		tag := Tag(d.byte())
		if tag <= last || tag >= tagEnd {
			d.fail("tag %d follows tag %d", tag, last)
			return
		}
		last = tag
		d.field(tag, v)
	}
	has := func(tag Tag) bool { return v.fields[tag].Kind != Null }
	switch {
	case d.fault != "":
	case !has(TagID) || !has(TagSalt) || !has(TagTime) || !has(TagModel):
		d.fail("id, salt, time or model is missing")
	case (has(TagOverrideFrom) || has(TagOverrideWhy)) && !has(TagOverrideBy):
		d.fail("an override by nobody")
	case has(TagInputKeyed) && !has(TagInputDigest):
		d.fail("a key without an input digest")
	case has(TagRequestType) && !has(TagRequestDigest) || has(TagResponseType) && !has(TagResponseDigest):
		d.fail("a media type without a digest")
	}
}

func (d *decoder) field(tag Tag, v *View) {
	switch tag {
	case TagFeatures:
		v.Features = d.features(v.Features, &v.featureNames, false)
		return
	case TagAttributions:
		v.Attributions = d.features(v.Attributions, &v.attributionNames, true)
		return
	case TagFlags:
		v.Flags = d.flags(v.Flags)
		return
	}
	if d.expected(tag, &v.fields[tag]) {
		return
	}
	r := d.typed()
	v.fields[tag] = r
	if want := kindOf(tag); r.Kind == Null || want != Null && r.Kind != want || want == Null && r.Kind == Octets {
		d.fail("a value of type %d", r.Kind)
	}
	switch {
	case r.Kind == Octets && int(r.n) != widthOf(tag):
		d.fail("it does not have %d bytes", widthOf(tag))
	case tag == TagID && d.fault == "" && !ID(v.Bytes(r)).valid():
		d.fail("the id is not a UUID of version 7")
	case tag == TagTime && !Time(r.Bits).valid():
		d.fail("the time is out of range")
	case (tag == TagScore || tag == TagThreshold) && r.Kind != Int && r.Kind != Float:
		d.fail("a value that is no number")
	case tag != TagOutput && tag != TagOverrideFrom && r.Kind == Text && r.n == 0:
		d.fail("an empty text that stands for what is absent")
	case tag == TagInputKeyed && r.Bits == 0:
		d.fail("a false that stands for what is absent")
	case (tag == TagTraceID || tag == TagSpanID) && d.fault == "" && allZero(v.Bytes(r)):
		d.fail("zeros that stand for what is absent")
	}
}

// expected reads into r what most fields of bytes and texts are. It reads nothing, and returns false, of all others and
// of every fault.
func (d *decoder) expected(tag Tag, r *Raw) bool {
	data := d.data[d.at:]
	if len(data) < 2 {
		return false
	}
	n := int(data[1])
	switch kindOf(tag) {
	case Octets:
		if data[0] != typeBytes || n != widthOf(tag) || n > len(data)-2 {
			return false
		}
		b := data[2 : 2+n]
		if tag == TagID && !ID(b).valid() || (tag == TagTraceID || tag == TagSpanID) && allZero(b) {
			return false
		}
		*r = Raw{Kind: Octets, at: uint32(d.at + 2), n: uint32(n)}
	case Text:
		if data[0] != typeText || !isWord(data[1:]) {
			return false
		}
		*r = Raw{Kind: Text, at: uint32(d.at + 2), n: uint32(n)}
	default:
		return false
	}
	d.at += 2 + n
	return true
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (d *decoder) byte() byte {
	if d.at >= len(d.data) {
		d.fail("it ends early")
		return 0
	}
	d.at++
	return d.data[d.at-1]
}

// uvarint reads a number in its shortest form.
func (d *decoder) uvarint() uint64 {
	if d.at < len(d.data) && d.data[d.at] < 0x80 {
		d.at++
		return uint64(d.data[d.at-1])
	}
	v, n := binary.Uvarint(d.data[d.at:])
	if n <= 0 || d.data[d.at+n-1] == 0 {
		d.fail("a number ends early or is not in its shortest form")
		return 0
	}
	d.at += n
	return v
}

// span reads a length and steps over as many bytes.
func (d *decoder) span() (at, n uint32) {
	var length uint64
	if d.at < len(d.data) && d.data[d.at] < 0x80 {
		length = uint64(d.data[d.at])
		d.at++
	} else {
		length = d.uvarint()
	}
	if length > uint64(len(d.data)-d.at) {
		d.fail("it ends early")
		return 0, 0
	}
	at = uint32(d.at)
	d.at += int(length)
	return at, uint32(length)
}

// name reads a length and as many bytes of UTF-8.
func (d *decoder) name() (at, n uint32) {
	at, n = d.span()
	if text := d.data[at : at+n]; !isASCII(text) && !utf8.Valid(text) {
		d.fail("a text is not UTF-8")
	}
	return at, n
}

const highBits = 0x8080808080808080 // of eight bytes

// isASCII looks at eight bytes at a time, the last eight for what is left over. Most texts of a record
// are short, where utf8.Valid goes byte by byte.
func isASCII(b []byte) bool {
	if len(b) < 8 {
		var or byte
		for _, c := range b {
			or |= c
		}
		return or < 0x80
	}
	bits := binary.LittleEndian.Uint64(b[len(b)-8:])
	for ; len(b) > 8; b = b[8:] {
		bits |= binary.LittleEndian.Uint64(b)
	}
	return bits&highBits == 0
}

// isWord reports whether b begins with the length of a short text and with that text, if it is ASCII and surely is
// none of the numbers that are written as texts: of those, the letters are the first ones.
func isWord(b []byte) bool {
	n := int(b[0])
	if n == 0 || n >= 0x80 || n >= len(b) {
		return false
	}
	if c := b[1]; c == 'N' || c == 'I' || c == '-' {
		return false
	}
	if n < 8 && len(b) > 8 {
		return binary.LittleEndian.Uint64(b[1:])<<(64-8*n)&highBits == 0
	}
	return isASCII(b[1 : 1+n])
}

// hasFraction reports whether the bits of a double are surely those of a number that is no integer: one below 2^52
// of which the bits for the fraction are not all zero.
func hasFraction(bits uint64) bool {
	exponent := bits >> 52 & 0x7ff
	return exponent < 1023 && bits<<1 != 0 || exponent >= 1023 && exponent < 1023+52 && bits<<(12+exponent-1023) != 0
}

func (d *decoder) typed() Raw {
	// First what most values are.
	if at := d.at; len(d.data)-at > 8 {
		switch d.data[at] {
		case typeInt:
			if u := uint64(d.data[at+1]); u < 0x80 {
				d.at = at + 2
				return Raw{Kind: Int, Bits: u>>1 ^ -(u & 1)}
			}
		case typeFloat:
			if bits := binary.BigEndian.Uint64(d.data[at+1:]); hasFraction(bits) {
				d.at = at + 9
				return Raw{Kind: Float, Bits: bits}
			}
		case typeBytes:
			if n := int(d.data[at+1]); n < 0x80 && n <= len(d.data)-at-2 {
				d.at = at + 2 + n
				return Raw{Kind: Octets, at: uint32(at + 2), n: uint32(n)}
			}
		case typeText:
			if isWord(d.data[at+1:]) {
				n := int(d.data[at+1])
				d.at = at + 2 + n
				return Raw{Kind: Text, at: uint32(at + 2), n: uint32(n)}
			}
		}
	}
	switch t := d.byte(); t {
	case typeNull:
		return Raw{}
	case typeFalse, typeTrue:
		return Raw{Kind: Bool, Bits: uint64(t - typeFalse)}
	case typeInt:
		u := d.uvarint()
		return Raw{Kind: Int, Bits: u>>1 ^ -(u & 1)}
	case typeFloat:
		if len(d.data)-d.at < 8 {
			d.fail("it ends early")
			return Raw{}
		}
		bits := binary.BigEndian.Uint64(d.data[d.at:])
		d.at += 8
		f := math.Float64frombits(bits)
		if _, integer := whole(f); integer || f != f && bits != canonicalNaN {
			d.fail("a number in another form than its own")
		}
		return Raw{Kind: Float, Bits: bits}
	case typeText:
		at, n := d.name()
		if 0 < n && n <= uint32(len(textNeg)) {
			// Of these letters are the first ones of the numbers that are written as texts.
			if c := d.data[at]; (c == 'N' || c == 'I' || c == '-') && String(string(d.data[at:at+n])).kind != Text {
				d.fail("a number as text")
			}
		}
		return Raw{Kind: Text, at: at, n: n}
	case typeBytes:
		at, n := d.span()
		return Raw{Kind: Octets, at: at, n: n}
	default:
		d.fail("type %d is no value", t)
		return Raw{}
	}
}

// count reads how many things follow, of at least two bytes each.
func (d *decoder) count(typ byte) int {
	if t := d.byte(); t != typ {
		d.fail("type %d instead of %d", t, typ)
	}
	n := d.uvarint()
	if n == 0 || n > uint64((len(d.data)-d.at)/2) {
		d.fail("%d entries", n)
		return 0
	}
	return int(n)
}

func (d *decoder) features(f []RawFeature, t *template, numbers bool) []RawFeature {
	n := d.count(typeMap)
	f = slices.Grow(f, min(n, 64)) // more when they are really there
	for i := 0; i < n && d.fault == ""; i++ {
		var feature RawFeature
		at := d.at
		if k := t.match(i, d.data[at:]); k > 0 {
			feature.at, feature.n = uint32(at+1), uint32(k-1)
			at += k
			d.at = at
		} else {
			feature.at, feature.n = d.name()
			name := d.data[feature.at : feature.at+feature.n]
			if len(name) == 0 || i > 0 && bytes.Compare(d.data[f[i-1].at:f[i-1].at+f[i-1].n], name) >= 0 {
				d.fail("names are not in order, each once")
			}
			t.learn(i, name)
			at = d.at
		}
		// First what most values are: numbers of 9 bytes and, if they are small, of 2.
		if rest := d.data[at:]; len(rest) > 8 && rest[0] == typeFloat {
			bits := binary.BigEndian.Uint64(rest[1:])
			if hasFraction(bits) {
				feature.Value = Raw{Kind: Float, Bits: bits}
				d.at = at + 9
				f = append(f, feature)
				continue
			}
		} else if len(rest) > 1 && rest[0] == typeInt && rest[1] < 0x80 {
			u := uint64(rest[1])
			feature.Value = Raw{Kind: Int, Bits: u>>1 ^ -(u & 1)}
			d.at = at + 2
			f = append(f, feature)
			continue
		}
		feature.Value = d.typed()
		if kind := feature.Value.Kind; kind == Octets || numbers && kind != Int && kind != Float {
			d.fail("a value of type %d", kind)
		}
		f = append(f, feature)
	}
	switch {
	case d.fault != "":
		t.forget(0) // it may have learnt what is no name
	case n < len(t.known):
		t.forget(n)
	}
	return f
}

func (d *decoder) flags(flags []Raw) []Raw {
	n := d.count(typeList)
	var last []byte
	for i := 0; i < n && d.fault == ""; i++ {
		at, size := d.name()
		flag := d.data[at : at+size]
		if size == 0 || bytes.Compare(last, flag) >= 0 {
			d.fail("flags are not in order, each once")
		}
		last = flag
		flags = append(flags, Raw{Kind: Text, at: at, n: size})
	}
	return flags
}

package prediction

import (
	"encoding/hex"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// Decode returns the record that encoding encodes, or an Invalid error if it is not the one
// encoding of a record. It does not ask whether the record is valid.
func Decode(encoding []byte) (Record, error) {
	var r Record
	err := r.Decode(encoding)
	return r, err
}

// Decode is like the function of that name, and reuses the memory of r's features, attributions and
// flags. Everything else of r is replaced.
func (r *Record) Decode(encoding []byte) error {
	*r = Record{Features: r.Features[:0], Attributions: r.Attributions[:0], Flags: r.Flags[:0]}
	if len(encoding) > MaxEncoded {
		return tallystick.Errorf(tallystick.Invalid, "encoding of a record: %d bytes, the limit is %d", len(encoding), MaxEncoded)
	}
	// All texts of the record are parts of one string.
	d := decoder{data: string(encoding)}
	d.record(r)
	if d.fault != "" {
		return tallystick.Errorf(tallystick.Invalid, "encoding of a record: %s at byte %d", d.fault, d.at)
	}
	return nil
}

// decoder reads from data; after a fault every read gives zero.
type decoder struct {
	data  string
	at    int
	fault string
}

func (d *decoder) fail(format string, args ...any) {
	if d.fault == "" {
		d.fault = fmt.Sprintf(format, args...)
	}
}

func (d *decoder) record(r *Record) {
	if d.byte() != version1 {
		d.fail("it is not of version 1")
	}
	last := byte(0)
	var seen [tagEnd]bool
	for d.fault == "" && d.at < len(d.data) {
		tag := d.byte()
		if tag <= last || tag >= tagEnd {
			d.fail("tag %d follows tag %d", tag, last)
			return
		}
		last, seen[tag] = tag, true
		d.field(tag, r)
	}
	switch {
	case d.fault != "":
	case !seen[tagID] || !seen[tagSalt] || !seen[tagTime] || !seen[tagModel]:
		d.fail("id, salt, time or model is missing")
	case (seen[tagOverrideFrom] || seen[tagOverrideWhy]) && !seen[tagOverrideBy]:
		d.fail("an override by nobody")
	case seen[tagInputKeyed] && !seen[tagInputDigest]:
		d.fail("a key without an input digest")
	}
}

func (d *decoder) field(tag byte, r *Record) {
	switch tag {
	case tagID:
		d.fixed(r.ID[:])
		if !r.ID.valid() {
			d.fail("the id is not a UUID of version 7")
		}
	case tagSalt:
		d.fixed(r.Salt[:])
	case tagTime:
		r.Time = Time(d.present(Int).Int())
		if !r.Time.valid() {
			d.fail("the time is out of range")
		}
	case tagModel:
		r.Model = d.text()
	case tagVersionRequested:
		r.VersionRequested = d.text()
	case tagVersion:
		r.Version = d.text()
	case tagVersionSource:
		r.VersionSource = d.text()
	case tagEnvironment:
		r.Environment = d.text()
	case tagRoute:
		r.Route = d.text()
	case tagActor:
		r.Actor = d.text()
	case tagSubject:
		r.Subject = d.text()
	case tagTraceID:
		d.fixed(r.TraceID[:])
		d.notZero(r.TraceID == TraceID{})
	case tagSpanID:
		d.fixed(r.SpanID[:])
		d.notZero(r.SpanID == SpanID{})
	case tagInputDigest:
		var sum [32]byte
		d.fixed(sum[:])
		r.InputDigest = tallystick.Digest("sha256:" + hex.EncodeToString(sum[:]))
	case tagInputKeyed:
		if r.InputKeyed = d.present(Bool).Bool(); !r.InputKeyed {
			d.fail("a false that stands for what is absent")
		}
	case tagFeatures:
		r.Features = d.features(r.Features)
	case tagFeaturesRef:
		r.FeaturesRef = d.text()
	default:
		d.laterField(tag, r)
	}
}

func (d *decoder) laterField(tag byte, r *Record) {
	switch tag {
	case tagOutput:
		r.Output = d.present(Null)
	case tagScore:
		r.Score = d.number()
	case tagThreshold:
		r.Threshold = d.number()
	case tagRule:
		r.Rule = d.text()
	case tagRationale:
		r.Rationale = d.text()
	case tagAttributions:
		r.Attributions = d.features(r.Attributions)
		for _, a := range r.Attributions {
			if !a.Value.IsNumber() {
				d.fail("an attribution is not a number")
			}
		}
	case tagLatency:
		r.Latency = d.present(Int)
	case tagStatus:
		r.Status = Status(d.text())
	case tagDecidedBy:
		r.DecidedBy = DecidedBy(d.text())
	case tagOverrideBy:
		r.Override = &Override{By: d.text()}
	case tagOverrideFrom:
		if v := d.present(Null); r.Override != nil {
			r.Override.From = v
		}
	case tagOverrideWhy:
		if s := d.text(); r.Override != nil {
			r.Override.Why = s
		}
	case tagFlags:
		r.Flags = d.flags(r.Flags)
	case tagExtra:
		extra := d.text()
		// What was canonical once is canonical for ever: nothing but a person reads it again.
		r.Extra = []byte(extra)
	}
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
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 || shift == 63 && b > 1 {
				break
			}
			return v
		}
	}
	d.fail("a number is not in its shortest form")
	return 0
}

// name reads a length and as many bytes of UTF-8.
func (d *decoder) name() string {
	n := d.uvarint()
	if n > uint64(len(d.data)-d.at) {
		d.fail("it ends early")
		return ""
	}
	s := d.data[d.at : d.at+int(n)]
	if !utf8.ValidString(s) {
		d.fail("a text is not UTF-8")
	}
	d.at += int(n)
	return s
}

func (d *decoder) text() string {
	if t := d.byte(); t != typeText {
		d.fail("type %d instead of text", t)
	}
	s := d.name()
	if s == "" {
		d.fail("an empty text that stands for what is absent")
	}
	return s
}

func (d *decoder) fixed(dst []byte) {
	if t, n := d.byte(), d.byte(); t != typeBytes || int(n) != len(dst) || len(dst) > len(d.data)-d.at {
		d.fail("it does not have %d bytes", len(dst))
		return
	}
	d.at += copy(dst, d.data[d.at:])
}

func (d *decoder) notZero(zero bool) {
	if zero {
		d.fail("zeros that stand for what is absent")
	}
}

// present reads a value that is not null, of the kind given unless that is Null.
func (d *decoder) present(kind Kind) Value {
	v := d.typed()
	if v.kind == Null || kind != Null && v.kind != kind {
		d.fail("a value of the wrong type")
	}
	return v
}

func (d *decoder) number() Value {
	v := d.typed()
	if !v.IsNumber() {
		d.fail("a value of the wrong type")
	}
	return v
}

func (d *decoder) typed() Value {
	switch t := d.byte(); t {
	case typeNull:
		return Value{}
	case typeFalse, typeTrue:
		return Boolean(t == typeTrue)
	case typeInt:
		u := d.uvarint()
		return Integer(int64(u>>1) ^ -int64(u&1))
	case typeFloat:
		if len(d.data)-d.at < 8 {
			d.fail("it ends early")
			return Value{}
		}
		var bits uint64
		for _, b := range []byte(d.data[d.at : d.at+8]) {
			bits = bits<<8 | uint64(b)
		}
		d.at += 8
		v := Number(math.Float64frombits(bits))
		if v.kind != Float || v.bits != bits {
			d.fail("a number in another form than its own")
		}
		return v
	case typeText:
		v := String(d.name())
		if v.kind != Text {
			d.fail("a number as text")
		}
		return v
	default:
		d.fail("type %d is no value", t)
		return Value{}
	}
}

// count reads how many things follow, of at least size bytes each.
func (d *decoder) count(typ byte, size int) int {
	if t := d.byte(); t != typ {
		d.fail("type %d instead of %d", t, typ)
	}
	n := d.uvarint()
	if n == 0 || n > uint64((len(d.data)-d.at)/size) {
		d.fail("%d entries", n)
		return 0
	}
	return int(n)
}

func (d *decoder) features(f Features) Features {
	n := d.count(typeMap, 2)
	if cap(f) < n {
		f = make(Features, 0, n)
	}
	for i := 0; i < n && d.fault == ""; i++ {
		name := d.name()
		if name == "" || i > 0 && f[i-1].Name >= name {
			d.fail("names are not in order, each once")
		}
		f = append(f, Feature{name, d.typed()})
	}
	return f
}

func (d *decoder) flags(flags []string) []string {
	n := d.count(typeList, 2)
	for i := 0; i < n && d.fault == ""; i++ {
		flag := d.name()
		if flag == "" || i > 0 && flags[i-1] >= flag {
			d.fail("flags are not in order, each once")
		}
		flags = append(flags, flag)
	}
	return flags
}

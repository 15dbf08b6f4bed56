package prediction

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/tallystick/tallystick"
)

// Append appends the encoding of r to dst. r should be valid: what has no encoding, or not one that
// Decode would take, is an error.
func (r *Record) Append(dst []byte) ([]byte, error) {
	e := encoder{out: append(dst, version1)}
	if r.ID.IsZero() || r.Time.IsZero() || r.Model == "" {
		return dst, errors.New("encode record: it has no id, time or model")
	}
	e.bytes(tagID, r.ID[:])
	e.bytes(tagSalt, r.Salt[:])
	e.value(tagTime, Integer(int64(r.Time)))
	e.text(tagModel, r.Model)
	e.text(tagVersionRequested, r.VersionRequested)
	e.text(tagVersion, r.Version)
	e.text(tagVersionSource, r.VersionSource)
	e.text(tagEnvironment, r.Environment)
	e.text(tagRoute, r.Route)
	e.text(tagActor, r.Actor)
	e.text(tagSubject, r.Subject)
	if r.TraceID != (TraceID{}) {
		e.bytes(tagTraceID, r.TraceID[:])
	}
	if r.SpanID != (SpanID{}) {
		e.bytes(tagSpanID, r.SpanID[:])
	}
	if r.InputDigest != "" {
		sum, ok := digestBytes(r.InputDigest)
		if !ok {
			return dst, errors.New("encode record: its input digest is none")
		}
		e.bytes(tagInputDigest, sum[:])
		if r.InputKeyed {
			e.value(tagInputKeyed, Boolean(true))
		}
	}
	e.features(tagFeatures, r.Features)
	e.text(tagFeaturesRef, r.FeaturesRef)
	e.value(tagOutput, r.Output)
	e.value(tagScore, r.Score)
	e.value(tagThreshold, r.Threshold)
	e.text(tagRule, r.Rule)
	e.text(tagRationale, r.Rationale)
	e.features(tagAttributions, r.Attributions)
	e.value(tagLatency, r.Latency)
	e.text(tagStatus, string(r.Status))
	e.text(tagDecidedBy, string(r.DecidedBy))
	if o := r.Override; o != nil {
		e.text(tagOverrideBy, o.By)
		e.value(tagOverrideFrom, o.From)
		e.text(tagOverrideWhy, o.Why)
	}
	e.flags(r.Flags)
	if len(r.Extra) > 0 {
		e.out = append(e.out, tagExtra, typeText)
		e.out = binary.AppendUvarint(e.out, uint64(len(r.Extra)))
		e.out = append(e.out, r.Extra...)
	}
	if e.unordered {
		return dst, errors.New("encode record: names or flags are not in order, each once")
	}
	if n := len(e.out) - len(dst); n > MaxEncoded {
		return dst, tallystick.Errorf(tallystick.Invalid, "the record takes %d bytes, the limit is %d", n, MaxEncoded).
			WithHint("keep large inputs elsewhere and send features_ref and input_digest")
	}
	return e.out, nil
}

// encoder appends fields. What is absent is not written.
type encoder struct {
	out       []byte
	unordered bool
}

func (e *encoder) bytes(tag byte, b []byte) {
	e.out = append(e.out, tag, typeBytes, byte(len(b)))
	e.out = append(e.out, b...)
}

func (e *encoder) text(tag byte, s string) {
	if s != "" {
		e.out = append(e.out, tag, typeText)
		e.name(s)
	}
}

func (e *encoder) name(s string) {
	if len(s) < 0x80 {
		e.out = append(e.out, byte(len(s)))
	} else {
		e.out = binary.AppendUvarint(e.out, uint64(len(s)))
	}
	e.out = append(e.out, s...)
}

func (e *encoder) value(tag byte, v Value) {
	if v.kind != Null {
		e.out = append(e.out, tag)
		e.typed(v)
	}
}

func (e *encoder) typed(v Value) {
	switch v.kind {
	case Null:
		e.out = append(e.out, typeNull)
	case Bool:
		e.out = append(e.out, typeFalse+byte(v.bits))
	case Int:
		e.out = append(e.out, typeInt)
		e.out = binary.AppendVarint(e.out, int64(v.bits))
	case Float:
		e.out = append(e.out, typeFloat)
		e.out = binary.BigEndian.AppendUint64(e.out, v.bits)
	case Text:
		e.out = append(e.out, typeText)
		e.name(v.text)
	}
}

func (e *encoder) features(tag byte, f Features) {
	if len(f) == 0 {
		return
	}
	e.out = append(e.out, tag, typeMap)
	e.out = binary.AppendUvarint(e.out, uint64(len(f)))
	for i := range f {
		e.unordered = e.unordered || i > 0 && f[i-1].Name >= f[i].Name
		e.name(f[i].Name)
		e.typed(f[i].Value)
	}
}

func (e *encoder) flags(flags []string) {
	if len(flags) == 0 {
		return
	}
	e.out = append(e.out, tagFlags, typeList)
	e.out = binary.AppendUvarint(e.out, uint64(len(flags)))
	for i, flag := range flags {
		e.unordered = e.unordered || i > 0 && flags[i-1] >= flag
		e.name(flag)
	}
}

// Leaf is the RFC 6962 hash of a record.
type Leaf [sha256.Size]byte

// LeafOf returns the leaf of the record that encoding encodes: SHA-256 of a zero byte and the
// encoding.
func LeafOf(encoding []byte) Leaf {
	var short [1024]byte
	return sha256.Sum256(append(append(short[:0], 0), encoding...))
}

// Leaf returns the leaf of r.
func (r *Record) Leaf() (Leaf, error) {
	encoding, err := r.Append(nil)
	if err != nil {
		return Leaf{}, err
	}
	return LeafOf(encoding), nil
}

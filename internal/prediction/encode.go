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
	e.bytes(TagID, r.ID[:])
	e.bytes(TagSalt, r.Salt[:])
	e.value(TagTime, Integer(int64(r.Time)))
	e.text(TagModel, r.Model)
	e.text(TagVersionRequested, r.VersionRequested)
	e.text(TagVersion, r.Version)
	e.text(TagVersionSource, r.VersionSource)
	e.text(TagEnvironment, r.Environment)
	e.text(TagRoute, r.Route)
	e.text(TagActor, r.Actor)
	e.text(TagSubject, r.Subject)
	if r.TraceID != (TraceID{}) {
		e.bytes(TagTraceID, r.TraceID[:])
	}
	if r.SpanID != (SpanID{}) {
		e.bytes(TagSpanID, r.SpanID[:])
	}
	if r.InputDigest != "" {
		sum, ok := digestBytes(r.InputDigest)
		if !ok {
			return dst, errors.New("encode record: its input digest is none")
		}
		e.bytes(TagInputDigest, sum[:])
		if r.InputKeyed {
			e.value(TagInputKeyed, Boolean(true))
		}
	}
	e.features(TagFeatures, r.Features)
	e.text(TagFeaturesRef, r.FeaturesRef)
	e.value(TagOutput, r.Output)
	e.value(TagScore, r.Score)
	e.value(TagThreshold, r.Threshold)
	e.text(TagRule, r.Rule)
	e.text(TagRationale, r.Rationale)
	e.features(TagAttributions, r.Attributions)
	e.value(TagLatency, r.Latency)
	e.text(TagStatus, string(r.Status))
	e.text(TagDecidedBy, string(r.DecidedBy))
	if o := r.Override; o != nil {
		e.text(TagOverrideBy, o.By)
		e.value(TagOverrideFrom, o.From)
		e.text(TagOverrideWhy, o.Why)
	}
	e.flags(r.Flags)
	if len(r.Extra) > 0 {
		e.out = append(e.out, byte(TagExtra), typeText)
		e.out = binary.AppendUvarint(e.out, uint64(len(r.Extra)))
		e.out = append(e.out, r.Extra...)
	}
	e.text(TagBodyRule, r.BodyRule)
	if !e.body(TagRequestType, r.RequestBody) || !e.body(TagResponseType, r.ResponseBody) {
		return dst, errors.New("encode record: a body has no digest")
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

func (e *encoder) bytes(tag Tag, b []byte) {
	e.out = append(e.out, byte(tag), typeBytes, byte(len(b)))
	e.out = append(e.out, b...)
}

func (e *encoder) text(tag Tag, s string) {
	if s != "" {
		e.out = append(e.out, byte(tag), typeText)
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

func (e *encoder) value(tag Tag, v Value) {
	if v.kind != Null {
		e.out = append(e.out, byte(tag))
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

func (e *encoder) features(tag Tag, f Features) {
	if len(f) == 0 {
		return
	}
	e.out = append(e.out, byte(tag), typeMap)
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
	e.out = append(e.out, byte(TagFlags), typeList)
	e.out = binary.AppendUvarint(e.out, uint64(len(flags)))
	for i, flag := range flags {
		e.unordered = e.unordered || i > 0 && flags[i-1] >= flag
		e.name(flag)
	}
}

// body writes media type and digest of a body, the first under the tag typ and the other under the next; false if
// it has no digest.
func (e *encoder) body(typ Tag, b *Body) bool {
	if b == nil {
		return true
	}
	sum, ok := b.Sum()
	e.text(typ, b.Type)
	e.bytes(typ+1, sum[:])
	return ok
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

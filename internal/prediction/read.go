package prediction

import (
	"encoding/hex"

	"github.com/tallystick/tallystick"
)

// Decode returns the record that encoding encodes, or an Invalid error if it is not the one
// encoding of a record. It does not ask whether the record is valid.
func Decode(encoding []byte) (Record, error) {
	var v View
	if err := v.Decode(encoding); err != nil {
		return Record{}, err
	}
	return v.Record(), nil
}

// Record returns the record that v has decoded, in memory of its own.
func (v *View) Record() Record {
	all := string(v.data) // all texts of the record are parts of one string
	text := func(tag Tag) string { r := v.fields[tag]; return all[r.at : r.at+r.n] }
	value := func(raw Raw) Value {
		if raw.Kind == Text {
			return Value{kind: Text, text: all[raw.at : raw.at+raw.n]}
		}
		return Value{kind: raw.Kind, bits: raw.Bits}
	}
	features := func(raw []RawFeature) Features {
		if len(raw) == 0 {
			return nil
		}
		f := make(Features, len(raw))
		for i := range raw {
			f[i] = Feature{all[raw[i].at : raw[i].at+raw[i].n], value(raw[i].Value)}
		}
		return f
	}
	r := Record{
		Time: Time(v.fields[TagTime].Bits), Model: text(TagModel),
		VersionRequested: text(TagVersionRequested), Version: text(TagVersion), VersionSource: text(TagVersionSource),
		Environment: text(TagEnvironment), Route: text(TagRoute), Actor: text(TagActor), Subject: text(TagSubject),
		InputKeyed: v.fields[TagInputKeyed].Bits != 0,
		Features:   features(v.Features), FeaturesRef: text(TagFeaturesRef),
		Output: value(v.fields[TagOutput]), Score: value(v.fields[TagScore]), Threshold: value(v.fields[TagThreshold]),
		Rule: text(TagRule), Rationale: text(TagRationale), Attributions: features(v.Attributions),
		Latency: value(v.fields[TagLatency]), Status: Status(text(TagStatus)), DecidedBy: DecidedBy(text(TagDecidedBy)),
	}
	copy(r.ID[:], text(TagID))
	copy(r.Salt[:], text(TagSalt))
	copy(r.TraceID[:], text(TagTraceID))
	copy(r.SpanID[:], text(TagSpanID))
	if sum := v.fields[TagInputDigest]; sum.Kind != Null {
		r.InputDigest = tallystick.Digest("sha256:" + hex.EncodeToString(v.Bytes(sum)))
	}
	if v.fields[TagOverrideBy].Kind != Null {
		r.Override = &Override{By: text(TagOverrideBy), From: value(v.fields[TagOverrideFrom]), Why: text(TagOverrideWhy)}
	}
	for _, flag := range v.Flags {
		r.Flags = append(r.Flags, all[flag.at:flag.at+flag.n])
	}
	body := func(typ Tag) *Body {
		sum := v.fields[typ+1]
		if sum.Kind == Null {
			return nil
		}
		return &Body{Type: text(typ), Digest: tallystick.Digest("sha256:" + hex.EncodeToString(v.Bytes(sum)))}
	}
	r.BodyRule, r.RequestBody, r.ResponseBody = text(TagBodyRule), body(TagRequestType), body(TagResponseType)
	if extra := text(TagExtra); extra != "" {
		r.Extra = []byte(extra)
	}
	return r
}

package segment

import "github.com/tallystick/tallystick/internal/prediction"

// storage is how a column holds its values.
type storage uint8

const (
	asText storage = iota + 1
	asJSON
	asDouble
	asInteger
	asBoolean
	asTime
	asUUID
	asBytes // of any length
	as8
	as16
	as32
)

// width returns the bytes of a value of fixed length, or 0.
func (s storage) width() int {
	switch s {
	case as8:
		return 8
	case as16, asUUID:
		return 16
	case as32:
		return 32
	}
	return 0
}

// The columns that are not fields of a record.
const (
	columnID       = "id"
	columnLeaf     = "leaf"
	columnTile     = "tile"
	columnFlags    = "flags"
	columnAbsent   = "absent"
	columnOverflow = "overflow"

	columnRequest  = "request_body"
	columnResponse = "response_body"

	featurePrefix     = "f_"
	attributionPrefix = "a_"
)

// field is a part of a record that has a column of its own, always of one storage or, where that is
// 0, of what its values need.
type field struct {
	tag   prediction.Tag
	name  string
	store storage
	bare  bool // nobody looks for a range of these
}

// fields lists them. They are called as in the JSON of a record.
func fields() []field {
	return []field{
		{tag: prediction.TagID, name: columnID, store: asUUID},
		{tag: prediction.TagSalt, name: "salt", store: as16, bare: true},
		{tag: prediction.TagTime, name: "time", store: asTime},
		{tag: prediction.TagModel, name: "model", store: asText},
		{tag: prediction.TagVersionRequested, name: "version_requested", store: asText},
		{tag: prediction.TagVersion, name: "version", store: asText},
		{tag: prediction.TagVersionSource, name: "version_source", store: asText},
		{tag: prediction.TagEnvironment, name: "environment", store: asText},
		{tag: prediction.TagRoute, name: "route", store: asText},
		{tag: prediction.TagActor, name: "actor", store: asText},
		{tag: prediction.TagSubject, name: "subject", store: asText},
		{tag: prediction.TagTraceID, name: "trace_id", store: as16, bare: true},
		{tag: prediction.TagSpanID, name: "span_id", store: as8, bare: true},
		{tag: prediction.TagInputDigest, name: "input_digest", store: as32, bare: true},
		{tag: prediction.TagInputKeyed, name: "input_keyed", store: asBoolean},
		{tag: prediction.TagFeaturesRef, name: "features_ref", store: asText},
		{tag: prediction.TagOutput, name: "output"},
		{tag: prediction.TagScore, name: "score"},
		{tag: prediction.TagThreshold, name: "threshold"},
		{tag: prediction.TagRule, name: "rule", store: asText},
		{tag: prediction.TagRationale, name: "rationale", store: asText, bare: true},
		{tag: prediction.TagLatency, name: "latency_us", store: asInteger},
		{tag: prediction.TagStatus, name: "status", store: asText},
		{tag: prediction.TagDecidedBy, name: "decided_by", store: asText},
		{tag: prediction.TagOverrideBy, name: "override_by", store: asText},
		{tag: prediction.TagOverrideFrom, name: "override_from"},
		{tag: prediction.TagOverrideWhy, name: "override_why", store: asText},
		{tag: prediction.TagFlags, name: columnFlags, store: asJSON},
		{tag: prediction.TagExtra, name: "extra", store: asJSON, bare: true},
		{tag: prediction.TagBodyRule, name: "body_rule", store: asText},
		{tag: prediction.TagRequestType, name: "request_type", store: asText},
		{tag: prediction.TagRequestDigest, name: "request_digest", store: as32, bare: true},
		{tag: prediction.TagResponseType, name: "response_type", store: asText},
		{tag: prediction.TagResponseDigest, name: "response_digest", store: as32, bare: true},
	}
}

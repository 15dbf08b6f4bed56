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

	featurePrefix     = "f_"
	attributionPrefix = "a_"
)

// field is a part of a record that has a column of its own, always of one storage or, where that is
// 0, of what its values need.
type field struct {
	tag   prediction.Tag
	name  string
	store storage
}

// fields lists them. They are called as in the JSON of a record.
func fields() []field {
	return []field{
		{prediction.TagID, columnID, asUUID},
		{prediction.TagSalt, "salt", as16},
		{prediction.TagTime, "time", asTime},
		{prediction.TagModel, "model", asText},
		{prediction.TagVersionRequested, "version_requested", asText},
		{prediction.TagVersion, "version", asText},
		{prediction.TagVersionSource, "version_source", asText},
		{prediction.TagEnvironment, "environment", asText},
		{prediction.TagRoute, "route", asText},
		{prediction.TagActor, "actor", asText},
		{prediction.TagSubject, "subject", asText},
		{prediction.TagTraceID, "trace_id", as16},
		{prediction.TagSpanID, "span_id", as8},
		{prediction.TagInputDigest, "input_digest", as32},
		{prediction.TagInputKeyed, "input_keyed", asBoolean},
		{prediction.TagFeaturesRef, "features_ref", asText},
		{prediction.TagOutput, "output", 0},
		{prediction.TagScore, "score", 0},
		{prediction.TagThreshold, "threshold", 0},
		{prediction.TagRule, "rule", asText},
		{prediction.TagRationale, "rationale", asText},
		{prediction.TagLatency, "latency_us", asInteger},
		{prediction.TagStatus, "status", asText},
		{prediction.TagDecidedBy, "decided_by", asText},
		{prediction.TagOverrideBy, "override_by", asText},
		{prediction.TagOverrideFrom, "override_from", 0},
		{prediction.TagOverrideWhy, "override_why", asText},
		{prediction.TagFlags, columnFlags, asJSON},
		{prediction.TagExtra, "extra", asJSON},
	}
}

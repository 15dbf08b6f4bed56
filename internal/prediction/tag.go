package prediction

// version1 is the first byte of every encoding.
const version1 = 1

// Tag names a field in an encoding.
type Tag byte

// Tags of the fields, in the order in which they are written. A tag is never given another meaning.
const (
	TagID Tag = iota + 1
	TagSalt
	TagTime
	TagModel
	TagVersionRequested
	TagVersion
	TagVersionSource
	TagEnvironment
	TagRoute
	TagActor
	TagSubject
	TagTraceID
	TagSpanID
	TagInputDigest
	TagInputKeyed
	TagFeatures
	TagFeaturesRef
	TagOutput
	TagScore
	TagThreshold
	TagRule
	TagRationale
	TagAttributions
	TagLatency
	TagStatus
	TagDecidedBy
	TagOverrideBy
	TagOverrideFrom
	TagOverrideWhy
	TagFlags
	TagExtra
	TagBodyRule
	TagRequestType
	TagRequestDigest
	TagResponseType
	TagResponseDigest
	tagEnd // of the tags of version 1
)

// kindOf is the kind that a field of one kind has; Null of those that hold a value, or several.
func kindOf(tag Tag) Kind {
	switch tag {
	case TagID, TagSalt, TagTraceID, TagSpanID, TagInputDigest, TagRequestDigest, TagResponseDigest:
		return Octets
	case TagTime, TagLatency:
		return Int
	case TagInputKeyed:
		return Bool
	case TagFeatures, TagAttributions, TagFlags, TagOutput, TagScore, TagThreshold, TagOverrideFrom:
		return Null
	}
	return Text
}

// widthOf is the number of bytes of a field of kind Octets.
func widthOf(tag Tag) int {
	switch tag {
	case TagSpanID:
		return 8
	case TagInputDigest, TagRequestDigest, TagResponseDigest:
		return 32
	}
	return 16
}

// Types, each with what follows it.
const (
	typeNull  byte = iota // nothing
	typeFalse             // nothing
	typeTrue              // nothing
	typeInt               // the integer, zigzag, as a uvarint
	typeFloat             // 8 bytes: IEEE 754 binary64, big-endian
	typeText              // the length as a uvarint, then UTF-8
	typeBytes             // the length as a uvarint, then the bytes
	typeMap               // the number of entries as a uvarint; each: the name like a text without type, then a typed value
	typeList              // the number of texts as a uvarint; each like a text without type
)

package prediction

// version1 is the first byte of every encoding.
const version1 = 1

// Tags of the fields, in the order in which they are written. A tag is never given another meaning.
const (
	tagID byte = iota + 1
	tagSalt
	tagTime
	tagModel
	tagVersionRequested
	tagVersion
	tagVersionSource
	tagEnvironment
	tagRoute
	tagActor
	tagSubject
	tagTraceID
	tagSpanID
	tagInputDigest
	tagInputKeyed
	tagFeatures
	tagFeaturesRef
	tagOutput
	tagScore
	tagThreshold
	tagRule
	tagRationale
	tagAttributions
	tagLatency
	tagStatus
	tagDecidedBy
	tagOverrideBy
	tagOverrideFrom
	tagOverrideWhy
	tagFlags
	tagExtra
	tagEnd // of the tags of version 1
)

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

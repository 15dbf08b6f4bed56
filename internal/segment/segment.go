package segment

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

const (
	// MaxRecords bounds the records of a file.
	MaxRecords = 1 << 24
	// maxColumns bounds the columns for features, and again those for attributions. The names that
	// most records have get one; values of the others go into the column overflow.
	maxColumns = 1024
	maxParts   = 4096
	maxLabel   = 128 // bytes of the name of a segment

	tileHeight = 8
	tileLeaves = 1 << tileHeight // of which the file carries the root
)

// Hash is a node of the tree.
type Hash = [32]byte

// Part is one segment in a file. A file that was written from records has one, a compacted file as
// many as were joined.
type Part struct {
	Segment string            `json:"segment"` // the name under which it was registered
	Count   int64             `json:"count"`   // records, erased ones included
	Root    tallystick.Digest `json:"root"`    // of the RFC 6962 tree over the leaves
}

// Summary tells of a file what its registration needs.
type Summary struct {
	Model  string
	Parts  []Part
	Count  int64 // of all parts
	Erased int64
	Bytes  int64
	Digest tallystick.Digest // of the file

	// Of the records that are not erased. IDs and times are the smallest and greatest.
	FirstID, LastID     prediction.ID
	FirstTime, LastTime prediction.Time
}

// Entry is what stands at one place of a segment: the encoding of a record or, once that is erased,
// its leaf alone. The bodies are in no leaf, but their digests are.
type Entry struct {
	Encoding []byte // nil if erased
	Leaf     prediction.Leaf
	Bodies   prediction.Bodies // that are kept beside the record
}

// metadataKey is where the file's footer tells about the parts.
const metadataKey = "tallystick.segment"

// metadata is the value of metadataKey, as JSON.
type metadata struct {
	Version int    `json:"version"`
	Model   string `json:"model"`
	Parts   []Part `json:"parts"`
}

func (m *metadata) encode() string {
	text, _ := json.Marshal(m) // of texts and numbers
	return string(text)
}

// parseMetadata reads what encode wrote, and nothing else.
func parseMetadata(text string) (*metadata, error) {
	m := new(metadata)
	if err := json.Unmarshal([]byte(text), m); err != nil || m.Version != 1 || m.encode() != text {
		return nil, faultf("its metadata is not of version 1")
	}
	if len(m.Parts) == 0 || len(m.Parts) > maxParts {
		return nil, faultf("it has %d parts", len(m.Parts))
	}
	names := make([]string, len(m.Parts))
	total := int64(0)
	for i, p := range m.Parts {
		if p.Count <= 0 || p.Count > MaxRecords || p.Root.Validate() != nil || !validLabel(p.Segment) {
			return nil, faultf("part %d is not one", i)
		}
		total += p.Count
		names[i] = p.Segment
	}
	slices.Sort(names)
	if total > MaxRecords || len(slices.Compact(names)) != len(m.Parts) {
		return nil, faultf("its parts are too large or not different")
	}
	return m, nil
}

func validLabel(s string) bool {
	return s != "" && len(s) <= maxLabel && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func rootDigest(root Hash) tallystick.Digest {
	return tallystick.Digest("sha256:" + hexOf(root[:]))
}

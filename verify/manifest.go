package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// ManifestSchema identifies the format of manifest.json.
const ManifestSchema = "https://github.com/tallystick/tallystick/schema/manifest/v1"

// The names that a bundle gives its files. Everything else lies in the directories events,
// statements, policy, reports and evidence.
const (
	ManifestFile         = "manifest.json"
	ManifestEnvelopeFile = "manifest.dsse.json"
	CheckpointFile       = "checkpoint"
	TrustFile            = "trust.json"
	ReportFile           = "reports/report.json"
)

// Manifest lists everything in a bundle except itself and its own envelope. It is RFC 8785 JSON.
type Manifest struct {
	Schema     string          `json:"schema"`
	Created    string          `json:"created"` // RFC 3339, UTC, milliseconds; the exporter's claim
	Subject    BundleSubject   `json:"subject"`
	Files      []ManifestEntry `json:"files"`      // sorted by name
	Events     []EventFiles    `json:"events"`     // sorted by sequence
	Statements []string        `json:"statements"` // names of files, sorted
	Checkpoint string          `json:"checkpoint"` // always CheckpointFile
	Note       string          `json:"note,omitempty"`
}

// BundleSubject says what the bundle is evidence about.
type BundleSubject struct {
	Name    string                       `json:"name"`
	Digests map[string]tallystick.Digest `json:"digests,omitempty"` // by what they are digests of
}

// ManifestEntry is one file.
type ManifestEntry struct {
	Name      string            `json:"name"`
	Size      int64             `json:"size"` // bytes
	Digest    tallystick.Digest `json:"digest"`
	MediaType string            `json:"media_type"`
	Role      FileRole          `json:"role"`
}

// EventFiles names the files of one event.
type EventFiles struct {
	Sequence    uint64 `json:"sequence"`
	Leaf        string `json:"leaf"`
	Proof       string `json:"proof"`
	Disclosures string `json:"disclosures,omitempty"`
}

// NewEventFiles returns the names that the files of an event have.
func NewEventFiles(sequence uint64, disclosed bool) EventFiles {
	stem := fmt.Sprintf("events/%d", sequence)
	e := EventFiles{Sequence: sequence, Leaf: stem + ".json", Proof: stem + ".tlog-proof"}
	if disclosed {
		e.Disclosures = stem + ".disclosures.json"
	}
	return e
}

// FileRole says what a file is for. The name decides it.
type FileRole string

// The roles of files.
const (
	FileLeaf        FileRole = "leaf"
	FileProof       FileRole = "proof"
	FileDisclosures FileRole = "disclosures"
	FileStatement   FileRole = "statement"
	FileCheckpoint  FileRole = "checkpoint"
	FileTrust       FileRole = "trust"
	FilePolicy      FileRole = "policy"
	FileReport      FileRole = "report"
	FileEvidence    FileRole = "evidence"
)

// filePatterns maps the names that a bundle may contain to what they are, first match wins.
var filePatterns = []struct {
	name      *regexp.Regexp
	role      FileRole
	mediaType string
}{
	{regexp.MustCompile(`^checkpoint$`), FileCheckpoint, "text/plain; charset=utf-8"},
	{regexp.MustCompile(`^trust\.json$`), FileTrust, "application/json"},
	{regexp.MustCompile(`^events/(0|[1-9][0-9]*)\.json$`), FileLeaf, "application/cloudevents+json"},
	{regexp.MustCompile(`^events/(0|[1-9][0-9]*)\.tlog-proof$`), FileProof, "text/plain; charset=utf-8"},
	{regexp.MustCompile(`^events/(0|[1-9][0-9]*)\.disclosures\.json$`), FileDisclosures, "application/json"},
	{regexp.MustCompile(`^statements/[^/]+\.dsse\.json$`), FileStatement, "application/vnd.dsse.envelope.v1+json"},
	{regexp.MustCompile(`^policy/.*\.rego$`), FilePolicy, "text/plain; charset=utf-8"},
	{regexp.MustCompile(`^policy/.*\.json$`), FilePolicy, "application/json"},
	{regexp.MustCompile(`^policy/`), FilePolicy, "application/octet-stream"},
	{regexp.MustCompile(`^reports/[^/]+\.html$`), FileReport, "text/html; charset=utf-8"},
	{regexp.MustCompile(`^reports/[^/]+\.md$`), FileReport, "text/markdown; charset=utf-8"},
	{regexp.MustCompile(`^reports/[^/]+\.json$`), FileReport, "application/json"},
	{regexp.MustCompile(`^evidence/.*\.json$`), FileEvidence, "application/json"},
	{regexp.MustCompile(`^evidence/`), FileEvidence, "application/octet-stream"},
}

// NewManifestEntry describes one file of a bundle. A name that has no place in a bundle is an
// Invalid error.
func NewManifestEntry(f File) (ManifestEntry, error) {
	if err := validateName(f.Name); err != nil {
		return ManifestEntry{}, err
	}
	for _, p := range filePatterns {
		if p.name.MatchString(f.Name) {
			return ManifestEntry{
				Name: f.Name, Size: int64(len(f.Data)), Digest: tallystick.DigestOf(f.Data),
				MediaType: p.mediaType, Role: p.role,
			}, nil
		}
	}
	return ManifestEntry{}, tallystick.Errorf(tallystick.Invalid, "file %q has no place in a bundle", f.Name).
		WithHint("put it below policy/, reports/ or evidence/")
}

// ParseManifest reads a manifest.json. It accepts what Marshal writes and nothing else.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := decodeCanonical(ManifestFile, data, &m); err != nil {
		return Manifest{}, err
	}
	if err := m.validate(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// Marshal returns the RFC 8785 form of m.
func (m Manifest) Marshal() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	return Canonical(m)
}

func (m Manifest) validate() error {
	invalid := func(format string, args ...any) error {
		return tallystick.Errorf(tallystick.Invalid, ManifestFile+": "+format, args...)
	}
	if m.Schema != ManifestSchema {
		return invalid("schema %.80q is not %s", m.Schema, ManifestSchema)
	}
	if at, err := time.Parse(eventTimeLayout, m.Created); err != nil || at.Format(eventTimeLayout) != m.Created {
		return invalid("created %.40q is not RFC 3339 in UTC with milliseconds", m.Created)
	}
	if m.Subject.Name == "" || strings.ContainsAny(m.Subject.Name, "\r\n") {
		return invalid("subject has no name on one line")
	}
	for what, d := range m.Subject.Digests {
		if err := d.Validate(); err != nil || what == "" {
			return invalid("subject: digest of %.40q is malformed", what)
		}
	}
	if m.Files == nil || m.Events == nil || m.Statements == nil || m.Checkpoint != CheckpointFile {
		return invalid("files, events, statements or checkpoint is missing")
	}
	named := map[string]FileRole{}
	for i, f := range m.Files {
		if i > 0 && f.Name <= m.Files[i-1].Name {
			return invalid("file %.80q is not in order, or there twice", f.Name)
		}
		if f.Size < 0 || f.Digest.Validate() != nil {
			return invalid("file %.80q has no size and digest", f.Name)
		}
		named[f.Name] = f.Role
	}
	for i, e := range m.Events {
		if i > 0 && e.Sequence <= m.Events[i-1].Sequence {
			return invalid("event %d is not in order, or there twice", e.Sequence)
		}
		if e != NewEventFiles(e.Sequence, e.Disclosures != "") {
			return invalid("event %d: files are not named for it", e.Sequence)
		}
	}
	if !slices.IsSorted(m.Statements) || len(slices.Compact(slices.Clone(m.Statements))) != len(m.Statements) {
		return invalid("statements are not in order, or there twice")
	}
	return m.matchRoles(named)
}

// matchRoles compares the files that events, statements and checkpoint refer to with the files of
// those roles: each must be there, and none besides.
func (m Manifest) matchRoles(named map[string]FileRole) error {
	want := map[string]FileRole{m.Checkpoint: FileCheckpoint, TrustFile: FileTrust}
	for _, e := range m.Events {
		want[e.Leaf], want[e.Proof] = FileLeaf, FileProof
		if e.Disclosures != "" {
			want[e.Disclosures] = FileDisclosures
		}
	}
	for _, name := range m.Statements {
		want[name] = FileStatement
	}
	for name, role := range want {
		if named[name] != role {
			return tallystick.Errorf(tallystick.Invalid, ManifestFile+": %.80q is not listed as a %s", name, role)
		}
		delete(named, name)
	}
	for name, role := range named {
		switch role {
		case FilePolicy, FileReport, FileEvidence:
		default:
			return tallystick.Errorf(tallystick.Invalid, ManifestFile+": %.80q is a %s that nothing refers to", name, role)
		}
	}
	return nil
}

package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// PackageSchema identifies the format of a package's index.
const PackageSchema = "https://github.com/tallystick/tallystick/schema/package/v1"

// The names of files of a package. An archive that has PackageFile is a package.
const (
	PackageFile      = "package.dsse.json"
	PackageProofFile = "proof/nodes"
	policyFilesDir   = "policies/files/"
)

// PackageIndex says what a package holds. It is the predicate of the statement in [PackageFile], whose
// subjects are all other files.
type PackageIndex struct {
	Schema  string `json:"schema"`
	Created string `json:"created"` // RFC 3339, UTC, milliseconds, like all times here; the exporter's claim
	Program string `json:"program"` // name and version of what wrote it
	Model   string `json:"model"`
	Version string `json:"version,omitempty"` // absent: all versions
	From    string `json:"from,omitempty"`    // inclusive; absent: from the beginning of the ledger
	Until   string `json:"until"`             // exclusive
	// Recipient is whom the package is for, as the exporter named them.
	Recipient string `json:"recipient"`
	Export    uint64 `json:"export"`       // sequence of the event that records the export
	Offset    int64  `json:"index_offset"` // of an event's index in the ledger from its sequence
	Events    Count  `json:"events"`
	Disclosed bool   `json:"disclosed"` // whether sealed fields are shown
	// Complete is the stretch of the trail that the package holds whole, the events of other models too.
	// Absent: only what concerns the model is here.
	Complete *Stretch `json:"complete,omitempty"`
	// Absent lists digests of evidence that events of the package record, but whose bytes are not in it.
	Absent []AbsentEvidence `json:"absent,omitempty"`
}

// Count is how many events a package has.
type Count struct {
	About   uint64       `json:"about"`   // of the model or version, in the period
	Context uint64       `json:"context"` // others: keys, earlier registrations, the export itself
	Months  []MonthCount `json:"months"`  // of those about it, by the month of their time
}

// Stretch is a part of the trail without a gap, both ends included.
type Stretch struct {
	First uint64 `json:"first"` // sequence; the event before the period, or the very first
	Last  uint64 `json:"last"`  // sequence; the event after the period, or the export
}

// MonthCount is how many events a month of UTC has.
type MonthCount struct {
	Month  string `json:"month"` // as 2026-03
	Events uint64 `json:"events"`
}

// AbsentEvidence is evidence of which a package has the digest alone.
type AbsentEvidence struct {
	Digest tallystick.Digest `json:"digest"`
	Why    string            `json:"why"`
}

// Span returns the period.
func (x PackageIndex) Span() (from, until time.Time, err error) {
	if x.From != "" {
		if from, err = time.Parse(eventTimeLayout, x.From); err != nil {
			return from, until, tallystick.Errorf(tallystick.Invalid, "index: from %.40q is no time", x.From)
		}
	}
	if until, err = time.Parse(eventTimeLayout, x.Until); err != nil {
		return from, until, tallystick.Errorf(tallystick.Invalid, "index: until %.40q is no time", x.Until)
	}
	return from, until, nil
}

// About reports whether an event is one of those that the package is about: of the model, in the period,
// and naming the version or none.
func (x PackageIndex) About(e SealedEvent, from, until time.Time) bool {
	if e.Data["model"] != x.Model || e.Time.Before(from) || !e.Time.Before(until) {
		return false
	}
	version, names := e.Data["version"].(string)
	return x.Version == "" || !names || version == x.Version
}

// Name returns what the package is about: MODEL or MODEL@VERSION.
func (x PackageIndex) Name() string {
	if x.Version == "" {
		return x.Model
	}
	return x.Model + "@" + x.Version
}

// packageNames are the names that a package may contain. The hexadecimal digits are those of the file's
// own digest, but for policies, whose listing has the digest of the policy.
var packageNames = []*regexp.Regexp{
	regexp.MustCompile(`^(README\.md|index\.html|history\.txt|checkpoint|trust\.json|proof/nodes)$`),
	regexp.MustCompile(`^(events|disclosures)/[0-9]{6}\.jsonl$`),
}

// digestName matches the names of files that are named by their digest.
var digestName = regexp.MustCompile(`^(statements|reports|decisions|evidence|bundles|policies|policies/files)/([0-9a-f]{64})(\.[a-z0-9.]+)?$`)

func isPackageName(name string) bool {
	for _, p := range packageNames {
		if p.MatchString(name) {
			return true
		}
	}
	return digestName.MatchString(name)
}

// packageVerifier checks a package. It shares with bundles what both have: keys, statements and the
// checkpoint.
type packageVerifier struct {
	bundleVerifier
	index    PackageIndex
	from     time.Time
	until    time.Time
	admitted map[string]Key // keys of others, of which an event says that their evidence counts
	ends     [2]SealedEvent // of the stretch that is complete
	sealed   int            // sealed fields
	shown    int            // of them, opened
}

// steps returns the checks in their order; each stands on the one before.
func (v *packageVerifier) steps() []func() error {
	return []func() error{v.checkClaimedTrust, v.checkIndex, v.checkCheckpoint, v.checkEvents, v.checkEvidence, v.checkPolicies, v.checkStatements, v.checkBundles}
}

// checkIndex opens the statement of the index and compares its subjects with the files.
func (v *packageVerifier) checkIndex() error {
	s, k, trusted, err := v.openStatement(PackageFile)
	if err == nil {
		err = v.readIndex(s)
	}
	if err == nil && k.Status == StatusCompromised {
		// The index is in no ledger, so nothing shows that it was signed before.
		err = fmt.Errorf("key %.12s is compromised; ask for a new export", k.ID)
	}
	if err != nil {
		return &namedError{"index signature", PackageFile, err}
	}
	v.result.Subject = v.index.Name()
	if err := v.matchFiles(s.Subject); err != nil {
		return err
	}
	v.exporter, v.signature, v.envelope = k, "index signature", PackageFile
	if trusted {
		v.result.ok("index signature", PackageFile, "by %s, key %.12s", k.Name, k.ID)
	} else {
		v.result.unknownSigner("index signature", PackageFile, "by key %.12s, which is not among those trusted", k.ID)
	}
	return nil
}

// readIndex reads the predicate. The predicate type is that of a bundle's manifest: both say what is in
// a file that leaves an installation, and the keys that may say the one may say the other.
func (v *packageVerifier) readIndex(s Statement) (err error) {
	if s.PredicateType != PredicateManifest {
		return fmt.Errorf("predicate type is %s, want %s", s.PredicateType, PredicateManifest)
	}
	if err := decodeCanonical("index", s.Predicate, &v.index); err != nil {
		return err
	}
	if v.index.Schema != PackageSchema {
		return fmt.Errorf("the index has the schema %.80q, want %s", v.index.Schema, PackageSchema)
	}
	if v.index.Model == "" {
		return errors.New("the index names no model")
	}
	v.from, v.until, err = v.index.Span()
	return err
}

func (v *packageVerifier) matchFiles(subjects []ResourceDescriptor) error {
	v.digests = make(map[string]tallystick.Digest, len(subjects))
	for i, s := range subjects {
		if i > 0 && s.Name <= subjects[i-1].Name || !isPackageName(s.Name) {
			return &namedError{"file", s.Name, errors.New("has no place in a package, or is listed out of order")}
		}
		data, ok := v.archive.File(s.Name)
		if !ok {
			return &namedError{"file", s.Name, errors.New("is in the index but not in the package")}
		}
		got := tallystick.DigestOf(data)
		if want := s.Digest["sha256"]; got.Hex() != want {
			return &namedError{"file", s.Name, fmt.Errorf("has the sha256 %s; the index says %.64s", got.Hex(), want)}
		}
		v.digests[s.Name] = got
	}
	for _, f := range v.archive.files {
		if _, ok := v.digests[f.Name]; !ok && f.Name != PackageFile {
			return &namedError{"file", f.Name, errors.New("is in the package but not in the index")}
		}
	}
	for _, name := range []string{CheckpointFile, TrustFile, PackageProofFile} {
		if _, ok := v.digests[name]; !ok {
			return &namedError{"file", name, errors.New("is missing")}
		}
	}
	v.result.ok("files", PackageFile, "%d files, all with the digest that the index states, none besides", len(subjects))
	return nil
}

// filesIn returns the names of the files below a directory, sorted.
func (v *packageVerifier) filesIn(dir string) (names []string) {
	for _, f := range v.archive.files {
		if strings.HasPrefix(f.Name, dir+"/") {
			names = append(names, f.Name)
		}
	}
	return names
}

// lines yields the lines of a file, each without its end, and fails on one that is not ended.
func jsonLines(name string, data []byte) ([]json.RawMessage, error) {
	var lines []json.RawMessage
	for len(data) > 0 {
		end := 0
		for end < len(data) && data[end] != '\n' {
			end++
		}
		if end == len(data) || end == 0 {
			return nil, fmt.Errorf("%s: line %d is empty or not ended", name, len(lines)+1)
		}
		lines = append(lines, data[:end:end])
		data = data[end+1:]
	}
	return lines, nil
}

package artifact

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/tallystick/tallystick"
)

// ManifestSchema is the version of the encoding of a manifest, its "schema" member.
const ManifestSchema = "tallystick.artifact-manifest/v1"

const (
	// MaxFiles bounds the files of one version.
	MaxFiles = 100_000
	// maxManifest bounds the bytes of an encoded manifest.
	maxManifest = 64 << 20
	// maxTotal bounds the sum of sizes to what a JSON number holds exactly (RFC 8785).
	maxTotal = 1<<53 - 1
)

// File is one file of a version.
type File struct {
	Name   string            `json:"name"` // see ValidateFileName
	Digest tallystick.Digest `json:"digest"`
	Size   int64             `json:"size"` // bytes
}

// Manifest lists the files of a version by name, in the order of the bytes of their names, which
// is the order of Unicode code points. Every Manifest is valid but the zero value, which is empty.
// It is immutable.
type Manifest struct{ files []File }

type manifestJSON struct {
	Schema string `json:"schema"`
	Files  []File `json:"files"`
}

// NewManifest returns the manifest of files in any order. It refuses an empty list, more than
// MaxFiles, names that ValidateFileName refuses, names that differ in case only, a name that is
// another's directory, and sizes that do not add up below 2^53.
func NewManifest(files []File) (Manifest, error) {
	if len(files) == 0 {
		return Manifest{}, tallystick.Errorf(tallystick.Invalid, "a version needs at least one file")
	}
	if len(files) > MaxFiles {
		return Manifest{}, errTooManyFiles()
	}
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	names, total := newNameSet(len(files)), int64(0)
	for _, f := range files {
		if err := ValidateFileName(f.Name); err != nil {
			return Manifest{}, err
		}
		if err := names.add(f.Name); err != nil {
			return Manifest{}, err
		}
		if err := f.Digest.Validate(); err != nil {
			return Manifest{}, tallystick.Errorf(tallystick.Invalid, "file %q: %w", f.Name, err)
		}
		if f.Size < 0 || f.Size > maxTotal-total {
			return Manifest{}, tallystick.Errorf(tallystick.Invalid, "file %q has the impossible size %d", f.Name, f.Size)
		}
		total += f.Size
	}
	return Manifest{files}, nil
}

func errTooManyFiles() error {
	return tallystick.Errorf(tallystick.Invalid, "more than %d files", MaxFiles).
		WithHint("name the files that belong to the version, or ignore the paths that do not")
}

// ParseManifest reads what Marshal wrote, and nothing else: one manifest has one encoding.
func ParseManifest(data []byte) (Manifest, error) {
	if len(data) > maxManifest {
		return Manifest{}, tallystick.Errorf(tallystick.Invalid, "manifest is longer than %d bytes", maxManifest)
	}
	var j manifestJSON
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Manifest{}, tallystick.Errorf(tallystick.Invalid, "manifest: %w", err)
	}
	if j.Schema != ManifestSchema {
		return Manifest{}, tallystick.Errorf(tallystick.Invalid, "manifest has schema %q, want %q", j.Schema, ManifestSchema)
	}
	m, err := NewManifest(j.Files)
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	again, err := m.Marshal()
	if err != nil {
		return Manifest{}, err
	}
	if !bytes.Equal(again, data) {
		return Manifest{}, tallystick.Errorf(tallystick.Invalid, "manifest is not in its canonical form (RFC 8785, sorted by name)")
	}
	return m, nil
}

// Marshal returns the canonical encoding: RFC 8785 JSON with the members "files" and "schema".
func (m Manifest) Marshal() ([]byte, error) {
	plain, err := json.Marshal(manifestJSON{Schema: ManifestSchema, Files: append([]File{}, m.files...)})
	if err != nil {
		return nil, fmt.Errorf("marshal manifest: %w", err)
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return nil, fmt.Errorf("marshal manifest: %w", err)
	}
	return canonical, nil
}

// Digest returns the identity of a version with these files: the digest of the canonical encoding.
// It binds names, digests and sizes.
func (m Manifest) Digest() (tallystick.Digest, error) {
	data, err := m.Marshal()
	if err != nil {
		return "", err
	}
	return tallystick.DigestOf(data), nil
}

// Root returns the root digest of OpenSSF Model Signing 1.0 (section 6.5.1, method "files",
// SHA-256): the digest of the files' raw digests, one after the other in the order of names. It is
// an alias for looking a version up, not its identity: it binds no names.
func (m Manifest) Root() tallystick.Digest {
	h := sha256.New()
	var raw [sha256.Size]byte
	for _, f := range m.files {
		// Every digest of a manifest is valid.
		_, _ = hex.Decode(raw[:], []byte(f.Digest.Hex()))
		h.Write(raw[:])
	}
	return tallystick.Digest("sha256:" + hex.EncodeToString(h.Sum(nil)))
}

// Files returns the files in order. The slice is the caller's.
func (m Manifest) Files() []File { return slices.Clone(m.files) }

// Len returns the number of files.
func (m Manifest) Len() int { return len(m.files) }

// Size returns the bytes of all files together.
func (m Manifest) Size() int64 {
	var total int64
	for _, f := range m.files {
		total += f.Size
	}
	return total
}

// File returns the file with a name.
func (m Manifest) File(name string) (File, bool) {
	i, ok := slices.BinarySearchFunc(m.files, name, func(f File, name string) int { return strings.Compare(f.Name, name) })
	if !ok {
		return File{}, false
	}
	return m.files[i], true
}

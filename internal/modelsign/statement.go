package modelsign

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
)

// PredicateType is the type of the predicate of a model signature.
const PredicateType = "https://model_signing/signature/v1.0"

const (
	statementType = "https://in-toto.io/Statement/v1"
	methodFiles   = "files"
	hashSHA256    = "sha256"
	// onlyFile is what the reference tool calls the file of a one-file model.
	onlyFile = "."
)

// Statement is what a signature says about a model.
type Statement struct {
	// Model is what the signer called it; nothing binds it.
	Model string
	// Root is the root digest over the files in the order in which they are listed.
	Root tallystick.Digest
	// Files are sorted by name. A lone file may be named ".", see the package.
	Files []SignedFile
	// Ignored are the paths, relative to the model, that the signature says nothing about, sorted.
	// The paths of [artifact.DefaultIgnores] are ignored even if they are not listed.
	Ignored []string
	// FollowedLinks says that symbolic links were signed as the files that they point to.
	FollowedLinks bool
}

// SignedFile is a file with the digest that was signed.
type SignedFile struct {
	Name   string
	Digest tallystick.Digest
}

type statementJSON struct {
	Type          string        `json:"_type"`
	Subject       []subjectJSON `json:"subject"`
	PredicateType string        `json:"predicateType"`
	Predicate     predicateJSON `json:"predicate"`
}

type subjectJSON struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type predicateJSON struct {
	Resources     []resourceJSON    `json:"resources"`
	Serialization serializationJSON `json:"serialization"`
}

type resourceJSON struct {
	Name      string `json:"name"`
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
}

type serializationJSON struct {
	Method        string   `json:"method"`
	HashType      string   `json:"hash_type"`
	AllowSymlinks bool     `json:"allow_symlinks"`
	IgnorePaths   []string `json:"ignore_paths"`
}

// marshal returns the statement as JSON.
func (s Statement) marshal() ([]byte, error) {
	j := statementJSON{
		Type:          statementType,
		Subject:       []subjectJSON{{Name: s.Model, Digest: map[string]string{hashSHA256: s.Root.Hex()}}},
		PredicateType: PredicateType,
		Predicate: predicateJSON{Serialization: serializationJSON{
			Method: methodFiles, HashType: hashSHA256, AllowSymlinks: s.FollowedLinks, IgnorePaths: s.Ignored,
		}},
	}
	for _, f := range s.Files {
		j.Predicate.Resources = append(j.Predicate.Resources, resourceJSON{Name: f.Name, Digest: f.Digest.Hex(), Algorithm: hashSHA256})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(j); err != nil {
		return nil, fmt.Errorf("marshal statement: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// parseStatement reads the payload of an envelope. Members that the specification's schemas do not
// know are refused where they are closed; it leaves subjects and resources open.
func parseStatement(data []byte) (Statement, error) {
	var s Statement
	if err := artifact.CheckJSON("statement", data); err != nil {
		return s, err
	}
	o, err := parseObject("statement", data, "_type", "subject", "predicateType", "predicate")
	if err != nil {
		return s, err
	}
	if err := o.want("_type", statementType); err != nil {
		return s, err
	}
	if err := o.want("predicateType", PredicateType); err != nil {
		return s, err
	}
	var subjects []json.RawMessage
	if err := o.get("subject", &subjects); err != nil {
		return s, err
	}
	if len(subjects) != 1 {
		return s, tallystick.Errorf(tallystick.Invalid, "statement has %d subjects, want one", len(subjects))
	}
	if err := s.parseSubject(subjects[0]); err != nil {
		return s, err
	}
	var predicate json.RawMessage
	if err := o.get("predicate", &predicate); err != nil {
		return s, err
	}
	if o, err = parseObject("predicate", predicate, "resources", "serialization"); err != nil {
		return s, err
	}
	var serialization json.RawMessage
	if err := o.get("serialization", &serialization); err != nil {
		return s, err
	}
	if err := s.parseSerialization(serialization); err != nil {
		return s, err
	}
	var resources []json.RawMessage
	if err := o.get("resources", &resources); err != nil {
		return s, err
	}
	return s, s.parseResources(resources)
}

func (s *Statement) parseSubject(data []byte) error {
	o, err := parseOpenObject("subject", data)
	if err != nil {
		return err
	}
	if err := o.get("name", &s.Model); err != nil {
		return err
	}
	if s.Model == "" {
		return tallystick.Errorf(tallystick.Invalid, "subject has an empty name")
	}
	var digests json.RawMessage
	if err := o.get("digest", &digests); err != nil {
		return err
	}
	if o, err = parseOpenObject("digest of subject", digests); err != nil {
		return err
	}
	s.Root, err = digestOf(o, hashSHA256)
	return err
}

func (s *Statement) parseSerialization(data []byte) error {
	o, err := parseObject("serialization", data, "method", "hash_type", "shard_size", "allow_symlinks", "ignore_paths")
	if err != nil {
		return err
	}
	if err := o.want("method", methodFiles); err != nil {
		return err
	}
	if err := o.want("hash_type", hashSHA256); err != nil {
		return err
	}
	if o.has("shard_size") {
		return tallystick.Errorf(tallystick.Invalid, "serialization of whole files has a shard size")
	}
	if err := o.get("allow_symlinks", &s.FollowedLinks); err != nil {
		return err
	}
	if o.has("ignore_paths") { // not in bundles from before version 1.1 of the reference tool
		if err := o.get("ignore_paths", &s.Ignored); err != nil {
			return err
		}
	}
	for _, p := range s.Ignored {
		if err := artifact.ValidateIgnore(p); err != nil {
			return fmt.Errorf("serialization: %w", err)
		}
	}
	slices.Sort(s.Ignored)
	return nil
}

// parseResources reads the files, and checks their order and the root digest.
func (s *Statement) parseResources(resources []json.RawMessage) error {
	if len(resources) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "statement lists no files")
	}
	if len(resources) > artifact.MaxFiles {
		return tallystick.Errorf(tallystick.Invalid, "statement lists more than %d files", artifact.MaxFiles)
	}
	for _, r := range resources {
		o, err := parseOpenObject("resource", r)
		if err != nil {
			return err
		}
		var f SignedFile
		if err := o.get("name", &f.Name); err != nil {
			return err
		}
		if f.Name != onlyFile || len(resources) > 1 {
			if err := artifact.ValidateFileName(f.Name); err != nil {
				return fmt.Errorf("resource: %w", err)
			}
		}
		o.what = fmt.Sprintf("resource %q", f.Name)
		if err := o.want("algorithm", hashSHA256); err != nil {
			return err
		}
		if f.Digest, err = digestOf(o, "digest"); err != nil {
			return err
		}
		s.Files = append(s.Files, f)
	}
	if root := rootOf(s.Files); root != s.Root {
		return tallystick.Errorf(tallystick.Invalid, "statement names the root digest %s, but its files have %s", s.Root, root)
	}
	byName := func(a, b SignedFile) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(s.Files, byName) && !slices.IsSortedFunc(s.Files, byElement) {
		return tallystick.Errorf(tallystick.Invalid, "statement does not list its files in the order of their names")
	}
	slices.SortFunc(s.Files, byName)
	for i := range s.Files[1:] {
		if s.Files[i].Name == s.Files[i+1].Name {
			return tallystick.Errorf(tallystick.Invalid, "statement lists the file %q twice", s.Files[i].Name)
		}
	}
	return nil
}

// byElement orders names as the reference tool does, element by element: a/b before a-b.
func byElement(a, b SignedFile) int {
	return slices.Compare(strings.Split(a.Name, "/"), strings.Split(b.Name, "/"))
}

func digestOf(o object, name string) (tallystick.Digest, error) {
	var digits string
	if err := o.get(name, &digits); err != nil {
		return "", err
	}
	d, err := tallystick.ParseDigest("sha256:" + digits)
	if err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "%q of %s is not a SHA-256 in lower-case hexadecimal", name, o.what)
	}
	return d, nil
}

// rootOf returns the root digest of files in their order (section 6.5.1 of the specification).
func rootOf(files []SignedFile) tallystick.Digest {
	h := sha256.New()
	for _, f := range files {
		raw, _ := hex.DecodeString(f.Digest.Hex()) // valid since digestOf
		h.Write(raw)
	}
	return tallystick.Digest("sha256:" + hex.EncodeToString(h.Sum(nil)))
}

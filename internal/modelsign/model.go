package modelsign

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
)

// Model is a model on this machine, and where its signature lies.
type Model struct {
	// Path is a file or directory.
	Path string
	// SignaturePath is the file of the bundle, which need not exist. If it lies in the directory
	// Path it is no part of the model.
	SignaturePath string
	// Hash says what else is no part of the model when it is signed, whether links are followed,
	// and who is told of the progress. When it is verified, the statement has the say in the first two, and
	// Hash.Ignore leaves out more.
	Hash artifact.HashOptions
}

// Sign hashes a model and returns the bundle that is to be written to its SignaturePath. key is
// ECDSA on P-256, P-384 or P-521 and may live in a key service.
func Sign(ctx context.Context, m Model, key crypto.Signer, random io.Reader) ([]byte, artifact.Manifest, error) {
	if _, err := ecdsaKey(key.Public()); err != nil {
		return nil, artifact.Manifest{}, err // before gigabytes are read
	}
	name, options, err := m.plan(nil)
	if err != nil {
		return nil, artifact.Manifest{}, err
	}
	manifest, err := artifact.Hash(ctx, []string{m.Path}, options)
	if err != nil {
		return nil, artifact.Manifest{}, err
	}
	s := Statement{Model: name, Root: manifest.Root(), FollowedLinks: options.FollowLinks}
	s.Ignored = append(artifact.DefaultIgnores(), options.Ignore...)
	slices.Sort(s.Ignored)
	s.Ignored = slices.Compact(s.Ignored)
	for _, f := range manifest.Files() {
		s.Files = append(s.Files, SignedFile{Name: f.Name, Digest: f.Digest})
	}
	if info, err := os.Stat(m.Path); err == nil && info.Mode().IsRegular() {
		s.Files[0].Name = onlyFile
	}
	bundle, err := s.seal(key, random)
	if err != nil {
		return nil, artifact.Manifest{}, err
	}
	return bundle, manifest, nil
}

// Verify checks that key signed bundle and that the model is what was signed: every file with its
// digest, and no other file outside of the statement's ignored paths. An Invalid error speaks of the
// bundle, a Conflict of the first file that differs. The manifest is of what was found.
func Verify(ctx context.Context, m Model, bundle []byte, key *ecdsa.PublicKey) (Statement, artifact.Manifest, error) {
	s, err := Open(bundle, key)
	if err != nil {
		return Statement{}, artifact.Manifest{}, err
	}
	_, options, err := m.plan(s.Ignored)
	if err != nil {
		return Statement{}, artifact.Manifest{}, err
	}
	options.FollowLinks = s.FollowedLinks
	manifest, err := artifact.Hash(ctx, []string{m.Path}, options)
	if err != nil {
		return Statement{}, artifact.Manifest{}, err
	}
	if err := s.Check(manifest); err != nil {
		return Statement{}, artifact.Manifest{}, err
	}
	return s, manifest, nil
}

// Check returns a Conflict error that names the first file of m that was not signed as it is, or the
// first signed file that m has not, or else the first file that was not signed at all.
func (s Statement) Check(m artifact.Manifest) error {
	signed := make(map[string]bool, len(s.Files))
	var changed, missing string
	for _, want := range s.Files {
		name := want.Name
		if name == onlyFile && m.Len() == 1 {
			name = m.Files()[0].Name
		}
		signed[name] = true
		switch found, ok := m.File(name); {
		case !ok:
			missing = cmp.Or(missing, name)
		case found.Digest != want.Digest:
			changed = cmp.Or(changed, fmt.Sprintf("file %q is not the one that was signed: %s, want %s", name, found.Digest, want.Digest))
		}
	}
	switch {
	case changed != "":
		return tallystick.Errorf(tallystick.Conflict, "%s", changed)
	case missing != "":
		return tallystick.Errorf(tallystick.Conflict, "file %q was signed and is missing", missing)
	}
	for _, f := range m.Files() {
		if !signed[f.Name] {
			return tallystick.Errorf(tallystick.Conflict, "file %q was not signed", f.Name).
				WithHint("remove it, or sign the model again")
		}
	}
	return nil
}

// plan returns the name of the model and how to hash it, without the signature, the paths that its
// Hash leaves out, and more of them.
func (m Model) plan(more []string) (name string, o artifact.HashOptions, err error) {
	root, err := filepath.Abs(m.Path)
	if err != nil {
		return "", o, fmt.Errorf("model %q: %w", m.Path, err)
	}
	o = m.Hash
	o.Ignore = slices.Concat(o.Ignore, more)
	if m.SignaturePath != "" {
		signature, err := filepath.Abs(m.SignaturePath)
		if err != nil {
			return "", o, fmt.Errorf("signature %q: %w", m.SignaturePath, err)
		}
		if relative, err := filepath.Rel(root, signature); err == nil && filepath.IsLocal(relative) && relative != "." {
			o.Ignore = append(o.Ignore, strings.ReplaceAll(relative, string(filepath.Separator), "/"))
		}
	}
	return filepath.Base(root), o, nil
}

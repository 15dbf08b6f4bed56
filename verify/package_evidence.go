package verify

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkEvidence checks that every file that is named by a digest has it, and that an event of the
// package records it.
func (v *packageVerifier) checkEvidence() error {
	found := map[string]int{}
	for _, f := range v.archive.files {
		m := digestName.FindStringSubmatch(f.Name)
		if m == nil || strings.HasPrefix(f.Name, policyFilesDir) {
			continue
		}
		if got := v.digests[f.Name]; got.Hex() != m[2] {
			return &namedError{"evidence", f.Name, fmt.Errorf("has the digest %s, not the one in its name", got)}
		}
		if v.recorded[v.digests[f.Name]] == unrecorded {
			return &namedError{"evidence", f.Name, errors.New("no event of the package records its digest")}
		}
		found[m[1]]++
	}
	for _, dir := range slices.Sorted(maps.Keys(found)) {
		v.result.ok("evidence", dir, "%d files, the digest of each recorded by an event", found[dir])
	}
	if n := len(v.index.Absent); n > 0 {
		v.result.skip("evidence", PackageFile, "%d pieces are named by their digest alone; the index says why", n)
	}
	return nil
}

// checkPolicies checks that every policy is there with all of its files. The digest of a policy is that
// of its listing, a line "HEX  NAME" for each file, as sha256sum writes it.
func (v *packageVerifier) checkPolicies() error {
	used := map[string]bool{}
	for _, name := range v.filesIn("policies") {
		if strings.HasPrefix(name, policyFilesDir) {
			if m := digestName.FindStringSubmatch(name); v.digests[name].Hex() != m[2] {
				return &namedError{"policy", name, errors.New("has another digest than its name says")}
			}
			continue
		}
		listing, _ := v.archive.File(name)
		files := 0
		for lines := bufio.NewScanner(bytes.NewReader(listing)); lines.Scan(); files++ {
			hex, _, _ := strings.Cut(lines.Text(), "  ")
			file := v.policyFile(hex)
			if file == "" {
				return &namedError{"policy", name, fmt.Errorf("line %d names a file that is not here", files+1)}
			}
			used[file] = true
		}
		v.result.ok("policy", name, "whole text in %d files; recorded first as entry %d", files, v.recorded[v.digests[name]])
	}
	for _, name := range v.filesIn("policies/files") {
		if !used[name] {
			return &namedError{"policy", name, errors.New("belongs to no policy of the package")}
		}
	}
	return nil
}

// policyFile returns the name of the file of a policy with that digest, empty if there is none.
func (v *packageVerifier) policyFile(hex string) string {
	for _, ending := range []string{"", ".rego", ".json", ".txt"} {
		if name := policyFilesDir + hex + ending; v.digests[name].Hex() == hex && hex != "" {
			return name
		}
	}
	return ""
}

// checkStatements checks the signatures of statements.
func (v *packageVerifier) checkStatements() error {
	signed := map[string]int{} // trusted signer, to statements
	for _, name := range v.filesIn("statements") {
		by, err := v.checkPackagedStatement(name)
		if err != nil {
			return &namedError{"statement", name, err}
		}
		if by != "" {
			signed[by]++
		}
	}
	for _, by := range slices.Sorted(maps.Keys(signed)) {
		v.result.ok("statements", "statements", "%d signed by %s", signed[by], by)
	}
	return nil
}

// checkPackagedStatement returns who signed a statement, if that key is trusted.
func (v *packageVerifier) checkPackagedStatement(name string) (by string, err error) {
	data, _ := v.archive.File(name)
	e, err := ParseEnvelope(data)
	if err != nil {
		return "", err
	}
	if _, _, known := v.keys.find(RoleStatement, e.KeyID); !known {
		return "", v.checkOutsider(name, e)
	}
	s, k, trusted, err := v.openStatement(name)
	if err != nil {
		return "", err
	}
	if index := v.recorded[v.digests[name]]; !k.covers(index) {
		return "", fmt.Errorf("key %.12s is %s and not trusted for index %d", k.ID, k.Status, index)
	}
	if !trusted {
		v.result.unknownSigner("statement", name, "%s by key %.12s, which is not among those trusted", s.PredicateType, k.ID)
		return "", nil
	}
	return k.Name, nil
}

// checkOutsider looks at a statement of a key that is nobody's whom the reader was told of. It is evidence
// that somebody brought: its bytes are those that were recorded, whoever signed them.
func (v *packageVerifier) checkOutsider(name string, e Envelope) error {
	k, ok := v.admitted[e.KeyID]
	if !ok {
		v.result.skip("statement", name, "by key %.12s, which nobody here knows: recorded, its signature not judged", e.KeyID)
		return nil
	}
	pub, err := k.ecdsaKey()
	if err == nil {
		err = e.Verify(pub)
	}
	if err != nil {
		return err
	}
	v.result.skip("statement", name, "by %s, key %.12s: the signature is right, and the ledger says that their evidence counts; that you believe them you have not said", k.Name, k.ID)
	return nil
}

// checkBundles verifies the evidence bundles in the package by themselves.
func (v *packageVerifier) checkBundles() error {
	for _, name := range v.filesIn("bundles") {
		data, _ := v.archive.File(name)
		if archive, err := ReadArchive(bytes.NewReader(data), int64(len(data))); err == nil {
			if _, ok := archive.File(PackageFile); ok {
				return &namedError{"bundle", name, errors.New("is a package itself")} // one could hold the next, without end
			}
		}
		r, err := Bundle(bytes.NewReader(data), int64(len(data)), v.keys.trust, Options{MaxSize: MaxArchive})
		if err != nil {
			return err
		}
		failure, failed := r.FirstFailure()
		switch {
		case failed:
			return &namedError{"bundle", name, fmt.Errorf("%s of %s: %s", failure.Check, failure.Subject, failure.Detail)}
		case r.Verdict != Verified:
			v.result.skip("bundle", name, "about %s, of another installation: sound, signed by nobody among those trusted", r.Subject)
		default:
			v.result.ok("bundle", name, "about %s, verified by itself", r.Subject)
		}
	}
	return nil
}

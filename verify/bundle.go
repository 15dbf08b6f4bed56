package verify

import (
	"errors"
	"fmt"
	"io"

	"github.com/tallystick/tallystick"
)

// Options narrow what Bundle accepts.
type Options struct {
	MaxSize   int64 // bytes of the bundle; MaxArchive if zero
	Witnesses int   // refuse a checkpoint that fewer trusted witnesses have cosigned
}

// Bundle verifies an evidence bundle, or a package for an auditor, of size bytes. It reads the whole bundle into memory, writes
// nothing, and believes only the keys of trust: the bundle's own trust.json serves to tell a bundle
// that a stranger has signed from one that is damaged.
//
// What is wrong with a bundle is in the result. An error says that the bundle could not be read.
func Bundle(r io.ReaderAt, size int64, trust Trust, o Options) (Result, error) {
	v := &bundleVerifier{keys: keyring{trust: trust}, options: o}
	if limit := o.MaxSize; limit > 0 && size > limit {
		v.result.fail("archive", "bundle", tallystick.Errorf(tallystick.Invalid, "bundle is larger than %d bytes", limit))
		return v.result.conclude(notProved(Checkpoint{})), nil
	}
	archive, err := ReadArchive(r, size)
	if err != nil && tallystick.CodeOf(err) != tallystick.Invalid {
		return Result{}, err
	}
	if err != nil {
		v.result.fail("archive", "bundle", err)
		return v.result.conclude(notProved(Checkpoint{})), nil
	}
	v.archive = archive
	v.result.ok("archive", "bundle", "canonical zip, %d files, %d bytes", len(archive.files), size)
	if _, isPackage := archive.File(PackageFile); isPackage {
		p := &packageVerifier{bundleVerifier: *v}
		p.run(p.steps())
		return p.result.conclude(p.notProved()), nil
	}
	v.signature, v.envelope = "manifest signature", ManifestEnvelopeFile
	v.run([]func() error{
		v.checkFiles, v.checkClaimedTrust, v.checkManifestSignature, v.checkCheckpoint, v.checkEvents, v.checkStatements, v.checkReports,
	})
	return v.result.conclude(notProved(v.checkpoint)), nil
}

// run takes the steps. Each stands on the one before; the first that fails ends the verification.
func (v *bundleVerifier) run(steps []func() error) {
	for _, step := range steps {
		if err := step(); err != nil {
			var named *namedError
			if !errors.As(err, &named) {
				named = &namedError{check: "bundle", subject: "bundle", err: err}
			}
			v.result.fail(named.check, named.subject, named.err)
			break
		}
	}
	v.result.archive = v.archive
}

// namedError is a failed check.
type namedError struct {
	check, subject string
	err            error
}

func (e *namedError) Error() string { return fmt.Sprintf("%s of %s: %v", e.check, e.subject, e.err) }
func (e *namedError) Unwrap() error { return e.err }

type bundleVerifier struct {
	keys       keyring
	options    Options
	archive    Archive
	result     Result
	manifest   Manifest
	raw        []byte                       // manifest.json
	exporter   Key                          // that signed the manifest, or the index of a package
	signature  string                       // what that signature is called
	envelope   string                       // name of the file with it
	digests    map[string]tallystick.Digest // of the files that the manifest lists
	checkpoint Checkpoint
	recorded   map[tallystick.Digest]uint64 // digests in the clear in an event, to its lowest index
	bound      map[string]string            // files that a recorded statement names with their digest, to it
}

// checkFiles compares the files of the archive with those of the manifest.
func (v *bundleVerifier) checkFiles() error {
	var ok bool
	if v.raw, ok = v.archive.File(ManifestFile); !ok {
		return &namedError{"manifest", ManifestFile, errors.New("is missing")}
	}
	m, err := ParseManifest(v.raw)
	if err != nil {
		return &namedError{"manifest", ManifestFile, err}
	}
	v.manifest = m
	v.result.Subject = m.Subject.Name
	v.digests = make(map[string]tallystick.Digest, len(m.Files))
	var total int64
	for _, entry := range m.Files {
		data, ok := v.archive.File(entry.Name)
		if !ok {
			return &namedError{"file", entry.Name, errors.New("is in the manifest but not in the bundle")}
		}
		got, err := NewManifestEntry(File{entry.Name, data})
		if err == nil && got != entry {
			err = fmt.Errorf("has size %d, digest %s, role %s; the manifest says %d, %s, %s", got.Size, got.Digest, got.Role, entry.Size, entry.Digest, entry.Role)
		}
		if err != nil {
			return &namedError{"file", entry.Name, err}
		}
		v.digests[entry.Name] = entry.Digest
		total += entry.Size
	}
	for _, f := range v.archive.files {
		if _, ok := v.digests[f.Name]; !ok && f.Name != ManifestFile && f.Name != ManifestEnvelopeFile {
			return &namedError{"file", f.Name, errors.New("is in the bundle but not in the manifest")}
		}
	}
	v.result.ok("files", ManifestFile, "%d files, %d bytes, all with the size and digest of the manifest, none besides", len(m.Files), total)
	return nil
}

// checkClaimedTrust reads whom the exporter believes.
func (v *bundleVerifier) checkClaimedTrust() error {
	data, _ := v.archive.File(TrustFile) // the manifest lists it, so it is there
	claimed, err := ParseTrust(data)
	if err != nil {
		return &namedError{"claimed keys", TrustFile, err}
	}
	v.keys.claimed = claimed
	v.result.ok("claimed keys", TrustFile, "%d keys of %q; they count only if you trust them too", len(claimed.Keys), claimed.Origin)
	return nil
}

func (v *bundleVerifier) checkManifestSignature() error {
	s, k, trusted, err := v.openStatement(ManifestEnvelopeFile)
	if err == nil {
		switch {
		case s.PredicateType != PredicateManifest:
			err = fmt.Errorf("predicate type is %s, want %s", s.PredicateType, PredicateManifest)
		case len(s.Subject) != 1 || s.Subject[0].Name != ManifestFile || s.Subject[0].Digest["sha256"] != tallystick.DigestOf(v.raw).Hex():
			err = fmt.Errorf("subject is not %s with its digest %s", ManifestFile, tallystick.DigestOf(v.raw))
		case k.Status == StatusCompromised:
			// The manifest is in no ledger, so nothing shows that it was signed before.
			err = fmt.Errorf("key %.12s is compromised; ask for a new export", k.ID)
		}
	}
	if err != nil {
		return &namedError{"manifest signature", ManifestEnvelopeFile, err}
	}
	v.exporter = k
	if !trusted {
		v.result.unknownSigner("manifest signature", ManifestEnvelopeFile, "by key %.12s, which is not among those trusted", k.ID)
		return nil
	}
	v.result.ok("manifest signature", ManifestEnvelopeFile, "by %s, key %.12s", k.Name, k.ID)
	return nil
}

func (v *bundleVerifier) checkCheckpoint() error {
	data, _ := v.archive.File(CheckpointFile)
	c, trusted, err := v.keys.openCheckpoint(data)
	if err != nil {
		return &namedError{"checkpoint", CheckpointFile, err}
	}
	v.checkpoint = c
	if !c.verified {
		return &namedError{"checkpoint", CheckpointFile, errors.New("signed by no key that you or the bundle's trust.json knows")}
	}
	if !trusted {
		v.result.unknownSigner("checkpoint", CheckpointFile, "%q at size %d, signed by nobody among those trusted", c.Origin, c.Size)
	} else {
		v.result.ok("checkpoint", CheckpointFile, "%q at size %d, signed by key %.12s", c.Origin, c.Size, c.LogKeys[0].ID)
	}
	// The manifest counts where the checkpoint does. At the next index it would not count any more
	// once that entry retires the exporter's key.
	if k := v.exporter; !k.covers(c.Last()) {
		return &namedError{v.signature, v.envelope, fmt.Errorf("key %.12s is %s and not trusted for index %d", k.ID, k.Status, c.Last())}
	}
	v.result.witnesses(c, CheckpointFile, v.keys.trust, v.options.Witnesses)
	return nil
}

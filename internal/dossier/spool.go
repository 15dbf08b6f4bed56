package dossier

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// spool keeps the files of a package on disk until it is known what the zip looks like: a canonical
// one begins with the names and sums of what follows.
type spool struct {
	file    *os.File
	size    int64
	parts   []verify.Part
	digests map[string]tallystick.Digest // by name
}

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "tallystick-package-*")
	if err != nil {
		return nil, fmt.Errorf("spool of a package: %w", err)
	}
	return &spool{file: file, digests: map[string]tallystick.Digest{}}, nil
}

// Close throws the spool away.
func (s *spool) Close() error {
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); err == nil {
		err = gone
	}
	return err
}

// add writes a file.
func (s *spool) add(name string, data []byte) error {
	if s.size+int64(len(data)) > verify.MaxArchive {
		return tallystick.Errorf(tallystick.Invalid, "it would be larger than %d MiB", verify.MaxArchive>>20).
			WithHint("export a shorter period, or one version")
	}
	at := s.size
	if _, err := s.file.WriteAt(data, at); err != nil {
		return fmt.Errorf("spool of a package: %w", err)
	}
	s.size += int64(len(data))
	s.parts = append(s.parts, verify.Part{
		Name: name, Size: int64(len(data)), CRC32: crc32.ChecksumIEEE(data),
		Open: func() io.Reader { return io.NewSectionReader(s.file, at, int64(len(data))) },
	})
	s.digests[name] = tallystick.DigestOf(data)
	return nil
}

// subjects returns the files as the subjects of a statement, sorted by name.
func (s *spool) subjects() []verify.ResourceDescriptor {
	s.sort()
	subjects := make([]verify.ResourceDescriptor, len(s.parts))
	for i, p := range s.parts {
		subjects[i] = verify.Resource(p.Name, s.digests[p.Name])
	}
	return subjects
}

func (s *spool) sort() {
	slices.SortFunc(s.parts, func(a, b verify.Part) int { return strings.Compare(a.Name, b.Name) })
}

// Package is a package that is ready to leave.
type Package struct {
	Index     verify.PackageIndex
	Digest    tallystick.Digest
	Size      int64 // bytes
	Disclosed int   // sealed fields that are shown
	spool     *spool
	release   func() // what it held of its office; nil: nothing
}

// pack returns the package of everything in the spool.
func (s *spool) pack(index verify.PackageIndex) (*Package, error) {
	s.sort()
	hash := sha256.New()
	size, err := verify.WriteParts(hash, s.parts)
	if err != nil {
		return nil, err
	}
	return &Package{Index: index, Digest: tallystick.Digest(fmt.Sprintf("sha256:%x", hash.Sum(nil))), Size: size, spool: s}, nil
}

// WriteTo writes the zip file.
func (p *Package) WriteTo(w io.Writer) (int64, error) { return verify.WriteParts(w, p.spool.parts) }

// Close throws the package away, once.
func (p *Package) Close() error {
	if p.release != nil {
		p.release()
	}
	return p.spool.Close()
}

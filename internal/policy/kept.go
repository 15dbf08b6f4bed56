package policy

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
)

// Store keeps bytes by their digest. Get returns a NotFound error for what is not there.
type Store interface {
	Has(ctx context.Context, d tallystick.Digest) bool
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// listing returns the lines that `sha256sum` prints of files; their digest is that of the pack.
func listing(files []File) []byte {
	var lines bytes.Buffer
	for _, file := range files {
		fmt.Fprintf(&lines, "%s  %s\n", tallystick.DigestOf(file.Data).Hex(), file.Name)
	}
	return lines.Bytes()
}

// Keep stores the files of the pack, and their listing last: where that is, all of it is.
func (p *Pack) Keep(ctx context.Context, store Store) error {
	if store.Has(ctx, p.digest) {
		return nil
	}
	for _, file := range p.files {
		if _, err := store.Put(ctx, file.Data); err != nil {
			return fmt.Errorf("keep policy %s: %w", file.Name, err)
		}
	}
	if _, err := store.Put(ctx, listing(p.files)); err != nil {
		return fmt.Errorf("keep the listing of policy %s: %w", p.digest.Short(), err)
	}
	return nil
}

// What a client says of its own audit can name anything as a policy.
const (
	maxListed      = 10_000
	maxListedBytes = 64 << 20
)

// Kept returns the files of a pack that was kept. It is a NotFound error if it was not, and Invalid if what is stored there is
// no listing of a policy.
func Kept(ctx context.Context, store Store, pack tallystick.Digest) (files []File, err error) {
	lines, err := store.Get(ctx, pack)
	if err != nil {
		return nil, err
	}
	size := len(lines)
	for line := range strings.Lines(string(lines)) {
		hex, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		d := tallystick.Digest("sha256:" + hex)
		if !ok || name == "" || d.Validate() != nil || len(files) == maxListed || size > maxListedBytes {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s is no listing of a policy", pack.Short())
		}
		data, err := store.Get(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("policy %s, %s: %w", pack.Short(), name, err)
		}
		files, size = append(files, File{name, data}), size+len(data)
	}
	return files, nil
}

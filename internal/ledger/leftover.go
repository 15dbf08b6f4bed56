package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
)

// leftover compares one file below tile/ with the one that replaced it, unless it has been compared
// already as a part of the tree.
func (c *checker) leftover(path string) error {
	name, err := filepath.Rel(c.tree.dir, path)
	if err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	kind, rest, _ := strings.Cut(strings.TrimPrefix(name, "tile/"), "/")
	var level uint64
	if kind != "entries" {
		if level, err = layout.ParseTileLevel(kind); err != nil {
			c.stray(name)
			return nil
		}
	}
	index, partial, err := layout.ParseTileIndexPartial(rest)
	if err != nil {
		c.stray(name)
		return nil
	}
	var have uint64 // entries or hashes that the tree has there
	if size := c.tree.size >> (level * layout.TileHeight); index < (size+tileWidth-1)/tileWidth {
		have = min(tileWidth, size-index*tileWidth)
	}
	n := uint64(width(partial))
	switch {
	case n > have:
		c.stray(name)
		return nil
	case n == have:
		return nil
	}
	old, err := readFile(path, nil, maxBundle)
	if errors.Is(err, os.ErrNotExist) {
		return nil // collected meanwhile
	}
	if err != nil {
		return err
	}
	var now []byte
	if kind == "entries" {
		now, _, err = c.tree.bundle(index, c.bundle)
		c.bundle = now
		now = firstEntries(now, int(n))
	} else {
		now, err = c.tree.tile(level, index, c.tile)
		c.tile = now
		now = now[:min(len(now), int(n)*hashSize)]
	}
	if err != nil {
		return err
	}
	c.report.Files++
	if !bytes.Equal(old, now) {
		return damaged(name, "it is not the beginning of the file that replaced it")
	}
	return nil
}

// firstEntries returns the part of a bundle that holds its first n entries.
func firstEntries(bundle []byte, n int) []byte {
	rest := bundle
	for range n {
		_, next, ok := cutEntry(rest)
		if !ok {
			break
		}
		rest = next
	}
	return bundle[:len(bundle)-len(rest)]
}

func (c *checker) stray(name string) {
	if len(c.report.Strays) < maxStrays {
		c.report.Strays = append(c.report.Strays, name)
	}
}

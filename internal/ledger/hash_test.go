package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// TestHasher compares with transparency-dev/merkle for every size that occurs.
func TestHasher(t *testing.T) {
	t.Parallel()
	var h hasher
	var hashes []byte
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	reference := factory.NewEmptyRange(0)
	for n := 1; n <= tileWidth+1; n++ {
		entry := leavesFrom(uint64(n), 1)[0]
		prefixed := append([]byte{0x7b}, entry...)
		leaf := h.leaf(prefixed)
		if prefixed[0] != 0x7b || !bytes.Equal(prefixed[1:], entry) {
			t.Fatalf("hashing changed entry %d", n)
		}
		if want := rfc6962.DefaultHasher.HashLeaf(entry); !bytes.Equal(leaf[:], want) {
			t.Fatalf("leaf hash %d: %x, want %x", n, leaf, want)
		}
		hashes = append(hashes, leaf[:]...)
		if err := reference.Append(leaf[:], nil); err != nil {
			t.Fatal(err)
		}
		want, err := reference.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.root(hashes); !bytes.Equal(got[:], want) {
			t.Fatalf("root of %d: %x, want %x", n, got, want)
		}
	}
}

// TestFrontier compares with transparency-dev/merkle at sizes around the widths of tiles.
func TestFrontier(t *testing.T) {
	t.Parallel()
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	reference := factory.NewEmptyRange(0)
	var f frontier
	var leaves []byte // of the tile at level 0 that is being filled
	for n := range uint64(3*tileWidth*tileWidth + 2) {
		if r := n % tileWidth; r < 2 || r == tileWidth-1 || n < 600 {
			want, err := reference.GetRootHash(nil)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				want = rfc6962.DefaultHasher.EmptyRoot()
			}
			if got := f.rootWith(leaves, -1, nil); !bytes.Equal(got[:], want) {
				t.Fatalf("root of %d entries: %x, want %x", n, got, want)
			}
		}
		leaf := f.leaf(binary.BigEndian.AppendUint64([]byte{0}, n))
		if err := reference.Append(leaf[:], nil); err != nil {
			t.Fatal(err)
		}
		if leaves = append(leaves, leaf[:]...); len(leaves) < maxTile {
			continue
		}
		root := f.root(leaves)
		leaves = leaves[:0]
		for k := 0; len(f.push(k, root)) == maxTile; k++ {
			root = f.root(f.rows[k])
			f.reset(k)
		}
	}
}

// FuzzBundle reads an entry bundle and writes it again.
func FuzzBundle(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1, 'x'})
	f.Add([]byte{0, 5, 's', 'h', 'o', 'r'})
	f.Add([]byte{255, 255, 0})
	f.Fuzz(func(t *testing.T, bundle []byte) {
		var again []byte
		rest := bundle
		for n := 1; ; n++ {
			entry, next, ok := cutEntry(rest)
			if !ok {
				break
			}
			again = binary.BigEndian.AppendUint16(again, uint16(len(entry)-1))
			again = append(again, entry[1:]...)
			rest = next
			if head := firstEntries(bundle, n); !bytes.Equal(head, again) {
				t.Fatalf("first %d entries of %x are %x", n, bundle, head)
			}
		}
		if again = append(again, rest...); !bytes.Equal(again, bundle) {
			t.Fatalf("%x came back as %x", bundle, again)
		}
	})
}

// FuzzState reads a tree state, as a disk may hand it out, and writes it again.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"size":0,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}`))
	f.Add([]byte(`{"size":18446744073709551615,"root":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, stateDir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, stateFile), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		state, err := readState(dir)
		if err != nil {
			return
		}
		if again, err := json.Marshal(state); err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%q came back as %q, %v", raw, again, err)
		}
	})
}

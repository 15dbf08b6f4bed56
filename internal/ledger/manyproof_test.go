package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/verify"
)

// TestMultiProof proves leaves of real logs together, and finds the proof of each to be the one that
// the ledger gives for it alone.
func TestMultiProof(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 2, 3, 255, 256, 257, 700} {
		cfg := testConfig(t)
		l := open(t, cfg)
		mustAppend(t, l, size)
		if _, err := l.Checkpoint(t.Context(), uint64(size)); err != nil {
			t.Fatal(err)
		}
		closeLog(t, l)
		r, err := OpenReader(cfg.Dir, cfg.Origin)
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range []int{0, 1, 2, size / 3, size} {
			proof := verify.MultiProof{Size: uint64(size)}
			var indexes []uint64
			for _, i := range random.Perm(size)[:min(wanted, size)] {
				indexes = append(indexes, uint64(i))
			}
			slices.Sort(indexes)
			for _, i := range indexes {
				leaf, err := r.Leaf(t.Context(), i)
				if err != nil {
					t.Fatal(err)
				}
				proof.Leaves = append(proof.Leaves, verify.PlacedHash{Index: i, Hash: verify.LeafHash(leaf)})
			}
			if proof.Others, err = r.MultiProof(t.Context(), indexes); err != nil {
				t.Fatal(err)
			}
			if wanted == size && len(proof.Others) > 0 {
				t.Errorf("%d hashes besides all leaves", len(proof.Others))
			}
			root, err := proof.Root()
			if err != nil || root != verify.Hash(r.checkpoint.Hash) {
				t.Fatalf("%d of %d: root %x, error %v; the checkpoint has %x", len(indexes), size, root, err, r.checkpoint.Hash)
			}
			for _, i := range indexes {
				want, err := r.InclusionProof(t.Context(), i, uint64(size))
				if err != nil {
					t.Fatal(err)
				}
				got, err := proof.Inclusion(i)
				if err != nil {
					t.Fatal(err)
				}
				var plain [][]byte
				for _, hash := range got {
					plain = append(plain, hash[:])
				}
				if d := cmp.Diff(want, plain); d != "" && len(want)+len(plain) > 0 {
					t.Fatalf("entry %d of %d: %s", i, size, d)
				}
			}
		}
		if _, err := r.MultiProof(t.Context(), []uint64{uint64(size)}); err == nil {
			t.Error("an index beyond the checkpoint was proved")
		}
		if _, err := r.MultiProof(t.Context(), []uint64{0, 0}); size > 0 && err == nil {
			t.Error("an index was proved twice")
		}
	}
}

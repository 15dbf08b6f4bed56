package prediction_test

import (
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"

	"github.com/tallystick/tallystick/internal/prediction"
)

// TestInclusion proves leaves of trees that the reference implementation has built, and refuses
// every other place, size, leaf and hash.
func TestInclusion(t *testing.T) {
	t.Parallel()
	for _, size := range []uint64{1, 2, 3, 7, 8, 33} {
		tree := testonly.New(rfc6962.DefaultHasher)
		var leaves []prediction.Leaf
		for i := range size {
			encoding := []byte{byte(i)}
			tree.AppendData(encoding)
			leaves = append(leaves, prediction.LeafOf(encoding))
		}
		root := [32]byte(tree.Hash())
		for i := range size {
			hashes, err := tree.InclusionProof(i, size)
			if err != nil {
				t.Fatal(err)
			}
			p := prediction.Inclusion{Index: i, Size: size}
			for _, hash := range hashes {
				p.Hashes = append(p.Hashes, [32]byte(hash))
			}
			if err := p.Verify(leaves[i], root); err != nil {
				t.Errorf("%d of %d: %v", i, size, err)
			}
			other := p
			other.Index = (i + 1) % size
			if size > 1 && other.Verify(leaves[i], root) == nil {
				t.Errorf("%d of %d proves another place", i, size)
			}
			if size > 1 && p.Verify(leaves[(i+1)%size], root) == nil {
				t.Errorf("%d of %d proves another leaf", i, size)
			}
			other = p
			other.Hashes = append(append([][32]byte{}, p.Hashes...), [32]byte{})
			if other.Verify(leaves[i], root) == nil {
				t.Errorf("%d of %d: a hash too many is taken", i, size)
			}
			if root[31] ^= 1; p.Verify(leaves[i], root) == nil {
				t.Errorf("%d of %d proves another root", i, size)
			}
			root[31] ^= 1
		}
	}
	if (prediction.Inclusion{}).Verify(prediction.Leaf{}, [32]byte{}) == nil {
		t.Error("a place in an empty segment is proved")
	}
}

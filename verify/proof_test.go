package verify

import (
	"bytes"
	"crypto/sha256"
	"math"
	"strings"
	"testing"

	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// TestInclusionProofs: every leaf in trees of every size up to 40, made by the merkle package's
// tree, verified by us and by that package; no proof serves any other leaf, index or size.
func TestInclusionProofs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const n = 40
	for range n {
		f.append()
	}
	for size := uint64(1); size <= n; size++ {
		c := Checkpoint{Origin: testOrigin, Size: size, Root: [sha256.Size]byte(f.tree.HashAt(size))}
		for index := range size {
			p := f.proof(index, size, nil)
			if err := p.Verify(f.leaves[index], c); err != nil {
				t.Fatalf("leaf %d of %d: %v", index, size, err)
			}
			hash := LeafHash(f.leaves[index])
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, hash[:], slicesOf(p.Hashes), c.Root[:]); err != nil {
				t.Fatalf("leaf %d of %d: library: %v", index, size, err)
			}
			if size == 1 {
				continue
			}
			if p.Verify(f.leaves[(index+1)%size], c) == nil {
				t.Errorf("leaf %d of %d: the proof serves another leaf", index, size)
			}
			p.Index = (index + 1) % size
			if p.Verify(f.leaves[index], c) == nil {
				t.Errorf("leaf %d of %d: the proof serves another index", index, size)
			}
		}
	}
}

func TestConsistencyProofs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const n = 20
	for range n {
		f.append()
	}
	at := func(size uint64) Checkpoint {
		return Checkpoint{Origin: testOrigin, Size: size, Root: [sha256.Size]byte(f.tree.HashAt(size))}
	}
	for newer := range uint64(n + 1) {
		for older := range newer + 1 {
			hashes, err := f.tree.ConsistencyProof(older, newer)
			f.check(err)
			if err := VerifyConsistency(at(older), at(newer), arraysOf(hashes)); err != nil {
				t.Fatalf("%d to %d: %v", older, newer, err)
			}
			if older == 0 {
				continue
			}
			forked := at(older)
			forked.Root[0] ^= 1
			if VerifyConsistency(forked, at(newer), arraysOf(hashes)) == nil {
				t.Errorf("%d to %d: another root is consistent", older, newer)
			}
			if older < newer && VerifyConsistency(at(older), at(newer), nil) == nil {
				t.Errorf("%d to %d: no proof was needed", older, newer)
			}
		}
	}
	if err := VerifyConsistency(at(3), at(2), nil); err == nil {
		t.Error("the newer checkpoint may be smaller")
	}
	other := at(3)
	other.Origin = "example.org/other"
	if err := VerifyConsistency(other, at(3), nil); err == nil {
		t.Error("checkpoints of two ledgers are consistent")
	}
}

func TestParseProof(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 5 {
		f.append()
	}
	p := f.proof(2, 5, f.checkpoint(5, f.log))
	p.Extra = f.leaves[2]
	data := p.Marshal()
	if got, err := ParseProof(data); err != nil || !bytes.Equal(got.Marshal(), data) {
		t.Errorf("round trip: %v", err)
	}
	good := string(data)
	hash := base64Of(p.Hashes[0][:])
	for name, changed := range map[string]string{
		"empty":            "",
		"header":           strings.Replace(good, "@v1", "@v2", 1),
		"index with zero":  strings.Replace(good, "index 2", "index 02", 1),
		"index with sign":  strings.Replace(good, "index 2", "index +2", 1),
		"index too large":  strings.Replace(good, "index 2", "index 18446744073709551616", 1),
		"short hash":       strings.Replace(good, hash, hash[4:], 1),
		"spare bits":       strings.Replace(good, hash, hash[:42]+string(hash[42]+1)+"=", 1),
		"carriage returns": strings.ReplaceAll(good, "\n", "\r\n"),
		"too many hashes":  strings.Replace(good, hash, strings.Repeat(hash+"\n", 64)+hash, 1),
		"no end of line":   strings.TrimSuffix(good, "\n"),
		"too long":         good + strings.Repeat("x\n", maxProofFile/2),
	} {
		if changed == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseProof([]byte(changed)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseProof = %v, want Invalid", name, err)
		}
	}
}

// FuzzProof: what is accepted is written again byte for byte, and read alike by the library.
func FuzzProof(f *testing.F) {
	fix := newFixture(f)
	fix.append()
	fix.append()
	p := fix.proof(1, 2, fix.checkpoint(2, fix.log))
	f.Add(p.Marshal())
	p.Extra, p.Index = []byte("extra"), math.MaxUint64
	f.Add(p.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProof(data)
		if err != nil {
			return
		}
		var theirs tlogproof.TLogProof
		if err := theirs.Unmarshal(data); err != nil || theirs.Index != p.Index || len(theirs.Hashes) != len(p.Hashes) {
			t.Fatalf("library: %+v, %v", theirs, err)
		}
		if !bytes.Equal(p.Marshal(), data) {
			t.Fatalf("written again:\n%q\n%q", data, p.Marshal())
		}
	})
}

func TestLoneProof(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	index, ds := f.append(tallystick.DigestOf(nil))
	f.append()
	p := f.proof(index, 3, f.checkpoint(3, f.log))
	bare := p.Marshal()
	p.Extra = f.leaves[index]
	whole := p.Marshal()
	spoilt := bytes.Clone(whole)
	spoilt[len(spoilt)-10] ^= 1
	for name, tc := range map[string]struct {
		file  []byte
		o     ProofOptions
		trust Trust
		want  Verdict
	}{
		"stands alone":         {whole, ProofOptions{}, f.trust, Verified},
		"leaf given":           {bare, ProofOptions{Leaf: f.leaves[index]}, f.trust, Verified},
		"leaf missing":         {bare, ProofOptions{}, f.trust, Refused},
		"other leaf given":     {whole, ProofOptions{Leaf: f.leaves[0]}, f.trust, Refused},
		"leaf is no event":     {bare, ProofOptions{Leaf: []byte("{}")}, f.trust, Refused},
		"disclosed":            {whole, ProofOptions{Disclosures: ds}, f.trust, Verified},
		"disclosed twice":      {whole, ProofOptions{Disclosures: append(ds, ds...)}, f.trust, Refused},
		"stranger":             {whole, ProofOptions{}, stranger(t), UnknownSigner},
		"stranger, other leaf": {whole, ProofOptions{Leaf: f.leaves[0]}, stranger(t), Refused},
		"must be witnessed":    {whole, ProofOptions{Witnesses: 1}, f.trust, Refused},
		"damaged":              {spoilt, ProofOptions{}, f.trust, Refused},
		"not a proof":          {[]byte("x"), ProofOptions{}, f.trust, Refused},
	} {
		if r := Proof(tc.file, tc.trust, tc.o); r.Verdict != tc.want || len(r.NotProved) == 0 {
			t.Errorf("%s: verdict %q, want %q: %+v", name, r.Verdict, tc.want, r.Checks)
		}
	}
}

func TestLoneConsistency(t *testing.T) {
	t.Parallel()
	f, other := newFixture(t), newFixture(t)
	for range 5 {
		f.append()
		other.append()
	}
	hashes, err := f.tree.ConsistencyProof(3, 5)
	f.check(err)
	other.log = f.log // one key, two ledgers: what a witness would catch
	three, five := f.checkpoint(3, f.log), f.checkpoint(5, f.log)
	for name, tc := range map[string]struct {
		in    ConsistencyInput
		trust Trust
		want  Verdict
	}{
		"continues":      {ConsistencyInput{Older: three, Newer: five, Proof: arraysOf(hashes)}, f.trust, Verified},
		"same":           {ConsistencyInput{Older: five, Newer: five}, f.trust, Verified},
		"no proof":       {ConsistencyInput{Older: three, Newer: five}, f.trust, Refused},
		"exchanged":      {ConsistencyInput{Older: five, Newer: three, Proof: arraysOf(hashes)}, f.trust, Refused},
		"forked":         {ConsistencyInput{Older: other.checkpoint(3, f.log), Newer: five, Proof: arraysOf(hashes)}, f.trust, Refused},
		"forked, equal":  {ConsistencyInput{Older: other.checkpoint(5, f.log), Newer: five}, f.trust, Refused},
		"stranger":       {ConsistencyInput{Older: three, Newer: five, Proof: arraysOf(hashes)}, stranger(t), UnknownSigner},
		"not checkpoint": {ConsistencyInput{Older: nil, Newer: five}, f.trust, Refused},
	} {
		if r := Consistency(tc.in, tc.trust); r.Verdict != tc.want {
			t.Errorf("%s: verdict %q, want %q: %+v", name, r.Verdict, tc.want, r.Checks)
		}
	}
}

package ledger

import (
	"bytes"
	"testing"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
)

// TestProofs has every proof and checkpoint judged by code that is not ours.
func TestProofs(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	var roots []formats.Checkpoint
	_, verifier := testKeys(t)
	for _, n := range []int{1, 99, 156, 1, 255, 300} {
		mustAppend(t, l, n)
		size, _ := l.Size(t.Context())
		raw, err := l.Checkpoint(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		cp, _, _, err := formats.ParseCheckpoint(raw, cfg.Origin, verifier)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, *cp)
	}
	closeLog(t, l)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	for i, to := range roots {
		for _, from := range roots[:i+1] {
			hashes, err := r.ConsistencyProof(t.Context(), from.Size, to.Size)
			if err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, from.Size, to.Size, hashes, from.Hash, to.Hash); err != nil {
				t.Errorf("consistency of %d and %d: %v", from.Size, to.Size, err)
			}
		}
		for index := uint64(0); index < to.Size; index += 1 + index/9 {
			hashes, err := r.InclusionProof(t.Context(), index, to.Size)
			if err != nil {
				t.Fatal(err)
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(leavesFrom(index, 1)[0])
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, to.Size, leaf, hashes, to.Hash); err != nil {
				t.Errorf("inclusion of %d in %d: %v", index, to.Size, err)
			}
		}
	}
	for _, bad := range [][2]uint64{{5, 5}, {0, r.Size() + 1}, {1 << 63, 1<<63 + 1}} {
		if _, err := r.InclusionProof(t.Context(), bad[0], bad[1]); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("inclusion proof of %v: %v", bad, err)
		}
	}
	if _, err := r.ConsistencyProof(t.Context(), 3, 2); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("consistency proof backwards: %v", err)
	}
}

// TestCheckWhileAppending: a log that grows and collects its partial files gives no false alarm.
func TestCheckWhileAppending(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	appending := make(chan struct{})
	go func() {
		defer close(appending)
		for i := range 60 {
			size, err := l.Size(t.Context())
			if err == nil {
				_, err = l.Append(t.Context(), leavesFrom(size, 1+i*7%90))
			}
			if err == nil && i%3 == 0 {
				_, err = l.Checkpoint(t.Context(), size)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for checks := 0; ; checks++ {
		check(t, cfg)
		select {
		case <-appending:
			closeLog(t, l)
			if report := check(t, cfg); report.Size != report.Checkpoint || checks == 0 {
				t.Errorf("%d checks while appending, then %+v", checks, report)
			}
			return
		default:
		}
	}
}

// TestReaderAt reads as of older checkpoints, and of none that the log does not continue.
func TestReaderAt(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	mustAppend(t, l, 300)
	older, err := l.Checkpoint(t.Context(), 300)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, 300)
	if _, err := l.Checkpoint(t.Context(), 600); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	at, err := r.At(older)
	if err != nil || at.Size() != 300 || !bytes.Equal(at.Checkpoint(), older) {
		t.Fatalf("at the older checkpoint: %v", err)
	}
	if again, err := at.At(older); err != nil || again.Size() != 300 {
		t.Errorf("at the same checkpoint: %v", err)
	}
	if _, err := at.At(r.Checkpoint()); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a larger checkpoint: %v", err)
	}
	if _, err := r.At(bytes.Replace(older, []byte("\n300\n"), []byte("\n299\n"), 1)); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("another root: %v", err)
	}
	if _, err := r.At([]byte("junk")); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("junk: %v", err)
	}
}

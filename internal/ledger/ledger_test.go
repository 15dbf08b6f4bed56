package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

const testOrigin = "tallystick.test/ledger"

// testKeys makes one fixed key pair, so that a child process and its parent agree.
func testKeys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte("the seed of a key for tests only"))
	vkey, err := note.NewEd25519VerifierKey(testOrigin, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Split(vkey, "+")[1]
	signer, err := note.NewSigner("PRIVATE+KEY+" + testOrigin + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...)))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestMain(m *testing.M) {
	RouteLogs(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// memoryGuard keeps the newest checkpoint in memory, under the contract of Guard.
type memoryGuard struct {
	mu   sync.Mutex
	size uint64
	root []byte
	err  error // if set, the answer to everything
	seen int
}

func (g *memoryGuard) Advance(_ context.Context, _ string, size uint64, root []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen++
	switch {
	case g.err != nil:
		return g.err
	case size < g.size || size == g.size && g.root != nil && !bytes.Equal(root, g.root):
		return fmt.Errorf("checkpoint of %d entries after one of %d", size, g.size)
	}
	g.size, g.root = size, bytes.Clone(root)
	return nil
}

// testConfig is for a new log in a temporary directory.
func testConfig(t testing.TB) Config {
	t.Helper()
	signer, verifier := testKeys(t)
	base := t.TempDir()
	return Config{
		Dir: filepath.Join(base, "log"), Anchor: filepath.Join(base, "anchor", "checkpoint"), Origin: testOrigin,
		Signer: signer, Verifiers: note.VerifierList(verifier), Guard: &memoryGuard{}, Create: true,
	}
}

func open(t testing.TB, cfg Config) *Log {
	t.Helper()
	l, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// leavesFrom makes n distinct entries of various lengths, for the indexes from first on.
func leavesFrom(first uint64, n int) [][]byte {
	leaves := make([][]byte, n)
	for i := range leaves {
		at := first + uint64(i)
		leaves[i] = fmt.Appendf(nil, "entry %d %s", at, strings.Repeat("x", int(at*37%400)))
	}
	return leaves
}

func mustAppend(t testing.TB, l *Log, sizes ...int) {
	t.Helper()
	for _, n := range sizes {
		want, err := l.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, err := l.Append(t.Context(), leavesFrom(want, n))
		if err != nil {
			t.Fatal(err)
		}
		if first != want {
			t.Fatalf("batch of %d began at %d, want %d", n, first, want)
		}
	}
}

func check(t testing.TB, cfg Config) Report {
	t.Helper()
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Check(t.Context(), CheckOptions{Verifiers: cfg.Verifiers, Anchor: cfg.Anchor})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAppendAndReopen(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	if got := l.AnchorState(); got != AnchorMissing {
		t.Errorf("anchor of a new log: %q", got)
	}
	sizes := []int{1, 3, 252, 256, 1, 511, 4096, 7}
	var total int
	for _, n := range sizes {
		mustAppend(t, l, n)
		total += n
		raw, err := l.Checkpoint(t.Context(), uint64(total))
		if err != nil {
			t.Fatal(err)
		}
		anchored, err := os.ReadFile(cfg.Anchor)
		if err != nil || !bytes.Equal(raw, anchored) {
			t.Fatalf("anchor after a checkpoint of %d: %q, %v", total, anchored, err)
		}
	}
	closeLog(t, l)
	if err := l.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := l.Append(t.Context(), leavesFrom(0, 1)); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("Append after Close: %v", err)
	}

	cfg.Create = false
	l = open(t, cfg)
	if got := l.AnchorState(); got != AnchorHeld {
		t.Errorf("anchor of an old log: %q", got)
	}
	mustAppend(t, l, 300)
	total += 300
	for _, index := range []uint64{0, 255, 256, uint64(total) - 1} {
		leaf, err := l.Leaf(t.Context(), index)
		if err != nil || !bytes.Equal(leaf, leavesFrom(index, 1)[0]) {
			t.Errorf("leaf %d: %q, %v", index, leaf, err)
		}
	}
	closeLog(t, l)
	report := check(t, cfg)
	report.Root, report.Bytes, report.Files = nil, 0, 0
	want := Report{Origin: testOrigin, Size: uint64(total), Checkpoint: uint64(total), Signed: true, Anchor: AnchorHeld, Anchored: uint64(total)}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range [][2]uint64{{0, r.Size()}, {255, 257}, {300, 300}, {700, 5000}} {
		var got [][]byte
		for leaf, err := range r.Leaves(t.Context(), span[0], span[1]) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, leaf)
		}
		if diff := cmp.Diff(leavesFrom(span[0], int(span[1]-span[0])), got, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" && len(got)+int(span[1]-span[0]) > 0 {
			t.Errorf("leaves %v (-want +got):\n%.500s", span, diff)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	defer closeLog(t, l)
	for name, leaves := range map[string][][]byte{
		"nothing":         nil,
		"too many":        leavesFrom(0, MaxBatch+1),
		"too large":       {[]byte("good"), make([]byte, MaxLeaf+1)},
		"way too large":   {make([]byte, 1<<20)},
		"one large of 2k": append(leavesFrom(0, 2048), make([]byte, MaxLeaf+1)),
	} {
		if _, err := l.Append(t.Context(), leaves); tallystick.CodeOf(err) != tallystick.Invalid || errors.Is(err, ErrFatal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if size, err := l.Size(t.Context()); size != 0 || err != nil {
		t.Fatalf("size %d, %v after refusals", size, err)
	}
	if _, err := l.Append(t.Context(), [][]byte{{}, make([]byte, MaxLeaf)}); err != nil {
		t.Fatalf("the smallest and the largest entry: %v", err)
	}
	if leaf, err := l.Leaf(t.Context(), 1); len(leaf) != MaxLeaf || err != nil {
		t.Errorf("largest leaf came back with %d bytes, %v", len(leaf), err)
	}
	if _, err := l.Leaf(t.Context(), 2); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("leaf beyond the end: %v", err)
	}
	if _, err := l.Checkpoint(t.Context(), 3); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("checkpoint beyond the end: %v", err)
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	const callers, rounds = 8, 6
	type batch struct {
		first  uint64
		leaves [][]byte
	}
	batches := make(chan batch, callers*rounds)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range rounds {
				leaves := make([][]byte, 1+(c*7+i*13)%40)
				for k := range leaves {
					leaves[k] = fmt.Appendf(nil, "caller %d batch %d entry %d", c, i, k)
				}
				first, err := l.Append(t.Context(), leaves)
				if err != nil {
					t.Error(err)
					return
				}
				batches <- batch{first, leaves}
			}
		})
	}
	wg.Wait()
	close(batches)
	closeLog(t, l)
	check(t, cfg)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	var total uint64
	for b := range batches {
		for i, want := range b.leaves {
			if got, err := r.Leaf(t.Context(), b.first+uint64(i)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("leaf %d: %q, %v; want %q", b.first+uint64(i), got, err, want)
			}
			total++
		}
	}
	if total != r.Size() {
		t.Errorf("%d entries acknowledged, %d in the tree", total, r.Size())
	}
}

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

func TestLock(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	again := cfg
	again.Create = false
	link := filepath.Join(t.TempDir(), "link") // the same directory by another name
	if err := os.Symlink(cfg.Dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{cfg.Dir, link} {
		again.Dir = dir
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := Open(ctx, again)
		cancel()
		if tallystick.CodeOf(err) != tallystick.Unavailable || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "this process itself") {
			t.Errorf("second Open of %s: %v", dir, err)
		}
	}
	// A waiting Open gets the directory as soon as the holder lets go.
	opened := make(chan error, 1)
	go func() {
		second, err := Open(t.Context(), again)
		if err == nil {
			err = second.Close(t.Context())
		}
		opened <- err
	}()
	mustAppend(t, l, 5)
	closeLog(t, l)
	if err := <-opened; err != nil {
		t.Errorf("waiting Open: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, cfg *Config)
		code   tallystick.Code
		says   string
	}{
		{"a missing log", func(t *testing.T, cfg *Config) { cfg.Dir += "elsewhere"; cfg.Anchor = "" }, tallystick.NotFound, "no ledger in"},
		{"creation over a log", func(t *testing.T, cfg *Config) { cfg.Create = true }, tallystick.Conflict, "not empty"},
		{"creation in a full directory", func(t *testing.T, cfg *Config) {
			cfg.Create, cfg.Dir = true, t.TempDir()
			os.WriteFile(filepath.Join(cfg.Dir, "thesis.tex"), nil, 0o600)
		}, tallystick.Conflict, "thesis.tex"},
		{"creation under another log's anchor", func(t *testing.T, cfg *Config) {
			cfg.Create, cfg.Dir = true, t.TempDir()
		}, tallystick.Conflict, "belongs to another log"},
		{"no guard", func(t *testing.T, cfg *Config) { cfg.Guard = nil }, tallystick.Invalid, "guard"},
		{"an origin that is not the key's", func(t *testing.T, cfg *Config) { cfg.Origin = "other" }, tallystick.Invalid, "named"},
		{"an anchor inside", func(t *testing.T, cfg *Config) { cfg.Anchor = filepath.Join(cfg.Dir, "anchor") }, tallystick.Invalid, "inside"},
		{"an interval too short", func(t *testing.T, cfg *Config) { cfg.CheckpointInterval = 1 }, tallystick.Invalid, "shorter"},
		{"a guard that has seen more", func(t *testing.T, cfg *Config) { cfg.Guard = &memoryGuard{size: 1000} }, tallystick.Conflict, "old backup"},
		{"a guard that has seen another tree", func(t *testing.T, cfg *Config) {
			cfg.Guard = &memoryGuard{size: 10, root: make([]byte, 32)}
		}, tallystick.Conflict, "old backup"},
		{"no checkpoint", func(t *testing.T, cfg *Config) { os.Remove(filepath.Join(cfg.Dir, checkpointFile)) }, tallystick.Internal, "checkpoint: it is missing"},
		{"no tree state", func(t *testing.T, cfg *Config) { os.Remove(filepath.Join(cfg.Dir, stateFile)) }, tallystick.Internal, "treeState: it is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			l := open(t, cfg)
			mustAppend(t, l, 10)
			closeLog(t, l)
			cfg.Create = false
			tc.change(t, &cfg)
			l, err := Open(t.Context(), cfg)
			if err == nil {
				closeLog(t, l)
				t.Fatal("opened")
			}
			if tallystick.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v", tallystick.CodeOf(err), err)
			}
		})
	}
}

// TestRestoredBackup puts an older copy of the directory in the place of the log.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	cfg.Create = false
	mustAppend(t, l, 20)
	closeLog(t, l)
	backup := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(backup, os.DirFS(cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	l = open(t, cfg)
	mustAppend(t, l, 20)
	closeLog(t, l)

	cfg.Dir, cfg.Guard = backup, &memoryGuard{} // the database came from the backup too
	if _, err := Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "tallystick restore") {
		t.Errorf("an old copy: %v", err)
	}
	r, err := OpenReader(backup, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(t.Context(), CheckOptions{Anchor: cfg.Anchor}); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("Check of an old copy: %v", err)
	}
	// A fork: the old copy goes on by itself, without the anchor.
	fork := cfg
	fork.Anchor = ""
	l = open(t, fork)
	if l.AnchorState() != AnchorNone {
		t.Errorf("anchor state %q", l.AnchorState())
	}
	if _, err := l.Append(t.Context(), leavesFrom(1000, 25)); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	cfg.Guard = &memoryGuard{}
	if _, err := Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "not those") {
		t.Errorf("a fork: %v", err)
	}
}

func TestGuardRefusalIsFatal(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	guard := &memoryGuard{}
	cfg.Guard = guard
	l := open(t, cfg)
	mustAppend(t, l, 3)
	if _, err := l.Checkpoint(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("the row has moved on")
	guard.mu.Lock()
	guard.err = lost
	guard.mu.Unlock()
	mustAppend(t, l, 3)
	_, err := l.Checkpoint(t.Context(), 6)
	if !errors.Is(err, ErrFatal) || !errors.Is(err, lost) || tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Fatalf("Checkpoint: %v", err)
	}
	_, again := l.Append(t.Context(), leavesFrom(6, 1))
	_, size := l.Size(t.Context())
	_, leaf := l.Leaf(t.Context(), 0)
	_, cp := l.Checkpoint(t.Context(), 0)
	for name, got := range map[string]error{"Append": again, "Size": size, "Leaf": leaf, "Checkpoint": cp, "Close": l.Close(t.Context())} {
		if !errors.Is(got, ErrFatal) || got.Error() != err.Error() {
			t.Errorf("%s: %v", name, got)
		}
	}
	published, err2 := os.ReadFile(filepath.Join(cfg.Dir, checkpointFile))
	if err2 != nil || !bytes.Contains(published, []byte("\n3\n")) {
		t.Errorf("published %q, %v: want the checkpoint of 3 entries", published, err2)
	}
	guard.err, cfg.Create = nil, false
	l = open(t, cfg) // the lock was let go, and the entries that nobody signed are there
	if n, err := l.Size(t.Context()); n != 6 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	closeLog(t, l)
	check(t, cfg)
}

// TestUnwritableAnchor: a checkpoint without its anchor is not acknowledged.
func TestUnwritableAnchor(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	dir := filepath.Dir(cfg.Anchor)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // root may write anywhere but under a file
		t.Fatal(err)
	}
	mustAppend(t, l, 1)
	if _, err := l.Checkpoint(t.Context(), 1); !errors.Is(err, ErrFatal) || !strings.Contains(err.Error(), "anchor") {
		t.Errorf("Checkpoint: %v", err)
	}
	if err := l.Close(t.Context()); !errors.Is(err, ErrFatal) {
		t.Errorf("Close: %v", err)
	}
}

// TestCollection: partial files go once they are replaced, also in a process that closes at once.
func TestCollection(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	for i := range 6 {
		l := open(t, cfg)
		cfg.Create = false
		mustAppend(t, l, 50+i, 50)
		closeLog(t, l)
	}
	var partial []string
	err := filepath.WalkDir(cfg.Dir, func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".p") {
			partial = append(partial, strings.TrimPrefix(path, cfg.Dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// 615 entries: two full bundles, and the third and the tile at level 1 are partial.
	if diff := cmp.Diff([]string{"tile/0/002.p", "tile/1/000.p", "tile/entries/002.p"}, partial); diff != "" {
		t.Errorf("partial files (-want +got):\n%s", diff)
	}
	check(t, cfg)
}

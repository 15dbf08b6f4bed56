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

	"github.com/google/go-cmp/cmp"
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

package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

// TestEveryBit flips bits in every file of a log and of its anchor: in small files one of every byte,
// in larger ones one of every 211th. Check must name the file each time.
func TestEveryBit(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	mustAppend(t, l, 100, 200, 300, 40) // several partial files and two full bundles
	if _, err := l.Checkpoint(t.Context(), 640); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	l = open(t, func() Config { c := cfg; c.Create = false; return c }())
	mustAppend(t, l, 60) // leaves the partial files of 640 behind
	closeLog(t, l)
	report := check(t, cfg)
	if report.Size != 700 || len(report.Strays) > 0 {
		t.Fatalf("before any damage: %+v", report)
	}

	files := []string{cfg.Anchor}
	err := filepath.WalkDir(cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, path := range files {
		name := strings.TrimPrefix(path, cfg.Dir+"/")
		if strings.HasSuffix(name, "lock") {
			continue // nothing depends on what a lock file says
		}
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		stride := 1
		if len(good) > 1<<10 {
			stride = 211
		}
		for at := 0; at < len(good); at += stride {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << (at % 8)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			err := checkAll(t, cfg)
			if err == nil && name == gcStateFile && bytes.ContainsAny(bad, "0123456789") {
				// Another multiple of 256: it only tells where the collector goes on.
				continue
			}
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s, byte %d of %d, %q instead of %q: %v", name, at, len(good), bad[at], good[at], err)
			}
			kinds[filepath.Dir(name)]++
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{".", ".state", "tile/0", "tile/0/002.p", "tile/1/000.p", "tile/entries", "tile/entries/002.p", filepath.Dir(cfg.Anchor)} {
		if kinds[kind] == 0 {
			t.Errorf("no bit was flipped in %s", kind)
		}
	}
	check(t, cfg)
}

// checkAll runs Check as `tallystick fsck` does.
func checkAll(t *testing.T, cfg Config) error {
	t.Helper()
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		return err
	}
	_, err = r.Check(t.Context(), CheckOptions{Verifiers: cfg.Verifiers, Anchor: cfg.Anchor})
	return err
}

// TestOpenNoticesDamage: what the next batch would build upon is compared before it is accepted.
func TestOpenNoticesDamage(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		checkpointFile, stateFile, versionFile,
		"tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1", "tile/0/000", "anchor",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			l := open(t, cfg)
			mustAppend(t, l, 256, 44)
			closeLog(t, l)
			path := filepath.Join(cfg.Dir, name)
			if name == "anchor" {
				path = cfg.Anchor
			}
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Create = false
			for _, at := range []int{0, len(good) / 2, len(good) - 1} {
				bad := bytes.Clone(good)
				bad[at] ^= 4
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				l, err := Open(t.Context(), cfg)
				if err == nil {
					closeLog(t, l)
					if name == "tile/0/000" {
						return // not at the right edge: for Check to find
					}
					t.Fatalf("byte %d: opened", at)
				}
				var damage *DamageError
				if !errors.As(err, &damage) {
					t.Errorf("byte %d: %v", at, err)
				}
			}
		})
	}
}

// TestRewrittenHistory changes an entry and all the hashes over it, as the holder of the disk could.
func TestRewrittenHistory(t *testing.T) {
	t.Parallel()
	cfg, other := testConfig(t), testConfig(t)
	l, forged := open(t, cfg), open(t, other)
	mustAppend(t, l, 700)
	leaves := leavesFrom(0, 700)
	leaves[300] = []byte("what should have happened")
	if _, err := forged.Append(t.Context(), leaves); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	closeLog(t, forged)
	copyInto := func(names ...string) {
		t.Helper()
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(other.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(cfg.Dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, step := range []struct {
		files []string
		says  string
	}{
		{[]string{"tile/entries/001"}, "tile/entries/001: entry 300 does not match its hash"},
		{[]string{"tile/0/001"}, "tile/entries/001: entries from 256 on, and the hashes over them"},
		{[]string{"tile/1/000.p/2"}, "tile/entries: the first 700 entries, and the hashes over them, are not those of the signed checkpoint"},
		{[]string{stateFile}, "tile/entries: the first 700 entries"},
		{[]string{checkpointFile}, "not those that the anchor"}, // signed by a stolen key
	} {
		copyInto(step.files...)
		if err := checkAll(t, cfg); err == nil || !strings.Contains(err.Error(), step.says) {
			t.Errorf("after %v: %v", step.files, err)
		}
	}
	// With nothing outside the directory the forger has won, as the documents say.
	cfg.Anchor = ""
	if err := checkAll(t, cfg); err != nil {
		t.Errorf("without an anchor: %v", err)
	}
}

// TestCheckOptions: what is left out is left out knowingly.
func TestCheckOptions(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	mustAppend(t, l, 300)
	closeLog(t, l)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 3, 1000} {
		var seen uint64
		report, err := r.Check(t.Context(), CheckOptions{Workers: workers, Leaf: func(index uint64, leaf []byte) error {
			if index != seen || !bytes.Equal(leaf, leavesFrom(index, 1)[0]) {
				t.Errorf("leaf %d after %d: %q", index, seen, leaf)
			}
			seen++
			return nil
		}})
		if err != nil || seen != 300 || report.Signed || report.Anchor != AnchorNone {
			t.Errorf("%d leaves, %+v, %v", seen, report, err)
		}
	}
	stop := errors.New("seen enough")
	if _, err := r.Check(t.Context(), CheckOptions{Leaf: func(uint64, []byte) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("stopped by its caller: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(cfg.Dir, stateDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(t.Context(), CheckOptions{}); err == nil {
		t.Error("no complaint about a missing tree state")
	}
	if _, err := r.Check(t.Context(), CheckOptions{PublishedOnly: true}); err != nil {
		t.Errorf("published files alone: %v", err)
	}
	_, err = OpenReader(t.TempDir(), cfg.Origin)
	if tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("reader of an empty directory: %v", err)
	}
}

// TestLargeTree checks a log with a full tile above the leaves, by its root under two sizes of batches.
func TestLargeTree(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70,000 entries")
	}
	t.Parallel()
	var roots [][]byte
	for _, size := range []int{4096, 3000} {
		cfg := testConfig(t)
		l := open(t, cfg)
		for left := 70_000; left > 0; left -= size {
			mustAppend(t, l, min(left, size))
		}
		closeLog(t, l)
		report := check(t, cfg)
		roots = append(roots, report.Root)
		path := filepath.Join(cfg.Dir, "tile/1/000")
		tile, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tile[5*hashSize] ^= 1
		if err := os.WriteFile(path, tile, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkAll(t, cfg); err == nil || !strings.Contains(err.Error(), "tile/1/000: its hash 5") {
			t.Errorf("a flipped bit in a tile above the leaves: %v", err)
		}
	}
	if !bytes.Equal(roots[0], roots[1]) {
		t.Errorf("roots %x and %x of the same entries", roots[0], roots[1])
	}
}

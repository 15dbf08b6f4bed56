package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sample is a journal with what was acknowledged of it: small batches, each in a commit of its own, some in
// one commit, and some that fill many pages.
type sample struct {
	dir     string
	head    Receipt
	trimmed uint64
	batches map[Receipt]Batch
}

// newSample makes a journal and copies its files: as they are while it is open, so that its write-ahead log
// has not been copied into the file, or after it was closed.
func newSample(t *testing.T, open bool) sample {
	t.Helper()
	o := Options{Dir: t.TempDir()}
	j := mustOpen(t, o)
	s := sample{dir: t.TempDir(), batches: make(map[Receipt]Batch)}
	var mu sync.Mutex
	add := func(b Batch) {
		r := mustAppend(t, j, b)
		mu.Lock()
		defer mu.Unlock()
		s.batches[r] = b
	}
	text := func(i, size int) string { return strings.Repeat(fmt.Sprintf("<%d>", i), size) }
	for i := range 12 {
		add(batchOf(byte(1+i), text(i, 100), text(i, 10)))
	}
	s.trimmed = 6
	if err := j.Trim(t.Context(), s.trimmed); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() { add(batchOf(byte(50+i), text(50+i, 200))) })
	}
	wg.Wait()
	for i := range 4 {
		add(batchOf(byte(100+i), text(100+i, 8000)))
	}
	add(batchOf(200, text(200, 30)))
	s.head = j.Head()
	if !open {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	copyJournal(t, o.Dir, s.dir)
	return s
}

func copyJournal(t testing.TB, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// file returns the path of the one file of a directory of which the name ends so.
func file(t testing.TB, dir, suffix string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files *%s in %s: %v", len(found), suffix, dir, err)
	}
	return found[0]
}

// outcome is what a damaged journal was opened with.
type outcome struct {
	gap      *Gap
	salvaged int
	lost     int
}

// examine opens a damaged copy of the sample, and checks the promise: what was acknowledged is read as it
// was written, in order or marked as salvaged, or else is named as lost; nothing is both, and nothing else
// is there. Then the journal goes on, with sequences that were never used, and opens again without a word.
func (s sample) examine(t *testing.T, what, dir string) (found outcome) {
	t.Helper()
	o := Options{Dir: dir}
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return found
	}
	defer j.Close()
	gaps := j.Gaps()
	here := make(map[Receipt]bool)
	for e, err := range j.Read(context.WithoutCancel(t.Context()), 0) {
		if err != nil {
			t.Errorf("%s: read: %v", what, err)
			return found
		}
		if e.Beginning != nil {
			if e.Beginning.Gap != nil {
				found.gap = e.Beginning.Gap
			}
			continue
		}
		at := e.Receipt
		if e.Salvaged != nil {
			at = *e.Salvaged
			found.salvaged++
		}
		b, known := s.batches[at]
		if !known || here[at] || e.Batch != b.ID || !bytes.Equal(e.Payload, recordsOf(b)) {
			t.Errorf("%s: sequence %d is not what was acknowledged there, or is there twice", what, at.Sequence)
		}
		here[at] = true
	}
	if found.gap != nil && (len(gaps) != 1 || gaps[0].From != found.gap.From) || found.gap == nil && len(gaps) > 0 {
		t.Errorf("%s: gap %v, Gaps says %v", what, found.gap, gaps)
	}
	lost := func(sequence uint64) bool {
		g := found.gap
		return g != nil && (slices.ContainsFunc(g.Lost, func(r Range) bool { return r.From <= sequence && sequence <= r.To }) ||
			g.To == 0 && g.From+uint64(g.Salvaged) <= sequence)
	}
	for at := range s.batches {
		switch {
		case at.Sequence <= s.trimmed:
		case here[at] == lost(at.Sequence):
			t.Errorf("%s: sequence %d: read %v, named as lost %v (%v)", what, at.Sequence, here[at], lost(at.Sequence), found.gap)
		case !here[at]:
			found.lost++
		}
	}
	if g := found.gap; g != nil && g.Salvaged != found.salvaged {
		t.Errorf("%s: %d batches were salvaged, the gap says %d", what, found.salvaged, g.Salvaged)
	}
	after := mustAppend(t, j, batchOf(255, "after"))
	if after.Sequence <= s.head.Sequence {
		t.Errorf("%s: sequence %d is used again", what, after.Sequence)
	}
	if at, b := s.newest(); here[at] {
		if again := mustAppend(t, j, b); again != at {
			t.Errorf("%s: the repetition of %+v got %+v", what, at, again)
		}
	}
	if err := j.Close(); err != nil {
		t.Errorf("%s: close: %v", what, err)
	}
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Errorf("%s: open again: %v", what, err)
		return found
	}
	defer again.Close()
	if again.Head() != after {
		t.Errorf("%s: opened again, the head is %+v after %+v", what, again.Head(), after)
	}
	return found
}

func (s sample) newest() (Receipt, Batch) { return s.head, s.batches[s.head] }

// TestFlippedBits flips bits at every class of offset of the file, of the write-ahead log and of the mark.
func TestFlippedBits(t *testing.T) {
	if testing.Short() {
		t.Skip("opens hundreds of journals")
	}
	t.Parallel()
	for _, test := range []struct {
		name, suffix string
		open         bool
		offsets      func(size int64) []int64
		most         int // batches that a flipped bit may cost
	}{
		{"file", ".db", false, fileOffsets, 6},
		{"write-ahead log", ".db-wal", true, logOffsets, 6},
		{"mark", "mark", false, markOffsets, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSample(t, test.open)
			whole, err := os.ReadFile(file(t, s.dir, test.suffix))
			if err != nil {
				t.Fatal(err)
			}
			var noticed, cost int
			offsets := test.offsets(int64(len(bytes.TrimRight(whole, "\x00"))))
			step := 1 // through all of them if JOURNAL_DAMAGE is "all"
			if os.Getenv("JOURNAL_DAMAGE") != "all" {
				step = 1 + len(offsets)/60
			}
			for i := rand.IntN(step); i < len(offsets); i += step {
				offset := offsets[i]
				dir := t.TempDir()
				copyJournal(t, s.dir, dir)
				damaged := bytes.Clone(whole)
				damaged[offset] ^= 1 << (offset % 8)
				if err := os.WriteFile(file(t, dir, test.suffix), damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				found := s.examine(t, fmt.Sprintf("bit flipped at %d of %d", offset, len(whole)), dir)
				if found.gap != nil {
					noticed++
				}
				cost += found.lost
				if found.lost > test.most {
					t.Errorf("bit flipped at %d: %d batches are lost", offset, found.lost)
				}
				_ = os.RemoveAll(dir)
			}
			t.Logf("%d flips were reported as gaps, %d batches lost in all", noticed, cost)
		})
	}
}

// fileOffsets are in the header of the file, and on each page its kind, the number of its cells, where they
// begin, and some of what they hold.
func fileOffsets(size int64) (offsets []int64) {
	offsets = append(offsets, 0, 15, 16, 18, 19, 20, 21, 24, 28, 32, 36, 40, 44, 52, 56, 60, 68, 92, 96)
	for page := int64(0); page < size; page += pageSize {
		for _, o := range []int64{0, 3, 4, 5, 8, 9, 11, 500, 4000, pageSize - 150, pageSize - 1} {
			if page == 0 {
				o += 100
			}
			if o < pageSize {
				offsets = append(offsets, page+o)
			}
		}
	}
	return offsets
}

// logOffsets are in the header of the log and in that of each image, and in some of what it holds.
func logOffsets(size int64) (offsets []int64) {
	for o := range int64(walHeader) {
		offsets = append(offsets, o)
	}
	step := int64(walFrame + pageSize)
	for image := int64(walHeader); image < size; image += step {
		for _, o := range []int64{1, 3, 7, 9, 14, 17, 23, walFrame, walFrame + 4, walFrame + 8, walFrame + 600, step - 150, step - 1} {
			offsets = append(offsets, image+o)
		}
	}
	return offsets
}

func markOffsets(int64) (offsets []int64) {
	for o := range int64(slotSize) {
		offsets = append(offsets, o, slotStep+o)
	}
	return append(offsets, slotSize+5, slotStep+slotSize+5)
}

// TestTruncated cuts the file, the write-ahead log and the mark off, or takes them away.
func TestTruncated(t *testing.T) {
	if testing.Short() {
		t.Skip("opens dozens of journals")
	}
	t.Parallel()
	open, closed := newSample(t, true), newSample(t, false)
	for _, test := range []struct {
		suffix string
		s      sample
		sizes  []float64 // as shares of the whole
		gap    bool
	}{
		{".db", closed, []float64{0, 0.001, 0.1, 0.5, 0.9, 0.999}, true},
		{".db-wal", open, []float64{0, 0.00005, 0.1, 0.5, 0.9, 0.999}, true},
		{"mark", closed, []float64{0, 0.001}, true},
		{"mark", closed, []float64{0.4, 0.6, 0.99}, false}, // one slot is enough,
	} {
		for _, share := range test.sizes {
			t.Run(fmt.Sprintf("%s %v", test.suffix, share), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				copyJournal(t, test.s.dir, dir)
				path := file(t, dir, test.suffix)
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				size := len(whole)
				if test.suffix == ".db-wal" { // which has room at its end
					size = len(bytes.TrimRight(whole, "\x00"))
				}
				if err := os.Truncate(path, int64(share*float64(size))); err != nil {
					t.Fatal(err)
				}
				if found := test.s.examine(t, "cut off", dir); (found.gap != nil) != test.gap {
					t.Errorf("gap: %v", found.gap)
				} else if test.suffix == "mark" && found.lost > 0 {
					t.Errorf("%d batches lost", found.lost)
				}
			})
		}
	}
	for _, suffixes := range [][]string{{".db"}, {".db-wal"}, {"mark"}, {".db", ".db-wal"}} {
		t.Run("without "+strings.Join(suffixes, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copyJournal(t, open.dir, dir)
			for _, suffix := range suffixes {
				if err := os.Remove(file(t, dir, suffix)); err != nil {
					t.Fatal(err)
				}
			}
			if found := open.examine(t, "removed", dir); found.gap == nil {
				t.Error("no gap")
			} else if left, err := os.ReadDir(found.gap.Quarantine); len(suffixes) == 1 && (err != nil || len(left) == 0) {
				t.Errorf("nothing was put aside: %v", err)
			}
		})
	}
}

// TestOldCopy puts an old copy of the file, whole in itself, in the place of the newer one.
func TestOldCopy(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	j := mustOpen(t, o)
	mustAppend(t, j, batchOf(1, "old"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	old := t.TempDir()
	copyJournal(t, o.Dir, old)
	j = mustOpen(t, o)
	lost := mustAppend(t, j, batchOf(2, "new"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := file(t, o.Dir, ".db")
	b, err := os.ReadFile(filepath.Join(old, filepath.Base(path)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	var gap *Gap
	for e, err := range j.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Beginning != nil && e.Beginning.Gap != nil {
			gap = e.Beginning.Gap
		}
	}
	if gap == nil || gap.From != lost.Sequence || gap.To != lost.Sequence || gap.Shard != lost.Shard || len(gap.Lost) != 1 {
		t.Errorf("gap %+v, lost was %+v", gap, lost)
	}
}

// TestUnsure opens a journal whose mark is ahead, as a loss of power can leave it in the middle of a commit,
// and one whose mark says that what is missing was durable.
func TestUnsure(t *testing.T) {
	t.Parallel()
	for settled, unsure := range map[uint64]bool{2: true, 3: false} {
		o := Options{Dir: t.TempDir()}
		j := mustOpen(t, o)
		last := mustAppend(t, j, batchOf(1, "a"))
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		m, says, _, err := openMark(filepath.Join(o.Dir, "mark"))
		if err != nil {
			t.Fatal(err)
		}
		if says.settled != last.Sequence {
			t.Errorf("closed, the mark is settled up to %d of %d", says.settled, last.Sequence)
		}
		says.sequence, says.settled, says.hash = 3, settled, Hash{1}
		if err := errors.Join(m.write(says), m.sync(), m.close()); err != nil {
			t.Fatal(err)
		}
		var gap *Gap
		for e, err := range mustOpen(t, o).Read(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Beginning != nil && e.Beginning.Gap != nil {
				gap = e.Beginning.Gap
			}
		}
		if gap == nil || gap.Unsure != unsure || gap.From != 3 || gap.To != 3 {
			t.Errorf("settled up to %d: gap %+v", settled, gap)
		}
	}
}

// TestStaleTail leaves behind the last commit of a write-ahead log what a transaction that failed can leave
// there: a page as it never became part of the file.
func TestStaleTail(t *testing.T) {
	t.Parallel()
	s := newSample(t, true)
	path := file(t, s.dir, ".db-wal")
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var stale []byte
	end := walHeader
	for ; end+walFrame+pageSize <= len(log) && bytes.Equal(log[end+8:end+16], log[16:24]); end += walFrame + pageSize {
		image := log[end : end+walFrame+pageSize]
		if stale == nil && bytes.Count(image, []byte("<101>")) > 1000 && image[walFrame] != leafPage {
			stale = bytes.ReplaceAll(image, []byte("<101>"), []byte("!101!"))
			clear(stale[4:8]) // no commit
		}
	}
	if stale == nil {
		t.Fatal("no image to make stale")
	}
	log = append(log[:end], append(stale, log[min(len(log), end+len(stale)):]...)...)
	log[walHeader+walFrame+pageSize+17] ^= 1 // SQLite reads nothing from here on
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := s.examine(t, "stale", s.dir); found.gap == nil || found.lost > 0 {
		t.Errorf("%+v", found)
	}
}

// TestStartDamaged changes what a file says of where it begins, byte by byte: nothing may be left out.
func TestStartDamaged(t *testing.T) {
	if testing.Short() {
		t.Skip("opens dozens of journals")
	}
	t.Parallel()
	s := newSample(t, false)
	for _, query := range []string{
		"UPDATE start SET trimmed = trimmed + 1", "UPDATE start SET trimmed = trimmed + 4096", "UPDATE start SET trimmed = trimmed - 1, sequence = sequence - 1",
		"UPDATE start SET sequence = sequence + 1, trimmed = trimmed + 1", "UPDATE start SET sum = sum + 1", "DELETE FROM start",
		"UPDATE receipts SET entries = x'00'", "UPDATE receipts SET entries = zeroblob(length(entries))",
	} {
		dir := t.TempDir()
		copyJournal(t, s.dir, dir)
		db, err := openFile(file(t, dir, ".db"), url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if found := s.examine(t, query, dir); found.lost > 0 {
			t.Errorf("%s: %d batches lost", query, found.lost)
		}
	}
}

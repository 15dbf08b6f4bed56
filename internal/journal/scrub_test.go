package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestScrub trims batches of many pages: their bytes lie in the file or its log until they are scrubbed, and what was
// not trimmed is there afterwards, also for who opens the journal again and goes on.
func TestScrub(t *testing.T) {
	t.Parallel()
	const word = "zebrafinch"
	dir := t.TempDir()
	holders := func() (n int) {
		files, err := filepath.Glob(filepath.Join(dir, filePrefix+"*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			n += bytes.Count(data, []byte(word))
		}
		return n
	}
	j := mustOpen(t, Options{Dir: dir})
	var last Receipt
	for id := range byte(5) {
		last = mustAppend(t, j, batchOf(id+1, strings.Repeat(word, 50_000)))
	}
	if err := j.Trim(t.Context(), last.Sequence); err != nil {
		t.Fatal(err)
	}
	if holders() == 0 {
		t.Fatal("nothing is left to scrub")
	}
	mustAppend(t, j, batchOf(6, "kept"))
	if err := j.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := holders(); n > 0 {
		t.Errorf("the word is there %d times", n)
	}
	mustAppend(t, j, batchOf(7, "after"))
	want := contents(t, j, 0)
	if len(want) != 2 {
		t.Fatalf("%q", want)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, Options{Dir: dir})
	if found := contents(t, j, 0); !slices.Equal(found, want) {
		t.Errorf("%q, wanted %q", found, want)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

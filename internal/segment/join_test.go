package segment_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// joinable is as many records as a file must have whose row groups are taken over.
const joinable = 1 << 14

// large returns files of neighbouring records with the same columns, one of them without an erased record, and the records.
func large(tb testing.TB, counts ...int) (all [][]byte, files []*segment.File, raw [][]byte, parts []segment.Part) {
	tb.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	all = shaped(tb, total)
	first := 0
	for i, n := range counts {
		data, summary := written(tb, fmt.Sprint("s", i), all[first:first+n])
		if i == 1 {
			var out bytes.Buffer
			r, err := prediction.Decode(all[first+5])
			if err != nil {
				tb.Fatal(err)
			}
			if _, err := segment.Erase(&out, opened(tb, data), []prediction.ID{r.ID}); err != nil {
				tb.Fatal(err)
			}
			data = out.Bytes()
		}
		files, raw, parts = append(files, opened(tb, data)), append(raw, data), append(parts, summary.Parts...)
		first += n
	}
	return all, files, raw, parts
}

// TestJoin joins large files as they are, and what came of it with another: everything that can be asked of the file has the
// answer that the files gave.
func TestJoin(t *testing.T) {
	t.Parallel()
	counts := []int{joinable + 100, joinable + 1, joinable}
	all, files, raw, parts := large(t, counts...)
	var first, second bytes.Buffer
	if _, err := segment.Compact(&first, files[:2]...); err != nil {
		t.Fatal(err)
	}
	summary, err := segment.Compact(&second, opened(t, first.Bytes()), files[2])
	if err != nil {
		t.Fatal(err)
	}
	begin, end := idAt(t, all, 0), idAt(t, all, 0)
	for i := range all {
		id := idAt(t, all, i)
		if bytes.Compare(id[:], begin[:]) < 0 {
			begin = id
		}
		if bytes.Compare(id[:], end[:]) > 0 {
			end = id
		}
	}
	if diff := cmp.Diff(parts, summary.Parts); diff != "" || summary.Erased != 1 || summary.Count != int64(len(all)) || summary.Bytes != int64(second.Len()) ||
		summary.FirstID != begin || summary.LastID != end || summary.FirstTime.Time() != timeOf(t, all[0]) || summary.LastTime.Time() != timeOf(t, all[len(all)-1]) {
		t.Errorf("%s %+v", diff, summary)
	}
	if want := tallystick.DigestOf(second.Bytes()); summary.Digest != want {
		t.Errorf("the digest is %s, want %s", summary.Digest, want)
	}
	together := 0
	for _, data := range raw {
		together += len(data)
	}
	if second.Len() > together {
		t.Errorf("%d bytes of %d", second.Len(), together)
	}
	f := opened(t, second.Bytes())
	gone := counts[0] + 5
	for i, e := range entries(t, f) {
		if e.Leaf != prediction.LeafOf(all[i]) || (i == gone) != (e.Encoding == nil) {
			t.Fatalf("row %d: %+v", i, e)
		}
	}
	for row := 0; row < len(all); row += 997 {
		id := idAt(t, all, row)
		if at, err := f.Find(id); err != nil || at != int64(row) {
			t.Fatalf("row %d is found at %d, %v", row, at, err)
		}
		if e, err := f.At(int64(row)); err != nil || !bytes.Equal(e.Encoding, all[row]) {
			t.Fatalf("row %d: %+v, %v", row, e, err)
		}
		p, err := f.Prove(int64(row))
		if err != nil {
			t.Fatal(err)
		}
		part, _, err := f.Place(int64(row))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(prediction.LeafOf(all[row]), rootBytes(t, parts[part].Root)); err != nil {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if _, err := f.Find(idAt(t, all, gone)); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("the erased one: %v", err)
	}
	var out bytes.Buffer
	if s, err := segment.Erase(&out, f, []prediction.ID{begin}); err != nil || s.Erased != 2 {
		t.Errorf("erase: %+v, %v", s, err)
	}
	if python := os.Getenv("SEGMENT_PYTHON"); python != "" {
		file := filepath.Join(t.TempDir(), "joined.parquet")
		if err := os.WriteFile(file, second.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		say := fmt.Sprintf("import pyarrow.parquet as p; t = p.ParquetFile(%q, page_checksum_verification=True).read(); assert t.num_rows == %d and t['id'].null_count == 1, t", file, len(all))
		if said, err := exec.CommandContext(t.Context(), python, "-c", say).CombinedOutput(); err != nil {
			t.Errorf("PyArrow: %v: %s", err, said)
		}
	}
}

// timeOf returns the time of a record.
func timeOf(t *testing.T, encoding []byte) time.Time {
	t.Helper()
	r, err := prediction.Decode(encoding)
	if err != nil {
		t.Fatal(err)
	}
	return r.Time.Time()
}

// TestJoinDamaged flips bytes all over a file that is joined as it is: either that is refused, or whoever reads what came of
// it is told, or the byte meant nothing.
func TestJoinDamaged(t *testing.T) {
	t.Parallel()
	all, files, raw, parts := large(t, joinable, joinable)
	step := len(raw[0]) / 60
	refused := 0
	for at := 5; at < len(raw[0]); at += step {
		data := bytes.Clone(raw[0])
		data[at] ^= 0x10
		bad, err := segment.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			refused++
			continue
		}
		var out bytes.Buffer
		if _, err := segment.Compact(&out, bad, files[1]); err != nil {
			refused++
			continue
		}
		f, err := segment.Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			continue
		}
		row := 0
		for e, err := range f.Entries() {
			if err != nil {
				break
			}
			if e.Leaf != prediction.LeafOf(all[row]) {
				t.Fatalf("byte %d: row %d is another", at, row)
			}
			row++
		}
		if row == len(all) && !cmp.Equal(f.Parts(), parts) {
			t.Errorf("byte %d: the segments are others", at)
		}
	}
	if refused < 40 {
		t.Errorf("only %d of 60 damaged files were refused", refused)
	}
}

// BenchmarkJoin joins 16 files of a cut each, as they are and, because one has another column, written anew.
func BenchmarkJoin(b *testing.B) {
	counts := make([]int, 16)
	for i := range counts {
		counts[i] = 1 << 15
	}
	if testing.Short() {
		counts = counts[:2]
	}
	all, files, _, _ := large(b, counts...)
	data, _ := written(b, "small", all[:1])
	for name, joined := range map[string][]*segment.File{"taken": files, "anew": append(files[:len(files):len(files)], differing(b, data))} {
		b.Run(name, func(b *testing.B) {
			before := processorTime()
			for b.Loop() {
				if _, err := segment.Compact(&bytes.Buffer{}, joined...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(all))/(processorTime()-before), "rows/s/core")
		})
	}
}

// differing returns a file of the record in another file, with a flag.
func differing(b *testing.B, data []byte) *segment.File {
	b.Helper()
	entry, err := opened(b, data).At(0)
	if err != nil {
		b.Fatal(err)
	}
	r, err := prediction.Decode(entry.Encoding)
	if err != nil {
		b.Fatal(err)
	}
	r.Flags = []string{"edge"}
	encoding, err := r.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	other, _ := written(b, "other", [][]byte{encoding})
	return opened(b, other)
}

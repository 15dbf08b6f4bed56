package journal

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func placed(kind Kind, batch BatchID, count int, payload []byte) []byte {
	b := newFrame(kind, batch, count, payload)
	place(b, Shard{1, 2, 3}, 7, time.UnixMilli(1_700_000_000_123), Hash{9})
	return b
}

func TestFrame(t *testing.T) {
	t.Parallel()
	b := placed(kindBatch, BatchID{4}, 2, []byte("payload"))
	f, size, err := decode(append(b, "rest"...))
	if err != nil || size != len(b) {
		t.Fatal(size, err)
	}
	want := frame{
		kind: kindBatch, sequence: 7, time: time.UnixMilli(1_700_000_000_123).UTC(), count: 2, shard: Shard{1, 2, 3},
		batch: BatchID{4}, previous: Hash{9}, hash: f.hash, payload: []byte("payload"),
	}
	if diff := cmp.Diff(want, f, cmp.AllowUnexported(frame{})); diff != "" {
		t.Error(diff)
	}
	for i := range b {
		for bit := range 8 {
			flipped := bytes.Clone(b)
			flipped[i] ^= 1 << bit
			if _, _, err := decode(flipped); err == nil {
				t.Errorf("bit %d of byte %d was flipped, and nothing noticed", bit, i)
			}
		}
		if _, _, err := decode(b[:i]); err == nil {
			t.Errorf("the first %d bytes were taken for a frame", i)
		}
	}
}

// FuzzDecode checks that what is read as a frame is what would be written for it.
func FuzzDecode(f *testing.F) {
	f.Add(placed(kindBatch, BatchID{}, 1, recordsOf(batchOf(0, "a"))))
	f.Add(placed(kindShard, BatchID{}, 0, []byte("{}")))
	f.Add(placed(kindSalvaged, BatchID{1}, 0, placed(kindBatch, BatchID{1}, 1, nil)))
	f.Add([]byte(frameMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, size, err := decode(b)
		if err != nil {
			return
		}
		again := newFrame(got.kind, got.batch, int(got.count), got.payload)
		if hash := place(again, got.shard, got.sequence, got.time, got.previous); hash != got.hash || !bytes.Equal(again, b[:size]) {
			t.Errorf("%x is read as %+v and written as %x", b[:size], got, again)
		}
		_, _ = got.entry() // must not panic
	})
}

func TestRecords(t *testing.T) {
	t.Parallel()
	want := []string{"a", "", strings.Repeat("b", 300)}
	payload := recordsOf(batchOf(0, want...))
	var got []string
	for r, err := range Records(payload) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(r))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range [][]byte{payload[:len(payload)-1], {5}, {0x80}, bytes.Repeat([]byte{0xff}, 11)} {
		var last error
		for _, err := range Records(bad) {
			last = err
		}
		if last == nil {
			t.Errorf("%x was taken for records", bad)
		}
	}
}

// FuzzRecords checks that records are written as they were read, but for lengths that are written longer
// than they must be.
func FuzzRecords(f *testing.F) {
	f.Add(recordsOf(batchOf(0, "a", "")))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var records, back []string
		for r, err := range Records(payload) {
			if err != nil {
				return
			}
			records = append(records, string(r))
		}
		if len(records) == 0 {
			return
		}
		for r := range Records(recordsOf(batchOf(0, records...))) {
			back = append(back, string(r))
		}
		if !slices.Equal(records, back) {
			t.Errorf("%q came back as %q", records, back)
		}
	})
}

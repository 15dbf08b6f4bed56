package journal

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustOpen opens a journal that is closed when the test ends.
func mustOpen(t testing.TB, o Options) *Journal {
	t.Helper()
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// batchOf makes a batch of records.
func batchOf(id byte, records ...string) Batch {
	b := Batch{Payload: new(Payload)}
	if id != 0 {
		b.ID = BatchID{id}
	}
	for _, r := range records {
		b.Payload.Add([]byte(r))
	}
	return b
}

// recordsOf returns the records of a batch as an entry has them.
func recordsOf(b Batch) []byte { return b.Payload.frame[headerSize:] }

func mustAppend(t testing.TB, j *Journal, b Batch) Receipt {
	t.Helper()
	r, err := j.Append(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents reads the records of a journal from a sequence on: "SEQUENCE RECORD".
func contents(t testing.TB, j *Journal, from uint64) (lines []string) {
	t.Helper()
	for e, err := range j.Read(context.WithoutCancel(t.Context()), from) {
		if err != nil {
			t.Fatal(err)
		}
		for record, err := range Records(e.Payload) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%d %s", e.Sequence, record))
		}
	}
	return lines
}

func TestAppendReadReopenTrim(t *testing.T) { engines(t, testAppendReadReopenTrim) }

func testAppendReadReopenTrim(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	j := mustOpen(t, o)
	first := mustAppend(t, j, batchOf(1, "a", "b"))
	if first.Sequence != 2 || first != j.Head() {
		t.Errorf("receipt %+v, head %+v", first, j.Head())
	}
	if again := mustAppend(t, j, batchOf(1, "a", "b")); again != first {
		t.Errorf("the repetition got %+v, the first %+v", again, first)
	}
	mustAppend(t, j, batchOf(0, "c"))
	mustAppend(t, j, batchOf(0, "c"))
	want := []string{"2 a", "2 b", "3 c", "4 c"}
	if diff := cmp.Diff(want, contents(t, j, 0)); diff != "" {
		t.Error(diff)
	}
	if err := j.Trim(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := j.Trim(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	head := j.Head()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = mustOpen(t, o)
	if j.Head() != head {
		t.Errorf("head %+v, before it was closed %+v", j.Head(), head)
	}
	if diff := cmp.Diff(want[3:], contents(t, j, 0)); diff != "" {
		t.Error(diff)
	}
	if again := mustAppend(t, j, batchOf(1, "a", "b")); again != first {
		t.Errorf("after a trim the repetition got %+v, the first %+v", again, first)
	}
	if err := j.Trim(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if s, err := j.Status(); err != nil || s.Stored != 0 || s.Trimmed != 4 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	if r := mustAppend(t, j, batchOf(0, "d")); r.Sequence != 5 || r.Shard != first.Shard {
		t.Errorf("receipt %+v after everything was trimmed", r)
	}
	if again := mustAppend(t, j, batchOf(1, "a", "b")); again != first {
		t.Errorf("after two trims the repetition got %+v, the first %+v", again, first)
	}
}

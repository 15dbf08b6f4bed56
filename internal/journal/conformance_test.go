package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

// TestEngine is the contract of a Log and of an engine, see log.go, held against each.
func TestEngine(t *testing.T) { engines(t, testEngine) }

func testEngine(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t).withDefaults()
	ctx := t.Context()
	var e engine = &sqliteEngine{o}
	if o.URL != "" {
		p, err := openPostgres(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		e = p
	}
	defer e.close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	block := func(first, last uint64, text string) Block {
		return Block{first, last, Hash{byte(last)}, []byte(text)}
	}
	a, b := newShard(time.UnixMilli(1000)), newShard(time.UnixMilli(2000))
	start := Start{Sequence: 4, Hash: Hash{4}, Trimmed: 5, Receipts: [][]byte{bytes.Repeat([]byte{1}, entrySize)}}
	must(e.create(ctx, a, start, func(yield func(Block, error) bool) { yield(block(5, 6, "five"), nil) }))
	broken := errors.New("broken")
	if err := e.create(ctx, b, Start{}, func(yield func(Block, error) bool) { yield(Block{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("a creation that fails: %v", err)
	}
	if s, err := e.open(ctx, newShard(time.UnixMilli(3000))); s != nil || err != nil {
		t.Errorf("a store that is not there: %v, %v", s, err)
	}
	s, err := e.open(ctx, a)
	must(err)
	must(s.check(ctx))
	must(s.ready(ctx))
	defer func() { must(s.close()) }()

	for _, blocks := range [][]Block{{block(7, 7, "seven"), block(8, 20, strings.Repeat("8", 300_000)), block(21, 21, "x")}, {block(30, 30, "y")}} {
		durable, err := s.Append(ctx, blocks)
		must(err)
		if !durable {
			must(s.Sync())
		}
	}
	for from, want := range map[uint64]uint64{0: 5, 5: 5, 6: 5, 7: 7, 8: 8, 19: 8, 20: 8, 21: 21, 22: 30, 30: 30, 31: 0} {
		if got, err := s.Read(ctx, from); err != nil || got.First != want {
			t.Errorf("Read(%d) is the block of %d, %v, want %d", from, got.First, err, want)
		}
	}
	got, err := s.Read(ctx, 8)
	must(err)
	if diff := cmp.Diff(block(8, 20, strings.Repeat("8", 300_000)), got); diff != "" {
		t.Error(diff)
	}
	packed := func(after, to uint64) []byte {
		if after != 4 && after != 7 {
			t.Errorf("receipts of (%d, %d] are asked for", after, to)
		}
		return bytes.Repeat([]byte{byte(to)}, entrySize)
	}
	for _, test := range []struct{ to, trimmed, sequence uint64 }{{5, 5, 4}, {7, 7, 7}, {19, 19, 7}, {19, 19, 7}, {20, 20, 20}} {
		trimmed, _, err := s.Trim(ctx, Trim{To: test.to, Receipts: packed})
		must(err)
		at, err := s.Start(ctx)
		must(err)
		if trimmed != test.trimmed || at.Trimmed != test.trimmed || at.Sequence != test.sequence || at.Hash != (Hash{byte(test.sequence)}) {
			t.Errorf("trimmed to %d: %d, begins at %d %v, trimmed %d", test.to, trimmed, at.Sequence, at.Hash, at.Trimmed)
		}
	}
	at, err := s.Start(ctx)
	must(err)
	want := [][]byte{bytes.Repeat([]byte{7}, entrySize), bytes.Repeat([]byte{20}, entrySize), start.Receipts[0]}
	if diff := cmp.Diff(want, at.Receipts); diff != "" {
		t.Error(diff)
	}
	if _, _, err := s.Trim(ctx, Trim{To: 21, Forget: 20, Receipts: func(uint64, uint64) []byte { return nil }}); err != nil {
		t.Fatal(err)
	}
	if at, err = s.Start(ctx); err != nil || len(at.Receipts) != 2 {
		t.Errorf("%d rows of receipts, %v, when those before 20 are forgotten", len(at.Receipts), err)
	}
	if got, err := s.Read(ctx, 0); err != nil || got.First != 30 {
		t.Errorf("after the trims the log begins with %d, %v", got.First, err)
	}

	must(e.putAside(ctx, b)) // what the failed creation left, if anything
	if names, err := e.shards(ctx); err != nil || len(names) != 1 || names[0] != a {
		t.Errorf("shards %v, %v", names, err)
	}
	if e.aside(a) == "" {
		t.Error("nobody can say where it is put")
	}
}

// TestConcurrentWriters lets 16 callers append, each batch twice, some at the same moment, while one reader
// follows and trims.
func TestConcurrentWriters(t *testing.T) { engines(t, testConcurrentWriters) }

func testConcurrentWriters(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	j := mustOpen(t, o)
	const callers, each = 16, 40
	var wg sync.WaitGroup
	var acked sync.Map
	nudge := make(chan struct{}, 1) // the follower
	for caller := range callers {
		wg.Go(func() {
			for n := range each {
				b := killBatch(0, caller/2, n) // two callers send the same
				r, err := j.Append(t.Context(), b)
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case nudge <- struct{}{}:
				default:
				}
				if other, loaded := acked.LoadOrStore(b.ID, r); loaded && other != r {
					t.Errorf("one batch got %+v and %+v", other, r)
				}
			}
		})
	}
	follower := make(chan map[BatchID]Receipt)
	go func() {
		seen := make(map[BatchID]Receipt)
		next := uint64(0)
		for last := false; !last; {
			_, more := <-nudge
			last = !more
			for e, err := range j.Read(context.Background(), next) {
				if err != nil {
					t.Error(err)
					last = true
					break
				}
				if _, twice := seen[e.Batch]; twice || e.Sequence < next {
					t.Errorf("sequence %d is read twice", e.Sequence)
				}
				if e.Beginning == nil {
					seen[e.Batch] = e.Receipt
				}
				next = e.Sequence + 1
				if e.Sequence%50 == 0 {
					if err := j.Trim(context.Background(), e.Sequence); err != nil {
						t.Error(err)
					}
				}
			}
		}
		follower <- seen
	}()
	wg.Wait()
	close(nudge)
	seen := <-follower
	if len(seen) != callers/2*each {
		t.Errorf("%d batches were read, want %d", len(seen), callers/2*each)
	}
	for id, r := range seen {
		if got, ok := acked.Load(id); !ok || got != r {
			t.Errorf("batch %x was acknowledged as %+v and read as %+v", id, got, r)
		}
	}
}

func TestRefuses(t *testing.T) { engines(t, testRefuses) }

func testRefuses(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	j := mustOpen(t, o)
	for name, b := range map[string]Batch{"nothing": {}, "no record": batchOf(0), "too much": batchOf(0, string(make([]byte, MaxPayload)))} {
		if _, err := j.Append(t.Context(), b); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.Trim(t.Context(), 2); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("trim behind the end: %v", err)
	}
	if _, err := Open(t.Context(), o); tallystick.CodeOf(err) != tallystick.Unavailable || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Append(ended, batchOf(1, "a")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("a context that had ended: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), batchOf(1, "a")); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("append after close: %v", err)
	}
	if err := j.Trim(t.Context(), 1); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("trim after close: %v", err)
	}
}

// TestStored fills what may be stored, and makes room again.
func TestStored(t *testing.T) { engines(t, testStored) }

func testStored(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	o.MaxStored = 100_000
	j := mustOpen(t, o)
	fill := func() (n int) {
		for ; n < 1000; n++ {
			_, err := j.Append(t.Context(), batchOf(0, strings.Repeat("x", 5000)))
			var full *FullError
			if errors.As(err, &full) {
				if !full.Stored || full.RetryAfter < time.Second || tallystick.CodeOf(err) != tallystick.Unavailable {
					t.Errorf("%+v: %v", full, err)
				}
				return n
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if n := fill(); n != 19 {
		t.Errorf("full after %d batches", n)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	if n := fill(); n != 0 {
		t.Errorf("opened again, it took %d batches more", n)
	}
	if err := j.Trim(t.Context(), 11); err != nil {
		t.Fatal(err)
	}
	if n := fill(); n != 10 {
		t.Errorf("after 10 were trimmed, it took %d", n)
	}
}

// TestClock lets the clock jump. Neither the order nor what is known of batches depends on it.
func TestClock(t *testing.T) { engines(t, testClock) }

func testClock(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	var now atomic.Int64
	now.Store(1_800_000_000_000)
	o.Now = func() time.Time { return time.UnixMilli(now.Load()) }
	j := mustOpen(t, o)
	var want []string
	var receipts []Receipt
	for i, step := range []int64{0, -3_600_000, math.MaxInt32 * 1000, -math.MaxInt32 * 1200, 5} {
		now.Add(step)
		receipts = append(receipts, mustAppend(t, j, batchOf(byte(1+i), "a")))
		want = append(want, fmt.Sprintf("%d a", 2+i))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	now.Store(0)
	j = mustOpen(t, o)
	for i, r := range receipts {
		if again := mustAppend(t, j, batchOf(byte(1+i), "a")); again != r {
			t.Errorf("batch %d got %+v, at first %+v", i, again, r)
		}
	}
	if diff := cmp.Diff(want, contents(t, j, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestForgets bounds the batches that are known by their ids.
func TestForgets(t *testing.T) { engines(t, testForgets) }

func testForgets(t *testing.T, fresh func(testing.TB) Options) {
	o := fresh(t)
	o.Remember = 3
	j := mustOpen(t, o)
	for i := range 5 {
		mustAppend(t, j, batchOf(byte(1+i), "a"))
	}
	check := func(when string) {
		t.Helper()
		head := j.Head()
		for i := range 3 {
			if r := mustAppend(t, j, batchOf(byte(3+i), "a")); r.Sequence != uint64(4+i) || j.Head() != head {
				t.Errorf("%s: batch %d got %+v", when, 3+i, r)
			}
		}
	}
	check("written")
	if err := j.Trim(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, o)
	check("trimmed and opened again")
	if r := mustAppend(t, j, batchOf(1, "a")); r.Sequence != 7 {
		t.Errorf("a batch that was forgotten got %+v", r)
	}
}

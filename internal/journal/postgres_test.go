package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// TestPostgresDamage changes rows behind the back of a journal.
func TestPostgresDamage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query    string
		from, to uint64
		salvaged int
		lost     int
	}{
		"a row removed":          {"DELETE FROM journal.blocks WHERE first = 4", 4, 6, 2, 1},
		"the newest removed":     {"DELETE FROM journal.blocks WHERE first = 6", 6, 6, 0, 1},
		"the first removed":      {"DELETE FROM journal.blocks WHERE first = 1", 1, 6, 5, 1},
		"all removed":            {"DELETE FROM journal.blocks", 1, 6, 0, 1},
		"a byte changed":         {"UPDATE journal.blocks SET frames = set_byte(frames, 140, 1) WHERE first = 5", 5, 6, 1, 1},
		"a row cut off":          {"UPDATE journal.blocks SET frames = substring(frames FROM 1 FOR 20) WHERE first = 3", 3, 6, 3, 1},
		"a hash changed":         {"UPDATE journal.blocks SET hash = set_byte(hash, 1, 1 # get_byte(hash, 1)) WHERE first = 6", 0, 0, 0, 0},
		"the start removed":      {"ALTER TABLE journal.blocks DROP CONSTRAINT blocks_shard_fkey; DELETE FROM journal.stores", 1, 6, 5, 0},
		"the start damaged":      {"UPDATE journal.stores SET hash = '\\x00'", 1, 6, 5, 0},
		"rows that were swapped": {"UPDATE journal.blocks SET frames = (SELECT frames FROM journal.blocks WHERE first = 3) WHERE first = 4", 4, 6, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Dir: t.TempDir(), URL: postgrestest.New(t)}
			j := mustOpen(t, o)
			for i := range 5 {
				mustAppend(t, j, batchOf(byte(1+i), fmt.Sprint("record ", i)))
			}
			head := j.Head()
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			postgrestest.Exec(t, o.URL, test.query)
			j = mustOpen(t, o)
			var gap *Gap
			read, salvaged := 0, 0
			for e, err := range j.Read(t.Context(), 0) {
				switch {
				case err != nil:
					t.Fatal(err)
				case e.Beginning != nil && e.Beginning.Gap != nil:
					gap = e.Beginning.Gap
				case e.Salvaged != nil:
					salvaged++
				case e.Beginning == nil:
					read++
				}
			}
			if test.from == 0 {
				if gap != nil || read+salvaged != 5 {
					t.Errorf("gap %v, %d read, %d salvaged", gap, read, salvaged)
				}
				return
			}
			if gap == nil || gap.From != test.from || gap.To != test.to || salvaged != test.salvaged || gap.Salvaged != salvaged || len(gap.Lost) != test.lost {
				t.Errorf("gap %+v, %d salvaged", gap, salvaged)
			}
			if r := mustAppend(t, j, batchOf(0, "after")); r.Sequence <= head.Sequence || r.Shard == head.Shard {
				t.Errorf("after the gap comes %+v, before it was %+v", r, head)
			}
		})
	}
}

// TestPostgresCrash crashes a server under 32 writers. The journal stops; opened again, it has everything
// that was acknowledged, and what is sent again once.
func TestPostgresCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	cluster, url := postgrestest.NewCluster(t)
	o := Options{Dir: t.TempDir(), URL: url}
	for round := range 2 {
		j, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		acked := make(map[BatchID]Receipt)
		var sent []Batch
		started := make(chan struct{}, 1)
		var wg sync.WaitGroup
		for writer := range 32 {
			wg.Go(func() {
				for n := 0; ; n++ {
					b := killBatch(uint64(round), writer, n)
					r, err := j.Append(context.Background(), b)
					mu.Lock()
					sent = append(sent, b)
					if err == nil {
						acked[b.ID] = r
					}
					if len(acked) == 200 {
						select {
						case started <- struct{}{}:
						default:
						}
					}
					mu.Unlock()
					if err != nil {
						if tallystick.CodeOf(err) != tallystick.Unavailable {
							t.Errorf("the server crashed, and a writer was told %v", err)
						}
						return
					}
				}
			})
		}
		<-started
		cluster.Stop(t, "immediate")
		wg.Wait()
		if _, err := j.Append(t.Context(), batchOf(9, "later")); err == nil || errors.Is(err, ErrOutcomeUnknown) {
			t.Errorf("append to a journal that has stopped: %v", err)
		}
		_ = j.Close() // the connection is lost
		cluster.Restart(t)

		j = mustOpen(t, o)
		for _, b := range sent {
			r := mustAppend(t, j, b)
			if first, ok := acked[b.ID]; ok && first != r {
				t.Errorf("sent again, a batch got %+v, at first %+v", r, first)
			}
		}
		seen := make(map[BatchID]bool)
		for e, err := range j.Read(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Beginning != nil && e.Beginning.Gap != nil {
				t.Errorf("a gap after a crash: %v", e.Beginning.Gap)
			}
			if e.Beginning == nil && seen[e.Batch] {
				t.Errorf("batch %x is there twice", e.Batch)
			}
			seen[e.Batch] = true
		}
		for _, b := range sent {
			if !seen[b.ID] {
				t.Errorf("batch %x is lost", b.ID)
			}
		}
		t.Logf("round %d: %d acknowledged, %d sent", round, len(acked), len(sent))
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPostgresShared lets two journals share a database, and refuses a server that forgets.
func TestPostgresShared(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	a := mustOpen(t, Options{Dir: t.TempDir(), URL: url, Name: "a"})
	b := mustOpen(t, Options{Dir: t.TempDir(), URL: url, Name: "b"})
	mustAppend(t, a, batchOf(1, "of a"))
	mustAppend(t, b, batchOf(1, "of b"))
	if got := contents(t, b, 0); len(got) != 1 || got[0] != "2 of b" {
		t.Errorf("b has %q", got)
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir(), URL: url, Name: "a"}); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir(), URL: url + "&synchronous_commit=off", Name: "c"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a server that forgets: %v", err)
	}
	// A journal of a new machine finds the rows of the old one, and no mark.
	head := a.Head()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = mustOpen(t, Options{Dir: t.TempDir(), URL: url, Name: "a"})
	var gap *Gap
	for e, err := range a.Read(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Beginning != nil && e.Beginning.Gap != nil {
			gap = e.Beginning.Gap
		}
	}
	if gap == nil || gap.From != head.Sequence+1 || gap.To != 0 || len(gap.Lost) != 0 {
		t.Errorf("gap %+v", gap)
	}
}

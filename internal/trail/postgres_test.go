package trail

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// TestPostgresEventsNeverChange tries what the triggers of the tables forbid, and what they allow.
func TestPostgresEventsNeverChange(t *testing.T) {
	t.Parallel()
	db, recorder := connect(t, state.Config{URL: postgrestest.New(t)})
	record(t, recorder, entry())
	ledger := &memory{}
	sealer := newSealer(t, db, ledger)
	if err := sealer.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := sealer.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, allowed := range map[string]bool{
		"UPDATE events SET leaf = '\\x7b7d'":        false,
		"UPDATE events SET leaf = leaf":             false,
		"UPDATE events SET sequence = 2":            false,
		"DELETE FROM events":                        false,
		"TRUNCATE events CASCADE":                   false,
		"INSERT INTO events VALUES (0, '', '')":     false,
		"UPDATE seals SET count = 2":                false,
		"DELETE FROM seals":                         false,
		"TRUNCATE seals":                            false,
		"DELETE FROM events WHERE sequence = 99":    true,
		"UPDATE events SET disclosures = '\\x5b5d'": true,
		"UPDATE event_columns SET actor = NULL":     true,
	} {
		err := db.Write(t.Context(), func(tx *state.Tx) error {
			_, err := tx.Exec(query)
			return err
		})
		if allowed != (err == nil) {
			t.Errorf("%s: %v", query, err)
		}
	}
	n, err := NewReader(db, origin).Count(t.Context(), Filter{})
	if err != nil || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
}

// TestServersOfOneTrail lets three servers, one of which is another process, record into one database:
// the sequence has no gap, and a second signer takes over from the first.
func TestServersOfOneTrail(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	const each, callers = 25, 4
	db, first := connect(t, state.Config{URL: url})
	other, second := connect(t, state.Config{URL: url})
	var group sync.WaitGroup
	group.Go(func() {
		if out, err := child(t, url); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	for _, recorder := range []*Recorder{first, second} {
		for range callers {
			group.Go(func() {
				for range each {
					record(t, recorder, registration())
				}
			})
		}
	}
	group.Wait()
	const want = 2*callers*each + childEvents
	for _, db := range []*state.DB{db, other} {
		reader := NewReader(db, origin)
		if err := reader.CatchUp(t.Context()); err != nil {
			t.Error(err)
		}
		if n, err := CheckEvents(t.Context(), reader); err != nil || n != want {
			t.Errorf("%d events, %v; want %d", n, err, want)
		}
	}
}

func child(t *testing.T, url string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"="+url)
	return cmd.CombinedOutput()
}

// recordSome is what the child does.
func recordSome(url string) error {
	ctx := context.Background()
	db, err := state.Open(ctx, state.Config{URL: url})
	if err != nil {
		return err
	}
	recorder, err := NewRecorder(RecorderConfig{DB: db, Source: origin})
	if err != nil {
		return err
	}
	for range childEvents {
		if _, err := recorder.Record(ctx, registration()); err != nil {
			return err
		}
	}
	return db.Close()
}

// TestSealThroughCrash crashes the database server under recorders and a sealer. Neither has to be
// started again, nothing acknowledged is lost, and ledger and trail agree.
func TestSealThroughCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	cluster, url := postgrestest.NewCluster(t)
	db, recorder := connect(t, state.Config{URL: url, BusyTimeout: 20 * time.Second})
	guard, err := NewGuard(GuardConfig{DB: db, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	ledger := &memory{guard: guard}
	sealer := newSealer(t, db, ledger)
	if err := sealer.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- sealer.Run(ctx) }()

	var mu sync.Mutex
	acknowledged := map[string]uint64{}
	acks := make(chan struct{}, 1)
	var group sync.WaitGroup
	recording, enough := context.WithCancel(t.Context())
	for range 6 {
		group.Go(func() {
			for recording.Err() == nil {
				receipt, err := recorder.Record(t.Context(), registration())
				if err != nil {
					continue
				}
				mu.Lock()
				acknowledged[receipt.ID] = receipt.Sequence
				mu.Unlock()
				select {
				case acks <- struct{}{}:
				default:
				}
			}
		})
	}
	for round := range 3 {
		for range 50 {
			<-acks
		}
		if round < 2 {
			cluster.Stop(t, "immediate")
			cluster.Restart(t)
		}
	}
	enough()
	group.Wait()
	reader := NewReader(db, origin)
	for {
		n, _, err := reader.Unsealed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("the sealer has stopped with %d events to go: %v", n, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the sealer: %v", err)
	}
	for e, err := range reader.All(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if sequence, known := acknowledged[e.ID]; known && sequence != e.Sequence {
			t.Errorf("event %s was acknowledged at %d and is at %d", e.ID, sequence, e.Sequence)
		}
		delete(acknowledged, e.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged events are lost", len(acknowledged))
	}
	if _, err := CheckEvents(t.Context(), reader); err != nil {
		t.Error(err)
	}
	if c, err := ledger.compare(t.Context(), db); err != nil || c.Beyond != 0 {
		t.Errorf("comparison %+v, %v", c, err)
	}
}

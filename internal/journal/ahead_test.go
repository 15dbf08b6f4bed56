package journal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// aheadLog is a slow disk that tells what it was given.
type aheadLog struct {
	slowLog
	blocks chan Block
}

func (l *aheadLog) Append(_ context.Context, blocks []Block) (bool, error) {
	for _, b := range blocks {
		l.blocks <- b
	}
	return false, nil
}

// onAhead runs a test in a bubble of its own time, with a journal that syncs for ten seconds and three batches that are
// sent at once: one that is being synced, one that is large enough to be written meanwhile, and the first again.
func onAhead(t *testing.T, fails error, test func(t *testing.T, first, second, again <-chan error)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &aheadLog{slowLog{takes: 10 * time.Second, fails: fails}, make(chan Block, 10)}
		j := newJournal(Options{Dir: "slow"}.withDefaults(), log, marked{}, newMemory(10))
		go j.run()
		ask := func(b Batch) <-chan error {
			answer := make(chan error, 1)
			go func() {
				_, err := j.Append(context.Background(), b)
				answer <- err
			}()
			synctest.Wait()
			return answer
		}
		first := ask(batchOf(1, "first"))
		small := ask(batchOf(2, "small"))
		if len(log.blocks) != 1 {
			t.Errorf("%d blocks were written, of a large and a small batch", len(log.blocks))
		}
		again := ask(batchOf(1, "first"))
		second := ask(batchOf(3, strings.Repeat("x", aheadBytes)))
		if len(log.blocks) != 3 {
			t.Errorf("%d blocks were written while the first was synced, not three", len(log.blocks))
		}
		test(t, first, second, again)
		<-small
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestAhead answers nobody before the sync of his own batch, however early that was written.
func TestAhead(t *testing.T) {
	onAhead(t, nil, func(t *testing.T, first, second, again <-chan error) {
		began := time.Now()
		for i, answer := range []<-chan error{first, second, again} {
			if err := <-answer; err != nil {
				t.Errorf("batch %d: %v", i, err)
			}
			if took, want := time.Since(began), 10*time.Second*time.Duration(min(i+1, 2)); took != want {
				t.Errorf("batch %d was answered after %v, not %v", i, took, want)
			}
		}
	})
}

// TestAheadOfFailure tells those whose batch was written behind one that may be lost that theirs may be, too.
func TestAheadOfFailure(t *testing.T) {
	broken := errors.New("broken disk")
	onAhead(t, broken, func(t *testing.T, first, second, again <-chan error) {
		for i, answer := range []<-chan error{first, second, again} {
			if err := <-answer; !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, broken) {
				t.Errorf("batch %d: %v", i, err)
			}
		}
	})
}

package journal

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tallystick/tallystick"
)

// slowLog is a disk that takes its time, or fails.
type slowLog struct {
	Log
	takes  time.Duration
	fails  error
	groups atomic.Int64
}

func (s *slowLog) Append(context.Context, []Block) (bool, error) { return false, nil }

func (s *slowLog) Sync() error {
	time.Sleep(s.takes)
	s.groups.Add(1)
	return s.fails
}

// onSlow runs a test in a bubble of its own time, on a journal whose disk is slow.
func onSlow(t *testing.T, log *slowLog, o Options, test func(t *testing.T, j *Journal)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o.Dir = "slow"
		j := newJournal(o.withDefaults(), log, marked{}, newMemory(10))
		go j.run()
		test(t, j)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSlowDisk lets many callers come while a sync takes 20 seconds: those for whom there is room wait, the
// others are told at once when to come again, and memory stays bounded.
func TestSlowDisk(t *testing.T) {
	log := &slowLog{takes: 20 * time.Second}
	onSlow(t, log, Options{MaxWaiting: 100_000}, func(t *testing.T, j *Journal) {
		started := time.Now()
		var refused, taken atomic.Int64
		for range 50 {
			b := batchOf(0, strings.Repeat("x", 9000)) // a frame is made in the memory of its batch
			go func() {
				_, err := j.Append(context.Background(), b)
				var full *FullError
				switch {
				case err == nil:
					taken.Add(1)
				case errors.As(err, &full) && !full.Stored && full.RetryAfter >= time.Second && full.RetryAfter <= longestWait+time.Second && time.Since(started) == 0:
					refused.Add(1)
				default:
					t.Errorf("after %v: %v", time.Since(started), err)
				}
			}()
		}
		synctest.Wait()
		if s, err := j.Status(); err != nil || s.Waiting > 100_000 || refused.Load() != 40 {
			t.Errorf("%d were refused, %d bytes wait, %v", refused.Load(), s.Waiting, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if taken.Load()+refused.Load() != 50 || log.groups.Load() > 2 {
			t.Errorf("%d taken in %d groups, %d refused", taken.Load(), log.groups.Load(), refused.Load())
		}
		if s, _ := j.Status(); s.Waiting != 0 {
			t.Errorf("%d bytes wait when nobody does", s.Waiting)
		}
	})
}

// TestContextEnds lets the contexts of callers end while their batch waits and while it is being written.
func TestContextEnds(t *testing.T) {
	onSlow(t, &slowLog{takes: 10 * time.Second}, Options{}, func(t *testing.T, j *Journal) {
		ask := func(limit time.Duration) <-chan error {
			answer := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				defer cancel()
				_, err := j.Append(ctx, batchOf(0, "a"))
				answer <- err
			}()
			synctest.Wait()
			return answer
		}
		inCommit := ask(3 * time.Second)
		waits := ask(4 * time.Second)
		patient := ask(time.Minute)
		if err := <-inCommit; !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it was written: %v", err)
		}
		if err := <-waits; errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not written") {
			t.Errorf("while it waited: %v", err)
		}
		if err := <-patient; err != nil {
			t.Errorf("with patience: %v", err)
		}
		if head := j.Head(); head.Sequence != 2 {
			t.Errorf("%d batches were written, of those that were not withdrawn there are 2", head.Sequence)
		}
	})
}

// TestFailedSync stops a journal for good.
func TestFailedSync(t *testing.T) {
	broken := errors.New("broken disk")
	log := &slowLog{takes: time.Second, fails: broken}
	onSlow(t, log, Options{}, func(t *testing.T, j *Journal) {
		first, second := make(chan error, 1), make(chan error, 1)
		ask := func(answer chan error) {
			_, err := j.Append(context.Background(), batchOf(0, "a"))
			answer <- err
		}
		go ask(first)
		synctest.Wait()
		go ask(second)
		if err := <-first; !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, broken) || tallystick.CodeOf(err) != tallystick.Unavailable {
			t.Errorf("the batch that was written: %v", err)
		}
		if err := <-second; errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, broken) {
			t.Errorf("the batch that waited: %v", err)
		}
		if _, err := j.Append(context.Background(), batchOf(0, "a")); errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, broken) {
			t.Errorf("a later batch: %v", err)
		}
		if _, err := j.Status(); !errors.Is(err, broken) {
			t.Errorf("status: %v", err)
		}
		if n := log.groups.Load(); n != 1 {
			t.Errorf("the sync was tried %d times", n)
		}
	})
}

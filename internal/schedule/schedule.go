// Package schedule does what an installation does regularly: each job once a period, by one of the
// servers that share the database. When it is due next and how it went last is in the table jobs, so
// that a server which starts goes on where another ended. The table follows from no event, and no
// verdict rests on it.
package schedule

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Job is what is done regularly.
type Job struct {
	Name   string        // a name as tallystick.ValidateName has it
	Period time.Duration // from the beginning of one run to the next; at least a second
	// Run does it once. It ends when ctx does, may be cut off anywhere and runs again then, perhaps on
	// another server. Its error and its panic are stored, and the next run comes when it is due.
	Run func(ctx context.Context) error
	// Tell does it in the place of Run where how a run ended well is worth a word.
	Tell func(ctx context.Context) (outcome string, err error)
}

const (
	maxRun    = 15 * time.Minute // of a job, or its period if that is shorter
	storeWait = 10 * time.Second // for the outcome of a run
	maxFault  = 2 << 10          // bytes
)

// Schedule runs jobs. Make one with New.
type Schedule struct {
	db     *state.DB
	logger *slog.Logger
	holder string // of the leases of this schedule
	jobs   []Job
}

// New returns a schedule of jobs over db, whose clock is theirs. It returns an Invalid error for a job
// that cannot be.
func New(db *state.DB, logger *slog.Logger, jobs ...Job) (*Schedule, error) {
	seen := map[string]bool{}
	for _, j := range jobs {
		if err := tallystick.ValidateName("job", j.Name); err != nil {
			return nil, err
		}
		if j.Period < time.Second || seen[j.Name] {
			return nil, tallystick.Errorf(tallystick.Invalid, "job %s runs every %v, or is there twice", j.Name, j.Period).
				WithHint("a period is at least a second")
		}
		seen[j.Name] = true
	}
	return &Schedule{db: db, logger: logger, holder: rand.Text(), jobs: jobs}, nil
}

// Run runs the jobs whenever they are due, until ctx ends and those under way have. It returns nil: a
// database that does not answer is asked again.
func (s *Schedule) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, j := range s.jobs {
		running.Go(func() { s.keep(ctx, j) })
	}
	running.Wait()
	return nil
}

// keep runs one job until ctx ends.
func (s *Schedule) keep(ctx context.Context, j Job) {
	enrolled := false
	for ctx.Err() == nil {
		var wait time.Duration
		var err error
		if !enrolled {
			err = s.enrol(ctx, j)
			enrolled = err == nil
		}
		if err == nil {
			wait, err = s.pass(ctx, j)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.logger.WarnContext(ctx, "a job could not be looked at", slog.String("job", j.Name), slog.Any("error", err))
			}
			wait = min(j.Period, time.Minute)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// enrol writes down the job. A new one is due at once; one whose period is shorter now, no later than
// that.
func (s *Schedule) enrol(ctx context.Context, j Job) error {
	return s.db.Write(ctx, func(tx *state.Tx) error {
		now, period := tx.Now().UnixMilli(), j.Period.Milliseconds()
		_, err := tx.Exec(`INSERT INTO jobs (name, period_ms, next_ms, holder, lease_ms, failures, failed, fault) VALUES (?, ?, ?, '', 0, 0, 0, '')
			ON CONFLICT (name) DO UPDATE SET period_ms = excluded.period_ms,
			next_ms = CASE WHEN jobs.next_ms > ? THEN CAST(? AS BIGINT) ELSE jobs.next_ms END`, j.Name, period, now, now+period, now+period)
		return err
	})
}

// pass runs the job if it is due and nobody else does, and returns when to look again.
func (s *Schedule) pass(ctx context.Context, j Job) (wait time.Duration, err error) {
	began, wait, err := s.claim(ctx, j)
	if err != nil || wait > 0 {
		return wait, err
	}
	started := time.Now() // the monotonic clock measures how long it takes
	running, end := s.renewing(ctx, j)
	outcome, fault := s.do(running, j)
	end()
	took := time.Since(started)
	switch {
	case ctx.Err() != nil:
		fault = ctx.Err() // we are told to end
	case fault != nil:
		s.logger.ErrorContext(ctx, "a job failed", slog.String("job", j.Name), slog.Duration("took", took), slog.Any("error", fault))
	default:
		level := slog.LevelInfo
		if j.Period < time.Minute { // what is done all the time is told only if it fails
			level = slog.LevelDebug
		}
		s.logger.Log(ctx, level, "a job ended", slog.String("job", j.Name), slog.Duration("took", took))
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	if ctx.Err() != nil {
		return 0, s.release(storing, j)
	}
	return max(j.Period-took, time.Second), s.store(storing, j, began, took, outcome, fault)
}

func (j Job) longest() time.Duration { return min(j.Period, maxRun) }

// do runs the job once, for as long as it may.
func (s *Schedule) do(ctx context.Context, j Job) (outcome string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, j.longest(), fmt.Errorf("it was ended after %v", j.longest()))
	defer cancel()
	defer func() {
		if fault := recover(); fault != nil {
			s.logger.ErrorContext(ctx, "panic in a job", slog.String("job", j.Name), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	if j.Tell != nil {
		outcome, err = j.Tell(ctx)
	} else {
		err = j.Run(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	return outcome, err
}

// store writes down how a run went. If the lease was lost meanwhile, what another server wrote stands.
func (s *Schedule) store(ctx context.Context, j Job, began time.Time, took time.Duration, outcome string, fault error) error {
	return s.db.Write(ctx, func(tx *state.Tx) error {
		now := tx.Now().UnixMilli()
		next := max(began.Add(j.Period).UnixMilli(), now+1)
		set, args := "succeeded_ms = ?, failures = 0, fault = '', outcome = ?", []any{now, outcome}
		if fault != nil {
			set, args = "failures = failures + 1, failed = failed + 1, fault = ?", []any{words(fault)}
		}
		args = append(args, next, began.UnixMilli(), took.Milliseconds(), j.Name, s.holder)
		_, err := tx.Exec("UPDATE jobs SET "+set+", next_ms = ?, holder = '', lease_ms = 0, began_ms = ?, took_ms = ? WHERE name = ? AND holder = ?", args...)
		return err
	})
}

// words returns an error as a text that a database takes.
func words(err error) string {
	var said []rune
	size := 0
	for _, r := range cmp.Or(err.Error(), "an error that says nothing") {
		if size += utf8.RuneLen(r); size > maxFault {
			break
		}
		if r == 0 {
			r = ' '
		}
		said = append(said, r)
	}
	return string(said)
}

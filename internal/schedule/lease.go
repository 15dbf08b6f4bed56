package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// leaseFor is how long after its last renewal a lease holds: so late another server begins what one that died has begun.
const leaseFor = 30 * time.Second

var errTaken = errors.New("another server has taken it over: its lease was not renewed in time")

// claim takes the lease of a job that is due; otherwise it says how long to wait.
func (s *Schedule) claim(ctx context.Context, j Job) (began time.Time, wait time.Duration, err error) {
	if wait, err = s.due(ctx, j); err != nil || wait > 0 {
		return began, wait, err
	}
	var claimed struct { // the write may go on after an error: nothing of it is looked at then
		at   time.Time
		mine bool
	}
	err = s.db.Write(ctx, func(tx *state.Tx) error {
		claimed.at, claimed.mine = tx.Now(), false
		now := claimed.at.UnixMilli()
		result, err := tx.Exec("UPDATE jobs SET holder = ?, lease_ms = ? WHERE name = ? AND next_ms <= ? AND lease_ms <= ?",
			s.holder, now+leaseFor.Milliseconds(), j.Name, now, now)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		claimed.mine = n == 1
		return err
	})
	if err != nil {
		return time.Time{}, 0, err
	}
	if !claimed.mine {
		return time.Time{}, time.Second, nil // somebody else was faster
	}
	return claimed.at, 0, nil
}

// due returns how long it is until the job may run: not beyond its period, for a clock may be set and
// another server may give it back.
func (s *Schedule) due(ctx context.Context, j Job) (wait time.Duration, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		var next, lease int64
		if err := tx.QueryRow("SELECT next_ms, lease_ms FROM jobs WHERE name = ?", j.Name).Scan(&next, &lease); err != nil {
			return err
		}
		wait = time.Duration(max(next, lease)-tx.Now().UnixMilli()) * time.Millisecond
		return nil
	})
	return min(wait, j.Period), err
}

// renewing keeps the lease of a job until end is called. The context that it returns ends if the lease is lost: not because
// a renewal failed, but because somebody else has the job.
func (s *Schedule) renewing(ctx context.Context, j Job) (running context.Context, end func()) {
	running, cancel := context.WithCancelCause(ctx)
	var kept sync.WaitGroup
	kept.Go(func() {
		ticks := time.NewTicker(leaseFor / 3)
		defer ticks.Stop()
		for {
			select {
			case <-running.Done():
				return
			case <-ticks.C:
			}
			switch mine, err := s.renew(running, j); {
			case running.Err() != nil:
			case err != nil:
				s.logger.WarnContext(ctx, "the lease of a job is not renewed", slog.String("job", j.Name), slog.Any("error", err))
			case !mine:
				cancel(errTaken)
			}
		}
	})
	return running, func() {
		cancel(nil)
		kept.Wait()
	}
}

// renew prolongs the lease of a job, and says whether it is ours still.
func (s *Schedule) renew(ctx context.Context, j Job) (bool, error) {
	var ours bool // the write may go on after an error: it is not looked at then
	err := s.db.Write(ctx, func(tx *state.Tx) error {
		result, err := tx.Exec("UPDATE jobs SET lease_ms = ? WHERE name = ? AND holder = ?", tx.Now().Add(leaseFor).UnixMilli(), j.Name, s.holder)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		ours = n == 1
		return err
	})
	if err != nil {
		return false, err
	}
	return ours, nil
}

// release gives a run back that was cut off: whoever comes next begins it again.
func (s *Schedule) release(ctx context.Context, j Job) error {
	return s.db.Write(ctx, func(tx *state.Tx) error {
		_, err := tx.Exec("UPDATE jobs SET holder = '', lease_ms = 0 WHERE name = ? AND holder = ?", j.Name, s.holder)
		return err
	})
}

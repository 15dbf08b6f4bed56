package schedule

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// Standing tells of one job how it goes.
type Standing struct {
	Name      string        `json:"name" doc:"Name of the job."`
	Period    time.Duration `json:"period" doc:"From the beginning of one run to the next, in nanoseconds."`
	Next      time.Time     `json:"next" doc:"When it is due."`
	Running   bool          `json:"running,omitempty" doc:"True while a server runs it."`
	Began     time.Time     `json:"began,omitzero" doc:"When the last run that ended began."`
	Took      time.Duration `json:"took,omitempty" doc:"How long that took, in nanoseconds."`
	Succeeded time.Time     `json:"succeeded,omitzero" doc:"When a run last ended well."`
	Failures  int64         `json:"failures,omitempty" doc:"Runs that have failed since."`
	Failed    int64         `json:"failed,omitempty" doc:"Runs that have failed ever."`
	Outcome   string        `json:"outcome,omitempty" doc:"What the last run that ended well says of itself; absent if nothing."`
	Fault     string        `json:"fault,omitempty" doc:"Why the last run failed; absent if it went well."`
}

// maxStandings bounds the jobs that are told of; there are a handful.
const maxStandings = 100

// Standings returns how the jobs go that this installation has or has had, by name.
func Standings(ctx context.Context, db *state.DB) (list []Standing, err error) {
	err = db.Read(ctx, func(tx *state.Tx) error {
		list = []Standing{}
		now := tx.Now().UnixMilli()
		rows, err := tx.Query(`SELECT name, period_ms, next_ms, lease_ms, began_ms, COALESCE(took_ms, 0), succeeded_ms, failures, failed, outcome, fault
			FROM jobs ORDER BY name LIMIT ?`, maxStandings)
		if err != nil {
			return err
		}
		for rows.Next() {
			var s Standing
			var period, next, lease, took int64
			var began, succeeded sql.NullInt64
			if err := rows.Scan(&s.Name, &period, &next, &lease, &began, &took, &succeeded, &s.Failures, &s.Failed, &s.Outcome, &s.Fault); err != nil {
				return err
			}
			s.Period, s.Took = time.Duration(period)*time.Millisecond, time.Duration(took)*time.Millisecond
			s.Next, s.Began, s.Succeeded, s.Running = time.UnixMilli(next).UTC(), moment(began), moment(succeeded), lease > now
			list = append(list, s)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read how the jobs go: %w", err)
	}
	return list, nil
}

func moment(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

// Standings returns how the jobs of this schedule go.
func (s *Schedule) Standings(ctx context.Context) ([]Standing, error) { return Standings(ctx, s.db) }

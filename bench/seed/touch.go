package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// touches records n events of people who read versions, ask for histories, or are refused. A few of
// the models that there are get most of them. While one group is written, the next is encoded.
func (s *seeder) touches(ctx context.Context, n, models int) error {
	began, all := s.clock.Now(), n
	groups := make(chan []*trail.Draft, 1)
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		defer close(groups)
		for ; n > 0; n -= touched {
			s.clock.set(began.Add(span / rounds * time.Duration(1+rounds*(all-n)/all) / (rounds + 1)))
			entries := make([]trail.Entry, min(n, touched))
			for i := range entries {
				entries[i] = s.touch(models)
			}
			drafts, err := s.drafts(entries)
			if err != nil {
				return err
			}
			select {
			case groups <- drafts:
			case <-working.Done():
				return working.Err()
			}
		}
		return nil
	})
	work.Go(func() error {
		for drafts := range groups {
			err := s.DB.Write(working, func(tx *state.Tx) error {
				for _, d := range drafts {
					if _, err := d.RecordIn(tx); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := work.Wait(); err != nil {
		return err
	}
	return s.Trail.CatchUp(ctx)
}

// drafts encodes the events, which is most of the work, on every core.
func (s *seeder) drafts(entries []trail.Entry) ([]*trail.Draft, error) {
	drafts := make([]*trail.Draft, len(entries))
	workers := runtime.GOMAXPROCS(0)
	var g errgroup.Group
	for worker := range workers {
		g.Go(func() (err error) {
			for i := worker; i < len(entries); i += workers {
				if drafts[i], err = s.Recorder.Draft(entries[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return drafts, g.Wait()
}

func (s *seeder) touch(models int) trail.Entry {
	u := s.random.Float64()
	model := modelName(int(u * u * u * float64(max(models, 1))))
	e := trail.Entry{Actor: trail.Actor{ID: actor(s.random.IntN(200)), Kind: access.KindPerson}, Outcome: tallystick.Success}
	switch kind := s.random.IntN(100); {
	case kind == 0:
		e.Type, e.Resource, e.Outcome = trail.CommandRefused, trail.Resource{Type: "model", ID: model}, tallystick.Denied
		e.Data = map[string]any{"command": "model.retire", "model": model, "code": "forbidden"}
	case kind < 10:
		e.Type, e.Resource = trail.TrailRead, trail.Resource{Type: "trail", ID: "trail"}
		e.Data = map[string]any{"model": model, "events": 100}
	default:
		version := strconv.Itoa(1 + s.random.IntN(s.Versions))
		e.Type, e.Resource = trail.VersionRead, trail.Resource{Type: "version", ID: fmt.Sprintf("%s@%s", model, version)}
		e.Data = map[string]any{"model": model, "version": version, "bytes": 48_213_004}
	}
	return e
}

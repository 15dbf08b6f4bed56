package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// Who can sign in to a seeded workspace. It is for benchmarks, and says so.
const (
	person     = "bench-auditor"
	passphrase = "a workspace full of invented models"
)

// plan says how much is written.
type plan struct {
	Models   int
	Versions int // of each model
	Edges    int
	Events   int // at least
	Seed     uint64
}

// scaled returns the plan at a share of its size, with a few of everything at least.
func (p plan) scaled(size float64) plan {
	share := func(n int) int { return max(10, int(math.Round(float64(n)*size))) }
	p.Models, p.Edges, p.Events = share(p.Models), share(p.Edges), share(p.Events)
	return p
}

const (
	span    = 2 * 365 * 24 * time.Hour // that the trail covers, until now
	rounds  = 100                      // in each of which a share of everything happens
	group   = 1000                     // changes in one transaction
	touched = 4000                     // touches in one transaction
)

// seeder writes one workspace.
type seeder struct {
	plan
	*workspace.Workspace
	catalog *catalog.Catalog
	lineage *lineage.Graph
	people  *access.Store
	random  *rand.Rand
	clock   *clock
	log     *slog.Logger
}

// clock goes through the span as events are recorded.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// write makes the workspace dir/workspace with its anchors in dir/state.
func (p plan) write(ctx context.Context, dir string, seal bool, log *slog.Logger) (err error) {
	if dir == "" {
		return errors.New("no directory is given: --dir DIR")
	}
	if _, err := os.Lstat(filepath.Join(dir, "workspace")); err == nil {
		return fmt.Errorf("there is a workspace in %s", dir)
	}
	end := time.Now()
	c := &clock{now: end.Add(-span)}
	w, err := workspace.Open(ctx, workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "state", "tallystick", "anchors"), Actor: trail.Actor{ID: "seed", Kind: access.KindProgram}, Now: c.Now,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	s := &seeder{
		plan: p, Workspace: w, catalog: catalog.New(w.DB, w.Trail), lineage: lineage.New(w.DB), people: access.New(access.Config{DB: w.DB, Recorder: w.Recorder}),
		random: rand.New(rand.NewPCG(p.Seed, p.Seed)), clock: c, log: log, //nolint:gosec // chosen at random, not secret
	}
	if err := s.environments(ctx); err != nil {
		return err
	}
	began := time.Now()
	indexes, err := s.dropIndexes(ctx)
	if err != nil {
		return err
	}
	for round := range rounds {
		c.set(end.Add(-span + span*time.Duration(round)/rounds))
		if err := s.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if round%10 == 9 {
			log.InfoContext(ctx, "seeded", slog.Int("percent", round+1), slog.Duration("after", time.Since(began).Round(time.Second)))
		}
	}
	c.set(time.Now())
	if err := s.invite(ctx); err != nil {
		return err
	}
	if err := s.Trail.CatchUp(ctx); err != nil {
		return err
	}
	if err := s.makeIndexes(ctx, indexes); err != nil {
		return err
	}
	log.InfoContext(ctx, "questions are prepared", slog.Duration("after", time.Since(began).Round(time.Second)))
	if seal {
		if _, err := s.Seal(ctx); err != nil {
			return err
		}
		log.InfoContext(ctx, "sealed", slog.Duration("after", time.Since(began).Round(time.Second)))
	}
	return nil
}

// dropIndexes drops what questions to the trail are answered by, to be made at once when all is
// written: keeping it up to date would take longer than all else. It returns the statements that make it.
func (s *seeder) dropIndexes(ctx context.Context) (statements []string, err error) {
	err = s.DB.Write(ctx, func(tx *state.Tx) error {
		rows, err := tx.Query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'event_columns' AND sql IS NOT NULL")
		if err != nil {
			return err
		}
		var names []string
		for rows.Next() {
			var name, statement string
			if err := rows.Scan(&name, &statement); err != nil {
				return err
			}
			names, statements = append(names, name), append(statements, statement)
		}
		for _, name := range names {
			if _, err := tx.Exec("DROP INDEX " + name); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return statements, err
}

func (s *seeder) makeIndexes(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		err := s.DB.Write(ctx, func(tx *state.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// round writes one share of everything.
func (s *seeder) round(ctx context.Context, round int) error {
	from, until := s.Models*round/rounds, s.Models*(round+1)/rounds
	if err := s.models(ctx, from, until); err != nil {
		return err
	}
	if err := s.graph(ctx, s.Edges*round/rounds, s.Edges*(round+1)/rounds); err != nil {
		return err
	}
	newest, err := s.Trail.Newest(ctx)
	if err != nil {
		return err
	}
	return s.touches(ctx, s.Events*(round+1)/rounds-int(newest), until)
}

// act is what somebody does.
type act func(tx *state.Tx) ([]trail.Change, error)

// one makes an act of a proposal of one change.
func one(propose func(tx *state.Tx) (trail.Change, error)) act {
	return func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
}

// do carries out the acts in their order, many in one transaction.
func (s *seeder) do(ctx context.Context, acts []act) error {
	for len(acts) > 0 {
		now := acts[:min(group, len(acts))]
		acts = acts[len(now):]
		err := s.DB.Write(ctx, func(tx *state.Tx) error {
			for i, propose := range now {
				changes, err := propose(tx)
				if err != nil {
					return err
				}
				for _, change := range changes {
					who := trail.Actor{ID: actor(i), Kind: access.KindPerson}
					if _, err := s.Recorder.Commit(tx, trail.Act{Actor: who, Purpose: "invented for a benchmark"}, change); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// actor returns one of 200 people.
func actor(i int) string { return fmt.Sprintf("usr_invented_%03d", i%200) }

// invite adds the auditor.
func (s *seeder) invite(ctx context.Context) error {
	link := access.NewSecret(access.EnrolmentSecret, time.Now())
	err := s.do(ctx, []act{one(func(tx *state.Tx) (trail.Change, error) {
		return s.people.AddUser(tx, access.NewUser{Name: person, Roles: []access.Role{access.Auditor}, Link: link})
	})})
	if err != nil {
		return err
	}
	_, err = s.people.Redeem(ctx, link.Reveal(), passphrase)
	return err
}

func digest(format string, args ...any) tallystick.Digest {
	return tallystick.DigestOf(fmt.Appendf(nil, format, args...))
}

package obligation

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

const (
	small    = 200 // models that are looked at anew for every answer, if anything happened
	restless = time.Minute
	restful  = 20 // after each page a survey rests for that many times as long as it took: it takes a twentieth of one core
	daily    = time.Hour
	maxKept  = 100_000 // gaps that are remembered besides the survey
)

// survey is how every type of evidence stands for every model in use: 16 bytes each, about 1 KB a
// model. Questions about gaps are answered from it without the database.
type survey struct {
	at      time.Time
	newest  uint64 // event before it began
	more    bool   // there are more models
	types   []string
	models  []surveyed
	parties []party

	ranked map[ranking]ranked // answers, under Office.ranking
	kept   int                // tallies in them
}

// surveyed is a model with its latest version.
type surveyed struct {
	name, version string
	tier          tallystick.Tier
	unmet         conditionSet
	cells         []cell // one for each type
}

// cell is how one type of evidence stands for a model.
type cell struct {
	ms    int64 // what is present was produced then; what is not is lacking since then
	party uint32
	state cellState
}

type cellState uint8

const (
	cellNone cellState = iota // not applicable
	cellPresent
	cellStale
	cellMissing
)

// party is somebody who owes evidence.
type party struct {
	owes Role
	name string
}

// conditionSet has a bit for each condition, in the order of their names.
type conditionSet uint32

func conditionNames() []string { return slices.Sorted(maps.Keys(conditions())) }

// setOf returns the set of the conditions of those names.
func setOf(needs []string) (set conditionSet) {
	for i, name := range conditionNames() {
		if slices.Contains(needs, name) {
			set |= 1 << i
		}
	}
	return set
}

// Run keeps the survey of all models new until ctx ends: after events, but at most every minute, and page by
// page with rests between, so that nobody who asks for something else waits for it. While it runs the answers
// of Gaps rest on the last survey.
func (o *Office) Run(ctx context.Context, logger *slog.Logger) error {
	o.kept.Store(true)
	defer o.kept.Store(false)
	for ctx.Err() == nil {
		if _, err := o.survey(ctx, o.rest); err != nil && ctx.Err() == nil {
			logger.WarnContext(ctx, "the models could not be looked at for gaps in their evidence", slog.Any("error", err))
		}
		timer := time.NewTimer(restless)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
	return nil
}

// rest returns when a survey that Run makes may go on after a page. It reports whether somebody waits for it, who
// should not wait for rests.
func (o *Office) rest(ctx context.Context, took time.Duration) (hurry bool) {
	timer := time.NewTimer(restful * took)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done(): // the next query says so
	case <-o.hurry:
		return true
	}
	return false
}

// standing returns the survey to answer from. Only the first answer of a large installation waits for one.
func (o *Office) standing(ctx context.Context) (*survey, error) {
	if s := o.last.Load(); s != nil && o.kept.Load() && len(s.models) > small {
		return s, nil
	}
	select {
	case o.hurry <- struct{}{}: // one that was not needed cuts the rests of a later survey short, no more
	default:
	}
	return o.survey(ctx, nil)
}

// survey makes a survey, unless nothing happened since the last. If rest is given it is called between pages with
// how long the one before took, until it says that there is hurry.
func (o *Office) survey(ctx context.Context, rest func(ctx context.Context, took time.Duration) (hurry bool)) (*survey, error) {
	o.counting.Lock()
	defer o.counting.Unlock()
	newest, err := o.config.Trail.Newest(ctx)
	if err != nil {
		return nil, err
	}
	if s := o.last.Load(); s != nil && s.newest == newest && time.Since(s.at) < daily {
		return s, nil
	}
	c, err := o.catalogue()
	if err != nil {
		return nil, err
	}
	if err := o.config.Trail.CatchUp(ctx); err != nil {
		return nil, err
	}
	var now time.Time
	var sealed seal
	err = o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		now = tx.Now()
		sealed, err = o.newestSeal(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s := newSurveyor(newBench(c, now), c)
	began := time.Now()
	s.more, err = o.estate(ctx, sealed, func(some []*subject) error {
		for _, one := range some {
			s.add(one)
		}
		if rest != nil && len(some) == page && rest(ctx, time.Since(began)) {
			rest = nil
		}
		began = time.Now()
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	s.newest = newest
	o.last.Store(s.survey)
	return s.survey, nil
}

// surveyor makes a survey, model by model.
type surveyor struct {
	*survey
	bench      *bench
	conditions []string
	known      map[party]uint32
}

func newSurveyor(b *bench, c *Catalogue) *surveyor {
	b.brief = true
	asked := map[string]bool{}
	for _, f := range c.Frameworks {
		for _, control := range f.Controls {
			for _, id := range control.Evidence {
				asked[id] = true
			}
		}
	}
	s := &survey{at: b.now, ranked: map[ranking]ranked{}, types: slices.Sorted(maps.Keys(asked))}
	return &surveyor{s, b, conditionNames(), map[party]uint32{}}
}

// add judges a model.
func (s *surveyor) add(one *subject) {
	m := surveyed{name: one.model.Name, version: one.version.Version, tier: one.model.Tier, cells: make([]cell, 0, len(s.types))}
	for i, name := range s.conditions {
		if one.unconcerned([]string{name}) != "" {
			m.unmet |= 1 << i
		}
	}
	for _, id := range s.types {
		p := s.bench.judge(id, one)
		owes := party{p.Owes, p.Name}
		n, there := s.known[owes]
		if !there {
			n = uint32(len(s.parties)) // a party for each type and model at most: below a million
			s.known[owes], s.parties = n, append(s.parties, owes)
		}
		m.cells = append(m.cells, p.cell(n))
	}
	s.models = append(s.models, m)
}

func (p *Piece) cell(party uint32) cell {
	switch p.State {
	case Present:
		if p.At.IsZero() {
			return cell{party: party, state: cellPresent}
		}
		return cell{p.At.UnixMilli(), party, cellPresent}
	case Stale:
		return cell{p.since.UnixMilli(), party, cellStale}
	case Missing:
		return cell{p.since.UnixMilli(), party, cellMissing}
	}
	return cell{party: party}
}

// demand is what controls that are alike ask of a type of evidence.
type demand struct {
	needs    conditionSet
	from     int64         // milliseconds; 0: always
	maxAge   time.Duration // 0: any
	controls []string      // framework/reference
}

// under says how a cell stands under a demand, and since when it is lacking. It is what bench.under says of a piece.
func (d *demand) under(c cell, now int64) (cellState, int64) {
	switch c.state {
	case cellMissing:
		if d.from < now && d.from > c.ms {
			return cellMissing, d.from
		}
	case cellPresent:
		if until := c.ms + d.maxAge.Milliseconds(); d.maxAge > 0 && c.ms != 0 && until <= now {
			return cellStale, until
		}
	}
	return c.state, c.ms
}

// demands gathers what frameworks ask for, by type of evidence.
func demands(of []Framework, now time.Time, ahead bool) map[string][]demand {
	asked := map[string][]demand{}
	for i := range of {
		for j := range of[i].Controls {
			c := &of[i].Controls[j]
			if c.Level == Nothing || now.Before(c.From.Time) && !ahead {
				continue
			}
			d := demand{needs: setOf(c.Needs), maxAge: c.maxAge}
			if !c.From.IsZero() {
				d.from = c.From.UnixMilli()
			}
			for _, id := range c.Evidence {
				at := slices.IndexFunc(asked[id], func(o demand) bool { return o.needs == d.needs && o.from == d.from && o.maxAge == d.maxAge })
				if at < 0 {
					at, asked[id] = len(asked[id]), append(asked[id], d)
				}
				asked[id][at].controls = append(asked[id][at].controls, of[i].ID+"/"+c.Ref)
			}
		}
	}
	return asked
}

// command returns the command that puts evidence of a kind on record for the model.
func (m *surveyed) command(k kind) string {
	var of catalog.Model
	of.Name, of.Tier = m.name, m.tier
	return k.commandFor(of, m.version)
}

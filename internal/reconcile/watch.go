package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/conduct"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Watch looks on the trail for conduct that is unusual. All its fields are required.
type Watch struct {
	Registry *registry.Registry
	Catalog  *catalog.Catalog
	Trail    *trail.Reader
	People   *access.Store
	// Principal is who raises the findings; it may write them.
	Principal access.Principal
	Now       func() time.Time
	// Place returns the environment that a release is about, empty if there is none.
	Place func(ctx context.Context, release string) (string, error)

	pace *pace // of a run
}

const (
	// lookBack is how old an act may be that is judged: a server may have been down for a while.
	lookBack = 48 * time.Hour
	// maxActs bounds the acts of a type; the history is shorter where there are more.
	maxActs = 50_000
)

// pace keeps a run from taking the machine away from those who ask for something: it rests in between for some
// times as long as it has worked.
type pace struct {
	steps int
	began time.Time // with the steps since the last rest
}

const (
	stride = 100 // steps from one rest to the next
	rests  = 4   // times the work: a run takes a fifth of one core
)

// step counts an event that was looked at, or something that took as long.
func (p *pace) step(ctx context.Context) error {
	if p.steps++; p.steps%stride != 0 {
		return nil
	}
	timer := time.NewTimer(rests * time.Since(p.began))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	p.began = time.Now()
	return ctx.Err()
}

// Run looks once, and says whether there was enough to judge by. It may be cut off anywhere: what was
// told is not told again.
func (w Watch) Run(ctx context.Context) (outcome string, err error) {
	w.pace = &pace{began: time.Now()}
	now := w.Now()
	since := now.Add(-lookBack)
	refused, err := w.refused(ctx, since)
	if err != nil {
		return "", err
	}
	cases := conduct.Refusals(refused, since)
	placed, err := w.acts(ctx, now, trail.ReleasePromoted, trail.FreezeLifted, trail.DeploymentRecorded)
	if err != nil {
		return "", err
	}
	odd, enough := conduct.OddHours(placed, since)
	taken, err := w.acts(ctx, now, trail.VersionRead, trail.PackageExported)
	if err != nil {
		return "", err
	}
	people, err := w.people(ctx)
	if err != nil {
		return "", err
	}
	much := conduct.MuchIsTaken(taken, since, func(id string) (roles []string) {
		for _, r := range people[id].Roles {
			roles = append(roles, string(r))
		}
		return roles
	})
	firsts, err := w.firsts(ctx, taken, since, people)
	if err != nil {
		return "", err
	}
	cases = slices.Concat(cases, odd, much, firsts)
	told := 0
	for _, c := range cases {
		done, err := w.Registry.Do(ctx, registry.Command{
			Principal: w.Principal, Action: access.FindingWrite, Resource: trail.Resource{Type: "finding", ID: string(catalog.UnusualConduct)}, Model: c.Model,
			Propose: func(tx *state.Tx) ([]trail.Change, error) {
				change, err := w.Catalog.ConductUnusual(tx, found(c))
				if err != nil || change == nil {
					return nil, err
				}
				return []trail.Change{change}, nil
			},
		})
		if err != nil {
			return "", fmt.Errorf("tell of conduct that is unusual: %w", err)
		}
		told += done.Changes
	}
	if outcome = fmt.Sprintf("%d told", told); !enough {
		outcome += "; hours: insufficient, fewer than 100 changes to what serves in 90 days"
	}
	return outcome, nil
}

func found(c conduct.Case) catalog.Conduct {
	u := catalog.Conduct{Rule: string(c.Rule), By: c.By, Environment: c.Environment, Model: c.Model, Reason: c.Reason, Severity: catalog.SeverityMedium}
	switch c.Rule {
	case conduct.RefusedAgain:
		u.Severity = catalog.SeverityHigh
	case conduct.FirstTaken:
		u.Severity = catalog.SeverityLow
	}
	for _, a := range c.Acts {
		u.Events = append(u.Events, a.Event)
	}
	return u
}

// each calls fn with the events of a type since a time, the newest first. Those of which the actor was
// erased are nobody's.
func (w Watch) each(ctx context.Context, f trail.Filter, fn func(e trail.Event, a conduct.Act) error) error {
	f.Newest, f.Limit = true, 1000
	n := 0
	for e, err := range w.Trail.All(ctx, f) {
		if err != nil {
			return err
		}
		if n++; n > maxActs {
			break
		}
		if err := w.pace.step(ctx); err != nil {
			return err
		}
		if e.Actor == "" {
			continue
		}
		a := conduct.Act{Event: e.Sequence, ID: e.ID, At: e.Time, By: e.Actor, Model: e.Model, Resource: e.Resource.Type + "/" + e.Resource.ID}
		if e.Type != trail.VersionRead { // which are many, and name none
			a.Environment, _ = e.Sealed()["environment"].(string)
		}
		if err := fn(e, a); err != nil {
			return err
		}
	}
	return nil
}

// acts returns what succeeded, of those types.
func (w Watch) acts(ctx context.Context, now time.Time, types ...trail.Type) (acts []conduct.Act, err error) {
	for _, t := range types {
		err := w.each(ctx, trail.Filter{Type: t, Outcome: tallystick.Success, Since: now.Add(-conduct.History)}, func(_ trail.Event, a conduct.Act) error {
			acts = append(acts, a)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return acts, nil
}

// refused returns attempts at releases, promotions and assignments that were not allowed, and promotions
// that the gate denied.
func (w Watch) refused(ctx context.Context, since time.Time) (acts []conduct.Act, err error) {
	since = since.Add(-24 * time.Hour)
	err = w.each(ctx, trail.Filter{Type: trail.CommandRefused, Outcome: tallystick.Denied, Since: since}, func(e trail.Event, a conduct.Act) (err error) {
		command, _ := e.Sealed()["command"].(string)
		switch {
		case !strings.HasPrefix(command, "release.") && command != string(access.AssignmentRecord):
			return nil
		case e.Resource.Type == "environment":
			a.Environment = e.Resource.ID
		case e.Resource.Type == "release":
			if a.Environment, err = w.Place(ctx, e.Resource.ID); err != nil {
				return err
			}
		}
		acts = append(acts, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = w.each(ctx, trail.Filter{Type: trail.GateDecided, Since: since}, func(e trail.Event, a conduct.Act) error {
		request, _ := e.Sealed()["request"].(string)
		if e.Sealed()["verdict"] == string(tallystick.Fail) && request != "" {
			acts = append(acts, a)
		}
		return nil
	})
	return acts, err
}

func (w Watch) people(ctx context.Context) (people map[string]access.User, err error) {
	people = map[string]access.User{}
	for after := ""; ; {
		page, err := w.People.Users(ctx, access.UserFilter{After: after, Limit: 1000})
		if err != nil || len(page) == 0 {
			return people, err
		}
		for _, u := range page {
			people[u.ID] = u
		}
		after = page[len(page)-1].ID
	}
}

// firsts returns the cases of those who took files of a model of tier high and never had, unless it is
// theirs: they own it, or have registered a version of it.
func (w Watch) firsts(ctx context.Context, taken []conduct.Act, since time.Time, people map[string]access.User) (cases []conduct.Case, err error) {
	recent := slices.DeleteFunc(slices.Clone(taken), func(a conduct.Act) bool { return a.At.Before(since) })
	candidates := conduct.FirstsTaken(recent, since, func(by, name string) bool {
		if err != nil {
			return false
		}
		if err = w.pace.step(ctx); err != nil {
			return false
		}
		m, fault := w.Catalog.Model(ctx, name)
		if tallystick.CodeOf(fault) == tallystick.NotFound {
			return false
		}
		err = fault
		return m.Tier == tallystick.TierHigh && !owns(m, people[by].Name, by)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range candidates {
		by := func(t trail.Type) trail.Filter { return trail.Filter{Type: t, Actor: c.By, Model: c.Model} }
		before := func(t trail.Type) trail.Filter {
			f := by(t)
			f.Outcome, f.Before = tallystick.Success, c.Acts[0].Event
			return f
		}
		had, err := w.Trail.Any(ctx, before(trail.VersionRead), before(trail.PackageExported), by(trail.VersionRegistered), by(trail.ModelRegistered))
		if err != nil {
			return nil, err
		}
		if !had {
			cases = append(cases, c)
		}
		if err := w.pace.step(ctx); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

// owns reports whether a person, who may have a name, answers for a model or a phase of it.
func owns(m catalog.Model, name, id string) bool {
	is := func(owner string) bool { return owner != "" && (owner == id || owner == name) }
	if is(m.Owner) || is(m.SREOwner) {
		return true
	}
	for _, owner := range m.PhaseOwners {
		if is(owner) {
			return true
		}
	}
	return false
}

package catalog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Strictness says what a version needs to serve in an environment.
type Strictness string

// The three. Each asks for more than the one before.
const (
	Free    Strictness = "free"    // it is registered
	Checked Strictness = "checked" // and its last audit passed the gate
	Gated   Strictness = "gated"   // and people have let it in: nothing may be assigned by hand
)

func (s Strictness) rank() int { return map[Strictness]int{Free: 1, Checked: 2, Gated: 3}[s] }

// EnvironmentTerms says what an environment is.
type EnvironmentTerms struct {
	Strictness Strictness `json:"strictness" enum:"free,checked,gated" doc:"What a version needs to serve there."`
	Position   int64      `json:"position" doc:"Place in the order of a version's way to production."`
	Residency  string     `json:"residency,omitempty" doc:"Where its data must stay."`
	Summary    string     `json:"summary,omitempty" doc:"What the environment is for."`
}

// Environment is a place in which versions serve, such as staging or production.
type Environment struct {
	Name string `json:"name" doc:"Name of the environment."`
	EnvironmentTerms
	Created  time.Time `json:"created" doc:"When it was defined first."`
	Revision uint64    `json:"revision" doc:"Sequence of the event that last changed it."`
}

// EnvironmentDefinition is what somebody wants an environment to be.
type EnvironmentDefinition struct {
	Name string `json:"name" doc:"Name of the environment."`
	EnvironmentTerms
	// IfRevision is the revision that the definition is based on; 0 replaces whatever there is.
	IfRevision uint64 `json:"if_revision,omitempty" doc:"Revision that the definition is based on; 0 asks for none."`
}

const (
	maxEnvironments = 1000
	maxPosition     = 1_000_000
)

// DefineEnvironment returns the change that adds or changes an environment, nil if it is so already.
// An environment in which something has ever served is not made less strict: that is a Forbidden error.
func (c *Catalog) DefineEnvironment(tx *state.Tx, d EnvironmentDefinition) (trail.Change, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	change := &EnvironmentDefined{d.Name, d.EnvironmentTerms}
	is, err := environment(tx, d.Name)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return change, roomForAnother(tx)
	case err != nil:
		return nil, err
	case is.EnvironmentTerms == d.EnvironmentTerms:
		return nil, nil
	case d.IfRevision != 0 && d.IfRevision != is.Revision:
		return nil, tallystick.Errorf(tallystick.Conflict, "environment %q has changed: its revision is %d, not %d", d.Name, is.Revision, d.IfRevision).
			WithHint("look at it again and repeat the change on top")
	case d.Strictness.rank() < is.Strictness.rank():
		return change, mayLoosen(tx, is, d.Strictness)
	}
	return change, nil
}

func roomForAnother(tx *state.Tx) error {
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM environments").Scan(&n); err != nil {
		return fmt.Errorf("count environments: %w", err)
	}
	if n >= maxEnvironments {
		return tallystick.Errorf(tallystick.Conflict, "there are %d environments already, which is the limit", n)
	}
	return nil
}

func mayLoosen(tx *state.Tx, is Environment, to Strictness) error {
	var used bool
	err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM assignments WHERE environment = ?)", is.Name).Scan(&used)
	if err != nil {
		return fmt.Errorf("look for assignments in %q: %w", is.Name, err)
	}
	if used {
		return tallystick.Errorf(tallystick.Forbidden, "environment %q is %s and may not become %s: versions have served there", is.Name, is.Strictness, to).
			WithHint("define another environment that is %s from the start", to)
	}
	return nil
}

func (d EnvironmentDefinition) validate() error {
	if err := cmp.Or(
		tallystick.ValidateName("environment", d.Name),
		tallystick.ValidateText("residency", d.Residency, maxPerson),
		tallystick.ValidateText("summary", d.Summary, maxWords),
	); err != nil {
		return err
	}
	if d.Strictness.rank() == 0 {
		return tallystick.Errorf(tallystick.Invalid, "strictness %q is not free, checked or gated", d.Strictness)
	}
	if d.Position < 0 || d.Position > maxPosition {
		return tallystick.Errorf(tallystick.Invalid, "position %d is not between 0 and %d", d.Position, maxPosition)
	}
	return nil
}

// EnvironmentDefined adds or changes an environment.
type EnvironmentDefined struct {
	Environment string `json:"environment"`
	EnvironmentTerms
}

// Subject implements trail.Change.
func (e *EnvironmentDefined) Subject() (trail.Type, trail.Resource) {
	return trail.EnvironmentDefined, trail.Resource{Type: "environment", ID: e.Environment}
}

// Apply implements trail.Change.
func (e *EnvironmentDefined) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO environments (name, strictness, position, residency, summary, created_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET strictness = excluded.strictness, position = excluded.position, residency = excluded.residency,
		summary = excluded.summary, event = excluded.event`,
		e.Environment, string(e.Strictness), e.Position, e.Residency, e.Summary, at.Time.UnixMilli(), at.Sequence)
	return err
}

// Environment returns the environment of that name, or a NotFound error.
func (c *Catalog) Environment(ctx context.Context, name string) (Environment, error) {
	return read(ctx, c, func(tx *state.Tx) (Environment, error) { return environment(tx, name) })
}

// EnvironmentIn returns the environment as the transaction sees it, or a NotFound error.
func (c *Catalog) EnvironmentIn(tx *state.Tx, name string) (Environment, error) {
	return environment(tx, name)
}

// Environments returns all environments in their order, at most 1,000.
func (c *Catalog) Environments(ctx context.Context) (list []Environment, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		list, err = state.Collect(tx, scanEnvironment, "SELECT "+environmentColumns+" FROM environments ORDER BY position, name "+state.Limit, maxEnvironments)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	return list, nil
}

const environmentColumns = "name, strictness, position, residency, summary, created_ms, event"

func environment(tx *state.Tx, name string) (Environment, error) {
	e, err := scanEnvironment(tx.QueryRow("SELECT "+environmentColumns+" FROM environments WHERE name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return Environment{}, unknown(tx, "environment", name, "SELECT name FROM environments ORDER BY name")
	}
	if err != nil {
		return Environment{}, fmt.Errorf("read environment %q: %w", name, err)
	}
	return e, nil
}

func scanEnvironment(row state.Scanner) (e Environment, err error) {
	var created int64
	err = row.Scan(&e.Name, &e.Strictness, &e.Position, &e.Residency, &e.Summary, &created, &e.Revision)
	e.Created = moment(created)
	return e, err
}

package catalog

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Names are those by which a list is chosen. Empty ones choose nothing.
type Names struct {
	Model       string
	Version     string // of the model; without one, of any
	Environment string
	Dataset     string
	Owner       string // of models or findings: a person or a role
}

// Known returns a NotFound error, with the names most like it, for the first of the names that is neither
// on record nor on the trail. A list that is empty for such a name would look like an answer. A name that
// is on the trail alone, of an attempt on what never was, is known: that nothing came of it is an answer.
func (c *Catalog) Known(ctx context.Context, n Names) error {
	for _, look := range []func(context.Context, Names) error{c.knownModel, c.knownVersion, c.knownEnvironment, c.knownDataset, c.knownOwner} {
		if err := look(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) knownModel(ctx context.Context, n Names) error {
	if n.Model == "" {
		return nil
	}
	_, err := c.Model(ctx, n.Model)
	return c.UnlessTold(ctx, err, trail.Filter{Model: n.Model}, trail.Filter{Resource: trail.Resource{Type: "model", ID: n.Model}})
}

func (c *Catalog) knownVersion(ctx context.Context, n Names) error {
	switch {
	case n.Version == "":
		return nil
	case n.Model == "":
		return c.db.Read(ctx, func(tx *state.Tx) error {
			return onRecord(tx, "version", n.Version, "SELECT version FROM versions ORDER BY event DESC", "SELECT 1 FROM versions WHERE version = ?", n.Version)
		})
	}
	_, err := c.Version(ctx, n.Model, n.Version)
	if err = c.UnlessTold(ctx, err, trail.Filter{Resource: trail.Resource{Type: "version", ID: n.Model + "@" + n.Version}}); tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	naming, looked := naming(n.Version), 0
	for e, errRead := range c.events.All(ctx, trail.Filter{Model: n.Model, Newest: true, Limit: 1000}) {
		if errRead != nil {
			return fmt.Errorf("look for version %s@%s on the trail: %w", n.Model, n.Version, errRead)
		}
		if bytes.Contains(e.Leaf, naming) {
			return nil
		}
		if looked++; looked == maxTold {
			break
		}
	}
	return err
}

// maxTold bounds the events that are looked at for one that names a version which is not registered.
const maxTold = 2000

// naming is how the canonical leaf of an event names a version: names need no escapes.
func naming(version string) []byte { return []byte(`"version":"` + version + `"`) }

func (c *Catalog) knownEnvironment(ctx context.Context, n Names) error {
	if n.Environment == "" {
		return nil
	}
	_, err := read(ctx, c, func(tx *state.Tx) (Environment, error) { return c.EnvironmentIn(tx, n.Environment) })
	return c.UnlessTold(ctx, err, trail.Filter{Resource: trail.Resource{Type: "environment", ID: n.Environment}})
}

func (c *Catalog) knownDataset(ctx context.Context, n Names) error {
	if n.Dataset == "" {
		return nil
	}
	_, err := c.Dataset(ctx, n.Dataset)
	return c.UnlessTold(ctx, err, trail.Filter{Resource: trail.Resource{Type: "dataset", ID: n.Dataset}})
}

func (c *Catalog) knownOwner(ctx context.Context, n Names) error {
	if n.Owner == "" {
		return nil
	}
	phase, err := pack(n.Owner)
	if err != nil {
		return err
	}
	return c.db.Read(ctx, func(tx *state.Tx) error {
		return onRecord(tx, "owner", n.Owner, "SELECT DISTINCT owner FROM models ORDER BY owner",
			`SELECT 1 FROM models WHERE owner = ? UNION ALL SELECT 1 FROM findings WHERE owner = ?
			UNION ALL SELECT 1 FROM models WHERE sre_owner = ? OR phase_owners LIKE ? ESCAPE '!'`,
			n.Owner, n.Owner, n.Owner, "%:"+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(phase)+"%")
	})
}

// onRecord returns a NotFound error, with the names like it that like selects, unless query finds a row.
func onRecord(tx *state.Tx, what, name, like, query string, args ...any) error {
	var found bool
	if err := tx.QueryRow("SELECT EXISTS ("+query+")", args...).Scan(&found); err != nil || found {
		return err
	}
	hint, err := hintNearest(tx, "look for the name in a list without it", name, like)
	if err != nil {
		return err
	}
	return tallystick.Errorf(tallystick.NotFound, "no %s %q is on record", what, name).WithHint("%s", hint)
}

// UnlessTold returns err, unless it is that something is not found and the trail tells of it.
func (c *Catalog) UnlessTold(ctx context.Context, err error, filters ...trail.Filter) error {
	if tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	for _, f := range filters {
		f.Limit = 1
		if told, errRead := c.events.Events(ctx, f); errRead != nil || len(told) > 0 {
			return errRead
		}
	}
	return err
}

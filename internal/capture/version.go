package capture

import (
	"cmp"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// How the version of a record is known, as version_source has it.
const (
	fromResponse   = "response"   // the record names it, and no other source
	fromRequest    = "request"    // it was asked for by its name
	fromAlias      = "alias"      // the champion was asked for, and this was it
	fromAssignment = "assignment" // nothing was asked for, and this was the champion
)

// maxLookups bounds the models and versions that one batch asks for: to look for names like one that
// is not there takes long.
const maxLookups = 256

// resolver finds out which versions answered. It asks for each thing once.
type resolver struct {
	catalog   *catalog.Catalog
	tx        *state.Tx
	found     map[lookup]error
	champions map[lookup][]catalog.Assignment
}

// lookup names a version of a model, a model alone, or an environment of it.
type lookup struct{ model, name string }

func newResolver(c *catalog.Catalog, tx *state.Tx) *resolver {
	return &resolver{catalog: c, tx: tx, found: map[lookup]error{}, champions: map[lookup][]catalog.Assignment{}}
}

// resolve fills in which version answered and how that is known. A model or version that is not registered is
// a NotFound error, a version that nothing tells an Invalid one.
func (r *resolver) resolve(p *prediction.Record) error {
	if err := r.look(lookup{model: p.Model}); err != nil {
		return err
	}
	if p.Version != "" {
		p.VersionSource = cmp.Or(p.VersionSource, fromResponse)
		return r.look(lookup{p.Model, p.Version})
	}
	if p.VersionRequested != "" {
		err := r.look(lookup{p.Model, p.VersionRequested})
		if err == nil {
			p.Version, p.VersionSource = p.VersionRequested, fromRequest
		}
		if err == nil || p.VersionRequested != string(catalog.Champion) {
			return err
		}
		return r.serving(p, fromAlias)
	}
	return r.serving(p, fromAssignment)
}

// look reports whether a model or version is registered.
func (r *resolver) look(l lookup) error {
	err, asked := r.found[l]
	if asked {
		return err
	}
	if len(r.found) == maxLookups {
		return tallystick.Errorf(tallystick.Invalid, "the batch names more than %d models and versions", maxLookups).WithHint("send the others by themselves")
	}
	if l.name == "" {
		_, err = r.catalog.ModelIn(r.tx, l.model)
	} else {
		_, err = r.catalog.VersionIn(r.tx, l.model, l.name)
	}
	r.found[l] = err
	return err
}

// serving fills in the champion of the record's environment at its time, by what was recorded of assignments.
func (r *resolver) serving(p *prediction.Record, source string) error {
	if p.Environment == "" {
		return tallystick.Errorf(tallystick.Invalid, "nothing says which version of %s answered", p.Model).
			WithHint("name it as version, or name the environment whose champion it was")
	}
	l := lookup{p.Model, p.Environment}
	champions, asked := r.champions[l]
	if !asked {
		if len(r.champions) == maxLookups {
			return tallystick.Errorf(tallystick.Invalid, "the batch names more than %d environments", maxLookups).WithHint("send the others by themselves")
		}
		var err error
		if champions, err = r.catalog.ChampionsIn(r.tx, p.Environment, p.Model); err != nil {
			return err
		}
		r.champions[l] = champions
	}
	at := p.Time.Time()
	for _, a := range champions {
		if !a.From.After(at) && (a.Serving() || a.Until.After(at)) {
			p.Version, p.VersionSource = a.Version, source
			return nil
		}
	}
	return tallystick.Errorf(tallystick.Invalid, "%s had no champion in %s at %s, by the record", p.Model, p.Environment, at.Format(time.RFC3339)).
		WithHint("name the version that answered")
}

// Package reaction does what people have said is to be done when a model is judged bad: it asks that the model be trained
// anew, goes back to the version before, or freezes its releases.
//
// A reaction proposes unless it says otherwise: it opens the request for a release, or names the command, and a person goes on.
// One that acts does so only once somebody else than who applied it has approved the very document, and only while they still
// may. What it does takes the way that a person's act takes: a rollback is a request that the gate judges, and a freeze or a
// refusal ends it.
//
// What is tried follows from tables alone. Each deed of a reaction has one row for each cause, written in the transaction of
// what it does, so that a restart forgets nothing and does nothing twice; what was begun and not ended is carried on. A rollback is
// begun in one transaction and carried out in another, as the gate judges between the two.
//
// Decision 0046 says why it is so.
package reaction

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says what an office works with. All fields are required.
type Config struct {
	DB          *state.DB
	Trail       *trail.Reader
	Recorder    *trail.Recorder
	Catalog     *catalog.Catalog
	People      People
	Alerts      *alert.Office
	Comparisons *comparison.Office
	Monitors    *monitor.Office
	Incidents   *incident.Office
	Releases    *release.Office
	Asker       *query.Asker
	Evidence    Documents
	Now         func() time.Time
}

// People says who somebody is now, and what they may.
type People interface {
	// UserIn returns a user by name or id, or a NotFound error.
	UserIn(tx *state.Tx, nameOrID string) (access.User, error)
}

// Documents keeps reactions and reports by their digests. Put returns once they are durable; Get returns exactly the bytes
// of the digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office keeps reactions and carries them out. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

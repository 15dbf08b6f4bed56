// Package monitor says whether a model still behaves: the predictions of a window of time are compared with a reference
// that was pinned, and with limits that were written down, and what comes of it is a judgement on the trail.
//
// A judgement is a function of four things alone: the monitor as it was written, the reference, the window, and which
// segments of predictions were on record. It names all four, by digest or by event, so that who judges the window again
// gets the same bytes, and who judges it later, when more had come in, gets others that say so.
//
// Decision 0033 says why it is so.
package monitor

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/window"
)

// Config says what an office works with. All fields are required.
type Config struct {
	DB       *state.DB
	Trail    *trail.Reader
	Recorder *trail.Recorder
	Actor    trail.Actor // in whose name windows are judged when they are due
	Catalog  *catalog.Catalog
	Asker    *query.Asker
	Evidence Documents
	Now      func() time.Time
}

// Documents keeps references, monitors and judgements by their digests. Put returns once they are durable; Get returns
// exactly the bytes of the digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office keeps references and monitors and judges windows. Its methods may be called by many goroutines.
type Office struct {
	config     Config
	tallies    *rollup.Store
	documents  *recent[*Document]
	references *recent[*window.Reference]
	gists      *recent[*gist]
	baselines  memory
}

// New returns the office of an installation.
func New(config Config) *Office {
	return &Office{
		config: config, tallies: rollup.New(config.DB, config.Asker, config.Now), documents: newRecent[*Document](8 << 20), references: newRecent[*window.Reference](16 << 20),
		gists: newRecent[*gist](64 << 20),
	}
}

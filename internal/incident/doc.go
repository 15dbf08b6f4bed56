// Package incident is what people do when a model does harm, or may: an incident is opened with the evidence of that
// moment, somebody leads it by a runbook, the harm is stopped, the cause is found, and what was learned is written down.
//
//	open -> acknowledged -> mitigated -> resolved -> closed
//	                ^___________________________|  reopened
//
// A later state says the earlier ones too: who mitigates has acknowledged. Times between states come from events alone
// (see Figures), and a time that no event tells is absent, never guessed.
//
// The evidence is gathered once, when the incident is opened, and kept by its digest (Brief): what was on record then
// stays readable when predictions have been removed and monitors changed. What could not be gathered is named in it.
//
// Decision 0044 says why it is so.
package incident

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says what an office works with. All fields are required.
type Config struct {
	DB       *state.DB
	Catalog  *catalog.Catalog
	Releases *release.Office
	Monitors *monitor.Office
	Asker    *query.Asker
	Evidence Documents
	Alerts   alert.Lister
	// Predictions finds what a replay is held against.
	Predictions Predictions
	Recorder    *trail.Recorder
	Actor       trail.Actor // in whose name incidents are opened of alerts
	Now         func() time.Time
}

// Documents keeps briefs, runbooks and post-mortems by their digests. Put returns once they are durable; Get returns
// exactly the bytes of the digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office keeps incidents and runbooks. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

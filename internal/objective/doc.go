// Package objective says how well a model is to behave and how much of what may go wrong has: indicators as good of valid
// events, objectives over them that are written in YAML, error budgets, and rules about how fast a budget burns, over two
// windows each (Beyer and others, The Site Reliability Workbook, O'Reilly 2018, chapter 5).
//
// Events are counted from what is on record, into minutes of the last two days and hours before. The counts are a cache:
// they follow from records, labels, judgements and cases up to an event of the trail, which a judgement names, so that who
// counts again as of that event gets the same judgement, byte for byte. What comes in late is counted in the minute in which it
// happened.
//
// Decision 0043 says why it is so.
package objective

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says what an office works with. All fields are required but the last.
type Config struct {
	DB       *state.DB
	Trail    *trail.Reader
	Recorder *trail.Recorder
	Actor    trail.Actor // in whose name objectives are judged when they are due
	Catalog  *catalog.Catalog
	Asker    *query.Asker
	Monitors *monitor.Office
	Cases    *casework.Desk
	Evidence Documents
	Now      func() time.Time
	// Fresh puts on record what was acknowledged, before somebody who asks is answered. Nil: nothing waits.
	Fresh func(context.Context) error
}

// Documents keeps objectives and judgements by their digests. Put returns once they are durable; Get returns exactly the bytes
// of the digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office keeps objectives and judges them. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

// Package comparison holds two versions of a model against each other, from recorded predictions alone: canary, shadow or
// A/B, whoever routed them. It may be asked all the time: what it says rests on wagers and on intervals that hold at every
// look (decision 0036), so that asking more often makes no mistake likelier.
//
// The answer is promote, hold, rollback or inconclusive, with a row for every metric. Nothing that is missing, stale or routed
// otherwise than was intended is ever a reason to promote.
//
// A judgement is a function of the comparison as it was written, the versions, the span, and what was on record: it
// names all four, and who asks again gets the same bytes. Decision 0045 says why it is so.
package comparison

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says what an office works with. All fields are required.
type Config struct {
	DB       *state.DB
	Trail    *trail.Reader
	Catalog  *catalog.Catalog
	Asker    *query.Asker
	Evidence Documents
	Now      func() time.Time
}

// Documents keeps comparisons and judgements by their digests. Put returns once they are durable; Get returns exactly the
// bytes of the digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office keeps comparisons and judges versions by them. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

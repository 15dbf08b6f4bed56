// Package archive gives predictions back out of the segments that package capture has put on the trail: one record
// by its id with its proof, or the files of a model for whoever asks questions of many.
//
// Where a record is follows from what was registered: ranges of ids lead to segments, prediction_segments says which
// file a segment lives in now, and the file's own index leads to the row. Nothing is given out that was not held
// against the root on the trail.
//
// Decision 0022 says why it is so.
package archive

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"

	"github.com/tallystick/tallystick"
)

// Config says what an archive works with.
type Config struct {
	Workspace *workspace.Workspace
	Actor     trail.Actor // who joins and removes files
	Now       func() time.Time
	// Elapsed says how long it is since New, by a clock that cannot be set. Nil: the one of the system.
	Elapsed func() time.Duration
	// Fresh brings what was acknowledged before it is called into segments. Nil for who does not have the journal open:
	// what is in there is not found then.
	Fresh func(ctx context.Context) error
	// Scrub overwrites what predictions have left in the journal that are in segments. Nil: there is no journal.
	Scrub func(ctx context.Context) error
}

// Archive gives predictions back. Its methods may be called by many goroutines at once.
type Archive struct {
	config Config
	files  *cache
	begun  time.Time // by the clock of then
	works  works

	reached func(stage string) // for tests: a stage of a change is over
}

// New returns the archive of a workspace.
func New(config Config) *Archive {
	if config.Elapsed == nil {
		begun := time.Now()
		config.Elapsed = func() time.Duration { return time.Since(begun) }
	}
	return &Archive{config: config, files: newCache(config.Workspace.Segments), begun: config.Now(), reached: func(string) {}}
}

// surely returns the time that it is at least: a clock that was set forward since New is not believed, for what is removed
// too early does not come back.
func (a *Archive) surely() time.Time {
	now, counted := a.config.Now(), a.begun.Add(a.config.Elapsed())
	if counted.Before(now) {
		return counted
	}
	return now
}

// Close closes the files that nobody reads.
func (a *Archive) Close() { a.files.close() }

// Found is one prediction with its place on the trail.
type Found struct {
	Record  prediction.Record
	Leaf    tallystick.Digest
	Segment string
	Root    tallystick.Digest // of the segment
	Event   uint64            // sequence of the event that registered the segment
	File    tallystick.Digest // in which the segment lives now
	// Inclusion leads from the leaf to the root, and was held against it.
	Inclusion prediction.Inclusion
}

// fresh calls Config.Fresh.
func (a *Archive) fresh(ctx context.Context) error {
	if a.config.Fresh == nil {
		return nil
	}
	return a.config.Fresh(ctx)
}

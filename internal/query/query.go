package query

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// Archive says which files of a model can have predictions made from a time until before another; a zero time bounds nothing.
type Archive interface {
	Files(ctx context.Context, model string, from, to time.Time) (*segment.Shelf, error)
}

// Asker answers questions. Its methods may be called by many goroutines.
type Asker struct {
	archive Archive
	labels  *label.Store
	db      *state.DB
	most    int // records of an export to Parquet
}

// New returns an asker of predictions in archive and of their labels, both of which db knows.
func New(db *state.DB, archive Archive, labels *label.Store) *Asker {
	return &Asker{archive: archive, labels: labels, db: db, most: segment.MaxRecords}
}

// Selection chooses predictions of one model.
type Selection struct {
	Model    string
	From, To time.Time // of the prediction; To is exclusive, and zero times bound nothing
	Where    []Condition
	AsOf     time.Time // labels as they were known then; zero: now
	// Registered, if it is not 0, leaves out what came on record by later events than that sequence. A record that
	// was erased or removed since is not there all the same. After, if it is not 0, leaves out what came on record by
	// that event or earlier ones.
	Registered, After uint64
}

// maxConditions bounds the conditions of a question.
const maxConditions = 64

func (s *Selection) validate() error {
	if len(s.Where) > maxConditions {
		return tallystick.Errorf(tallystick.Invalid, "the question has %d conditions, the limit is %d", len(s.Where), maxConditions)
	}
	if !s.From.IsZero() && !s.To.IsZero() && !s.From.Before(s.To) {
		return tallystick.Errorf(tallystick.Invalid, "the time from %s until %s is none", s.From.Format(time.RFC3339), s.To.Format(time.RFC3339))
	}
	return nil
}

// span returns the bounds of times in microseconds, the second exclusive.
func (s *Selection) span() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !s.From.IsZero() {
		from = int64(prediction.TimeOf(s.From.Add(time.Microsecond - 1)))
	}
	if !s.To.IsZero() {
		to = int64(prediction.TimeOf(s.To.Add(time.Microsecond - 1)))
	}
	return from, to
}

// open gets the files that a selection needs.
func (a *Asker) open(ctx context.Context, s *Selection) (*segment.Shelf, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	files, err := a.archive.Files(ctx, s.Model, s.From, s.To)
	if err != nil {
		return nil, fmt.Errorf("predictions of %s: %w", s.Model, err)
	}
	return files, nil
}

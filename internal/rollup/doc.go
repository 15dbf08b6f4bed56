// Package rollup keeps what was counted of the predictions of a model: a tally for each minute, hour and day, version,
// environment and slice. A window is judged from tallies exactly when they cover what is known of it, and from the
// records themselves otherwise; the bytes of the judgement are the same.
//
// What is counted, a set of [Rules] names: a reference, limits of latency, slices. All tallies of a model by the same
// rules are a series. A series counts segments in the order of the events that registered them, each once: the
// transaction that adds a batch of segments to their minutes, hours and days also moves the series on to the event of the
// last of them, and is not carried out if somebody else has moved it meanwhile. So whoever is killed has added a batch
// or has not. Segments that are back-filled add to their minutes as all others do; tallies are a commutative monoid.
//
// # When tallies stand for records
//
// A window that is made of whole minutes is covered if every segment that can have predictions of it, up to the event that
// the question names, was counted, if no later one was, and if it has no hole. There is a hole where a record was
// erased, and where a segment spread over more time than fits into memory. The tallies there are removed; the question
// is answered from records.
//
// # How long
//
// Minutes are kept for 48 hours, hours for 400 days, days as long as the records that they were counted of. When
// records are removed because their time is over, the minutes, hours and days that they lay in are removed too: a tally
// of few records says much of each, and it names values. Decision 0041 has the reasons.
//
// The tables follow from no event. They can be emptied at any time; what is lost is speed.
package rollup

import (
	"time"

	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
)

// How long tallies of a grain are kept.
const (
	MinutesKept = 48 * time.Hour
	HoursKept   = 400 * 24 * time.Hour
	unusedKept  = 7 * 24 * time.Hour // a series whose rules no monitor has any more
)

// Bounds of the work that is done at once.
const (
	maxMemory   = 48 << 20 // bytes of tallies while a batch is counted
	maxTallies  = 4096     // of a batch
	maxRecords  = 500_000  // of a batch, or one segment
	maxSegments = 256      // of a batch
	maxBatches  = 8        // of one model and one Count
	maxRemoved  = 5000     // rows that one statement removes
)

// Store keeps tallies. Its methods may be called by many goroutines.
type Store struct {
	db      *state.DB
	asker   *query.Asker
	now     func() time.Time
	counted func() // what a test does between counting and writing
}

// New returns the store of an installation.
func New(db *state.DB, asker *query.Asker, now func() time.Time) *Store {
	return &Store{db: db, asker: asker, now: now, counted: func() {}}
}

// Package capture takes predictions in. A batch of records is looked at record by record, the good ones
// become one frame of the journal, and what [Capture.Accept] returns for is durable. [Capture.Cut] moves
// them on into segments, which stand on the trail.
//
// One bad record costs nobody else his: it is named by its place in the batch, and the rest are kept.
// Bad is what is not valid, is of a model that is not registered, or of a version that is not known and
// cannot be found out.
//
// Decision 0021 says why it is so.
package capture

import (
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// MaxRecords bounds the records of a batch.
const MaxRecords = 5000

// Config says what a capture works with. All fields but Key are required.
type Config struct {
	DB      *state.DB
	Catalog *catalog.Catalog
	Journal *journal.Journal
	Now     func() time.Time

	Recorder *trail.Recorder
	Actor    trail.Actor // who seals segments
	Segments *blob.Store
	Plan     string // file, written before a cut
	Key      []byte // under which digests of inputs are made that are not kept; without one they have none

	reached func(stage string) // for tests: a stage of a cut is over
}

// Capture takes predictions in. Its methods may be called by many goroutines at once. It is a [prometheus.Collector].
type Capture struct {
	config Config

	mu    sync.Mutex
	known map[name]*sent // by what their senders call them; of those in segments the database knows

	cutting sync.Mutex
	fresh   freshness

	bodies   *body.Keeper
	payloads sync.Pool // of *journal.Payload, to be used again

	latencies *latencies
}

// Batch is what a sender sends at once.
type Batch struct {
	Sender string // who sends it, by the id of a principal
	// ID, if it is not empty, makes it safe to send the batch again: it is kept once, and answered again.
	// It is the sender's own, so two senders may use the same.
	ID      string
	Records []prediction.Record // at most MaxRecords
}

// Answer says what became of a batch.
type Answer struct {
	Receipt  journal.Receipt `json:"receipt,omitzero" doc:"where the records are in the journal; absent if none was taken"`
	IDs      []prediction.ID `json:"ids" doc:"ids of the records, in the order in which they came; empty for one that was not taken"`
	Rejected []Rejection     `json:"rejected,omitempty" doc:"records that were not taken"`
	Repeated bool            `json:"repeated,omitempty" doc:"the batch had come before: this is where it is since then"`
}

// Rejection says why a record was not taken.
type Rejection struct {
	Index   int             `json:"index" doc:"place of the record in the batch, from 0"`
	Code    tallystick.Code `json:"code"`
	Message string          `json:"message"`
	Hint    string          `json:"hint,omitempty"`
}

// Package alert says when something that was judged is to be told to people. It follows judgements along the trail,
// counts for each thing that is judged how often it was bad of late, and lets an alert about it be pending, fire and
// resolve. Each of these changes is an event; what is counted between them is kept beside a cursor over the trail and
// moves in the same transaction, so that no judgement is counted twice or forgotten, wherever the process ends.
//
// Notifications are another matter (package pager, and the subscriptions of package notify). A silence, or an alert that
// the whole window is wrong, keeps notifications of an alert back; it changes nothing about whether the alert fires and
// is on record, and the record says what kept it back.
//
// Decision 0042 says why it is so.
package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says what an office works with. All fields are required, but Sources where nothing is evaluated.
type Config struct {
	DB       *state.DB
	Trail    *trail.Reader
	Recorder *trail.Recorder
	Actor    trail.Actor // in whose name alerts fire and resolve
	Models   Models
	Evidence Documents
	Sources  map[string]Source // by name, which the cursor has: it never changes
}

// Models says which models there are.
type Models interface {
	// ModelIn returns a model, or a NotFound error.
	ModelIn(tx *state.Tx, name string) (catalog.Model, error)
}

// Documents keeps policies by their digests. Put returns once they are durable; Get returns exactly the bytes of the
// digest.
type Documents interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Office lets alerts fire and resolve. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

// Severity says how an alert is told.
type Severity string

// The two severities.
const (
	Page   Severity = "page"   // somebody looks at it now
	Ticket Severity = "ticket" // somebody looks at it in working hours
)

// Observation is one thing that was judged of one window.
type Observation struct {
	Rule        string // what was judged, as family/name/check: "monitor/credit-hourly/drift"
	Model       string
	Version     string // empty: all
	Environment string // empty: any
	Subject     string // feature, quantile or group; empty: the whole window
	Segment     string // slice, or empty
	Severity    Severity
	From, To    time.Time // window that was judged
	Verdict     tallystick.Verdict
	Words       string
	Evidence    tallystick.Digest // the judgement
	Event       uint64            // of the judgement
	Terms       Terms             // zero: those of Defaults; a policy changes them
	Whole       bool              // it is about all data of the window: alerts with a subject are kept back while it fires
	Sole        bool              // the rule watches one version at a time: its alerts about another resolve
	Over        bool              // nothing of the rule, which may end in "/", is judged any more; only Rule, Model and Event are set
}

// Source gives the observations of events after a sequence, oldest first: of at most limit events, all those of each,
// and the sequence up to which there are no others. At the end of the trail next is after. What was judged again comes
// again, with the same window; what was judged as of the past, and is not news, does not come.
type Source interface {
	Observations(ctx context.Context, after uint64, limit int) (all []Observation, next uint64, err error)
}

// Fingerprint returns by what an alert is known: the SHA-256 of its identity labels, sorted by name, each as
// name="value" and a line feed.
func (o *Observation) Fingerprint() tallystick.Digest {
	var b strings.Builder
	for _, l := range [...]struct{ name, value string }{
		{"environment", o.Environment}, {"model", o.Model}, {"rule", o.Rule}, {"segment", o.Segment}, {"subject", o.Subject}, {"version", o.Version},
	} {
		b.WriteString(l.name + "=" + quoted(l.value) + "\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return tallystick.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// quoted writes a value so that no two are alike with their neighbours.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

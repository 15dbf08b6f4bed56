package trail

import (
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Event is a recorded event with what is known of it.
type Event struct {
	Sequence    uint64
	ID          string
	Type        Type
	Time        time.Time // UTC, in milliseconds
	Actor       string    // id; empty once it has been erased
	ActorKind   string    // person, service or program
	Resource    Resource
	Model       string             // that it is about; empty if it names none in the clear
	Outcome     tallystick.Outcome // empty for an intent
	Leaf        []byte
	Disclosures []verify.Disclosure // without those that were erased
	Index       *uint64             // in the ledger; nil until the sealer has appended it

	written uint64  // sequence in the leaf
	sealed  *sealed // nil in an event that was made by hand
}

// sealed is what Sealed returns, decoded when it is first asked for and shared by the copies of an event.
type sealed struct {
	once sync.Once
	data map[string]any
}

// Data returns the event's data with the sealed fields opened, each checked against the leaf. Fields
// of which the disclosure was erased stay commitments.
func (e Event) Data() (map[string]any, error) {
	return verify.OpenEvent(e.Leaf, e.Disclosures)
}

// AppendData appends what Data returns as JSON (RFC 8785), in a fraction of the time; what everyone may read, unless
// open is set.
func (e Event) AppendData(dst []byte, open bool) ([]byte, error) {
	if !open {
		return verify.AppendOpened(dst, e.Leaf, nil)
	}
	return verify.AppendOpened(dst, e.Leaf, e.Disclosures)
}

// Sealed returns the event's data as everyone may read it: commitments stand in the place of sealed
// fields. It is decoded once; nobody may change it.
func (e Event) Sealed() map[string]any {
	if e.sealed == nil {
		e.sealed = new(sealed)
	}
	e.sealed.once.Do(func() {
		decoded, _ := verify.DecodeEvent(e.Leaf) // whoever made the event has judged the leaf
		e.sealed.data = decoded.Data
	})
	return e.sealed.data
}

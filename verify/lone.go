package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ProofOptions complete a tlog-proof that does not stand alone.
type ProofOptions struct {
	Leaf        []byte       // the leaf; if nil, the proof's own extra data is taken for it
	Disclosures []Disclosure // of the event in the leaf, to be checked as well
	Witnesses   int          // refuse a checkpoint that fewer trusted witnesses have cosigned
}

// Proof verifies a tlog-proof file: that the event in its leaf is an entry of a ledger that a
// trusted log key has signed.
func Proof(file []byte, trust Trust, o ProofOptions) Result {
	const subject = "tlog-proof"
	var r Result
	p, err := ParseProof(file)
	if err != nil {
		r.fail("format", subject, err)
		return r.conclude(notProved(Checkpoint{}))
	}
	leaf := o.Leaf
	if leaf == nil {
		leaf = p.Extra
	}
	event, c, ok := r.entry(p, leaf, trust, o.Witnesses)
	if !ok {
		return r.conclude(notProved(c))
	}
	r.Subject = event.ID
	if len(o.Disclosures) > 0 {
		if _, err := event.Open(o.Disclosures); err != nil {
			r.fail("disclosures", event.ID, err)
		} else {
			r.ok("disclosures", event.ID, "%d of %d sealed fields shown", len(o.Disclosures), len(event.Commitments()))
		}
	}
	return r.conclude(notProved(c))
}

// entry adds the lines about a leaf, nil if there is none: that it is an event, and an entry of the ledger under the
// checkpoint of p. It returns false if one of them failed.
func (r *Result) entry(p InclusionProof, leaf []byte, trust Trust, witnesses int) (event SealedEvent, c Checkpoint, ok bool) {
	const subject = "tlog-proof"
	c = r.openCheckpoint(p.Checkpoint, "checkpoint", trust, witnesses)
	if _, failed := r.FirstFailure(); failed {
		return event, c, false
	}
	if leaf == nil {
		r.fail("leaf", subject, errors.New("the proof does not carry its leaf; give the event's leaf as well"))
		return event, c, false
	}
	event, err := DecodeEvent(leaf)
	if err != nil {
		r.fail("leaf", subject, err)
		return event, c, false
	}
	r.ok("leaf", event.ID, "%s about %q, sequence %d", event.Type, event.Subject, event.Sequence)
	if err := p.Verify(leaf, c); err != nil {
		r.fail("inclusion", event.ID, err)
		return event, c, false
	}
	r.ok("inclusion", event.ID, "is entry %d of %q at size %d", p.Index, c.Origin, c.Size)
	return event, c, true
}

// ConsistencyInput is a pair of signed checkpoints and the proof between them.
type ConsistencyInput struct {
	Older, Newer []byte
	Proof        [][sha256.Size]byte // RFC 6962 section 2.1.2; none is needed between equal sizes
	Witnesses    int                 // refuse checkpoints that fewer trusted witnesses have cosigned
}

// Consistency verifies that the newer of two checkpoints continues the older.
func Consistency(in ConsistencyInput, trust Trust) Result {
	var r Result
	older := r.openCheckpoint(in.Older, "older checkpoint", trust, in.Witnesses)
	newer := r.openCheckpoint(in.Newer, "newer checkpoint", trust, in.Witnesses)
	if _, failed := r.FirstFailure(); failed {
		return r.conclude(notProved(newer))
	}
	r.Subject = newer.Origin
	if err := VerifyConsistency(older, newer, in.Proof); err != nil {
		r.fail("consistency", newer.Origin, err)
	} else {
		r.ok("consistency", newer.Origin, "size %d continues size %d", newer.Size, older.Size)
	}
	return r.conclude(notProved(newer))
}

// openCheckpoint adds the lines about one checkpoint.
func (r *Result) openCheckpoint(data []byte, subject string, trust Trust, witnesses int) Checkpoint {
	c, trusted, err := keyring{trust: trust}.openCheckpoint(data)
	switch {
	case err != nil:
		r.fail("checkpoint", subject, err)
		return c
	case !trusted:
		r.unknownSigner("checkpoint", subject, "%q at size %d, signed by nobody among those trusted", c.Origin, c.Size)
	default:
		r.ok("checkpoint", subject, "%q at size %d, signed by key %.12s", c.Origin, c.Size, c.LogKeys[0].ID)
	}
	r.witnesses(c, subject, trust, witnesses)
	return c
}

// witnesses adds the line about cosignatures, of which at least required must count.
func (r *Result) witnesses(c Checkpoint, subject string, trust Trust, required int) {
	line := WitnessedBy(c, trust)
	switch n := len(c.WitnessNames()); {
	case n < required:
		r.fail("witnesses", subject, fmt.Errorf("%s; want at least %d", line, required))
	case n == 0:
		r.skip("witnesses", subject, "%s", line)
	default:
		r.ok("witnesses", subject, "%s", line)
	}
}

// WitnessedBy says in a line which of the trusted witnesses have cosigned a checkpoint that
// [OpenCheckpoint] has read.
func WitnessedBy(c Checkpoint, trust Trust) string {
	of := map[string]bool{}
	for _, k := range trust.Keys {
		if k.Role == RoleWitness && k.covers(c.Last()) {
			of[k.Name] = true
		}
	}
	names := c.WitnessNames()
	switch {
	case len(of) == 0:
		return "not witnessed: no witness is trusted, name its key"
	case len(names) == 0:
		return fmt.Sprintf("not witnessed: none of the %d trusted witnesses has cosigned", len(of))
	}
	return fmt.Sprintf("witnessed by %d of %d: %s", len(names), len(of), strings.Join(names, ", "))
}

// WitnessNames returns the witnesses that have cosigned, each once, with the time of its newest
// cosignature.
func (c Checkpoint) WitnessNames() []string {
	newest := map[string]time.Time{}
	for _, w := range c.Witnesses {
		if at, ok := newest[w.Key.Name]; !ok || w.Time.After(at) {
			newest[w.Key.Name] = w.Time
		}
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		names = append(names, fmt.Sprintf("%s (%s)", name, newest[name].Format(time.RFC3339)))
	}
	return names
}

package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// ProofOptions complete a tlog-proof that does not stand alone.
type ProofOptions struct {
	Leaf        []byte       // the leaf; if nil, the proof's own extra data is taken for it
	Disclosures []Disclosure // of the event in the leaf, to be checked as well
	Witnessed   bool         // refuse a checkpoint that no trusted witness has cosigned
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
	c := r.openCheckpoint(p.Checkpoint, "checkpoint", trust, o.Witnessed)
	if _, failed := r.FirstFailure(); failed {
		return r.conclude(notProved(c))
	}
	leaf := o.Leaf
	if leaf == nil {
		leaf = p.Extra
	}
	if leaf == nil {
		r.fail("leaf", subject, errors.New("the proof does not carry its leaf; give the event's leaf as well"))
		return r.conclude(notProved(c))
	}
	event, err := DecodeEvent(leaf)
	if err != nil {
		r.fail("leaf", subject, err)
		return r.conclude(notProved(c))
	}
	r.Subject = event.ID
	r.ok("leaf", event.ID, "%s about %q, sequence %d", event.Type, event.Subject, event.Sequence)
	if err := p.Verify(leaf, c); err != nil {
		r.fail("inclusion", event.ID, err)
		return r.conclude(notProved(c))
	}
	r.ok("inclusion", event.ID, "is entry %d of %q at size %d", p.Index, c.Origin, c.Size)
	if len(o.Disclosures) > 0 {
		if _, err := event.Open(o.Disclosures); err != nil {
			r.fail("disclosures", event.ID, err)
		} else {
			r.ok("disclosures", event.ID, "%d of %d sealed fields shown", len(o.Disclosures), len(event.Commitments()))
		}
	}
	return r.conclude(notProved(c))
}

// ConsistencyInput is a pair of signed checkpoints and the proof between them.
type ConsistencyInput struct {
	Older, Newer []byte
	Proof        [][sha256.Size]byte // RFC 6962 section 2.1.2; none is needed between equal sizes
	Witnessed    bool                // refuse checkpoints that no trusted witness has cosigned
}

// Consistency verifies that the newer of two checkpoints continues the older.
func Consistency(in ConsistencyInput, trust Trust) Result {
	var r Result
	older := r.openCheckpoint(in.Older, "older checkpoint", trust, in.Witnessed)
	newer := r.openCheckpoint(in.Newer, "newer checkpoint", trust, in.Witnessed)
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
func (r *Result) openCheckpoint(data []byte, subject string, trust Trust, witnessed bool) Checkpoint {
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
	r.witnesses(c, subject, witnessed)
	return c
}

// witnesses adds the line about cosignatures.
func (r *Result) witnesses(c Checkpoint, subject string, required bool) {
	switch {
	case len(c.Witnesses) > 0:
		r.ok("witnesses", subject, "cosigned by %s", witnessNames(c))
	case required:
		r.fail("witnesses", subject, errors.New("no trusted witness has cosigned"))
	default:
		r.skip("witnesses", subject, "unwitnessed: no trusted witness has cosigned")
	}
}

func witnessNames(c Checkpoint) string {
	var names string
	for i, w := range c.Witnesses {
		if i > 0 {
			names += ", "
		}
		names += fmt.Sprintf("%s (%s)", w.Key.Name, w.Time.Format("2006-01-02T15:04:05Z"))
	}
	return names
}

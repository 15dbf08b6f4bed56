// Package release lets versions into environments. Somebody asks ([Office.Ask]); people who are not the
// author review ([Office.Review]); the gate judges all facts at once ([Office.Judge]); and one
// transaction carries out what it decided, if the facts are still those that it judged
// ([Office.Promote]).
//
// As in the catalog, proposals look at the state inside a transaction and return the changes that are to
// be committed there. No proposal writes.
package release

import (
	"context"
	"os"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Config says where an office works. All fields but the last two are required.
type Config struct {
	DB       *state.DB
	Catalog  *catalog.Catalog
	Access   *access.Store
	Evidence *evidence.Store
	// Pack returns the policy of a tier.
	Pack func(tallystick.Tier) (*policy.Pack, error)
	// Key returns a key of the installation's own by its id; an error if it has no such key.
	Key func(id string) (verify.Key, error)
	Now func() time.Time
	// Trail is asked which policies were in force.
	Trail *trail.Reader

	// Budgets tells of error budgets. Nil: none is measured.
	Budgets Budgets

	// Files opens a file of a version; it is a NotFound error if nobody has uploaded it. Signer signs in the name of
	// the installation. With both it looks itself into files that are said to be scanned; nil does not.
	Files  func(tallystick.Digest) (*os.File, error)
	Signer func(context.Context) (*evidence.Signer, error)
}

// Budgets tells of the error budgets of a model in an environment, nil if none is measured.
type Budgets interface {
	BudgetIn(tx *state.Tx, model, environment string) (*policy.BudgetFact, error)
}

// Office releases the versions of one installation. Its methods may be called by many goroutines.
type Office struct {
	config Config
	seen   memo[tallystick.Digest, signed]
	proofs memo[question, proof]
	gates  memo[attested, *evidence.Gate]
	// documents are the large ones: a report of an audit takes some ten times its bytes.
	documents memo[tallystick.Digest, *audited]
	grounds   memo[asking, *ground]
	aims      memo[Asking, aim]
	audits    memo[uint64, recordedAudit]       // by the sequence of the event
	policies  memo[tallystick.Digest, struct{}] // that are stored
}

// New returns the office of an installation.
func New(config Config) *Office {
	o := &Office{config: config}
	o.seen.limit, o.proofs.limit, o.gates.limit, o.documents.limit = 10_000, 10_000, 1000, 16
	o.grounds.limit, o.aims.limit, o.audits.limit = 64, 64, 1000
	o.policies.limit = 16
	return o
}

// Changes returns an empty change for each type of event that alters the tables of releases.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.ReleaseRequested: func() trail.Change { return new(Requested) },
		trail.ReleaseReviewed:  func() trail.Change { return new(Reviewed) },
		trail.ReleaseWithdrawn: func() trail.Change { return new(RequestWithdrawn) },
		trail.GateDecided:      func() trail.Change { return new(Decided) },
		trail.ReleasePromoted:  func() trail.Change { return new(Promoted) },
		trail.FreezeDeclared:   func() trail.Change { return new(FreezeDeclared) },
		trail.FreezeLifted:     func() trail.Change { return new(FreezeLifted) },
		trail.WaiverRequested:  func() trail.Change { return new(WaiverRequested) },
		trail.WaiverReviewed:   func() trail.Change { return new(WaiverReviewed) },
		trail.WaiverRevoked:    func() trail.Change { return new(WaiverRevoked) },
		trail.WaiverEnding:     func() trail.Change { return new(WaiverEnding) },
		trail.WaiverExpired:    func() trail.Change { return new(WaiverExpired) },
		trail.SignerAdded:      func() trail.Change { return new(SignerAdded) },
		trail.SignerRevoked:    func() trail.Change { return new(SignerRevoked) },
		trail.PolicyChanged:    func() trail.Change { return new(PolicyChanged) },
		trail.PolicyConfirmed:  func() trail.Change { return new(PolicyConfirmed) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{
			Name: "release_requests", Key: []string{"id"},
			Columns: []string{
				"event", "kind", "model", "version", "digest", "environment", "role", "percent", "created_ms", "expires_ms", "state", "closed_ms", "last_event",
			},
			Sealed: []string{"requester", "minter", "reason", "closed_by"},
		},
		{
			Name: "release_reviews", Key: []string{"id"},
			Columns: []string{"event", "request", "verdict", "digest", "created_ms", "expires_ms"},
			Sealed:  []string{"reviewer", "minter", "conflict", "comment"},
		},
		{
			Name: "gate_decisions", Key: []string{"id"},
			Columns: []string{
				"event", "request", "kind", "model", "version", "digest", "environment", "role", "verdict", "input", "policy", "engine", "tier", "denied", "waived", "time_ms",
			},
		},
		{
			Name: "freezes", Key: []string{"id"},
			Columns: []string{"event", "environment", "model", "from_ms", "until_ms", "lifted_ms", "last_event"},
			Sealed:  []string{"reason", "declared_by", "lifted_by"},
		},
		{
			Name: "waivers", Key: []string{"id"},
			Columns: []string{"event", "model", "version", "digest", "environment", "rule", "created_ms", "expires_ms", "state", "last_event"},
			Sealed:  []string{"owner", "requester", "reason", "control", "reviewer", "comment"},
		},
		{Name: "signers", Key: []string{"key_id"}, Columns: []string{"name", "public_key", "predicates", "added_ms", "revoked_ms", "event"}},
	}
}

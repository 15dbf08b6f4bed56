// Package obligation says which controls of which laws, standards and guidances ask a model for which
// evidence, and what of that is on record: present, stale, missing, or not applicable with its reason.
// It judges evidence and nothing else; whether a duty is met is for people to say.
//
// The controls stand in a catalogue of their own with its version (controls.yaml), the types of evidence
// and how each is found in one table (evidence.go). The package reads tables that others own, in a few
// statements for any number of models, and writes none.
package obligation

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Config says where an office looks.
type Config struct {
	DB      *state.DB
	Catalog *catalog.Catalog
	Trail   *trail.Reader
	// Evidence is the store in which the reports of audits lie.
	Evidence interface {
		Has(ctx context.Context, d tallystick.Digest) bool
		Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
	}
	// Cosigned returns the newest checkpoint that witnesses have cosigned, of size 0 if there is none.
	// Without the function there are no witnesses.
	Cosigned func() (verify.Checkpoint, error)
	// Signers returns who counts as a signer, as the transaction sees it. Without the function nobody can
	// say. All other fields are required.
	Signers func(tx *state.Tx) (Signers, error)
}

// Signers says of a key that has signed a type of statement whose it is, empty if nobody knows it, and
// whether it counts: SignerCounts, SignerRevoked or SignerUnknown.
type Signers = func(key, predicate string) (name, standing string)

// Office answers about the obligations of one installation's models. Its methods may be called by many
// goroutines.
type Office struct {
	config    Config
	catalogue func() (*Catalogue, error)

	mu     sync.Mutex
	groups map[tallystick.Digest]bool // reports of audits, and whether they compare groups

	counting sync.Mutex // held while models are surveyed: who comes meanwhile waits and takes the result
	last     atomic.Pointer[survey]
	kept     atomic.Bool   // Run runs
	hurry    chan struct{} // holds something once somebody waits for a survey
	ranking  sync.Mutex    // guards what surveys remember
}

// New returns the office of an installation.
func New(config Config) *Office {
	return &Office{config: config, catalogue: sync.OnceValues(Standard), groups: map[tallystick.Digest]bool{}, hurry: make(chan struct{}, 1)}
}

// Catalogue returns the controls that the office judges by.
func (o *Office) Catalogue() (*Catalogue, error) { return o.catalogue() }

// Obligations says what frameworks ask of a model and what of it is there. Errors: NotFound for a
// model, a version or a framework that there is none of, with names that are like it.
func (o *Office) Obligations(ctx context.Context, q Query) (Obligations, error) {
	c, err := o.catalogue()
	if err != nil {
		return Obligations{}, err
	}
	var asked *Framework
	if q.Framework != "" {
		if asked, err = c.Framework(q.Framework); err != nil {
			return Obligations{}, err
		}
	}
	if err := o.config.Trail.CatchUp(ctx); err != nil {
		return Obligations{}, err
	}
	s := newSubject()
	var now time.Time
	var signers Signers
	err = o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		now = tx.Now()
		if o.config.Signers != nil {
			if signers, err = o.config.Signers(tx); err != nil {
				return err
			}
		}
		return o.look(tx, s, q)
	})
	if err != nil {
		return Obligations{}, fmt.Errorf("obligations: %w", err)
	}
	if err := o.compares(ctx, s); err != nil {
		return Obligations{}, fmt.Errorf("obligations: %w", err)
	}
	b := newBench(c, now)
	b.signers = signers
	return assess(c, b, s, q, asked), nil
}

// look reads all that is on record of the model and the version that are asked for.
func (o *Office) look(tx *state.Tx, s *subject, q Query) (err error) {
	if s.model, err = o.config.Catalog.ModelIn(tx, q.Model); err != nil {
		return err
	}
	version := orElse(q.Version, s.model.LatestVersion)
	if version != "" {
		if s.version, err = o.config.Catalog.VersionIn(tx, q.Model, version); err != nil {
			return err
		}
	}
	newest, err := o.newestSeal(tx)
	if err != nil {
		return err
	}
	s.said(newest)
	return read(tx, wantedOne(q.Model, version), map[string]*subject{q.Model: s}, append(readings(), lastOthers()))
}

const maxRemembered = 100_000 // reports

// compares adds the reports of audits that compare groups, which no table says.
func (o *Office) compares(ctx context.Context, s *subject) error {
	for _, t := range s.on["evidence:evaluation"] {
		digest := tallystick.Digest(t.digest)
		if t.name == "fairness" || digest == "" {
			continue
		}
		yes, err := o.comparesGroups(ctx, digest)
		if err != nil {
			return err
		}
		if yes {
			s.add("groups", t)
		}
	}
	return nil
}

// comparesGroups reports whether a report of an audit, which lies in the store, has rates by group.
func (o *Office) comparesGroups(ctx context.Context, digest tallystick.Digest) (bool, error) {
	o.mu.Lock()
	yes, known := o.groups[digest]
	o.mu.Unlock()
	if known || !o.config.Evidence.Has(ctx, digest) {
		return yes, nil
	}
	body, err := o.config.Evidence.Get(ctx, digest)
	if err != nil {
		return false, fmt.Errorf("read report %s: %w", digest.Short(), err)
	}
	var report struct {
		Fairness struct {
			Groups []json.RawMessage `json:"groups"`
		} `json:"fairness"`
	}
	// What is of another form is another tool's report, which says nothing of groups to us.
	yes = json.Unmarshal(body, &report) == nil && len(report.Fairness.Groups) > 0
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.groups) >= maxRemembered {
		clear(o.groups)
	}
	o.groups[digest] = yes
	return yes, nil
}

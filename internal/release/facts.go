package release

import (
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// facts are what the database knows of what is to be let in, all as of one transaction.
type facts struct {
	model    catalog.Model
	status   catalog.Status
	release  policy.Release
	passing  passing
	revision revision
	audit    *catalog.Evidence // the newest evaluation, nil if there is none
	scanned  *catalog.Evidence // the newest report of known vulnerabilities that counts, nil if there is none
	attested []tallystick.Digest
	keys     keyring
	vouched  map[tallystick.Digest]tallystick.Digest // what the signer of proven evidence answers for
	unread   []unread
	at       time.Time
}

// factsOf reads everything that the database knows of what is to be let in.
func (o *Office) factsOf(tx *state.Tx, r Request, read map[string]proof) (f facts, err error) {
	g, err := o.groundOf(tx, r)
	if err != nil {
		return f, err
	}
	f = facts{
		at: tx.Now(), revision: g.revision, model: g.record.Model, release: g.release, keys: g.keys,
		vouched: map[tallystick.Digest]tallystick.Digest{},
	}
	f.release.Version.Age = int64(f.at.Sub(g.record.Version.Created).Seconds())
	prove := o.prover(&f, read)
	f.status = g.record.Status(f.at, prove)
	for _, e := range g.reports {
		if proven, state := prove(e, g.record.Version); state == catalog.Present && f.scanned == nil {
			f.scanned = &proven
		}
	}
	if err := o.readAudit(tx, r, &f); err != nil {
		return f, err
	}
	f.passing, err = o.passingOf(tx, r.ID, r.Target)
	f.release.Approvals, f.release.Budget = f.passing.Approvals, f.passing.Budget
	return f, err
}

// readAudit finds the newest evaluation and the statements that attest it.
func (o *Office) readAudit(tx *state.Tx, r Request, f *facts) error {
	i := slices.IndexFunc(f.status.Items, func(i catalog.Item) bool { return i.Kind == catalog.EvaluationEvidence })
	if i < 0 || f.status.Items[i].Evidence == nil {
		return nil
	}
	e := *f.status.Items[i].Evidence
	f.audit = &e
	own, there := o.audits.get(e.Event)
	if !there {
		var err error
		if own, err = statementsOf(tx, e.Event); err != nil {
			return fmt.Errorf("the audit of %s@%s: %w", r.Model, r.Version, err)
		}
		o.audits.put(e.Event, own)
	}
	s := f.status.Items[i].State
	switch {
	case own.recorded:
		f.attested = own.statements
	case s == catalog.Present || s == catalog.Stale:
		f.attested = []tallystick.Digest{e.Digest}
	}
	return nil
}

// recordedAudit is what the event of an audit of this installation names, which does not change.
type recordedAudit struct {
	recorded   bool // it is such an event
	statements []tallystick.Digest
}

func statementsOf(tx *state.Tx, event uint64) (a recordedAudit, err error) {
	e, err := trail.EventIn(tx, event)
	if err != nil || e.Type != trail.AuditCompleted {
		return a, err
	}
	a.recorded = true
	data, err := e.Data()
	digests, _ := data["statements"].([]any)
	for _, d := range digests {
		text, _ := d.(string)
		a.statements = append(a.statements, tallystick.Digest(text))
	}
	return a, err
}

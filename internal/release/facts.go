package release

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
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

// passing is what time changes without an event: whether something counts now.
type passing struct {
	Freezes   []policy.Freeze
	Waivers   []policy.Waiver
	Approvals []policy.Approval
	Counts    []bool // of the waivers, then of the approvals
}

// ground is what is on record of something that is to be let in, as of a revision: all facts but those that time alone changes, and
// how far a signature counts.
type ground struct {
	revision revision
	record   catalog.Record
	keys     keyring
	reports  []catalog.Evidence // of vulnerabilities
	release  policy.Release
}

// asking is what a ground is kept by.
type asking struct {
	Target
	request string
}

// maxGround is the most evidence of which a ground is kept.
const maxGround = 2000

// groundOf returns the ground as of the revision: the one that is kept, if it is of the same.
func (o *Office) groundOf(tx *state.Tx, r Request) (*ground, error) {
	now, err := revisionOf(tx, r.ID, r.Target)
	if err != nil {
		return nil, err
	}
	key := asking{r.Target, r.ID}
	if kept, there := o.grounds.get(key); there && maps.Equal(kept.revision, now) {
		return kept, nil
	}
	g := &ground{revision: now}
	if err := o.readGround(tx, r, g); err != nil {
		return nil, err
	}
	if g.record.Evidence() <= maxGround {
		o.grounds.put(key, g)
	}
	return g, nil
}

func (o *Office) readGround(tx *state.Tx, r Request, g *ground) error {
	c, t := o.config.Catalog, r.Target
	environment, err := c.EnvironmentIn(tx, t.Environment)
	if err != nil {
		return err
	}
	if g.keys, err = o.keys(tx); err != nil {
		return err
	}
	if g.record, err = c.RecordIn(tx, t.Model, t.Version); err != nil {
		return err
	}
	m, v := g.record.Model, g.record.Version
	id, err := identity(m, v)
	if err != nil {
		return err
	}
	g.release = policy.Release{
		Request: r.ID, Kind: string(t.Kind), Role: string(t.Role), Purpose: m.Purpose,
		Environment: policy.ReleaseEnvironment{Name: environment.Name, Strictness: string(environment.Strictness), Residency: environment.Residency},
		Version: policy.ReleaseVersion{
			Digest: id, Root: v.Root, State: string(v.State), ThirdParty: m.ThirdParty, CodeCommit: v.CodeCommit, Image: v.Image,
		},
		Dependencies: dependencies(v.Metadata.Libraries),
	}
	for _, missing := range catalog.MissingMetadata(m, v.VersionDetails) {
		g.release.Version.Lacks = append(g.release.Version.Lacks, missing.Field)
	}
	if g.reports, err = c.EvidenceIn(tx, t.Model, t.Version, catalog.VulnerabilityEvidence); err != nil {
		return err
	}
	for _, read := range []func(*state.Tx, Request, *ground) error{o.readServed, o.readAuthors, o.readData, o.readFindings} {
		if err := read(tx, r, g); err != nil {
			return err
		}
	}
	return nil
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
	f.release.Approvals = f.passing.Approvals
	return f, err
}

// readServed looks at what serves, and when this version did.
func (o *Office) readServed(tx *state.Tx, r Request, g *ground) error {
	champions, err := o.config.Catalog.ChampionsIn(tx, r.Environment, r.Model)
	if err != nil {
		return err
	}
	for _, a := range champions {
		v, err := o.config.Catalog.VersionIn(tx, a.Model, a.Version)
		if err != nil {
			return err
		}
		id, err := identity(g.record.Model, v)
		if err != nil {
			return err
		}
		if a.Serving() {
			g.release.Champion = &policy.ChampionFact{Version: a.Version, Digest: id, Since: a.From}
		}
		if id != r.Digest {
			continue
		}
		served := policy.ServedFact{From: a.From, Until: whenSet(a.Until)}
		let, err := letIn(tx, a)
		if err != nil {
			return err
		}
		served.Decision, served.Verdict = let.Input, string(let.Verdict)
		g.release.Version.Served = append(g.release.Version.Served, served)
	}
	return nil
}

func whenSet(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// readAuthors finds who is behind the release.
func (o *Office) readAuthors(tx *state.Tx, r Request, g *ground) (err error) {
	g.release.Authors, err = o.authors(tx, r)
	return err
}

// authors returns who registered the version, who asked for the release, and whoever made the tokens by
// which that was done.
func (o *Office) authors(tx *state.Tx, r Request) (people []policy.Person, err error) {
	v, err := o.config.Catalog.VersionIn(tx, r.Model, r.Version)
	if err != nil {
		return nil, err
	}
	add := func(did, id, minter, kind string) {
		if id != "" {
			people = append(people, policy.Person{ID: id, Did: did, Minter: minter, Service: kind == access.KindService})
		}
		if minter != "" && minter != id {
			people = append(people, policy.Person{ID: minter, Did: "made the token by which it was " + did})
		}
	}
	for _, sequence := range slices.Compact([]uint64{v.First, v.Event}) {
		e, err := trail.EventIn(tx, sequence)
		if err != nil {
			return nil, fmt.Errorf("who registered %s: %w", v.Name(), err)
		}
		data, err := e.Data()
		if err != nil {
			return nil, fmt.Errorf("who registered %s: %w", v.Name(), err)
		}
		by, _ := data["context"].(map[string]any)
		minter, _ := by["minter"].(string)
		actor, _ := data["actor"].(map[string]any)
		kind, _ := actor["kind"].(string)
		add("registered the version", e.Actor, minter, kind)
	}
	if r.Requester != "" {
		add("asked for the release", r.Requester, r.Minter, "")
	}
	return people, nil
}

// readData looks at the data that the version rests on.
func (o *Office) readData(tx *state.Tx, r Request, g *ground) error {
	links, err := o.config.Catalog.LinksIn(tx, catalog.LinkFilter{Model: r.Model, Version: r.Version, Limit: maxPage})
	if err != nil {
		return err
	}
	for _, link := range links {
		d, err := o.config.Catalog.DatasetIn(tx, link.Dataset)
		if err != nil {
			return err
		}
		fact := policy.DataFact{
			Dataset: link.Dataset, Snapshot: link.Snapshot, Role: string(link.Role), ConsentBasis: string(d.ConsentBasis),
			ForbiddenPurposes: d.ForbiddenPurposes,
		}
		for _, column := range d.Privacy {
			switch column.Label {
			case catalog.LabelMasked:
				fact.Personal, fact.Masked = append(fact.Personal, column.Column), append(fact.Masked, column.Column)
			case catalog.LabelPersonal, catalog.LabelSensitive:
				fact.Personal = append(fact.Personal, column.Column)
			}
		}
		g.release.Data = append(g.release.Data, fact)
	}
	return nil
}

// readFindings looks at what is wrong and open.
func (o *Office) readFindings(tx *state.Tx, r Request, g *ground) error {
	open, err := o.config.Catalog.PressingFindingsIn(tx, r.Model)
	for _, finding := range open {
		if finding.Version == "" || finding.Version == r.Version {
			g.release.Findings = append(g.release.Findings, policy.FindingFact{
				ID: finding.ID, Kind: string(finding.Kind), Severity: string(finding.Severity), Due: &finding.Due, Summary: finding.Summary,
			})
		}
	}
	return err
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

// passingOf reads what time changes.
func (o *Office) passingOf(tx *state.Tx, request string, t Target) (p passing, err error) {
	freezes, errFreezes := freezesOver(tx, t.Model, t.Environment)
	waivers, errWaivers := waiversOf(tx, t)
	reviews, errReviews := reviewsOf(tx, request)
	if err := errors.Join(errFreezes, errWaivers, errReviews); err != nil {
		return p, err
	}
	for _, f := range freezes {
		p.Freezes = append(p.Freezes, policy.Freeze{ID: f.ID, Environment: f.Environment, Model: f.Model, Reason: f.Reason, By: f.By, From: f.From, Until: whenSet(f.Until)})
	}
	for _, w := range waivers {
		p.Waivers = append(p.Waivers, policy.Waiver{
			ID: w.ID, Rule: w.Rule, Version: w.Version, Owner: w.Owner, Reason: w.Reason, Control: w.Control, Expires: w.Expires,
			Environment: w.Environment, Digest: w.Digest, ApprovedBy: []string{w.Reviewer}, Requester: w.Requester,
		})
		p.Counts = append(p.Counts, tx.Now().Before(w.Expires))
	}
	for _, r := range lastOfEach(reviews) {
		approval, err := o.approval(tx, r)
		if err != nil {
			return p, err
		}
		p.Approvals, p.Counts = append(p.Approvals, approval), append(p.Counts, tx.Now().Before(r.Expires))
	}
	return p, nil
}

// lastOfEach returns the last review of each reviewer, in the order in which they were made.
func lastOfEach(reviews []Review) (last []Review) {
	for i, r := range reviews {
		if !slices.ContainsFunc(reviews[i+1:], func(later Review) bool { return later.Reviewer == r.Reviewer }) {
			last = append(last, r)
		}
	}
	return last
}

// approval returns a review with the roles that its reviewer holds now: none, if it is nobody who is known
// or active.
func (o *Office) approval(tx *state.Tx, r Review) (policy.Approval, error) {
	a := policy.Approval{
		ID: r.ID, Approver: policy.Person{ID: r.Reviewer, Did: string(r.Verdict), Minter: r.Minter}, Verdict: string(r.Verdict),
		Digest: r.Digest, At: r.Created, Until: &r.Expires, Conflict: r.Conflict,
	}
	u, err := o.config.Access.UserIn(tx, r.Reviewer)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return a, nil
	case err != nil:
		return a, err
	}
	a.Approver.Service = u.Kind == access.KindService
	if u.State == access.Active {
		for _, role := range u.Roles {
			a.Roles = append(a.Roles, string(role))
		}
	}
	return a, nil
}

// dependencies says which of the libraries are not pinned to one version.
func dependencies(libraries map[string]string) policy.Dependencies {
	d := policy.Dependencies{Recorded: len(libraries) > 0}
	for name, version := range libraries {
		if version == "" || version == "latest" || strings.ContainsAny(version, "*<>~^|, ") {
			d.Unpinned = append(d.Unpinned, strings.TrimSpace(name+" "+version))
		}
	}
	slices.SortFunc(d.Unpinned, cmp.Compare)
	return d
}

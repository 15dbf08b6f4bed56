package release

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

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
	now, err := r.asOf, error(nil)
	if now == nil {
		now, err = revisionOf(tx, r.ID, r.Target)
	}
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

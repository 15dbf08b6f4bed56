package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/release"
)

// The bounds of the lists on the page of one version.
const (
	shownFiles    = 200
	shownEvidence = 100
	shownLinks    = 50
	fedDepth      = 4
	fedNodes      = 60
)

// versionPage is one version of a model.
type versionPage struct {
	catalog.Version
	Status      release.Status
	Before      string // the version before it; empty if it is the first
	Files       []artifact.File
	Metrics     []namedMetric
	Thresholds  []namedThreshold
	Facts       []factGroup
	Data        []catalog.DataLink
	Fed         []lineageStep
	FedCut      bool
	Lineage     string // address; empty if nobody has told of it
	Evidence    []catalog.Evidence
	Here        map[tallystick.Digest]bool // evidence of which the bytes are kept here
	Assignments []catalog.Assignment
	Deployments []catalog.Deployment
	Hidden      int // files that are not shown
	Requests    []release.Request
	Release     *releaseForm
}

type namedMetric struct {
	Name     string
	Estimate string
	Interval string
	catalog.Metric
}

type namedThreshold struct {
	Name, Warn, Fail string
	catalog.Threshold
}

// factGroup is a group of facts of one kind, by name.
type factGroup struct {
	Title string
	Facts []fact
}

type fact struct{ Name, Value string }

func (s *server) version(v *visit) error {
	model, version := v.r.PathValue("model"), v.r.PathValue("version")
	known, err := s.Catalog.Version(v.ctx(), model, version)
	if err != nil {
		return err
	}
	page := versionPage{Version: known}
	if page.Status, err = s.Releases.Status(v.ctx(), model, version); err != nil {
		return err
	}
	before, err := s.Catalog.Versions(v.ctx(), catalog.VersionFilter{Model: model, Before: known.First, Limit: 1})
	if err != nil {
		return err
	}
	if len(before) > 0 {
		page.Before = before[0].Version
	}
	if err := page.look(v, s); err != nil {
		return err
	}
	page.Metrics, page.Thresholds, page.Facts = metricsOf(known.Metadata), thresholdsOf(known.Metadata), factsOf(known.Metadata)
	return s.show(v, "version", known.Name(), page)
}

// look finds what else is known of the version.
func (p *versionPage) look(v *visit, s *server) (err error) {
	model, version := p.Model, p.Version.Version
	if p.Digest != "" {
		m, err := s.Catalog.Manifest(v.ctx(), p.Digest)
		if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
			return err
		}
		p.Files = m.Files()
		if p.Hidden = max(0, len(p.Files)-shownFiles); p.Hidden > 0 {
			p.Files = p.Files[:shownFiles]
		}
	}
	if p.Data, err = s.Catalog.Links(v.ctx(), catalog.LinkFilter{Model: model, Version: version, Limit: shownLinks}); err != nil {
		return err
	}
	fed, err := s.Lineage.Fed(v.ctx(), model, version, lineage.Options{Depth: fedDepth, Limit: fedNodes})
	if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	if err == nil {
		p.Lineage = lineageOf(fed.Start.Ref)
	}
	p.Fed, p.FedCut = steps(fed), fed.Cut != ""
	if p.Evidence, err = s.Catalog.Evidence(v.ctx(), catalog.EvidenceFilter{Model: model, Version: version, Limit: shownEvidence}); err != nil {
		return err
	}
	p.Here = map[tallystick.Digest]bool{}
	for _, e := range p.Evidence {
		p.Here[e.Digest] = e.Digest != "" && s.Evidence.Has(v.ctx(), e.Digest)
	}
	if p.Assignments, err = s.Catalog.Assignments(v.ctx(), catalog.AssignmentFilter{Model: model, Version: version, Limit: shownPlaces}); err != nil {
		return err
	}
	if p.Deployments, err = s.Catalog.Deployments(v.ctx(), catalog.DeploymentFilter{Model: model, Version: version, Running: true, Limit: shownPlaces}); err != nil {
		return err
	}
	if p.Requests, err = s.Releases.Requests(v.ctx(), release.Filter{Model: model, Version: version, Limit: shownPlaces}); err != nil {
		return err
	}
	p.Release, err = s.newReleaseForm(v, model, version)
	return err
}

func metricsOf(m catalog.Metadata) (all []namedMetric) {
	for _, name := range slices.Sorted(maps.Keys(m.Metrics)) {
		one := namedMetric{Name: name, Metric: m.Metrics[name]}
		one.Estimate = figure.Plain(one.Value)
		if one.Low != nil && one.High != nil {
			one.Interval = figure.Plain(*one.Low) + " to " + figure.Plain(*one.High)
		}
		all = append(all, one)
	}
	return all
}

func thresholdsOf(m catalog.Metadata) (all []namedThreshold) {
	number := func(v *float64) string {
		if v == nil {
			return figure.None
		}
		return figure.Plain(*v)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Thresholds)) {
		t := m.Thresholds[name]
		all = append(all, namedThreshold{name, number(t.Warn), number(t.Fail), t})
	}
	return all
}

func factsOf(m catalog.Metadata) (groups []factGroup) {
	sizes := map[string]string{}
	for name, n := range m.SampleSizes {
		sizes[name] = count(n)
	}
	for _, g := range []struct {
		title string
		facts map[string]string
	}{{"Sample sizes", sizes}, {"Parameters", m.Parameters}, {"Seeds", m.Seeds}, {"Libraries", m.Libraries}} {
		if len(g.facts) == 0 {
			continue
		}
		group := factGroup{Title: g.title}
		for _, name := range slices.Sorted(maps.Keys(g.facts)) {
			group.Facts = append(group.Facts, fact{name, g.facts[name]})
		}
		groups = append(groups, group)
	}
	if m.Hardware != "" {
		groups = append(groups, factGroup{"Hardware", []fact{{"trained on", m.Hardware}}})
	}
	return groups
}

// readable writes a name of the catalog, such as data_check, as words.
func readable[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }

package openlineage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
)

// refs are the nodes of a data set: itself, which changes, and what exactly was read or written, a
// snapshot or a version of a model if the event says which.
type refs struct{ source, exact lineage.Ref }

func (w *writer) dataset(d dataset) (refs, error) {
	source, err := named(lineage.Source, d.Namespace, d.Name)
	if err != nil {
		return refs{}, err
	}
	r := refs{source, source}
	var model struct {
		Model   string `json:"model"`
		Version string `json:"version"`
	}
	var version struct {
		Version string `json:"datasetVersion"`
	}
	switch {
	case read(d.Facets["tallystick_model"], &model):
		r.exact = lineage.VersionRef(model.Model, model.Version)
	case read(d.Facets["version"], &version) && version.Version != "":
		r.exact = lineage.Ref{Kind: lineage.Snapshot, ID: source.ID + "@" + version.Version}
	}
	if err := r.exact.Validate(); err != nil {
		return refs{}, err
	}
	facts := w.facts(d.Facets, datasetFacets)
	maps.Copy(facts, w.facts(d.InputFacets, datasetFacets))
	maps.Copy(facts, w.facts(d.OutputFacets, datasetFacets))
	w.node(r.exact, facts)
	if r.exact.Kind == lineage.Version {
		return r, nil
	}
	if err := w.columns(d.Facets["schema"], r); err != nil {
		return refs{}, err
	}
	return r, w.columnLineage(d.Facets["columnLineage"], source)
}

type field struct {
	Name   string  `json:"name"`
	Fields []field `json:"fields"`
}

// columns makes every field a column of the source and the snapshot. Nested ones are named by their
// path.
func (w *writer) columns(facet json.RawMessage, r refs) error {
	var schema struct {
		Fields []field `json:"fields"`
	}
	if !read(facet, &schema) {
		return nil
	}
	n := 0
	var add func(prefix string, fields []field) error
	add = func(prefix string, fields []field) error {
		for _, f := range fields {
			if n++; n > maxFields {
				return tallystick.Errorf(tallystick.Invalid, "%s has more than %d fields", r.source, maxFields)
			}
			if f.Name == "" {
				continue
			}
			ref := column(r.source, prefix+f.Name)
			w.edge(ref, lineage.Part, r.source, "")
			if r.exact != r.source {
				w.edge(ref, lineage.Part, r.exact, "")
			}
			if err := add(prefix+f.Name+".", f.Fields); err != nil {
				return err
			}
		}
		return nil
	}
	return add("", schema.Fields)
}

func column(of lineage.Ref, name string) lineage.Ref {
	return lineage.Ref{Kind: lineage.Column, ID: of.ID + "#" + name}
}

type inputField struct {
	Namespace       string           `json:"namespace"`
	Name            string           `json:"name"`
	Field           string           `json:"field"`
	Transformations []transformation `json:"transformations"`
}

type transformation struct {
	Type        string `json:"type"`
	Subtype     string `json:"subtype"`
	Description string `json:"description"`
	Masking     bool   `json:"masking"`
}

// columnLineage draws the edges between columns, each with how one was made from the other.
func (w *writer) columnLineage(facet json.RawMessage, source lineage.Ref) error {
	var l struct {
		Fields map[string]struct {
			Inputs      []inputField `json:"inputFields"`
			Description string       `json:"transformationDescription"`
			Type        string       `json:"transformationType"`
		} `json:"fields"`
		Dataset []inputField `json:"dataset"`
	}
	if !read(facet, &l) {
		return nil
	}
	n := 0
	derive := func(in inputField, to lineage.Ref, description, kind string) error {
		if n++; n > lineage.MaxBatch {
			return tallystick.Errorf(tallystick.Invalid, "column lineage of %s has more than %d edges", source, lineage.MaxBatch)
		}
		from, err := named(lineage.Source, in.Namespace, in.Name)
		if err != nil || in.Field == "" {
			return err
		}
		if c := column(from, in.Field); c != to {
			w.edge(c, lineage.Derived, to, how(in.Transformations, description, kind))
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		f, to := l.Fields[name], column(source, name)
		if name == "" {
			continue
		}
		w.edge(to, lineage.Part, source, "")
		for _, in := range f.Inputs {
			if err := derive(in, to, f.Description, f.Type); err != nil {
				return err
			}
		}
	}
	for _, in := range l.Dataset { // it shaped every row, as a filter or a join does
		if err := derive(in, source, "", ""); err != nil {
			return err
		}
	}
	return nil
}

// how says how a column was made, in at most maxReason bytes.
func how(ts []transformation, description, kind string) string {
	var words []string
	for _, t := range ts {
		one := strings.ToLower(strings.Trim(t.Type+" "+t.Subtype, " "))
		if t.Masking {
			one += " (masked)"
		}
		if t.Description != "" {
			one += ": " + t.Description
		}
		words = append(words, one)
	}
	if description != "" || kind != "" {
		words = append(words, strings.Trim(strings.ToLower(kind)+": "+description, ": "))
	}
	slices.Sort(words)
	return clean(strings.Join(slices.Compact(words), "; "), maxReason)
}

package openlineage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/gowebpki/jcs"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
)

const (
	maxFact   = 1500 // bytes of a fact; a longer one is kept as its digest
	maxReason = 2 << 10
	maxKept   = 40 // facets of one thing; the rest is kept as one digest
)

// keep says what of a facet becomes a fact.
type keep int

const (
	byDigest keep = iota // what is not known, or may hold secrets
	whole                // the facet, as canonical JSON without its own two members
	skip                 // it became nodes and edges
)

// What becomes of the facets of runs, jobs and data sets. Facets that are not listed are kept as a
// digest.
func runFacets(name string) keep {
	switch name {
	case "nominalTime", "processing_engine", "errorMessage", "tags", "externalQuery":
		return whole
	case "parent":
		return skip
	}
	return byDigest // environmentVariables and executionParameters too
}

func jobFacets(name string) keep {
	switch name {
	case "sql", "documentation", "ownership", "jobType", "tags", "sourceCodeLocation":
		return whole
	}
	return byDigest // sourceCode too: its digest is what matters
}

func datasetFacets(name string) keep {
	switch name {
	case "schema", "documentation", "ownership", "version", "dataSource", "storage", "datasetType", "lifecycleStateChange", "tags",
		"dataQualityMetrics", "dataQualityAssertions", "inputStatistics", "outputStatistics", "catalog", "symlinks", "hierarchy":
		return whole
	case "columnLineage", "tallystick_model":
		return skip
	}
	return byDigest
}

// facts returns what becomes of facets, never nil.
func (w *writer) facts(all facets, choose func(string) keep) map[string]string {
	facts := map[string]string{}
	names := slices.Sorted(maps.Keys(all))
	var rest []string
	for _, name := range names {
		facet := all[name]
		kept := choose(name)
		switch {
		case kept == skip:
			continue
		case len(facts) >= maxKept || len(name) > 100 || clean(name, 100) != name || name == "":
			rest = append(rest, name+string(digest(facet)))
			continue
		}
		canonical, deleted := withoutOwn(facet)
		switch {
		case deleted:
			facts[factName(name, kept)] = "deleted"
		case kept == whole && len(canonical) <= maxFact:
			facts[factName(name, kept)] = canonical
		default:
			facts[factName(name, kept)] = string(digest([]byte(canonical)))
		}
	}
	if len(rest) > 0 {
		facts["facets"] = string(digest([]byte(strings.Join(rest, "\n"))))
	}
	return facts
}

func factName(facet string, kept keep) string {
	if kept == whole {
		return facet
	}
	return "facet:" + facet
}

// withoutOwn returns the canonical JSON of a facet without the members that say who made it and
// by what schema, and whether the facet says that it is deleted.
func withoutOwn(facet json.RawMessage) (canonical string, deleted bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(facet, &members) != nil || members == nil {
		return string(facet), false
	}
	deleted = string(members["_deleted"]) == "true"
	for _, own := range []string{"_producer", "_schemaURL", "_deleted"} {
		delete(members, own)
	}
	plain, err := json.Marshal(members)
	if err != nil {
		return string(facet), deleted
	}
	if text, err := jcs.Transform(plain); err == nil {
		plain = text
	}
	return string(plain), deleted
}

func digest(data []byte) tallystick.Digest { return tallystick.DigestOf(data) }

// clean returns text of at most n bytes without control characters.
func clean(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, s)
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n-3], "") + "..."
	}
	return s
}

// writer gathers a batch.
type writer struct {
	batch    lineage.Batch
	producer string
}

func (w *writer) node(ref lineage.Ref, facts map[string]string) {
	for name, value := range facts {
		if value = clean(strip(value), maxFact); value == "" {
			delete(facts, name)
			continue
		}
		facts[name] = value
	}
	if w.producer != "" {
		facts["producer"] = clean(strip(w.producer), 512)
	}
	w.batch.Nodes = append(w.batch.Nodes, lineage.Node{Ref: ref, Facts: facts})
}

func (w *writer) edge(from lineage.Ref, relation lineage.Relation, to lineage.Ref, reason string) {
	w.batch.Edges = append(w.batch.Edges, lineage.Edge{From: from, To: to, Relation: relation, Reason: reason})
}

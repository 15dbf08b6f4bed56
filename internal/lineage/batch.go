package lineage

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// Batch is what somebody tells of the lineage at once.
type Batch struct {
	// Origin says how it was told: a name such as "api", "run" or "openlineage".
	Origin string `json:"origin"`
	// Observed is when it was so. The zero time means when it is recorded, and then what is known
	// already is not told again.
	Observed time.Time   `json:"observed,omitzero"`
	Nodes    []Node      `json:"nodes,omitempty" maxItems:"10000"`
	Edges    []Edge      `json:"edges,omitempty" maxItems:"10000"`
	Rules    []UsageRule `json:"rules,omitempty" maxItems:"10000"`
}

const (
	// MaxBatch bounds the nodes, edges and rules of one batch together.
	MaxBatch = 10_000
	// clockSkew bounds how far ahead of our clock the time of an observation may be.
	clockSkew = 10 * time.Minute
)

// Validate returns an Invalid error that names the first part of the batch that cannot be recorded.
func (b Batch) Validate() error {
	if err := tallystick.ValidateName("origin", b.Origin); err != nil {
		return err
	}
	if n := len(b.Nodes) + len(b.Edges) + len(b.Rules); n == 0 || n > MaxBatch {
		return tallystick.Errorf(tallystick.Invalid, "a batch of lineage has %d nodes, edges and rules", n).
			WithHint("send 1 to %d at a time", MaxBatch)
	}
	if ms := b.Observed.UnixMilli(); !b.Observed.IsZero() && (ms < 0 || ms > maxTime) {
		return tallystick.Errorf(tallystick.Invalid, "nothing can have been observed in the year %d", b.Observed.Year())
	}
	for _, n := range b.Nodes {
		if err := n.validate(); err != nil {
			return err
		}
	}
	for _, e := range b.Edges {
		if err := e.validate(); err != nil {
			return err
		}
	}
	for _, r := range b.Rules {
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

const maxTime = 253402300799999 // the last millisecond of the year 9999

// merged is a batch with each node, edge and rule told once.
type merged struct {
	nodes map[Ref]Node
	edges map[Edge]Edge // by key
	rules map[Ref]UsageRule
}

// merge joins what a batch tells of one thing in several places. Two digests of one node are an
// Invalid error.
func (b Batch) merge() (merged, error) {
	m := merged{nodes: map[Ref]Node{}, edges: map[Edge]Edge{}, rules: map[Ref]UsageRule{}}
	for _, n := range b.Nodes {
		known, ok := m.nodes[n.Ref]
		if !ok {
			n.Event = 0
			n.Facts = maps.Clone(n.Facts)
			m.nodes[n.Ref] = n
			continue
		}
		if known.Digest != "" && n.Digest != "" && known.Digest != n.Digest || known.Model != "" && n.Model != "" && known.Model != n.Model {
			return merged{}, tallystick.Errorf(tallystick.Invalid, "node %s is told twice, with two digests or models", n.Ref)
		}
		known.Digest, known.Model = cmp.Or(known.Digest, n.Digest), cmp.Or(known.Model, n.Model)
		known.Label = max(known.Label, n.Label)
		for name, value := range n.Facts {
			if known.Facts == nil {
				known.Facts = map[string]string{}
			}
			known.Facts[name] = max(known.Facts[name], value)
		}
		if err := known.validate(); err != nil { // together they may be too much
			return merged{}, err
		}
		m.nodes[n.Ref] = known
	}
	for _, e := range b.Edges {
		e.Event = 0
		if known, ok := m.edges[e.key()]; ok {
			e.Reason, e.Script = max(e.Reason, known.Reason), max(e.Script, known.Script)
		}
		m.edges[e.key()] = e
	}
	for _, r := range b.Rules {
		if known, ok := m.rules[r.Node]; ok && encode(known.use()) >= encode(r.use()) {
			continue
		}
		m.rules[r.Node] = r
	}
	return m, nil
}

// refs returns every node that is named, in the order of kinds and ids.
func (m merged) refs() []Ref {
	seen := map[Ref]bool{}
	for r := range m.nodes {
		seen[r] = true
	}
	for e := range m.edges {
		seen[e.From], seen[e.To] = true, true
	}
	for r := range m.rules {
		seen[r] = true
	}
	return slices.SortedFunc(maps.Keys(seen), compareRefs)
}

func compareRefs(a, b Ref) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) }

func compareEdges(a, b Edge) int {
	return cmp.Or(compareRefs(a.From, b.From), compareRefs(a.To, b.To), cmp.Compare(a.Relation, b.Relation))
}

// Subject returns what the batch is most about, a version before anything else, and the first model
// that it names; both are for the record of an attempt, before it is known what is new.
func (b Batch) Subject() (resource trail.Resource, model string) {
	var refs []Ref
	for _, n := range b.Nodes {
		refs = append(refs, n.Ref)
		model = cmp.Or(model, n.model())
	}
	for _, e := range b.Edges {
		refs = append(refs, e.From, e.To)
	}
	for _, r := range b.Rules {
		refs = append(refs, r.Node)
	}
	for _, ref := range refs {
		model = cmp.Or(model, Node{Ref: ref}.model())
	}
	return foremost(refs, b.Origin), model
}

// foremost returns the node that a reader would look for first.
func foremost(refs []Ref, origin string) trail.Resource {
	order := []Kind{Version, Deployment, Run, Segment, Snapshot, Transformation}
	rank := func(ref Ref) int {
		if i := slices.Index(order, ref.Kind); i >= 0 {
			return i
		}
		return len(order)
	}
	if len(refs) == 0 {
		return trail.Resource{Type: "lineage", ID: origin}
	}
	first := slices.MinFunc(refs, func(a, b Ref) int { return cmp.Compare(rank(a), rank(b)) })
	return trail.Resource{Type: string(first.Kind), ID: first.ID}
}

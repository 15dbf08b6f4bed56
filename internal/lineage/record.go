package lineage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Graph puts questions to the lineage and proposes changes of it.
type Graph struct{ db *state.DB }

// New returns the lineage in db.
func New(db *state.DB) *Graph { return &Graph{db: db} }

// Record returns the changes that add to the lineage what the batch tells and what is not known yet,
// none if there is nothing. Each names at most one model: an edge between two models is in a change
// of both. A digest that differs from the known one, or another model, is a Conflict.
func (g *Graph) Record(tx *state.Tx, b Batch) ([]trail.Change, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	if late := b.Observed.Sub(tx.Now()); late > clockSkew {
		return nil, tallystick.Errorf(tallystick.Invalid, "lineage was observed %v from now", late.Round(clockSkew/10)).
			WithHint("set the clock of whoever told it")
	}
	m, err := b.merge()
	if err != nil {
		return nil, err
	}
	p := proposal{tx: tx, merged: m, known: map[Ref]*storedNode{}, undated: b.Observed.IsZero(), atMS: b.Observed.UnixMilli()}
	if p.undated {
		p.atMS = tx.Now().UnixMilli()
	}
	refs := m.refs()
	for _, ref := range refs {
		if p.known[ref], err = readNode(tx, ref); err != nil {
			return nil, err
		}
	}
	if err := p.prune(refs); err != nil {
		return nil, err
	}
	s := splitter{proposal: p, origin: b.Origin, open: map[string]*opened{}}
	s.split(refs)
	return s.changes, nil
}

// proposal is a batch beside what is known.
type proposal struct {
	merged
	tx      *state.Tx
	known   map[Ref]*storedNode // nil where there is none
	undated bool
	atMS    int64
}

// prune takes out of the batch what is known.
func (p *proposal) prune(refs []Ref) error {
	for _, ref := range refs {
		n, told := p.nodes[ref]
		known := p.known[ref]
		if known == nil || !told {
			continue
		}
		if n.Digest != "" && known.digest != "" && n.Digest != known.digest {
			return tallystick.Errorf(tallystick.Conflict, "%s has the digest %s, not %s", ref, known.digest.Short(), n.Digest.Short()).
				WithHint("a %s never changes: name what is new by another id", ref.Kind)
		}
		if model := n.model(); model != "" && known.model != "" && model != known.model {
			return tallystick.Errorf(tallystick.Conflict, "%s belongs to model %q, not to %q", ref, known.model, model).
				WithHint("name what is new by another id")
		}
		if p.pruneNode(&n, known) {
			delete(p.nodes, ref)
		} else {
			p.nodes[ref] = n
		}
	}
	for key, e := range p.edges {
		from, to := p.known[e.From], p.known[e.To]
		if from == nil || to == nil {
			continue
		}
		known, err := readEdge(p.tx, from.id, to.id, e.Relation)
		if err != nil {
			return err
		}
		now := said{e.Reason, e.Script}
		if known != nil && (now == said{} || p.undated && now == known.said || !known.yields(now, p.atMS)) {
			delete(p.edges, key)
		}
	}
	for ref, r := range p.rules {
		node := p.known[ref]
		if node == nil {
			continue
		}
		known, err := readRule(p.tx, node.id)
		if err != nil {
			return err
		}
		if known != nil && (p.undated && encode(known.use) == encode(r.use()) || !known.yields(r.use(), p.atMS)) {
			delete(p.rules, ref)
		}
	}
	return nil
}

// pruneNode takes out of n what is known and reports whether nothing is left.
func (p *proposal) pruneNode(n *Node, known *storedNode) bool {
	news := n.said()
	maps.DeleteFunc(news, func(name, value string) bool {
		old, ok := known.facts[name]
		if ok && p.undated && old.value == value {
			return true
		}
		return !maps.Clone(known.facts).add(map[string]string{name: value}, p.atMS)
	})
	n.Label = news[labelFact]
	delete(news, labelFact)
	n.Facts = news
	if known.digest != "" {
		n.Digest = ""
	}
	if known.model != "" {
		n.Model = ""
	}
	return n.Label == "" && len(n.Facts) == 0 && n.Digest == "" && n.Model == ""
}

// modelOf returns the model that a node belongs to, empty if to none.
func (p *proposal) modelOf(ref Ref) string {
	model := p.nodes[ref].Model
	if known := p.known[ref]; known != nil {
		model = cmp.Or(model, known.model)
	}
	return cmp.Or(model, Node{Ref: ref}.model())
}

// The bounds of one change. Its public fields stand in one leaf, of at most 65,535 bytes, in which a
// character takes two bytes at most; each sealed field has the same bound.
const (
	maxItems  = 1000
	maxPublic = 28 << 10
	maxSealed = 28 << 10
)

// splitter cuts a batch into changes.
type splitter struct {
	proposal
	origin  string
	only    bool // all is about one model at most
	model   string
	open    map[string]*opened // by model: the change that takes more
	changes []trail.Change
}

// opened is a change that takes more.
type opened struct {
	*Recorded
	place                 map[Ref]int
	items, public, sealed int
}

func (s *splitter) split(refs []Ref) {
	models := map[string]bool{}
	for _, ref := range refs {
		if model := s.modelOf(ref); model != "" {
			models[model] = true
			s.model = model
		}
	}
	s.only = len(models) <= 1
	for _, ref := range refs {
		if n, told := s.nodes[ref]; told {
			s.node(s.models(ref)[0], n, ref)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.edges), compareEdges) {
		for _, model := range s.models(key.From, key.To) {
			s.edge(model, s.edges[key])
		}
	}
	for _, ref := range slices.SortedFunc(maps.Keys(s.rules), compareRefs) {
		s.rule(s.models(ref)[0], s.rules[ref])
	}
}

// models returns the models of the nodes, at least one, which may be empty.
func (s *splitter) models(refs ...Ref) []string {
	if s.only {
		return []string{s.model}
	}
	var models []string
	for _, ref := range refs {
		if model := s.modelOf(ref); model != "" && !slices.Contains(models, model) {
			models = append(models, model)
		}
	}
	if len(models) == 0 {
		return []string{""}
	}
	slices.Sort(models)
	return models
}

// room returns the change of a model that takes so much more.
func (s *splitter) room(model string, public, sealed int) *opened {
	o := s.open[model]
	if o == nil || o.items >= maxItems || o.public+public > maxPublic || o.sealed+sealed > maxSealed {
		o = &opened{Recorded: &Recorded{Model: model, Origin: s.origin, ObservedMS: s.atMS}, place: map[Ref]int{}}
		s.open[model] = o
		s.changes = append(s.changes, o.Recorded)
	}
	o.items++
	o.public += public
	o.sealed += sealed
	return o
}

// at returns the place of a node in the list of a change.
func (o *opened) at(ref Ref) int {
	i, ok := o.place[ref]
	if !ok {
		i = len(o.Nodes)
		o.place[ref] = i
		o.Nodes = append(o.Nodes, ref)
	}
	return i
}

func (s *splitter) node(model string, n Node, ref Ref) {
	sealed := 0
	facts := n.said()
	for name, value := range facts {
		sealed += len(name) + len(value) + 8
	}
	if sealed > 0 {
		sealed += len(ref.String()) + 8
	}
	o := s.room(model, 2*len(ref.String())+len(n.Digest)+len(n.Model)+48, sealed)
	o.at(ref)
	if n.Digest != "" || n.Model != "" && ref.Kind != Version {
		put(&o.Attributes, ref, attributes{Digest: n.Digest, Model: n.Model})
	}
	if len(facts) > 0 {
		put(&o.Facts, ref, facts)
	}
}

func (s *splitter) edge(model string, e Edge) {
	o := s.room(model, len(e.From.String())+len(e.To.String())+len(e.Relation)+24, len(e.Reason)+len(e.Script)+64)
	l := link{o.at(e.From), o.at(e.To), e.Relation}
	o.Edges = append(o.Edges, l)
	if now := (said{e.Reason, e.Script}); now != (said{}) {
		put(&o.Reasons, l.String(), now)
	}
}

func (s *splitter) rule(model string, r UsageRule) {
	public := r.use()
	o := s.room(model, 2*len(r.Node.String())+len(encode(public))+16, len(r.Node.String())+len(r.Reason)+8)
	o.at(r.Node)
	put(&o.Rules, r.Node, public)
	if r.Reason != "" {
		put(&o.RuleReasons, r.Node, r.Reason)
	}
}

func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// String says how much a change adds.
func (r *Recorded) String() string {
	return fmt.Sprintf("%d nodes and %d edges", len(r.Nodes), len(r.Edges))
}

package lineage

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Recorded is the change that adds to the lineage: at most 1,000 nodes, edges and rules that concern
// one model, or none. Graph.Record makes it.
type Recorded struct {
	Model       string                    `json:"model,omitempty"`
	Origin      string                    `json:"origin"`
	ObservedMS  int64                     `json:"observed_ms"`
	Nodes       []Ref                     `json:"nodes"`
	Edges       []link                    `json:"edges,omitempty"`
	Attributes  map[Ref]attributes        `json:"attributes,omitempty"`
	Rules       map[Ref]use               `json:"rules,omitempty"`
	Facts       map[Ref]map[string]string `json:"facts,omitempty"`
	Reasons     map[string]said           `json:"reasons,omitempty"` // by the text form of a link
	RuleReasons map[Ref]string            `json:"rule_reasons,omitempty"`
}

// attributes are what never changes of a node.
type attributes struct {
	Digest tallystick.Digest `json:"digest,omitempty"`
	Model  string            `json:"model,omitempty"`
}

// said is what an edge says of itself.
type said struct {
	Reason string `json:"reason,omitempty"`
	Script string `json:"script,omitempty"`
}

// Changes returns the changes that the trail may tell of, for its replay.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{trail.LineageRecorded: func() trail.Change { return new(Recorded) }}
}

// Tables returns the tables that follow from the changes.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "lineage_nodes", Key: []string{"kind", "name"}, Columns: []string{"id", "model", "digest", "event"}},
		{Name: "lineage_edges", Key: []string{"from_node", "to_node", "relation"}, Columns: []string{"event"}},
		{Name: "lineage_rules", Key: []string{"node"}, Columns: []string{"allowed", "forbidden", "basis", "said_ms", "event"}},
	}
}

var _ trail.Change = (*Recorded)(nil)

// Subject returns the node that the change is most about: a version, else a deployment, a run, and so on.
func (r *Recorded) Subject() (trail.Type, trail.Resource) {
	return trail.LineageRecorded, foremost(r.Nodes, r.Origin)
}

// Apply writes the rows.
func (r *Recorded) Apply(tx *state.Tx, at trail.Mark) error {
	ids := make([]int64, len(r.Nodes))
	for i, ref := range r.Nodes {
		known, err := readNode(tx, ref)
		if err != nil {
			return err
		}
		if ids[i], err = r.applyNode(tx, at, ref, known); err != nil {
			return fmt.Errorf("write node %s: %w", ref, err)
		}
	}
	for _, l := range r.Edges {
		if l.from < 0 || l.to < 0 || l.from >= len(ids) || l.to >= len(ids) {
			return tallystick.Errorf(tallystick.Invalid, "edge %q leads out of the list of nodes", l.String())
		}
		if err := r.applyEdge(tx, at, ids[l.from], ids[l.to], l); err != nil {
			return fmt.Errorf("write edge %s: %w", l, err)
		}
	}
	for i, ref := range r.Nodes {
		if u, ok := r.Rules[ref]; ok {
			if err := r.applyRule(tx, at, ids[i], u, r.RuleReasons[ref]); err != nil {
				return fmt.Errorf("write rule of %s: %w", ref, err)
			}
		}
	}
	return nil
}

func (r *Recorded) applyNode(tx *state.Tx, at trail.Mark, ref Ref, known *storedNode) (int64, error) {
	fixed := r.Attributes[ref]
	if ref.Kind == Version {
		fixed.Model = Node{Ref: ref}.model()
	}
	if known == nil {
		var id int64
		if err := tx.QueryRow("SELECT coalesce(max(id), 0) + 1 FROM lineage_nodes").Scan(&id); err != nil {
			return 0, err
		}
		facts := facts{}
		facts.add(r.Facts[ref], r.ObservedMS)
		_, err := tx.Exec("INSERT INTO lineage_nodes (id, kind, name, model, digest, label, facts, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			id, string(ref.Kind), ref.ID, orNull(fixed.Model), orNull(string(fixed.Digest)), orNull(facts.label()), orNull(facts.encode()), int64(at.Sequence))
		return id, err
	}
	next := *known
	next.facts = maps.Clone(known.facts)
	more := next.facts.add(r.Facts[ref], r.ObservedMS)
	next.digest, next.model = cmp.Or(known.digest, fixed.Digest), cmp.Or(known.model, fixed.Model)
	if !more && next.digest == known.digest && next.model == known.model {
		return known.id, nil
	}
	_, err := tx.Exec("UPDATE lineage_nodes SET model = ?, digest = ?, label = ?, facts = ? WHERE id = ?",
		orNull(next.model), orNull(string(next.digest)), orNull(next.facts.label()), orNull(next.facts.encode()), known.id)
	return known.id, err
}

func (r *Recorded) applyEdge(tx *state.Tx, at trail.Mark, from, to int64, l link) error {
	known, err := readEdge(tx, from, to, l.relation)
	if err != nil {
		return err
	}
	now, told := r.Reasons[l.String()]
	if known == nil {
		var when any
		if told {
			when = r.ObservedMS
		}
		_, err := tx.Exec("INSERT INTO lineage_edges (from_node, to_node, relation, reason, script, said_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?)",
			from, to, string(l.relation), orNull(now.Reason), orNull(now.Script), when, int64(at.Sequence))
		return err
	}
	if !told || !known.yields(now, r.ObservedMS) {
		return nil
	}
	_, err = tx.Exec("UPDATE lineage_edges SET reason = ?, script = ?, said_ms = ? WHERE from_node = ? AND to_node = ? AND relation = ?",
		orNull(now.Reason), orNull(now.Script), r.ObservedMS, from, to, string(l.relation))
	return err
}

func (r *Recorded) applyRule(tx *state.Tx, at trail.Mark, node int64, u use, reason string) error {
	known, err := readRule(tx, node)
	if err != nil {
		return err
	}
	if known != nil && !known.yields(u, r.ObservedMS) {
		return nil
	}
	_, err = tx.Exec(`INSERT INTO lineage_rules (node, allowed, forbidden, basis, reason, said_ms, event) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (node) DO UPDATE SET allowed = excluded.allowed, forbidden = excluded.forbidden, basis = excluded.basis,
			reason = excluded.reason, said_ms = excluded.said_ms, event = excluded.event`,
		node, encode(append([]string{}, u.Allowed...)), encode(append([]string{}, u.Forbidden...)), u.Basis, orNull(reason), r.ObservedMS, int64(at.Sequence))
	return err
}

// storedNode, storedEdge and storedRule are rows.
type storedNode struct {
	id     int64
	model  string
	digest tallystick.Digest
	facts  facts
	event  uint64
}

type storedEdge struct {
	said
	atMS *int64 // nil: it says nothing
}

type storedRule struct {
	use
	atMS int64
}

// yields reports whether what is said of an edge at another time replaces what is known.
func (e storedEdge) yields(now said, atMS int64) bool {
	return e.atMS == nil || cmp.Or(cmp.Compare(atMS, *e.atMS), cmp.Compare(now.Reason, e.Reason), cmp.Compare(now.Script, e.Script)) > 0
}

// yields does the same of a rule. It looks at nothing that is sealed.
func (r storedRule) yields(now use, atMS int64) bool {
	return cmp.Or(cmp.Compare(atMS, r.atMS), cmp.Compare(encode(now), encode(r.use))) > 0
}

func readNode(tx *state.Tx, ref Ref) (*storedNode, error) {
	var n storedNode
	var model, digest, known sql.NullString
	err := tx.QueryRow("SELECT id, model, digest, facts, event FROM lineage_nodes WHERE kind = ? AND name = ?", string(ref.Kind), ref.ID).
		Scan(&n.id, &model, &digest, &known, &n.event)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		n.model, n.digest = model.String, tallystick.Digest(digest.String)
		n.facts, err = parseFacts(known.String)
	}
	if err != nil {
		return nil, fmt.Errorf("read node %s: %w", ref, err)
	}
	return &n, nil
}

func readEdge(tx *state.Tx, from, to int64, relation Relation) (*storedEdge, error) {
	var e storedEdge
	var reason, script sql.NullString
	err := tx.QueryRow("SELECT reason, script, said_ms FROM lineage_edges WHERE from_node = ? AND to_node = ? AND relation = ?", from, to, string(relation)).
		Scan(&reason, &script, &e.atMS)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read edge: %w", err)
	}
	e.said = said{reason.String, script.String}
	return &e, nil
}

func readRule(tx *state.Tx, node int64) (*storedRule, error) {
	var r storedRule
	var allowed, forbidden string
	err := tx.QueryRow("SELECT allowed, forbidden, basis, said_ms FROM lineage_rules WHERE node = ?", node).Scan(&allowed, &forbidden, &r.Basis, &r.atMS)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(allowed), &r.Allowed), json.Unmarshal([]byte(forbidden), &r.Forbidden))
	}
	if err != nil {
		return nil, fmt.Errorf("read rule: %w", err)
	}
	return &r, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

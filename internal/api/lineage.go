package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/openlineage"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

type recordLineageInput struct {
	Request
	Body lineage.Batch
}

type setRuleInput struct {
	Request
	Body lineage.UsageRule
}

// RuleQuery asks what a node may be used for.
type RuleQuery struct {
	Node    string `query:"node" required:"true" maxLength:"600" doc:"KIND:ID, such as column:core/loans#income"`
	Purpose string `query:"purpose" maxLength:"64" doc:"say which rules forbid it"`
}

// Uses is what was made of one kind from a node.
type Uses struct {
	Items []lineage.Use `json:"items"`
	Cut   string        `json:"cut,omitempty" enum:"depth,size" doc:"why there may be more"`
}

// walkQuery asks what lies up or down from a node.
type walkQuery struct {
	Node  string `query:"node" required:"true" maxLength:"600" doc:"KIND:ID, such as version:credit@3 or snapshot:loans@2026-03"`
	Depth int    `query:"depth" default:"20" minimum:"1" maximum:"100" doc:"edges away from the node"`
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"10000" doc:"nodes walked over"`
	Kinds string `query:"kinds" maxLength:"256" doc:"return only nodes of these kinds, separated by commas, with the way to each"`
	Facts bool   `query:"facts" doc:"with facts, reasons and scripts"`
}

func (q walkQuery) options() (node lineage.Ref, o lineage.Options, err error) {
	o = lineage.Options{Depth: q.Depth, Limit: q.Limit, Facts: q.Facts}
	if q.Kinds != "" {
		o.Paths = true
		for kind := range strings.SplitSeq(q.Kinds, ",") {
			o.Kinds = append(o.Kinds, lineage.Kind(strings.TrimSpace(kind)))
		}
	}
	node, err = lineage.ParseRef(q.Node)
	return node, o, err
}

func (s *server) lineage(mux *http.ServeMux) {
	act(s, operation("record-lineage", http.MethodPost, "/lineage/records", "Record what was made from what", "lineage", http.StatusConflict),
		func(_ context.Context, in recordLineageInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return s.recordLineage(in.Body), done
		})
	s.usageRules()
	walk := func(way func(context.Context, lineage.Ref, lineage.Options) (lineage.Walk, error)) func(context.Context, *walkQuery) (lineage.Walk, error) {
		return func(ctx context.Context, in *walkQuery) (lineage.Walk, error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return lineage.Walk{}, err
			}
			node, o, err := in.options()
			if err != nil {
				return lineage.Walk{}, err
			}
			return way(ctx, node, o)
		}
	}
	ask(s, operation("get-lineage-up", http.MethodGet, "/lineage/up", "Say what something was made from", "lineage", http.StatusNotFound), walk(s.Lineage.Up))
	ask(s, operation("get-lineage-down", http.MethodGet, "/lineage/down", "Say what was made from something", "lineage", http.StatusNotFound), walk(s.Lineage.Down))
	ask(s, operation("get-lineage-path", http.MethodGet, "/lineage/path", "Say by which way data went from one thing to another", "lineage", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			From string `query:"from" required:"true" maxLength:"600" doc:"KIND:ID"`
			To   string `query:"to" required:"true" maxLength:"600" doc:"KIND:ID"`
		},
		) (page[lineage.Edge], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[lineage.Edge]{}, err
			}
			from, err := lineage.ParseRef(in.From)
			if err != nil {
				return page[lineage.Edge]{}, err
			}
			to, err := lineage.ParseRef(in.To)
			if err != nil {
				return page[lineage.Edge]{}, err
			}
			found, err := s.Lineage.Path(ctx, from, to)
			return pageOf(found, len(found), nil), err
		})
	mux.Handle(Prefix+"/lineage", s.receiveLineage())
	mux.Handle(Prefix+"/lineage/batch", s.receiveLineage())
}

func (s *server) recordLineage(b lineage.Batch) registry.Command {
	return registry.Command{
		Action: access.LineageRecord, Resource: trail.Resource{Type: "lineage", ID: b.Origin},
		Propose: func(tx *state.Tx) ([]trail.Change, error) {
			if len(b.Rules) > 0 { // whoever may tell what was made from what may not say what for
				return nil, tallystick.Errorf(tallystick.Invalid, "what is told of lineage has %d rules of use", len(b.Rules)).
					WithHint("send each to %s/lineage/rules, or use `tallystick lineage rule`", Prefix)
			}
			return s.Lineage.Record(tx, b)
		},
	}
}

// usageRules says what may be used for what.
func (s *server) usageRules() {
	act(s, operation("set-usage-rule", http.MethodPost, "/lineage/rules", "Say what a column, feature, source or snapshot may be used for", "lineage"),
		func(_ context.Context, in setRuleInput) (registry.Command, func(tx *state.Tx) (lineage.UsageRule, error)) {
			return registry.Command{
				Action: access.UsageRuleWrite, Resource: trail.Resource{Type: "lineage", ID: in.Body.Node.String()},
				Propose: func(tx *state.Tx) ([]trail.Change, error) {
					return s.Lineage.Record(tx, lineage.Batch{Origin: "api", Rules: []lineage.UsageRule{in.Body}})
				},
			}, func(*state.Tx) (lineage.UsageRule, error) { return in.Body, nil }
		})
	ask(s, operation("get-usage-rules", http.MethodGet, "/lineage/rules", "Say what something may be used for, by the rules of all that it was made from", "lineage", http.StatusNotFound),
		func(ctx context.Context, in *RuleQuery) (use lineage.Use, err error) {
			if err = s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return use, err
			}
			node, err := lineage.ParseRef(in.Node)
			if err != nil {
				return use, err
			}
			return s.Lineage.Rules(ctx, node, in.Purpose)
		})
	ask(s, operation("get-uses", http.MethodGet, "/lineage/uses", "Say which features, versions or others came from something, and under which rules of use", "lineage", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			RuleQuery
			Kind lineage.Kind `query:"kind" default:"feature" doc:"of what is returned"`
		},
		) (uses Uses, err error) {
			if err = s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return uses, err
			}
			node, err := lineage.ParseRef(in.Node)
			if err != nil {
				return uses, err
			}
			uses.Items, uses.Cut, err = s.Lineage.Uses(ctx, node, in.Kind, in.Purpose)
			if uses.Items == nil {
				uses.Items = []lineage.Use{}
			}
			return uses, err
		})
}

// told adds to the changes of a command what they mean for the lineage, before them, so that the
// command's receipt is that of its own event. A command that changes nothing adds nothing.
func (s *server) told(propose func(tx *state.Tx) ([]trail.Change, error), nodes []lineage.Node, edges []lineage.Edge) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		changes, err := propose(tx)
		if err != nil || len(changes) == 0 {
			return nil, err
		}
		first, err := s.Lineage.Record(tx, lineage.Batch{Origin: "catalog", Nodes: nodes, Edges: edges})
		return append(first, changes...), err
	}
}

// ofVersion returns the node of a version, and the edges to it from what made it.
func ofVersion(model, version string, d catalog.VersionDetails, files artifact.Manifest) ([]lineage.Node, []lineage.Edge, error) {
	node := lineage.Node{Ref: lineage.VersionRef(model, version), Model: model}
	if files.Len() > 0 {
		digest, err := files.Digest()
		if err != nil {
			return nil, nil, err
		}
		node.Digest = digest
	}
	nodes := []lineage.Node{node}
	var edges []lineage.Edge
	from := func(kind lineage.Kind, id string, relation lineage.Relation) {
		if id != "" {
			nodes = append(nodes, lineage.Node{Ref: lineage.Ref{Kind: kind, ID: id}})
			edges = append(edges, lineage.Edge{From: lineage.Ref{Kind: kind, ID: id}, To: node.Ref, Relation: relation})
		}
	}
	from(lineage.Run, d.Run, lineage.Trained)
	from(lineage.Code, d.CodeCommit, lineage.Derived)
	from(lineage.Image, string(d.Image), lineage.Derived)
	return nodes, edges, nil
}

// receiveLineage takes events of OpenLineage, whose clients know two paths.
func (s *server) receiveLineage() http.Handler {
	receiver := openlineage.Handler(func(ctx context.Context, b lineage.Batch) error {
		c := s.recordLineage(b)
		c.Principal = caller(ctx)
		_, err := s.Registry.Do(ctx, c)
		return err
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := unknown(r.Context()); err != nil {
			s.refuse(w, err)
			return
		}
		receiver.ServeHTTP(w, r)
	})
}

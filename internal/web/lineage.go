package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/lineage"
)

const (
	drawnNodes    = 80 // each way, in one picture
	drawnDepth    = 6
	deepest       = 20
	nodesPerPage  = 100
	everythingWay = "both"
)

// lineagePage is what one node was made from and what was made from it.
type lineagePage struct {
	Node   string // as it was asked for
	Way    string // up, down or both
	Depth  int
	Start  lineage.Node
	Href   string // of what the start stands for, if it has a page
	Up     []lineageStep
	Down   []lineageStep
	Cut    string // in words, empty if this is all
	Rules  []lineage.Applied
	Uses   []lineage.Use // features that were made from it
	Graph  *drawing
	Kinds  []lineage.Kind
	Kind   lineage.Kind // of the list
	Nodes  []lineageStep
	More   string // address of the rest of the list
	Listed bool
}

// lineageStep is a node in a list.
type lineageStep struct {
	lineage.Node
	Depth int
	Href  string   // its own lineage
	By    []string // the edges that lead to it, in words
}

func (s *server) lineage(v *visit) error {
	page := lineagePage{Node: strings.TrimSpace(v.query("node")), Way: v.query("way"), Kinds: lineage.Kinds(), Kind: lineage.Kind(v.query("kind"))}
	if page.Way != "up" && page.Way != "down" {
		page.Way = everythingWay
	}
	page.Depth = drawnDepth
	if n, err := strconv.Atoi(v.query("depth")); err == nil {
		page.Depth = min(max(n, 1), deepest)
	}
	if page.Node == "" {
		return s.lineageList(v, page)
	}
	ref, err := lineage.ParseRef(page.Node)
	if err != nil {
		return err
	}
	options := lineage.Options{Depth: page.Depth, Limit: drawnNodes, Facts: true}
	if !v.discloses() {
		options.Facts = false // they are sealed, as are reasons
	}
	var up, down lineage.Walk
	if page.Way != "down" {
		if up, err = s.Lineage.Up(v.ctx(), ref, options); err != nil {
			return err
		}
		page.Start, page.Up = up.Start, steps(up)
	}
	if page.Way != "up" {
		if down, err = s.Lineage.Down(v.ctx(), ref, options); err != nil {
			return err
		}
		page.Start, page.Down = down.Start, steps(down)
	}
	page.Cut = cutWords(up.Cut, down.Cut, page.Depth)
	page.Href = pageOf(page.Start.Ref)
	use, err := s.Lineage.Rules(v.ctx(), ref, "")
	if err != nil {
		return err
	}
	page.Rules = use.Rules
	if page.Way != "up" && slices.Contains([]lineage.Kind{lineage.Source, lineage.Column, lineage.Snapshot}, ref.Kind) {
		if page.Uses, _, err = s.Lineage.Uses(v.ctx(), ref, lineage.Feature, ""); err != nil {
			return err
		}
		page.Uses = page.Uses[:min(len(page.Uses), drawnNodes)]
	}
	page.Graph = draw(up, down, page.Way)
	return s.show(v, "lineage", "Lineage of "+nameOf(page.Start), page)
}

// lineageList shows nodes to begin at.
func (s *server) lineageList(v *visit, page lineagePage) error {
	page.Listed = true
	f := lineage.Filter{Kind: page.Kind, Limit: nodesPerPage + 1}
	if after := v.query("after"); after != "" {
		ref, err := lineage.ParseRef(after)
		if err != nil {
			return err
		}
		f.After = ref
	}
	nodes, err := s.Lineage.Nodes(v.ctx(), f)
	if err != nil {
		return err
	}
	if len(nodes) > nodesPerPage {
		nodes = nodes[:nodesPerPage]
		q := url.Values{"after": {nodes[nodesPerPage-1].Ref.String()}}
		if page.Kind != "" {
			q.Set("kind", string(page.Kind))
		}
		page.More = "/lineage?" + q.Encode()
	}
	for _, n := range nodes {
		page.Nodes = append(page.Nodes, lineageStep{Node: n, Href: lineageOf(n.Ref)})
	}
	return s.show(v, "lineage", "Lineage", page)
}

// steps returns the nodes of a walk with the edges between them and what was met before, in words.
func steps(w lineage.Walk) []lineageStep {
	by := map[lineage.Ref][]string{}
	depth := map[lineage.Ref]int{w.Start.Ref: 0}
	for _, n := range w.Nodes {
		depth[n.Ref] = n.Depth
	}
	for _, e := range w.Edges {
		far := e.From
		if depth[e.To] > depth[e.From] {
			far = e.To
		}
		line := e.From.ID + " " + verb(e.Relation) + " " + e.To.ID
		if e.Reason != "" {
			line += ", because " + e.Reason
		}
		by[far] = append(by[far], line)
	}
	var all []lineageStep
	for _, n := range w.Nodes {
		all = append(all, lineageStep{Node: n.Node, Depth: n.Depth, Href: lineageOf(n.Ref), By: by[n.Ref]})
	}
	return all
}

// verb writes a relation as it stands between the two nodes.
func verb(r lineage.Relation) string {
	switch r {
	case lineage.Read:
		return "was read by"
	case lineage.Derived:
		return "became"
	case lineage.Part:
		return "is part of"
	case lineage.Deployed:
		return "was deployed as"
	}
	return string(r)
}

// cutWords says why a picture is not all there is.
func cutWords(up, down string, depth int) string {
	var says []string
	for _, side := range []struct{ cut, word string }{{up, "upstream"}, {down, "downstream"}} {
		switch side.cut {
		case lineage.CutDepth:
			says = append(says, side.word+" goes on beyond "+plural(depth, "step"))
		case lineage.CutSize:
			says = append(says, side.word+" has more than is shown here")
		}
	}
	return sentence(strings.Join(says, ", and "))
}

// lineageOf returns the address of a node's lineage.
func lineageOf(ref lineage.Ref) string {
	return "/lineage?" + url.Values{"node": {ref.String()}}.Encode()
}

// pageOf returns the address of what a node stands for, empty if it has no page but its lineage.
func pageOf(ref lineage.Ref) string {
	if ref.Kind != lineage.Version {
		return ""
	}
	model, version, _ := strings.Cut(ref.ID, "@")
	return versionAddress(model, version)
}

func modelAddress(model string) string { return "/models/" + url.PathEscape(model) }

func versionAddress(model, version string) string {
	return modelAddress(model) + "/versions/" + url.PathEscape(version)
}

// nameOf returns the label of a node, or its id.
func nameOf(n lineage.Node) string {
	if n.Label != "" {
		return n.Label
	}
	return n.Ref.ID
}

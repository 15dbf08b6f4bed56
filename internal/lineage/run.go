package lineage

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/provenance"
)

// RunOrigin is the origin of the batches of runs.
const RunOrigin = "run"

// Product is the version of a model that a run trained. The zero value is none.
type Product struct{ Model, Version string }

// FromRun returns what a run tells of the lineage: its inputs and outputs as snapshots, its commit,
// image and pipeline, and the version that it trained. A run that failed trained nothing. Inputs are
// the snapshots that they were before the run. The batch is ready to be recorded.
func FromRun(r provenance.Run, product Product) Batch {
	run := Ref{Run, r.ID}
	b := Batch{Origin: RunOrigin, Observed: r.Ended}
	p := r.Provenance
	facts := map[string]string{}
	for name, value := range map[string]any{
		"command": r.Command, "exit_code": r.ExitCode, "params": r.Params, "env": r.Env, "seeds": p.Seeds, "hardware": p.Hardware,
		"python": p.Python, "pins": p.Pins, "code": p.Code, "notes": r.Notes, "unread": p.Unread, "started": r.Started,
	} {
		if text := factText(value); text != "" {
			facts[name] = text
		}
	}
	owner := product.Model
	if r.ExitCode != 0 {
		product = Product{}
	}
	b.Nodes = append(b.Nodes, Node{Ref: run, Label: shorten(strings.Join(r.Command, " "), maxLabel), Model: owner, Facts: facts})
	if p.Code != nil && p.Code.Commit != "" {
		b.Edges = append(b.Edges, Edge{From: codeRef(p.Code), To: run, Relation: Defines})
	}
	if p.Image != "" && plain(p.Image) && len(p.Image) <= maxID {
		b.Edges = append(b.Edges, Edge{From: Ref{Image, p.Image}, To: run, Relation: Defines})
	}
	for _, item := range r.Inputs {
		n := snapshotOf(item)
		b.Nodes = append(b.Nodes, n)
		b.Edges = append(b.Edges, Edge{From: n.Ref, To: run, Relation: Read})
	}
	for _, item := range r.Outputs {
		if item.Missing || item.Untouched {
			continue
		}
		n := snapshotOf(item)
		b.Nodes = append(b.Nodes, n)
		if !slices.ContainsFunc(b.Edges, func(e Edge) bool { return e.From == n.Ref && e.Relation == Read }) {
			b.Edges = append(b.Edges, Edge{From: run, To: n.Ref, Relation: Wrote})
		}
	}
	if product != (Product{}) {
		b.Edges = append(b.Edges, Edge{From: run, To: VersionRef(product.Model, product.Version), Relation: Trained})
	}
	addStages(&b, p)
	return b
}

func codeRef(c *provenance.Code) Ref {
	id := c.Commit
	if c.Remote != "" && plain(c.Remote) && len(c.Remote)+len(id) < maxID {
		id = c.Remote + "@" + id
	}
	return Ref{Code, id}
}

// snapshotOf returns the snapshot of an item, named by its path and the beginning of its digest.
func snapshotOf(item provenance.Item) Node {
	path := oneLine(item.Path)
	n := Node{Ref: Ref{Snapshot, shorten(path, maxID-16) + "@" + item.Digest.Short()}, Label: shorten(path, maxLabel), Digest: item.Digest}
	n.Facts = map[string]string{"size": factText(item.Size), "files": factText(item.Files)}
	return n
}

// addStages makes every stage of a pipeline a transformation of what it read into what it wrote, with
// its command as the reason.
func addStages(b *Batch, p provenance.Provenance) {
	script := ""
	if p.Code != nil {
		script = p.Code.Commit
	}
	for _, s := range p.Stages {
		id := "dvc/" + s.Name
		if p.Code != nil && p.Code.Remote != "" {
			id = p.Code.Remote + "#" + s.Name
		}
		does := Ref{Transformation, shorten(oneLine(id), maxID)}
		facts := map[string]string{}
		for name, value := range map[string]any{"command": s.Command, "params": s.Params} {
			if text := factText(value); text != "" {
				facts[name] = text
			}
		}
		b.Nodes = append(b.Nodes, Node{Ref: does, Facts: facts})
		for _, d := range s.Deps {
			b.Edges = append(b.Edges, Edge{From: depRef(d), To: does, Relation: Read, Script: script})
		}
		for _, d := range s.Outs {
			b.Edges = append(b.Edges, Edge{From: does, To: depRef(d), Relation: Wrote, Script: script})
		}
	}
}

func depRef(d provenance.Dep) Ref {
	if d.Hash == "" {
		return Ref{Source, shorten(oneLine(d.Path), maxID)}
	}
	return Ref{Snapshot, shorten(oneLine(d.Path), maxID-140) + "@" + shorten(oneLine(d.Hash), 139)}
}

// factText returns a fact: JSON but for text, and the digest of what is too long. Nothing is empty.
func factText(value any) string {
	fact, isText := value.(string)
	if !isText {
		fact = encode(value)
	}
	switch fact {
	case "null", "{}", "[]":
		return ""
	}
	if len(fact) > maxFactBytes/maxRunFacts || !text(fact) {
		return string(tallystick.DigestOf([]byte(fact)))
	}
	return fact
}

// maxRunFacts is no less than the number of facts of a run, so that all of them fit.
const maxRunFacts = 13

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func shorten(s string, n int) string {
	s = oneLine(s)
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-16], "") + "..." + tallystick.DigestOf([]byte(s)).Short()
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
)

func (a *app) lineage() *cobra.Command {
	var up, down bool
	var depth, limit int
	var kinds []string
	cmd := &cobra.Command{
		Use:   "lineage MODEL@VERSION|KIND:ID",
		Short: "Say what something was made from, or what was made from it",
		Long: `Lineage walks up to sources, code and runs, or down to versions, deployments and predictions. With --kind
it returns only those, each with the way to it.

Kinds: ` + strings.Join(kindNames(), ", ") + `.`,
		Example: `  tallystick lineage credit@3
  tallystick lineage snapshot:loans@2026-03 --down --kind version,deployment`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&up, "up", false, "what it was made from (default)")
	flags.BoolVar(&down, "down", false, "what was made from it")
	flags.IntVar(&depth, "depth", 20, "how many steps away, at most 100")
	flags.IntVar(&limit, "limit", 1000, "how many things are walked over, at most 3,000; with --kind 10,000")
	flags.StringSliceVar(&kinds, "kind", nil, "only these `kinds`, with the way to each")
	cmd.AddCommand(a.lineageUses(), a.lineageRule())
	return asks(a, cmd, question[lineage.Walk]{
		ask: func(ctx context.Context, s *session, args []string) (walk lineage.Walk, err error) {
			if up && down {
				return walk, usageError(cmd, "--up and --down exclude each other")
			}
			node, err := nodeName(args[0])
			if err != nil {
				return walk, err
			}
			q := chosen("node", node, "kinds", strings.Join(kinds, ","), "depth", strconv.Itoa(depth), "limit", strconv.Itoa(limit), "facts", "true")
			way := "/lineage/up?"
			if down {
				way = "/lineage/down?"
			}
			return walk, s.Get(ctx, way+q.Encode(), &walk)
		},
		text: printWalk,
	})
}

func kindNames() (names []string) {
	for _, kind := range lineage.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

// nodeName reads KIND:ID, or MODEL@VERSION for a version.
func nodeName(s string) (string, error) {
	if strings.Contains(s, ":") {
		ref, err := lineage.ParseRef(s)
		return ref.String(), err
	}
	model, version, err := catalog.ParseVersionName(s)
	if err == nil && version == "" {
		err = tallystick.Errorf(tallystick.Invalid, "%q names nothing of the lineage", s).WithHint("write MODEL@VERSION, or KIND:ID such as snapshot:loans@2026-03")
	}
	return lineage.VersionRef(model, version).String(), err
}

func printWalk(w io.Writer, walk lineage.Walk) {
	fmt.Fprintf(w, "%s\n", walk.Start.Ref)
	if len(walk.Nodes) == 0 {
		fmt.Fprintln(w, "nothing is known in that direction")
	} else {
		fmt.Fprintln(w, "\nSTEPS\tKIND\tID\tDIGEST\tLABEL")
	}
	for _, n := range walk.Nodes {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", n.Depth, n.Ref.Kind, n.Ref.ID, orDash(n.Digest.Short()), orDash(shorten(n.Label, 60)))
	}
	edges := walk.Edges
	for _, n := range walk.Nodes {
		edges = append(edges, n.Path...)
	}
	if len(edges) > 0 {
		fmt.Fprintln(w, "\nFROM\tRELATION\tTO\tWHY")
	}
	told := map[string]bool{}
	for _, e := range edges {
		if line := fmt.Sprintf("%s\t%s\t%s", e.From, e.Relation, e.To); !told[line] {
			told[line] = true
			fmt.Fprintf(w, "%s\t%s\n", line, orDash(strings.TrimSpace(e.Reason+" "+e.Script)))
		}
	}
	switch walk.Cut {
	case lineage.CutDepth:
		fmt.Fprintln(w, "there is more beyond this depth: ask with a larger --depth")
	case lineage.CutSize:
		fmt.Fprintln(w, "this is not all: ask with a larger --limit, or for one --kind")
	}
}

func (a *app) diff() *cobra.Command {
	return asks(a, &cobra.Command{
		Use:   "diff MODEL@A MODEL@B",
		Short: "Say how one version differs from another, what matters most first",
		Long: `Diff compares files, code, parameters, seeds, libraries, image, data with the columns that moved, metrics
beyond chance, and evidence. What cannot be told because one side is not on record is named.`,
		Example: `  tallystick diff credit@2 credit@3`,
		Args:    cobra.ExactArgs(2),
	}, question[catalog.Diff]{
		ask: func(ctx context.Context, s *session, args []string) (d catalog.Diff, err error) {
			model, from, err := versionName(args[0])
			if err != nil {
				return d, err
			}
			other, to, err := versionName(args[1])
			if err != nil {
				return d, err
			}
			if model != other {
				return d, tallystick.Errorf(tallystick.Invalid, "%s and %s are versions of different models", args[0], args[1]).WithHint("compare two versions of one model")
			}
			return d, s.Get(ctx, modelPath(model)+"/diff?"+chosen("from", from, "to", to).Encode(), &d)
		},
		text: func(w io.Writer, d catalog.Diff) {
			fmt.Fprintln(w, d.Headline)
			if len(d.Lines) > 0 {
				fmt.Fprintln(w, "\nPART\tDIFFERENCE")
			}
			for _, l := range d.Lines {
				fmt.Fprintf(w, "%s\t%s\n", strings.ReplaceAll(string(l.Area), "_", " "), l.Text)
			}
			if len(d.Open) > 0 {
				fmt.Fprintln(w, "\nWhat cannot be told:")
			}
			for _, open := range d.Open {
				fmt.Fprintf(w, "  %s\n", open)
			}
		},
	})
}

package expectation

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../examples/monitors/credit_test.yaml")
	if err != nil {
		f.Fatal(err)
	}
	yamldoctest.Fuzz(f, Parse, meaning, string(example),
		input("{n: 5, seed: 2, over: 1h, columns: {a: {normal: [1, 2], missing: 10%}, b: {choice: {x: 1, y: 2}}, c: 7}}"),
		input("{columns: {a: {values: 1+1x9 _x3 nan}}}"),
		input("{rows: [{a: 1, b: x}, {a: 2}]}"),
		input("{file: a.csv, map: {score: s}, skip: [b], category: [c]}"),
	)
}

// meaning writes a file without the lines on which things stand.
func meaning(f *File) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Monitors)
	for _, t := range f.Tests {
		fmt.Fprintln(&b, t.Name, t.Monitor, t.Champion, inputMeaning(t.Reference), inputMeaning(t.Input), len(t.References))
		for _, w := range t.Windows {
			fmt.Fprintln(&b, w.At, w.After, w.Labels, inputMeaning(w.Input), w.Expect.Verdict, w.Expect.Words, w.Expect.Others)
			for _, r := range w.Expect.Rows {
				r.Line = 0
				fmt.Fprintln(&b, yamldoctest.JSON(r))
			}
		}
	}
	return b.String()
}

func inputMeaning(in *Input) string {
	if in == nil {
		return "none"
	}
	var b strings.Builder
	fmt.Fprint(&b, in.N, in.Seed, in.Over, len(in.Rows), in.File, in.Map, in.Skip, in.Categories)
	values := func(all []*yaml.Node) {
		for _, n := range all {
			fmt.Fprintf(&b, " %s %q", n.ShortTag(), n.Value)
		}
	}
	for i := range in.Columns {
		c := &in.Columns[i]
		fmt.Fprint(&b, c.Name, c.Drawn, c.Of, c.Weights, c.Missing)
		values(c.Series)
		values(c.Choice)
	}
	return b.String()
}

package obligation

import (
	"fmt"
	"strings"
)

func (o Obligations) markdown(b *strings.Builder) {
	name := o.Model
	if o.Version != "" {
		name += "@" + o.Version
	}
	fmt.Fprintf(b, "# Obligations of %s\n\n%s\n", inline(name), inline(sentence(o.Words)))
	if o.Framework == nil {
		fmt.Fprintf(b, "\n| Framework | Present | Stale | Missing | Not applicable |\n|---|--:|--:|--:|--:|\n")
		for _, f := range o.Frameworks {
			n := f.Controls
			fmt.Fprintf(b, "| %s (`%s`) | %d | %d | %d | %d |\n", inline(f.Title), f.ID, n.Present, n.Stale, n.Missing, n.NotApplicable)
		}
	} else {
		f := o.Framework
		fmt.Fprintf(b, "\n%s. %s Source: %s Confidence: %s.\n", inline(f.Edition), inline(sentence(f.Status)), inline(sentence(f.Source)), f.Confidence)
		for _, s := range o.Sections {
			s.markdown(b)
		}
	}
	fmt.Fprintf(b, "\nCatalogue of controls %s, as of %s. Judged at %s.\n\n%s\n", o.Catalogue.Version, o.Catalogue.AsOf, o.At.Format("2006-01-02 15:04 UTC"), Disclaimer)
}

func (s DutySection) markdown(b *strings.Builder) {
	if s.Title != "" {
		fmt.Fprintf(b, "\n## %s\n", inline(s.Title))
	}
	for _, d := range s.Duties {
		fmt.Fprintf(b, "\n### %s %s: %s\n\n%s %s Confidence in this mapping: %s.\n", d.State.Sign(), inline(d.Ref), inline(d.Title), inline(sentence(d.Words)), sentence(d.Level.goes()), d.Confidence)
		if d.Says != "" {
			fmt.Fprintf(b, "\n> %s\n", inline(d.Says))
		}
		fmt.Fprintf(b, "\n| Evidence | State | How it stands | Who owes it |\n|---|---|---|---|\n")
		for _, p := range d.Pieces {
			words := inline(p.Words + p.place())
			if p.Command != "" {
				words += "<br>`" + strings.ReplaceAll(strings.ReplaceAll(p.Command, "`", "'"), "|", "\\|") + "`"
			}
			fmt.Fprintf(b, "| %s | %s %s | %s | %s |\n", inline(p.Noun), p.State.Sign(), p.State.label(), words, inline(p.owing()))
		}
	}
}

// inline keeps a text from being anything but text on one line.
func inline(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", `\`, `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(s)
}

func (r GapReport) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "# Gaps in the evidence\n\n%s\n\n| Evidence | Models | Since | Who owes it | Asked for by | Longest |\n|---|--:|---|---|---|---|\n", inline(sentence(r.Words)))
	for _, g := range r.Gaps {
		fmt.Fprintf(b, "| %s | %d%s | %s | %s | %s | %s |\n", inline(g.Noun), g.Models, g.expired(), g.Since.Format("2006-01-02"), inline(g.Owed()), inline(strings.Join(g.Controls, ", ")), inline(g.names()))
	}
	fmt.Fprintf(b, "\nCatalogue of controls %s, as of %s. Counted at %s.\n\n%s\n", r.Catalogue.Version, r.Catalogue.AsOf, r.At.Format("2006-01-02 15:04 UTC"), Disclaimer)
}

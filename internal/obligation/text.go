package obligation

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

func (o Obligations) text(b *strings.Builder) {
	fmt.Fprintln(b, sentence(o.Words))
	if o.Reason != "" {
		fmt.Fprintf(b, "Tier %s.\n", o.Reason)
	}
	fmt.Fprintf(b, "Catalogue of controls %s, as of %s.\n\n", o.Catalogue.Version, o.Catalogue.AsOf)
	if o.Framework == nil {
		w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "FRAMEWORK\tPRESENT\tSTALE\tMISSING\tNOT APPLICABLE\tTITLE")
		for _, f := range o.Frameworks {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", f.ID, f.Controls.Present, f.Controls.Stale, f.Controls.Missing, f.Controls.NotApplicable, f.Title)
		}
		_ = w.Flush() // into memory
	} else {
		f := o.Framework
		fmt.Fprintf(b, "%s\n%s\nSource: %s (confidence %s)\n", f.Edition, orElse(f.Status, "status not said"), f.Source, f.Confidence)
		if f.Note != "" {
			fmt.Fprintf(b, "Note: %s\n", f.Note)
		}
		n := o.Evidence
		fmt.Fprintf(b, "Evidence: %d present, %d stale, %d missing, %d not applicable\n", n.Present, n.Stale, n.Missing, n.NotApplicable)
		for _, s := range o.Sections {
			s.text(b)
		}
	}
	fmt.Fprintf(b, "\n%s\n", Disclaimer)
}

func (s DutySection) text(b *strings.Builder) {
	if s.Title != "" {
		fmt.Fprintf(b, "\n%s\n", strings.ToUpper(s.Title))
	}
	for _, d := range s.Duties {
		fmt.Fprintf(b, "\n%s %s  %s [%s, confidence %s]\n    %s\n", d.State.Sign(), d.Ref, d.Title, d.Level, d.Confidence, sentence(d.Words))
		if d.State == NotApplicable && allAre(d.Pieces, NotApplicable) {
			continue
		}
		for _, p := range d.Pieces {
			fmt.Fprintf(b, "    %s %s: %s%s; %s\n", p.State.Sign(), p.Noun, p.Words, p.place(), p.owing())
			if p.Command != "" {
				fmt.Fprintf(b, "        %s\n", p.Command)
			}
		}
	}
}

func allAre(pieces []Piece, s State) bool {
	for _, p := range pieces {
		if p.State != s {
			return false
		}
	}
	return true
}

// place says where a piece of evidence is recorded, after a comma.
func (p Piece) place() string {
	words := ""
	if p.Event > 0 {
		words = fmt.Sprintf(", event %d", p.Event)
	}
	if p.Digest != "" {
		words += ", " + p.Digest.Short()
	}
	if p.State == Present && !p.Until.IsZero() {
		words += ", counts until " + p.Until.Format(time.DateOnly)
	}
	return words
}

func (r GapReport) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s\nCatalogue of controls %s, as of %s. Counted at %s.\n", sentence(r.Words), r.Catalogue.Version, r.Catalogue.AsOf, r.At.Format("2006-01-02 15:04:05"))
	if r.More {
		fmt.Fprintf(b, "There are more models; only the first %d were looked at.\n", r.Models)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(b, "\n%s: %s, since %s%s; %s\n", g.Noun, plural(g.Models, "model", "models"), g.Since.Format(time.DateOnly), g.expired(), g.Owed())
		fmt.Fprintf(b, "    asked for by %s\n    %s\n    %s\n", strings.Join(g.Controls, ", "), g.names(), g.Command)
	}
	if r.Next != "" {
		fmt.Fprintf(b, "\nThere are more: --after %s\n", r.Next)
	}
	fmt.Fprintf(b, "\n%s\n", Disclaimer)
}

// expired says of how many models evidence is there that counts no longer.
func (g Gap) expired() string {
	if g.Stale == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them stale", g.Stale)
}

// names says which models lack it.
func (g Gap) names() string {
	words := strings.Join(g.Longest, ", ")
	if n := g.Models - len(g.Longest); n > 0 {
		words += fmt.Sprintf(" and %d more", n)
	}
	return words
}

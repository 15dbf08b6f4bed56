package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/incident"
)

func (a *app) incidentShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show ID", Short: "Show an incident with its evidence, its runbook and what became of it", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident show 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, question[api.IncidentView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.IncidentView, err error) {
			return v, s.Get(ctx, incidentPath(args[0]), &v)
		},
		text: printIncident,
	})
}

func printIncident(w io.Writer, v api.IncidentView) {
	i := v.Incident
	first := ""
	if !i.FirstFrom.IsZero() {
		first = moment(i.FirstFrom) + " to " + moment(i.FirstTo)
	}
	printFields(w, "incident", i.ID, "title", i.Title, "severity", string(i.Severity), "state", string(i.State), "model", named(i.Model, i.Version), "environment", i.Environment,
		"opened by", map[bool]string{true: "an alert", false: i.OpenedBy}[i.Source == incident.FromAlert], "lead", i.Lead, "first bad window", first, "detected", moment(i.Detected),
		"opened", moment(i.Opened), "acknowledged", moment(i.Acknowledged), "mitigated", moment(i.Mitigated), "by", i.Means, "resolved", moment(i.Resolved), "cause", string(i.Cause),
		"closed", moment(i.Closed), "closed by", i.ClosedBy, "time to detect", took(v.Times.Detect), "time to acknowledge", took(v.Times.Acknowledge),
		"time to mitigate", took(v.Times.Mitigate), "time to resolve", took(v.Times.Resolve), "evidence", string(i.Brief), "post-mortem", string(i.Report), "holds", strings.Join(i.Holds, ", "), "next", v.Next)
	for _, j := range v.Joined {
		fmt.Fprintf(w, "alert\t%s %s: %s\n", j.Rule, j.Subject, j.Words)
	}
	printBrief(w, v.Brief)
	if v.Runbook != nil {
		printChecklist(w, v.Runbook, incident.Ticked(v.Steps))
	}
	fmt.Fprintln(w, "\nWHAT BECAME OF IT")
	for _, s := range v.Steps {
		fmt.Fprintf(w, "%s\t%s by %s%s\n", moment(s.At), s.Step, orDash(s.By), saidOf(s))
	}
}

// saidOf says what a step was about.
func saidOf(s incident.Deed) (text string) {
	for _, part := range []string{s.Kind, s.Target, string(s.Digest)} {
		if part != "" {
			text += ", " + part
		}
	}
	if s.Note != "" {
		text += ": " + s.Note
	}
	return text
}

const (
	maxShownChanges = 15
	maxShownSamples = 5
)

func printBrief(w io.Writer, b *incident.Brief) {
	if b == nil {
		return
	}
	fmt.Fprintf(w, "\nEVIDENCE of %s to %s\n", moment(b.From), moment(b.To))
	for _, s := range b.Serving {
		fmt.Fprintf(w, "serves\t%s as %s in %s since %s\n", s.Version, s.Role, s.Environment, moment(s.Since))
	}
	if m := b.Making; m != nil {
		printFields(w, "files", string(m.Digest), "code", m.CodeCommit, "run", m.Run)
		for _, d := range m.Data {
			fmt.Fprintf(w, "%s data\t%s@%s %s\n", d.Role, d.Dataset, d.Snapshot, d.Digest)
		}
	}
	if b.LastGood != nil {
		fmt.Fprintf(w, "last good window\t%s to %s by %s\n", moment(b.LastGood.From), moment(b.LastGood.To), b.LastGood.Monitor)
	}
	printFields(w, "a rollback goes to", b.Compliant)
	counts := map[tallystick.Verdict]int{}
	for _, j := range b.Judgements {
		counts[j.Verdict]++
	}
	if len(b.Judgements) > 0 {
		fmt.Fprintf(w, "windows judged\t%d, of which %d fail and %d pass\n", len(b.Judgements), counts[tallystick.Fail], counts[tallystick.Pass])
	}
	for _, j := range b.Judgements {
		if j.Verdict == tallystick.Fail && len(j.Rows) > 0 {
			for _, r := range j.Rows {
				fmt.Fprintf(w, "%s %s\t%s: %s\n", moment(j.From), r.Verdict, r.Check, r.Words)
			}
			break
		}
	}
	for n, s := range b.Samples {
		if n == maxShownSamples {
			fmt.Fprintf(w, "\tand %d more predictions to look at\n", len(b.Samples)-n)
			break
		}
		fmt.Fprintf(w, "prediction\t%s, %s\n", s.ID, s.Why)
	}
	for n, c := range b.Changes {
		if n == maxShownChanges {
			fmt.Fprintf(w, "\tand %d earlier changes\n", len(b.Changes)-n)
			break
		}
		fmt.Fprintf(w, "changed %s\t%s (event %d)\n", moment(c.Time), c.Words, c.Sequence)
	}
	if b.Diff != nil {
		fmt.Fprintf(w, "differs from %s\t%s\n", b.Before, b.Diff.Headline)
	}
	for _, m := range b.Missing {
		fmt.Fprintf(w, "not there\t%s\n", m)
	}
}

func printChecklist(w io.Writer, r *incident.Runbook, ticked map[int64]incident.Deed) {
	fmt.Fprintf(w, "\nRUNBOOK %s: %s\n", r.Name, r.Title)
	for _, a := range r.Authorities {
		otherwise := ""
		if a.Else != "" {
			otherwise = ", or else " + a.Else
		}
		fmt.Fprintf(w, "%s is decided by\t%s%s\n", a.Decision, a.Who, otherwise)
	}
	for n, t := range r.Steps {
		mark := "[ ]"
		if s, ok := ticked[int64(n)+1]; ok {
			mark = map[string]string{"done": "[x]", "skipped": "[-]"}[s.Step]
		}
		fmt.Fprintf(w, "%s %d\t%s", mark, n+1, t.Name)
		if t.Command != "" {
			fmt.Fprintf(w, ": %s", t.Command)
		}
		fmt.Fprintln(w)
	}
}

func (a *app) incidentTimeline() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "timeline ID", Short: "Tell an incident from the trail: judgements, alerts, changes, and who did what", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident timeline 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, question[incident.Timeline]{
		ask: func(ctx context.Context, s *session, args []string) (t incident.Timeline, err error) {
			return t, s.Get(ctx, incidentPath(args[0])+"/timeline", &t)
		},
		text: func(w io.Writer, t incident.Timeline) {
			fmt.Fprintln(w, "TIME\tEVENT\tWHAT\tTOLD")
			for _, l := range t.Lines {
				why := ""
				if l.Why != "" {
					why = ": " + l.Why
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%s%s\n", moment(l.Time), l.Sequence, l.Kind, l.Words, why)
			}
			if t.More {
				fmt.Fprintln(w, "there is more: `tallystick history`")
			}
			printFields(w, "\ntime to detect", took(t.Times.Detect), "time to acknowledge", took(t.Times.Acknowledge), "time to mitigate", took(t.Times.Mitigate), "time to resolve", took(t.Times.Resolve))
		},
	})
}

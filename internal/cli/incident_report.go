package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/incident"
)

func (a *app) incidentTrace() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "trace ID", Short: "Compare the first bad window with the last good one: what speaks for which cause", Args: cobra.ExactArgs(1),
		Long: `Trace compares the two windows by what is on record: which checks failed, how many features moved, by which monitor and
reference they were judged, which version served and how it was made, what was changed between. Each clue names its
evidence. It settles nothing; it is added to the evidence of the incident.`,
		Example: `  tallystick incident trace 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, command[incident.Trace]{
		do: func(ctx context.Context, s *session, args []string) (t incident.Trace, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/traces", nil, &t)
			return t, receipt, err
		},
		text: printTrace, mustExist: true,
	})
}

func printTrace(w io.Writer, t incident.Trace) {
	for _, at := range []struct {
		name string
		w    *incident.BadWindow
	}{{"last good window", t.Good}, {"first bad window", t.Bad}} {
		if at.w != nil {
			fmt.Fprintf(w, "%s\t%s to %s by %s, judgement %s\n", at.name, moment(at.w.From), moment(at.w.To), at.w.Monitor, at.w.Judgement.Short())
		}
	}
	fmt.Fprintln(w, "\nCAUSE\tSPEAKS\tWHAT\tEVIDENCE")
	for _, c := range t.Clues {
		evidence := "-"
		switch {
		case c.Event > 0:
			evidence = fmt.Sprint("event ", c.Event)
		case c.Evidence != "":
			evidence = c.Evidence.Short()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Cause, map[bool]string{true: "against", false: "for"}[c.Against], c.Words, evidence)
	}
	for _, m := range t.Missing {
		fmt.Fprintf(w, "not there\t\t%s\n", m)
	}
	fmt.Fprintf(w, "\n%s\n", t.Words)
}

func (a *app) incidentEvidence() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "evidence ID DIGEST", Short: "Print a document that it names: brief, trace, replay, post-mortem, runbook", Args: cobra.ExactArgs(2),
		Example: `  tallystick incident evidence ID sha256:4f1c... -o replay.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := parseSHA256(args[1])
			if err != nil {
				return err
			}
			return a.saveText(cmd.Context(), incidentPath(args[0])+"/evidence/"+string(digest), "--out", out)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "print into this `file`; - is standard output")
	return cmd
}

func (a *app) incidentReport() *cobra.Command {
	var format, out, answers string
	var questions bool
	cmd := &cobra.Command{
		Use: "report ID", Short: "Print the post-mortem, or write it: the facts are the program's, the answers yours", Args: cobra.ExactArgs(1),
		Long: `Without --answers the post-mortem is printed as it stands: facts, times and timeline from the trail, and the questions.
With --answers it is written: the file has an answer under each question, which --questions prints. It is kept by its
digest, and somebody else accepts it with "tallystick incident close". Nobody is named in it.`,
		Example: `  tallystick incident report ID
  tallystick incident report ID --questions > answers.md
  tallystick incident report ID --answers answers.md
  tallystick incident report ID --format html -o post-mortem.html`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&questions, "questions", false, "print the questions, as a file to write answers into")
	flags.StringVar(&answers, "answers", "", "write the post-mortem with the answers in this `file`")
	flags.StringVar(&format, "format", "markdown", "markdown or html")
	flags.StringVarP(&out, "out", "o", "-", "print into this `file`; - is standard output")
	cmd.MarkFlagsMutuallyExclusive("questions", "answers")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case questions:
			_, err := io.WriteString(a.Out, incident.Blank())
			return err
		case answers != "":
			return a.writeReport(cmd.Context(), args[0], answers)
		}
		if err := oneOf("--format", format, "markdown", "html"); err != nil {
			return err
		}
		return a.saveText(cmd.Context(), incidentPath(args[0])+"/report?format="+format, "--out", out)
	}
	return cmd
}

// writeReport writes the post-mortem of an incident with the answers of a file.
func (a *app) writeReport(ctx context.Context, id, file string) (err error) {
	data, err := readFile(file, 128<<10)
	if err != nil {
		return err
	}
	if _, err := incident.ParseAnswers(string(data)); err != nil { // before anything is asked
		return fmt.Errorf("%s: %w", file, err)
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	var i incident.Incident
	receipt, err := s.Post(ctx, incidentPath(id)+"/report", api.IncidentAnswers{Answers: string(data)}, &i)
	if err = errors.Join(err, s.Close(ctx, err == nil)); err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "post-mortem %s is written\nnext: %s\n", i.Report, i.Next())
	printReceipt(a.Out, receipt)
	return nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/explanation"
)

func (a *app) explain() *cobra.Command {
	var letter string
	cmd := &cobra.Command{
		Use: "explain PREDICTION", Short: "Say everything that is on record about one decision", Args: cobra.ExactArgs(1),
		Long: `Explain joins what is on record about one decision: what the model was given and said, the threshold or rule
that made a decision of it, who let the version run, the data it learned from, what turned out to be true,
what people said who looked at it, and where the proof is. What is not on record is named. It is recorded
as reading. With --letter it drafts a letter to the person concerned, in which nobody else is named; what
somebody has to fill in stands in square brackets.`,
		Example: `  tallystick explain 019f0a3c-6b1e-7a44-9d2f-0c8e5a7b1234
  tallystick explain 019f0a3c-6b1e-7a44-9d2f-0c8e5a7b1234 --purpose "complaint 2026-117" --letter letter.md`,
	}
	cmd.Flags().StringVar(&letter, "letter", "", "write the draft of a letter into this `file`; - is standard output")
	asked := asks(a, cmd, question[explanation.Explanation]{
		ask: func(ctx context.Context, s *session, args []string) (x explanation.Explanation, err error) {
			return x, s.Get(ctx, "/predictions/"+url.PathEscape(args[0])+"/explanation", &x)
		},
		text: printExplanation,
	})
	explain := asked.RunE
	asked.RunE = func(cmd *cobra.Command, args []string) error {
		if letter == "" {
			return explain(cmd, args)
		}
		return a.draftLetter(cmd.Context(), args[0], letter)
	}
	return asked
}

const maxText = 4 << 20 // bytes of a text that is read whole

// draftLetter writes the draft of a letter into a file.
func (a *app) draftLetter(ctx context.Context, id, path string) error {
	err := a.saveText(ctx, "/predictions/"+url.PathEscape(id)+"/letter", "--letter", path)
	if err != nil || path == "-" {
		return err
	}
	fmt.Fprintf(a.Out, "%s: a draft; fill in what stands in square brackets\n", path)
	return nil
}

// saveText writes a text of the server into the file that a flag names; - is standard output.
func (a *app) saveText(ctx context.Context, at, flag, path string) error {
	if err := writable(flag, path); err != nil { // before anything is read, since that may be recorded
		return err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	text, err := s.Download(ctx, at)
	if err == nil {
		var whole []byte
		if whole, err = io.ReadAll(io.LimitReader(text, maxText)); err == nil {
			err = a.writeText(path, whole)
		}
		err = errors.Join(err, text.Close())
	}
	return errors.Join(err, s.Close(ctx, false))
}

func (a *app) writeText(path string, text []byte) error {
	if path == "-" {
		_, err := a.Out.Write(text)
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func printExplanation(w io.Writer, x explanation.Explanation) {
	version := x.Model.Model
	if x.Model.Version != "" {
		version += "@" + x.Model.Version
	}
	printFields(w, "prediction", x.Prediction, "model", version, "known by", x.Model.Source, "purpose", x.Model.Purpose, "tier", string(x.Model.Tier), "owner", x.Model.Owner,
		"files", string(x.Model.Digest), "code", x.Model.Commit)
	for i, sentence := range x.Decision {
		fmt.Fprintf(w, "%s\t%s\n", lead(i, "decision"), sentence)
	}
	for i, c := range x.Causes[:min(len(x.Causes), 8)] {
		fmt.Fprintf(w, "%s\t%s = %s: %s\n", lead(i, "contributed"), c.Feature, orDash(string(c.Value)), strconv.FormatFloat(c.Contribution, 'g', 4, 64))
	}
	if x.Served != nil {
		fmt.Fprintf(w, "served as\t%s in %s since %s, event %d\n", x.Served.Role, x.Served.Environment, moment(x.Served.Since), x.Served.Event)
	}
	if r := x.Released; r != nil {
		fmt.Fprintf(w, "let in by\tdecision %s of %s, policy %s, event %d\n", r.ID, moment(r.At), r.Policy.Short(), r.Event)
		for _, review := range r.Reviews {
			fmt.Fprintf(w, "\t%s: %s, %s\n", review.Reviewer, review.Verdict, moment(review.Created))
		}
	}
	for i, d := range x.Data {
		fmt.Fprintf(w, "%s\t%s %s\n", lead(i, "learned from"), d.Node, d.Digest.Short())
	}
	for i, l := range x.Labels {
		counts := ""
		if l.Counts {
			counts = ", which counts"
		}
		fmt.Fprintf(w, "%s\t%s at %s by %s, event %d%s\n", lead(i, "turned out"), l.Value, moment(l.Time), orDash(l.Source), l.Event, counts)
	}
	for i, c := range x.Cases {
		answer := ""
		if c.State == casework.Decided {
			answer = ": " + string(c.Outcome)
		}
		fmt.Fprintf(w, "%s\t%s is %s%s\n", lead(i, "case"), c.ID, c.State, answer)
	}
	fmt.Fprintf(w, "proof\trecord %d of segment %s, root %s, event %d\n", x.Proof.Index, x.Proof.Segment, x.Proof.Root.Short(), x.Proof.Event)
	fmt.Fprintf(w, "\ttallystick prove prediction %s -o FILE\n", x.Prediction)
	if len(x.Missing) > 0 {
		fmt.Fprintf(w, "not on record\t%s\n", strings.Join(x.Missing, "; "))
	}
}

// lead names the first line of a list.
func lead(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

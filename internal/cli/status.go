package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/release"
)

func (a *app) status() *cobra.Command {
	var priority bool
	cmd := &cobra.Command{
		Use:   "status [MODEL[@VERSION]]",
		Short: "Say what a model owes, what of it is there, and the command that produces the rest",
		Long: `Status says what the model's tier asks for, what is there for the version (the latest one unless
another is named), what is missing or stale, and which command produces it. Without a model it lists
the models in use that owe something, the waivers that end, and what the server does regularly with the
outcome of the last run.

Exit code: 0 all that is owed is there, 1 something is missing or stale.`,
		Example: `  tallystick status
  tallystick status credit@3`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&priority, "priority", false, "without a model: those first that should be audited first")
	return asks(a, cmd, question[statusAnswer]{
		ask: func(ctx context.Context, s *session, args []string) (answer statusAnswer, err error) {
			if len(args) == 0 {
				q := chosen("state", string(catalog.Active))
				if priority {
					q = chosen("order", "priority")
				}
				all, err := client.List[catalog.Overview](ctx, s.Client, "/models", q, 0)
				answer.Models = slices.DeleteFunc(all, func(o catalog.Overview) bool { return o.Missing+o.Stale == 0 })
				answer.whole = len(all)
				a.refuseUnless(len(answer.Models) == 0)
				if err == nil {
					answer.Ending, err = client.List[release.Waiver](ctx, s.Client, "/waivers", chosen("ending", "true"), 0)
				}
				if err == nil {
					answer.Jobs, err = client.List[api.Job](ctx, s.Client, "/jobs", nil, 0)
				}
				return answer, err
			}
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return answer, err
			}
			answer.Status = &release.Status{}
			err = s.Get(ctx, modelPath(model)+"/status?"+chosen("version", version).Encode(), answer.Status)
			a.refuseUnless(answer.Status.Complete())
			return answer, err
		},
		text: printStatus,
	})
}

// refuseUnless makes the exit code 1 unless all is well.
func (a *app) refuseUnless(well bool) {
	if !well {
		a.code = exitRefused
	}
}

// statusAnswer is the status of one model, or the models that owe something.
type statusAnswer struct {
	*release.Status
	Models []catalog.Overview `json:"models,omitempty"`
	Ending []release.Waiver   `json:"ending_waivers,omitempty"` // and those that have ended of late
	Jobs   []api.Job          `json:"jobs,omitempty"`           // what the server does regularly
	whole  int
}

func printStatus(w io.Writer, s statusAnswer) {
	if s.Status != nil {
		printModelStatus(w, *s.Status)
		printEnds(w, s.Waivers)
		return
	}
	printOwing(w, s)
	printEnds(w, s.Ending)
	printJobs(w, s.Jobs)
}

// printJobs says what the server does regularly, and how it goes.
func printJobs(w io.Writer, jobs []api.Job) {
	if len(jobs) == 0 {
		return // no server has run here
	}
	fmt.Fprintln(w, "\nJOB\tEVERY\tLAST RUN\tNEXT\tHOW IT GOES")
	for _, j := range jobs {
		how := "well"
		switch {
		case j.Running:
			how = "runs now"
		case j.Failures > 0:
			how = fmt.Sprintf("failed %d times in a row: %s", j.Failures, brief(j.Fault))
		case j.Began.IsZero():
			how = "has not run yet"
		case j.Outcome != "":
			how = "well: " + j.Outcome
		}
		fmt.Fprintf(w, "%s\t%v\t%s\t%s\t%s\n", j.Name, j.Period, orDash(moment(j.Began)), moment(j.Next), how)
	}
}

// printEnds says of waivers until when they count.
func printEnds(w io.Writer, waivers []release.Waiver) {
	if len(waivers) > 0 {
		fmt.Fprintln(w)
	}
	for _, v := range waivers {
		ends := "counts until"
		if v.Stand(time.Now()) == "expired" {
			ends = "has ended:"
		}
		fmt.Fprintf(w, "waiver of %s for %s@%s in %s %s %s\n", v.Rule, v.Model, v.Version, v.Environment, ends, moment(v.Expires))
	}
}

func printOwing(w io.Writer, s statusAnswer) {
	if len(s.Models) == 0 {
		fmt.Fprintf(w, "%d models are in use, and none owes anything\n", s.whole)
		return
	}
	fmt.Fprintln(w, "MODEL\tTIER\tOWNER\tMISSING\tSTALE\tNEXT")
	for _, m := range s.Models {
		next := "-"
		if m.First != nil {
			next = m.First.Command
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", m.Name, m.Tier, orDash(m.Owner), m.Missing, m.Stale, next)
	}
	fmt.Fprintf(w, "%d of %d models in use owe something\n", len(s.Models), s.whole)
}

func printModelStatus(w io.Writer, s release.Status) {
	fmt.Fprintln(w, s.Words)
	if s.Model.TierDecision.Reason != "" {
		fmt.Fprintf(w, "tier %s\n", s.Model.TierDecision.Reason)
	}
	if len(s.Items) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSTATE\tWHAT\tHOW IT STANDS")
	for _, i := range s.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\n", strings.ReplaceAll(string(i.State), "_", " "), i.Title, i.Words)
	}
	if s.Complete() {
		return
	}
	fmt.Fprintln(w, "\nTo produce what is not there:")
	for _, i := range s.Items {
		if i.State != catalog.Present {
			fmt.Fprintf(w, "  %s\n", i.Command)
		}
	}
}

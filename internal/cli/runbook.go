package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/incident"
)

func (a *app) runbook() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runbook",
		Short: "Say what is to be done in incidents, step by step, and who decides",
		Long: `A runbook is Markdown that begins with YAML: what it is for (checks, models, tiers), who decides what, who is told
when, and the steps. An incident gets the one that says most about it, as it is then. Some come with the program.`,
	}
	cmd.AddCommand(a.runbookApply(), a.runbookList(), a.runbookShow(), a.runbookRemove())
	return cmd
}

func runbookPath(name string) string { return "/runbooks/" + url.PathEscape(name) }

func (a *app) runbookApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Put a runbook in force; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick runbook show drift > drift.md
  tallystick runbook apply -f drift.md`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the runbook, as Markdown")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			if file == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which runbook is applied is not said").WithHint("give the file with -f")
			}
			data, err := readFile(file, incident.MaxRunbook)
			if err != nil {
				return out, client.Receipt{}, err
			}
			r, err := incident.ParseRunbook(data, file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, runbookPath(r.Name), api.RunbookDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {},
	})
}

func (a *app) runbookList() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "list", Short: "List the runbooks, those that came with the program too", Args: cobra.NoArgs, Example: `  tallystick runbook list`,
	}, question[[]incident.RunbookRevision]{
		ask: func(ctx context.Context, s *session, _ []string) ([]incident.RunbookRevision, error) {
			return client.List[incident.RunbookRevision](ctx, s.Client, "/runbooks", nil, 0)
		},
		text: func(w io.Writer, all []incident.RunbookRevision) {
			fmt.Fprintln(w, "RUNBOOK\tAPPLIED\tDOCUMENT")
			for _, r := range all {
				applied := moment(r.Applied)
				switch {
				case r.Removed:
					applied = "removed"
				case r.Supplied:
					applied = "came with the program"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, applied, orDash(string(r.Document)))
			}
		},
	})
}

func (a *app) runbookShow() *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Print a runbook as it was written", Args: cobra.ExactArgs(1),
		Example: `  tallystick runbook show drift`,
	}
	cmd.Flags().StringVar(&digest, "digest", "", "as it was when it had this `digest`, which an incident names")
	return asks(a, cmd, question[api.RunbookView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.RunbookView, err error) {
			return v, s.Get(ctx, runbookPath(args[0])+"?"+chosen("digest", digest).Encode(), &v)
		},
		text: func(w io.Writer, v api.RunbookView) { fmt.Fprint(w, v.Source) },
	})
}

func (a *app) runbookRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Give a runbook to no more incidents; those that have it keep it", Args: cobra.ExactArgs(1),
		Example: `  tallystick runbook remove drift`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, runbookPath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

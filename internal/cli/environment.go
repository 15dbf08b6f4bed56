package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) env() *cobra.Command {
	cmd := &cobra.Command{Use: "env", Short: "Define the environments in which versions serve"}
	cmd.AddCommand(a.envSet(), a.envList())
	return cmd
}

func (a *app) envSet() *cobra.Command {
	var terms catalog.EnvironmentTerms
	var strictness string
	cmd := &cobra.Command{
		Use:   "set NAME --strictness STRICTNESS",
		Short: "Define an environment, or change its terms",
		Long: `Set says what a version needs to serve in an environment: to be registered (free), its last audit to
have passed too (checked), or to have been let in by people besides (gated).`,
		Example: `  tallystick env set staging --strictness checked --position 10
  tallystick env set production --strictness checked --position 20 --residency EU`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&strictness, "strictness", "", "free, checked or gated")
	flags.Int64Var(&terms.Position, "position", 0, "place on the way to production")
	flags.StringVar(&terms.Residency, "residency", "", "where its data must stay")
	flags.StringVar(&terms.Summary, "summary", "", "what it is for")
	return acts(a, cmd, command[catalog.Environment]{
		do: func(ctx context.Context, s *session, args []string) (e catalog.Environment, _ client.Receipt, err error) {
			if strictness == "" {
				return e, client.Receipt{}, usageError(cmd, "--strictness is missing")
			}
			if err := oneOf("--strictness", strictness, "free", "checked", "gated"); err != nil {
				return e, client.Receipt{}, err
			}
			terms.Strictness = catalog.Strictness(strictness)
			receipt, err := s.Put(ctx, "/environments/"+url.PathEscape(args[0]), terms, &e)
			return e, receipt, err
		},
		text: func(w io.Writer, e catalog.Environment) { printEnvironments(w, []catalog.Environment{e}) },
	})
}

func (a *app) envList() *cobra.Command {
	return asks(a, &cobra.Command{Use: "list", Short: "List environments on the way to production", Args: cobra.NoArgs, Example: `  tallystick env list`},
		question[[]catalog.Environment]{
			ask: func(ctx context.Context, s *session, _ []string) ([]catalog.Environment, error) {
				return client.List[catalog.Environment](ctx, s.Client, "/environments", nil, 0)
			},
			text: printEnvironments,
		})
}

func printEnvironments(w io.Writer, all []catalog.Environment) {
	fmt.Fprintln(w, "ENVIRONMENT\tSTRICTNESS\tPOSITION\tRESIDENCY\tSUMMARY")
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", e.Name, e.Strictness, e.Position, orDash(e.Residency), orDash(e.Summary))
	}
}

// placeFlags name an environment.
type placeFlags struct {
	environment string
}

func (p *placeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.environment, "env", "", "the environment")
}

// read returns what MODEL@VERSION and --env name.
func (p *placeFlags) read(cmd *cobra.Command, name string) (model, version string, err error) {
	if p.environment == "" {
		return "", "", usageError(cmd, "--env is missing")
	}
	return versionName(name)
}

// recorded is the answer to an act that may have made several events.
type recorded struct {
	Done bool `json:"done"`
}

func (a *app) assign() *cobra.Command {
	var r catalog.AssignmentRequest
	var p placeFlags
	var role string
	cmd := &cobra.Command{
		Use:   "assign MODEL@VERSION --env ENVIRONMENT",
		Short: "Record that a version serves in an environment",
		Long: `Assign records which version serves where, as what. A champion takes the place of the one before.
An environment that is checked takes a version whose last audit passed; others are refused, and the
refusal is recorded.`,
		Example: `  tallystick assign credit@3 --env production --reason "release 12"
  tallystick assign credit@4 --env production --role canary --percent 5`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.add(cmd)
	flags.StringVar(&role, "role", "champion", "champion, challenger, shadow or canary")
	flags.Int64Var(&r.Percent, "percent", 0, "share of the requests that a canary answers, 1 to 99")
	flags.StringVar(&r.Reason, "reason", "", "why")
	flags.BoolVar(&r.Observed, "observed", false, "it serves there already, and nobody was asked")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			if r.Model, r.Version, err = p.read(cmd, args[0]); err != nil {
				return done, client.Receipt{}, err
			}
			if err := oneOf("--role", role, "champion", "challenger", "shadow", "canary"); err != nil {
				return done, client.Receipt{}, err
			}
			r.Environment, r.Role = p.environment, catalog.Role(role)
			receipt, err := s.Post(ctx, "/assignments", r, &done)
			return done, receipt, err
		},
		text: func(w io.Writer, _ recorded) {
			fmt.Fprintf(w, "%s@%s serves in %s as %s\n", r.Model, r.Version, r.Environment, r.Role)
		},
		mustExist: true,
	})
}

func (a *app) unassign() *cobra.Command {
	var e catalog.AssignmentEnd
	var p placeFlags
	cmd := &cobra.Command{
		Use: "unassign MODEL@VERSION --env ENVIRONMENT", Short: "Record that a version serves in an environment no more", Args: cobra.ExactArgs(1),
		Example: `  tallystick unassign credit@2 --env production --reason "finding 12"`,
	}
	p.add(cmd)
	cmd.Flags().StringVar(&e.Reason, "reason", "", "why")
	cmd.Flags().BoolVar(&e.Observed, "observed", false, "it serves there no more already, and nobody was asked")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			if e.Model, e.Version, err = p.read(cmd, args[0]); err != nil {
				return done, client.Receipt{}, err
			}
			e.Environment = p.environment
			receipt, err := s.Post(ctx, "/assignments/end", e, &done)
			return done, receipt, err
		},
		text: func(w io.Writer, _ recorded) {
			fmt.Fprintf(w, "%s@%s serves in %s no more\n", e.Model, e.Version, e.Environment)
		},
		mustExist: true,
	})
}

// servedFlags choose what serves, or served.
type servedFlags struct {
	environment, at string
	all             bool
}

func (f *servedFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.environment, "env", "", "in this environment")
	flags.BoolVar(&f.all, "all", false, "what has ended too")
	flags.StringVar(&f.at, "at", "", "what was so then, a `time`")
}

func (f *servedFlags) query(args []string) (url.Values, error) {
	q := chosen("environment", f.environment)
	if len(args) == 1 {
		model, version, err := catalog.ParseVersionName(args[0])
		if err != nil {
			return nil, err
		}
		q.Set("model", model)
		if version != "" {
			q.Set("version", version)
		}
	}
	at, err := parseTime("--at", f.at)
	switch {
	case err != nil:
		return nil, err
	case !at.IsZero() && f.all:
		return nil, tallystick.Errorf(tallystick.Invalid, "--at and --all exclude each other")
	case !at.IsZero():
		q.Set("at", at.Format("2006-01-02T15:04:05Z07:00"))
	case !f.all:
		q.Set("now", "true")
	}
	return q, nil
}

func (a *app) assignments() *cobra.Command {
	var f servedFlags
	cmd := &cobra.Command{
		Use: "assignments [MODEL[@VERSION]]", Short: "List which version serves where, newest first", Args: cobra.MaximumNArgs(1),
		Example: `  tallystick assignments credit
  tallystick assignments --env production --at 2026-03-03`,
	}
	f.add(cmd)
	return asks(a, cmd, question[[]catalog.Assignment]{
		ask: func(ctx context.Context, s *session, args []string) ([]catalog.Assignment, error) {
			q, err := f.query(args)
			if err != nil {
				return nil, err
			}
			return client.List[catalog.Assignment](ctx, s.Client, "/assignments", q, 0)
		},
		text: func(w io.Writer, all []catalog.Assignment) {
			fmt.Fprintln(w, "ENVIRONMENT\tVERSION\tAS\tFROM\tUNTIL\tREASON\tEVENT")
			for _, x := range all {
				as := string(x.Role)
				if x.Percent > 0 {
					as += fmt.Sprintf(" %d %%", x.Percent)
				}
				fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%s\t%s\t%d\n", x.Environment, x.Model, x.Version, as, moment(x.From), orDash(moment(x.Until)), orDash(x.Reason), x.Event)
			}
		},
	})
}

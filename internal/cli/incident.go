package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/schedule"
)

// incidentOffice returns the office that keeps incidents and runbooks.
func (h house) incidentOffice() *incident.Office {
	return incident.New(incident.Config{
		DB: h.DB, Catalog: h.catalog, Releases: h.releases, Monitors: h.monitors, Asker: query.New(h.DB, h.archive, h.labels), Evidence: h.Evidence, Now: time.Now,
		Alerts: h.alerts, Recorder: h.Recorder, Actor: itself(), Predictions: h.archive,
	})
}

// incidentJob opens incidents of alerts that fired.
func (h house) incidentJob() schedule.Job {
	return schedule.Job{Name: "open-incidents", Period: evaluateEvery, Tell: h.incidents.Run}
}

func (a *app) incident() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incident",
		Short: "Work on what a model does wrong: evidence, runbook, cause, post-mortem",
		Long: `An incident is opened when a model does harm, or may. What is on record at that moment is gathered and kept by its
digest: what serves, judgements, traffic, predictions to look at, what was changed, how the version differs from the one
before. Somebody acknowledges it, stops the harm, removes the cause; somebody else accepts the post-mortem. How long each
took comes from the trail.`,
	}
	cmd.AddCommand(a.incidentOpen(), a.incidentList(), a.incidentShow(), a.incidentTimeline(), a.incidentEvidence(), a.incidentStats(),
		a.incidentNote("ack", "acknowledgement", "Say that you work on it; you lead it if nobody does", "  tallystick incident ack ID --note \"looking at it\"", false),
		a.incidentTriage(),
		a.incidentNote("note", "notes", "Write down what was seen or done", "  tallystick incident note ID --note \"the feed of RELP changed its codes\"", true),
		a.incidentStep(), a.incidentLink(), a.incidentMitigate(), a.incidentTrace(), a.incidentResolve(), a.incidentReport(),
		a.incidentNote("reopen", "reopening", "Say that it is not over", "  tallystick incident reopen ID --note \"the next window fails too\"", true),
		a.incidentNote("close", "closing", "Accept the post-mortem and close it; somebody else than who wrote it", "  tallystick incident close ID", false))
	return cmd
}

func incidentPath(id string) string { return "/incidents/" + url.PathEscape(id) }

func printIncidentState(w io.Writer, i incident.Incident) {
	fmt.Fprintf(w, "incident %s is %s\n", i.ID, i.State)
	if !i.IsOpen() {
		for _, hold := range i.Holds {
			fmt.Fprintf(w, "hold %s keeps its predictions until somebody releases it: `tallystick hold release %s --reason TEXT`\n", hold, hold)
		}
	}
}

func (a *app) incidentOpen() *cobra.Command {
	var o incident.NewIncident
	var severity, at string
	cmd := &cobra.Command{
		Use: "open MODEL[@VERSION] --title TEXT", Short: "Open an incident, with the evidence of this moment", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident open credit --env production --title "every second applicant is refused"
  tallystick incident open credit@3 --severity critical --title "scores are constant" --runbook drift`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Title, "title", "", "what happens, in a line")
	flags.StringVar(&o.Environment, "env", "", "in this `environment`; its champion is the version, if none is named")
	flags.StringVar(&severity, "severity", "high", "critical, high, medium or low")
	flags.StringVar(&o.Runbook, "runbook", "", "worked by this `runbook`; absent: the one that says most about it")
	flags.StringVar(&at, "at", "", "when it happened, a `time`; now, if absent")
	flags.Int64Var(&o.Hours, "hours", 72, "how far back the evidence reaches")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if o.Model, o.Version, err = catalog.ParseVersionName(args[0]); err != nil {
				return i, client.Receipt{}, err
			}
			if o.Title == "" {
				return i, client.Receipt{}, usageError(cmd, "--title is needed: what happens, in a line")
			}
			if at != "" {
				if o.At, err = timeFlag("--at", at); err != nil {
					return i, client.Receipt{}, err
				}
			}
			if err := oneOf("--severity", severity, "critical", "high", "medium", "low"); err != nil {
				return i, client.Receipt{}, err
			}
			o.Severity = catalog.Severity(severity)
			receipt, err := s.Post(ctx, "/incidents", o, &i)
			return i, receipt, err
		},
		text: func(w io.Writer, i incident.Incident) {
			fmt.Fprintf(w, "incident %s is open\n", i.ID)
			printFields(w, "version", i.Version, "runbook", i.Runbook, "evidence", string(i.Brief), "next", i.Next())
		}, mustExist: true,
	})
}

func (a *app) incidentList() *cobra.Command {
	var model, environment, severity, state string
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the open incidents, the most severe first; with --all every one, the newest first", Args: cobra.NoArgs,
		Example: `  tallystick incident list
  tallystick incident list --all --model credit --format json`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&all, "all", false, "closed ones too, the newest first")
	flags.StringVar(&model, "model", "", "about this model")
	flags.StringVar(&environment, "env", "", "in this environment")
	flags.StringVar(&severity, "severity", "", "critical, high, medium or low")
	flags.StringVar(&state, "state", "", "open, acknowledged, mitigated or resolved; with --all closed")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]incident.Incident]{
		ask: func(ctx context.Context, s *session, _ []string) ([]incident.Incident, error) {
			q := chosen("model", model, "environment", environment, "severity", severity, "state", state)
			if !all {
				q.Set("open", "true")
			}
			return client.List[incident.Incident](ctx, s.Client, "/incidents", q, limit)
		},
		text: func(w io.Writer, all []incident.Incident) {
			fmt.Fprintln(w, "ID\tSEVERITY\tSTATE\tMODEL\tENVIRONMENT\tOPENED\tALERTS\tLEAD\tTITLE")
			for _, i := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", i.ID, i.Severity, i.State, named(i.Model, i.Version), orDash(i.Environment), moment(i.Opened), i.Alerts, orDash(i.Lead), brief(i.Title))
			}
		},
	})
}

// named writes a model with its version, if there is one.
func named(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}

// incidentNote is an act that takes a note and nothing else.
func (a *app) incidentNote(verb, at, short, example string, needs bool) *cobra.Command {
	var note string
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1), Example: example}
	cmd.Flags().StringVar(&note, "note", "", "what is to be said")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if needs && note == "" {
				return i, client.Receipt{}, usageError(cmd, "--note is needed")
			}
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/"+at, api.IncidentNote{Note: note}, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentTriage() *cobra.Command {
	var t incident.Triage
	var severity string
	cmd := &cobra.Command{
		Use: "triage ID", Short: "Say who leads it, and how severe it is", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident triage ID --lead bo
  tallystick incident triage ID --severity critical --note "payments are made"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&t.Lead, "lead", "", "who leads it")
	flags.StringVar(&severity, "severity", "", "critical, high, medium or low")
	flags.StringVar(&t.Note, "note", "", "why")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if t.Lead == "" && severity == "" {
				return i, client.Receipt{}, usageError(cmd, "--lead or --severity is needed")
			}
			if severity != "" {
				if err := oneOf("--severity", severity, "critical", "high", "medium", "low"); err != nil {
					return i, client.Receipt{}, err
				}
			}
			t.Severity = catalog.Severity(severity)
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/triage", t, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentStep() *cobra.Command {
	var t incident.Tick
	cmd := &cobra.Command{
		Use: "step ID --number N", Short: "Say what came of a step of the runbook", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident step ID --number 2 --note "RELP moved, nothing else"
  tallystick incident step ID --number 6 --skip --note "nothing else is released this week"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Int64Var(&t.Step, "number", 0, "number of the step")
	flags.BoolVar(&t.Skip, "skip", false, "it is passed over, for the reason in the note")
	flags.StringVar(&t.Note, "note", "", "what came of it")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if t.Step < 1 {
				return i, client.Receipt{}, usageError(cmd, "--number is needed: which step of the runbook")
			}
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/steps", t, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentLink() *cobra.Command {
	var l incident.Link
	cmd := &cobra.Command{
		Use: "link ID --kind KIND --target WHICH", Short: "Say what belongs to it, such as the test that would find it again", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident link ID --kind test --target monitors/credit_test.yaml#relationship-codes
  tallystick incident link ID --kind monitor --target credit-hourly`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&l.Kind, "kind", "", strings.Join(incident.LinkKinds(), ", "))
	flags.StringVar(&l.Target, "target", "", "which one")
	flags.StringVar(&l.Note, "note", "", "what it is to the incident")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if err := oneOf("--kind", l.Kind, incident.LinkKinds()...); err != nil {
				return i, client.Receipt{}, err
			}
			if l.Target == "" {
				return i, client.Receipt{}, usageError(cmd, "--target is needed: which %s", l.Kind)
			}
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/links", l, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentMitigate() *cobra.Command {
	var m api.IncidentMitigation
	cmd := &cobra.Command{
		Use: "mitigate ID --by MEANS --note TEXT", Short: "Say that the harm has stopped", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident mitigate ID --by rollback --note "credit@2 serves again"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&m.Means, "by", "", strings.Join(incident.Means(), ", "))
	flags.StringVar(&m.Note, "note", "", "what was done")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if err := oneOf("--by", m.Means, incident.Means()...); err != nil {
				return i, client.Receipt{}, err
			}
			if m.Note == "" {
				return i, client.Receipt{}, usageError(cmd, "--note is needed: what was done")
			}
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/mitigation", m, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentResolve() *cobra.Command {
	var r api.IncidentResolution
	var cause string
	causes := make([]string, 0, len(incident.Causes()))
	for _, c := range incident.Causes() {
		causes = append(causes, string(c))
	}
	cmd := &cobra.Command{
		Use: "resolve ID --cause KIND --note TEXT", Short: "Say what the cause was, and that it is removed", Args: cobra.ExactArgs(1),
		Example: `  tallystick incident resolve ID --cause feature_bug --note "the feed sends 17 for unknown again; fixed upstream"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&cause, "cause", "", strings.Join(causes, ", "))
	flags.StringVar(&r.Note, "note", "", "what it was, and what was done")
	return acts(a, cmd, command[incident.Incident]{
		do: func(ctx context.Context, s *session, args []string) (i incident.Incident, _ client.Receipt, err error) {
			if err := oneOf("--cause", cause, causes...); err != nil {
				return i, client.Receipt{}, err
			}
			if r.Note == "" {
				return i, client.Receipt{}, usageError(cmd, "--note is needed: what the cause was, and what was done")
			}
			r.Cause = incident.Cause(cause)
			receipt, err := s.Post(ctx, incidentPath(args[0])+"/resolution", r, &i)
			return i, receipt, err
		},
		text: printIncidentState, mustExist: true,
	})
}

func (a *app) incidentStats() *cobra.Command {
	var model, from, to string
	cmd := &cobra.Command{
		Use: "stats", Short: "Say how the incidents of a period went: how many, how long, why", Args: cobra.NoArgs,
		Example: `  tallystick incident stats --model credit --from 2026-01-01 --to 2026-04-01`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&from, "from", "", "opened from this `time` on; 90 days before the end, if absent")
	flags.StringVar(&to, "to", "", "opened before this `time`; now, if absent")
	return asks(a, cmd, question[incident.Statistics]{
		ask: func(ctx context.Context, s *session, _ []string) (f incident.Statistics, err error) {
			q := chosen("model", model)
			for name, text := range map[string]string{"from": from, "to": to} {
				if text == "" {
					continue
				}
				at, err := timeFlag("--"+name, text)
				if err != nil {
					return f, err
				}
				q.Set(name, at.Format(time.RFC3339))
			}
			return f, s.Get(ctx, "/incidents/figures?"+q.Encode(), &f)
		},
		text: printIncidentFigures,
	})
}

func printIncidentFigures(w io.Writer, f incident.Statistics) {
	printFields(w, "model", f.Model, "opened from", moment(f.From), "until", moment(f.To), "opened", fmt.Sprint(f.Opened), "by an alert", fmt.Sprint(f.ByAlert), "open", fmt.Sprint(f.Open), "reopened", fmt.Sprint(f.Reopened))
	for _, severity := range catalog.Severities() {
		if n := f.Severities[string(severity)]; n > 0 {
			fmt.Fprintf(w, "severity %s\t%d\n", severity, n)
		}
	}
	for _, cause := range incident.Causes() {
		if n := f.Causes[string(cause)]; n > 0 {
			fmt.Fprintf(w, "cause %s\t%d\n", cause, n)
		}
	}
	fmt.Fprintln(w, "\nTIME\tINCIDENTS\tMEDIAN\t9 IN 10\tLONGEST")
	for _, row := range []struct {
		name string
		s    incident.Spread
	}{{"to detect", f.Detect}, {"to acknowledge", f.Acknowledge}, {"to mitigate", f.Mitigate}, {"to resolve", f.Resolve}} {
		if row.s.N == 0 {
			fmt.Fprintf(w, "%s\t0\t-\t-\t-\n", row.name)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", row.name, row.s.N, seconds(row.s.Median), seconds(row.s.P90), seconds(row.s.Most))
	}
}

// seconds writes a number of seconds for people.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d >= time.Minute {
		d = d.Round(time.Second)
	}
	return d.Round(time.Millisecond).String()
}

func took(s *float64) string {
	if s == nil {
		return ""
	}
	return seconds(*s)
}

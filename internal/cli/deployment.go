package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) deployment() *cobra.Command {
	cmd := &cobra.Command{Use: "deployment", Short: "Record what really runs, and where"}
	cmd.AddCommand(a.deploymentRecord(), a.deploymentEnd(), a.deploymentList())
	return cmd
}

func (a *app) deploymentRecord() *cobra.Command {
	var r catalog.DeploymentReport
	var p placeFlags
	digests := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "record MODEL@VERSION --env ENVIRONMENT",
		Short: "Record that a version runs somewhere, or runs in more or fewer copies",
		Long: `Record what runs: the version, where, with which image, configuration and manifest. If the digest of what
was really deployed is not the version's, a finding is raised.`,
		Example: `  tallystick deployment record credit@3 --env production --id credit-prod --cluster eu-1 --replicas 3 --artifact sha256:...`,
		Args:    cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.add(cmd)
	flags.StringVar(&r.ID, "id", "", "id by which the deployment is known (default: one is made)")
	flags.StringVar(&r.Cluster, "cluster", "", "cluster that it runs in")
	flags.StringVar(&r.Node, "node", "", "node that it runs on")
	flags.Int64Var(&r.Replicas, "replicas", 1, "how many copies run")
	flags.StringVar(&r.Reporter, "reporter", "", "who or what reports it")
	for flag, usage := range map[string]string{
		"artifact": "`digest` of the version that was really deployed", "image": "`digest` of the container image",
		"configuration": "`digest` of the configuration", "manifest": "`digest` of the deployment manifest",
	} {
		digests[flag] = flags.String(flag, "", usage)
	}
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			if r.Model, r.Version, err = p.read(cmd, args[0]); err != nil {
				return done, client.Receipt{}, err
			}
			r.Environment = p.environment
			for flag, into := range map[string]*tallystick.Digest{"artifact": &r.Artifact, "image": &r.Image, "configuration": &r.Configuration, "manifest": &r.Manifest} {
				if *digests[flag] == "" {
					continue
				}
				if *into, err = tallystick.ParseDigest(*digests[flag]); err != nil {
					return done, client.Receipt{}, fmt.Errorf("--%s: %w", flag, err)
				}
			}
			receipt, err := s.Post(ctx, "/deployments", r, &done)
			return done, receipt, err
		},
		text: func(w io.Writer, _ recorded) {
			fmt.Fprintf(w, "%s@%s runs in %s\n", r.Model, r.Version, r.Environment)
		},
		mustExist: true,
	})
}

func (a *app) deploymentEnd() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "end ID", Short: "Record that a deployment runs no more", Args: cobra.ExactArgs(1), Example: `  tallystick deployment end credit-prod --reason "replaced"`,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, "/deployments/"+url.PathEscape(args[0])+"/end", reasonBody(reason), &done)
			return done, receipt, err
		},
		text: func(w io.Writer, _ recorded) { fmt.Fprintln(w, "it runs no more") }, mustExist: true,
	})
}

func reasonBody(reason string) map[string]string {
	if reason == "" {
		return map[string]string{}
	}
	return map[string]string{"reason": reason}
}

func (a *app) deploymentList() *cobra.Command {
	var f servedFlags
	cmd := &cobra.Command{
		Use: "list [MODEL[@VERSION]]", Short: "List what runs where, newest first", Args: cobra.MaximumNArgs(1), Example: `  tallystick deployment list credit --all`,
	}
	f.add(cmd)
	return asks(a, cmd, question[[]catalog.Deployment]{
		ask: func(ctx context.Context, s *session, args []string) ([]catalog.Deployment, error) {
			q, err := f.query(args)
			if err != nil {
				return nil, err
			}
			return client.List[catalog.Deployment](ctx, s.Client, "/deployments", q, 0)
		},
		text: func(w io.Writer, all []catalog.Deployment) {
			fmt.Fprintln(w, "ID\tVERSION\tENVIRONMENT\tCLUSTER\tREPLICAS\tFROM\tUNTIL\tARTIFACT")
			for _, d := range all {
				fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Model, d.Version, d.Environment, orDash(d.Cluster), d.Replicas,
					moment(d.From), orDash(moment(d.Until)), orDash(d.Artifact.Short()))
			}
		},
	})
}

const maxObservation = 4 << 20 // bytes of a report

func (a *app) reconcile() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "reconcile FILE",
		Short: "Compare what runs with what is on record, and raise findings",
		Long: `Reconcile reads a report of what runs in one environment, as JSON ("-" is standard input):

  {"environment": "production", "whole": ["credit"],
   "running": [{"model": "credit", "version": "3", "artifact_digest": "sha256:...", "image_digest": "sha256:..."}]}

What was not looked at is left out, and is not compared. Of the models under "whole" the report has all that
runs, so that something can be missing. What agrees again settles its finding.

Exit code: 0 nothing is open in that environment, 1 something is.`,
		Example: `  tallystick reconcile running.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			o, err := a.readObservation(args[0])
			if err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			var open []catalog.Finding
			_, err = s.Post(cmd.Context(), "/observations", o, nil)
			if err == nil {
				q := chosen("environment", o.Environment)
				q.Set("open", "true")
				open, err = client.List[catalog.Finding](cmd.Context(), s.Client, "/findings", q, 0)
			}
			if err = errors.Join(err, s.Close(cmd.Context(), err == nil)); err != nil {
				return err
			}
			a.refuseUnless(len(open) == 0)
			if format == "json" {
				return a.printJSON(open)
			}
			if len(open) == 0 {
				_, err := fmt.Fprintf(a.Out, "what runs in %s agrees with the record\n", o.Environment)
				return err
			}
			return printColumns(a.Out, func(w io.Writer) { printFindings(w, open) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) readObservation(path string) (o catalog.Observation, err error) {
	var in io.Reader = a.In
	if path != "-" {
		file, err := openFile(path)
		if err != nil {
			return o, err
		}
		defer file.Close()
		in = file
	}
	dec := json.NewDecoder(io.LimitReader(in, maxObservation))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return o, tallystick.Errorf(tallystick.Invalid, "%s is no report of what runs: %w", path, err).WithHint("see: tallystick reconcile --help")
	}
	return o, nil
}

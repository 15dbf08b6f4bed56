package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) version() *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Show versions, deprecate and withdraw them"}
	cmd.AddCommand(a.versionShow(), a.versionList(), a.versionMark("deprecate", catalog.Deprecated, "Say that a version should be replaced"),
		a.versionMark("withdraw", catalog.Withdrawn, "Say that a version may not be used any longer"))
	return cmd
}

func versionPath(model, version string) string {
	return modelPath(model) + "/versions/" + url.PathEscape(version)
}

// versionAnswer is a version with its files.
type versionAnswer struct {
	catalog.Version
	Manifest []artifact.File `json:"manifest"`
}

func (a *app) versionShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show MODEL@VERSION", Short: "Show a version, its files and how it was made", Args: cobra.ExactArgs(1),
		Example: `  tallystick version show credit@3`,
	}, question[versionAnswer]{
		ask: func(ctx context.Context, s *session, args []string) (v versionAnswer, err error) {
			model, version, err := versionName(args[0])
			if err != nil {
				return v, err
			}
			if err := s.Get(ctx, versionPath(model, version), &v.Version); err != nil || v.Digest == "" {
				return v, err
			}
			v.Manifest, err = manifest(ctx, s, model, version)
			return v, err
		},
		text: func(w io.Writer, v versionAnswer) {
			printVersion(w, v.Version)
			if len(v.Manifest) > 0 {
				fmt.Fprintln(w, "\nFILE\tBYTES\tDIGEST")
			}
			for _, f := range v.Manifest {
				fmt.Fprintf(w, "%s\t%d\t%s\n", f.Name, f.Size, f.Digest)
			}
		},
	})
}

func manifest(ctx context.Context, s *session, model, version string) ([]artifact.File, error) {
	var files client.Page[artifact.File]
	err := s.Get(ctx, versionPath(model, version)+"/manifest", &files)
	return files.Items, err
}

func printVersion(w io.Writer, v catalog.Version) {
	files := ""
	if v.Files > 0 {
		files = fmt.Sprintf("%d, %d bytes", v.Files, v.Bytes)
	}
	var metrics, samples, thresholds, snapshots []string
	for _, name := range slices.Sorted(maps.Keys(v.Metadata.Metrics)) {
		metrics = append(metrics, fmt.Sprintf("%s=%v (n %d)", name, v.Metadata.Metrics[name].Value, v.Metadata.Metrics[name].N))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Metadata.SampleSizes)) {
		samples = append(samples, fmt.Sprintf("%s=%d", name, v.Metadata.SampleSizes[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Metadata.Thresholds)) {
		t := v.Metadata.Thresholds[name]
		limit := t.Fail
		if limit == nil {
			limit = t.Warn
		}
		thresholds = append(thresholds, fmt.Sprintf("%s %s %v", name, t.Direction, *limit))
	}
	for _, d := range v.Metadata.Snapshots {
		snapshots = append(snapshots, d.Short())
	}
	libraries := ""
	if n := len(v.Metadata.Libraries); n > 0 {
		libraries = strconv.Itoa(n)
	}
	printFields(w, "version", v.Name(), "state", string(v.State), "digest", string(v.Digest), "root (OpenSSF)", string(v.Root), "files", files,
		"same files as", strings.Join(v.SameAs, ", "), "changelog", v.Changelog, "justification", v.Justification, "training cutoff", v.TrainingCutoff,
		"commit", v.CodeCommit, "run", v.Run, "image", string(v.Image), "trigger", strings.TrimSuffix(v.Trigger.Kind+" "+v.Trigger.ID, " "),
		"metrics", strings.Join(metrics, ", "), "samples", strings.Join(samples, ", "), "thresholds", strings.Join(thresholds, ", "),
		"parameters", joinPairs(v.Metadata.Parameters), "seeds", joinPairs(v.Metadata.Seeds), "libraries", libraries, "hardware", v.Metadata.Hardware,
		"snapshots", strings.Join(snapshots, ", "), "reason", v.Reason, "registered", moment(v.Created))
}

func (a *app) versionList() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list MODEL", Short: "List the versions of a model, newest first", Args: cobra.ExactArgs(1), Example: `  tallystick version list credit`,
	}
	cmd.Flags().StringVar(&state, "state", "", "draft, registered, deprecated or withdrawn")
	return asks(a, cmd, question[[]catalog.Version]{
		ask: func(ctx context.Context, s *session, args []string) ([]catalog.Version, error) {
			return client.List[catalog.Version](ctx, s.Client, modelPath(args[0])+"/versions", chosen("state", state), 0)
		},
		text: func(w io.Writer, versions []catalog.Version) {
			fmt.Fprintln(w, "VERSION\tSTATE\tREGISTERED\tFILES\tBYTES\tDIGEST\tCHANGELOG")
			for _, v := range versions {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", v.Version, v.State, moment(v.Created), v.Files, v.Bytes, orDash(v.Digest.Short()), orDash(shorten(v.Changelog, 60)))
			}
		},
	})
}

func (a *app) versionMark(verb string, state catalog.VersionState, short string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " MODEL@VERSION --reason TEXT", Short: short, Args: cobra.ExactArgs(1),
		Example: "  tallystick version " + verb + " credit@2 --reason \"finding 12\"",
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return acts(a, cmd, command[catalog.Version]{
		do: func(ctx context.Context, s *session, args []string) (v catalog.Version, _ client.Receipt, err error) {
			model, version, err := versionName(args[0])
			if err != nil {
				return v, client.Receipt{}, err
			}
			if reason == "" {
				return v, client.Receipt{}, errNoReason("a change of state")
			}
			receipt, err := s.Post(ctx, versionPath(model, version)+"/state", map[string]string{"state": string(state), "reason": reason}, &v)
			return v, receipt, err
		},
		text: printVersion, mustExist: true,
	})
}

package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/verify"
)

func (a *app) bundle() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Give an auditor all that is on record about a model",
	}
	cmd.AddCommand(a.bundleExport())
	return cmd
}

// bundleFlags say what goes into a package.
type bundleFlags struct {
	from, to, recipient, output, format string
	disclose, complete                  bool
}

func (a *app) bundleExport() *cobra.Command {
	f := &bundleFlags{}
	cmd := &cobra.Command{
		Use:   "export MODEL[@VERSION] --for AUDITOR",
		Short: "Write a package about a model that anybody can check offline",
		Long: `Export writes one file with all that is on record about a model in a period: its history in words,
validation results, tiers and their reasons, approvals, waivers, freezes, findings, who read what and
who was refused, the policies by which was judged, and the proof that all of it stands in the ledger.

The export is an event, which the package holds. Names and free text stay sealed unless --disclose
opens them, for which you need the right trail.disclose. --complete adds every other event of the
period, sealed, so that the reader sees that nothing was left out.`,
		Example: `  tallystick bundle export credit --from 2026-01-01 --to 2026-06-30 --for "Firm & Partners" -o credit.tally
  tallystick verify credit.tally --trust trust.json
  tallystick bundle export credit@3 --for "supervisor" --disclose --purpose "yearly review"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return err
			}
			if f.recipient == "" {
				return usageError(cmd, "--for is missing")
			}
			if err := oneOf("--format", f.format, "text", "json"); err != nil {
				return err
			}
			q, err := f.query(version)
			if err != nil {
				return err
			}
			output := cmp.Or(f.output, strings.ReplaceAll(args[0], "@", "-")+".tally")
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			done, err := a.export(cmd.Context(), s, modelPath(model)+"/package?"+q.Encode(), output)
			if err = errors.Join(err, s.Close(cmd.Context(), true)); err != nil || output == "-" {
				return err
			}
			if f.format == "json" {
				return a.printJSON(done)
			}
			_, err = fmt.Fprintf(a.Out, "%s  %s\n%d bytes about %s; %s\n", done.Digest, done.File, done.Bytes, args[0], done.Events)
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.recipient, "for", "", "auditor whom the package is for; recorded")
	flags.StringVar(&f.from, "from", "", "from this `time` on: 2026-01-31, or RFC 3339; from the beginning if absent")
	flags.StringVar(&f.to, "to", "", "up to this `time`; a day is taken whole; now if absent")
	flags.BoolVar(&f.disclose, "disclose", false, "show sealed fields: names and free text")
	flags.BoolVar(&f.complete, "complete", false, "add every other event of the period, sealed")
	flags.StringVarP(&f.output, "output", "o", "", "`file` to write (default: MODEL.tally); - is standard output")
	flags.StringVar(&f.format, "format", "text", "text or json")
	return cmd
}

// query returns what the API is asked for.
func (f *bundleFlags) query(version string) (url.Values, error) {
	q := chosen("version", version, "for", f.recipient)
	if f.disclose {
		q.Set("disclose", "true")
	}
	if f.complete {
		q.Set("complete", "true")
	}
	if err := addTimes(q, "from", f.from); err != nil {
		return nil, err
	}
	until, err := parseTime("--to", f.to)
	if err != nil || until.IsZero() {
		return q, err
	}
	if _, err := time.Parse(time.DateOnly, f.to); err == nil {
		until = until.AddDate(0, 0, 1)
	}
	q.Set("until", until.Format(time.RFC3339Nano))
	return q, nil
}

// exported is a package that was written.
type exported struct {
	File   string            `json:"file"`
	Digest tallystick.Digest `json:"digest"`
	Bytes  int64             `json:"bytes"`
	Events string            `json:"events"` // in words
}

// export writes the package that the API makes, and checks it as far as one can who believes nobody.
func (a *app) export(ctx context.Context, s *session, path, output string) (done exported, err error) {
	r, err := s.Download(ctx, path)
	if err != nil {
		return done, err
	}
	defer r.Close()
	if output == "-" {
		_, err := io.Copy(a.Out, r)
		return done, err
	}
	hash := sha256.New()
	err = durable.WriteFile(output, 0o600, func(w io.Writer) error {
		done.Bytes, err = io.Copy(io.MultiWriter(w, hash), r)
		return err
	})
	if err != nil {
		return done, err
	}
	done.File, done.Digest = output, tallystick.Digest(fmt.Sprintf("sha256:%x", hash.Sum(nil)))
	if done.Events, err = soundPackage(output); err != nil {
		return done, errors.Join(err, os.Remove(output))
	}
	return done, nil
}

// soundPackage checks a package without believing any key, and returns what it says of its events.
func soundPackage(path string) (events string, err error) {
	file, err := openFile(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	result, err := verify.Bundle(file, info.Size(), verify.Trust{}, verify.Options{})
	if err != nil {
		return "", err
	}
	if c, failed := result.FirstFailure(); failed {
		return "", tallystick.Errorf(tallystick.Conflict, "the package that came is not sound, and was thrown away: %s of %s: %s", c.Check, c.Subject, c.Detail)
	}
	for _, c := range result.Checks {
		if c.Check == "events" {
			return c.Detail, nil
		}
	}
	return "", tallystick.Errorf(tallystick.Conflict, "what came is no package, but a bundle")
}

// provePackaged returns the proof of an event that a package holds.
func provePackaged(path, event string) ([]byte, error) {
	sequence, err := strconv.ParseUint(event, 10, 63)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q is no sequence of an event", event).WithHint("the lines of history.txt in the package begin with time and sequence")
	}
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	proof, err := verify.PackageProof(file, info.Size(), sequence)
	if err != nil {
		return nil, err
	}
	return proof.Marshal(), nil
}

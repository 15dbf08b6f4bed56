package cli

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
)

// predictionsRetain says for how long predictions are kept.
func (a *app) predictionsRetain() *cobra.Command {
	var keep, reason string
	cmd := &cobra.Command{
		Use:   "retain MODEL",
		Short: "Say for how long predictions of a model are kept",
		Long: `Say for how long predictions of a model are kept. A server removes files of which the last record is
older; their roots stay on the trail, and proofs that somebody has kept still hold.`,
		Example: `  tallystick predictions retain credit --for 400d --reason "limitation of claims"
  tallystick predictions retain credit --for ever`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			days, err := parseDays(keep)
			if err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(cmd.Context(), true)) }()
			var kept archive.Retention
			_, err = s.Put(cmd.Context(), "/models/"+url.PathEscape(args[0])+"/retention", map[string]any{"days": days, "reason": reason}, &kept)
			if err != nil {
				return err
			}
			if kept.Days == 0 {
				_, err = fmt.Fprintf(a.Out, "predictions of %s are kept for ever\n", kept.Model)
			} else {
				_, err = fmt.Fprintf(a.Out, "predictions of %s are kept for %d days\n", kept.Model, kept.Days)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&keep, "for", "", "how long, in `days`: 400d, or ever")
	cmd.Flags().StringVar(&reason, "reason", "", "why; recorded")
	return cmd
}

func parseDays(text string) (int64, error) {
	if text == "ever" {
		return 0, nil
	}
	digits, ok := strings.CutSuffix(text, "d")
	days, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || days < 1 || days > archive.MaxDays {
		return 0, tallystick.Errorf(tallystick.Invalid, "--for %q is no number of days", text).WithHint("write 400d, or ever")
	}
	return days, nil
}

// predictionsErase erases predictions.
func (a *app) predictionsErase() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "erase ID...",
		Short: "Erase predictions; the proofs of all others hold",
		Long: `Erase predictions: what they say is gone from the files before this command ends, and nobody can bring it
back from there. Their leaves stay, so that the proofs of all others hold. Backups, and what others have
downloaded, are not reached.`,
		Example: `  tallystick predictions erase 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001 --reason "asked for by the person concerned"`,
		Args:    cobra.RangeArgs(1, archive.MaxErased),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(cmd.Context(), true)) }()
			var done archive.Erased
			if _, err = s.Await(cmd.Context(), "/predictions/erasures", map[string]any{"ids": args, "reason": reason}, &done); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "erased        %d\nerased before %d\nevents        %s\n", done.Erased, done.Before, strings.Trim(fmt.Sprint(done.Events), "[]"))
			return err
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; recorded, and open only to those to whom it is disclosed")
	return cmd
}

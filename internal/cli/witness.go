package cli

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/witness"
)

func (a *app) witness() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "Watch ledgers for others, or have one's own watched",
		Long: `A witness is run by somebody other than the ledger's operator, such as an auditor, on a
machine of their own. It signs a checkpoint only if the ledger has shown that it continues the one
signed before. Whoever trusts the witness knows that nobody is shown another history.

The auditor runs:   tallystick witness init, serve and status
The operator runs:  tallystick serve --witness URL=VKEY, or tallystick witness submit

It speaks the C2SP tlog-witness protocol, so that others' witnesses and logs can take either place.`,
	}
	cmd.AddCommand(a.witnessInit(), a.witnessServe(), a.witnessStatus(), a.witnessSubmit())
	return cmd
}

func (a *app) witnessInit() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Make a witness: a directory with a key of its own",
		Long: `Init makes a directory with a new private key and prints the public one. Give that to the
operators of the ledgers and to those who verify. There is no copy of the private key; keep the
directory on a disk that the ledger's operator does not rule.`,
		Example: `  tallystick witness init --dir witness --name witness.example.org/w1`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needDir(dir); err != nil {
				return err
			}
			if name == "" {
				var id [8]byte
				rand.Read(id[:])
				name = "tallystick.local/witness/" + hex.EncodeToString(id[:])
			}
			key, err := witness.CreateKey(dir, name)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, key.VKey)
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&dir, "dir", "", "`directory` of the witness")
	flags.StringVar(&name, "name", "", "`name` that its signatures bear, like a URL without https:// (default: one at random)")
	return cmd
}

func needDir(dir string) error {
	if dir == "" {
		return tallystick.Errorf(tallystick.Invalid, "--dir is missing").WithHint("name the directory of the witness")
	}
	return nil
}

// witnessReport is what a witness says of itself.
type witnessReport struct {
	VKey   string            `json:"vkey"`
	Logs   []witness.LogHeld `json:"logs"`
	Alarms []witness.Alarm   `json:"alarms"`
}

func (a *app) witnessStatus() *cobra.Command {
	var dir, format string
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Show a witness's public key, what it holds of each log, and its alarms",
		Long: `Status reads the witness's directory; the witness may run meanwhile.

Exit code: 0 no alarms, 1 there are some.`,
		Example: `  tallystick witness status --dir witness
  tallystick witness status --dir witness --format json`,
		Args: cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			if err := needDir(dir); err != nil {
				return err
			}
			key, err := witness.OpenKey(dir)
			if err != nil {
				return err
			}
			r := witnessReport{VKey: key.VKey}
			if r.Logs, err = witness.Held(dir); err != nil {
				return err
			}
			if r.Alarms, err = witness.Alarms(dir); err != nil {
				return err
			}
			if len(r.Alarms) > 0 {
				a.code = exitRefused
			}
			return a.print(format, r, r)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&dir, "dir", "", "`directory` of the witness")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
}

// WriteTo writes the report for people.
func (r witnessReport) WriteTo(out io.Writer) (int64, error) {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "%s\n\n", r.VKey)
	fmt.Fprintln(tw, "LOG\tENTRIES\tCOSIGNED")
	for _, log := range r.Logs {
		fmt.Fprintf(tw, "%s\t%d\t%s\n", log.Origin, log.Size, log.Time.Format(time.RFC3339))
	}
	if len(r.Alarms) == 0 {
		fmt.Fprintln(tw, "\nno alarms")
		return 0, tw.Flush()
	}
	fmt.Fprintln(tw, "\nALARM\tTIME\tLOG\tCOSIGNED\tSUBMITTED")
	for _, alarm := range r.Alarms {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d %.12s\t%d %.12s\n", alarm.Kind, alarm.Time.Format(time.RFC3339), alarm.Origin, alarm.HeldSize, alarm.HeldRoot, alarm.Size, alarm.Root)
	}
	return 0, tw.Flush()
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

func (a *app) key() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "List, rotate and give up the workspace's signing keys",
		Long: `A workspace has two keys in use: one signs checkpoints of the ledger, one signs statements
and bundles. Each key counts for a range of ledger entries, which trust.json states. After a
rotation or a compromise, hand the new trust.json to those who verify: tallystick trust -o FILE`,
	}
	cmd.AddCommand(a.keyList(), a.keyRotate(), a.keyCompromise())
	return cmd
}

func (a *app) keyList() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the keys with the ledger entries that each counts for",
		Example: `  tallystick key list --format json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			return a.withWorkspace(cmd.Context(), func(w *workspace.Workspace) error {
				if format == "json" {
					return a.printJSON(w.Trust().Keys)
				}
				return printKeys(a.Out, w.Trust().Keys)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) keyRotate() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate log|statement",
		Short: "Replace a key by a new one; both sign the change",
		Long: `Rotate records an event that both keys have signed. From that entry of the ledger on the new key
counts and the old one does not; what the old one signed before stays good. The old private
key is destroyed.`,
		Example: `  tallystick key rotate log
  tallystick trust -o trust.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withWorkspace(cmd.Context(), func(w *workspace.Workspace) error {
				key, err := w.RotateKey(cmd.Context(), verify.Role(args[0]))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.Out, "%s key %s is in use from entry %d of the ledger on\nhand out the new keys: tallystick trust -o trust.json\n",
					key.Role, key.ID, key.FromIndex)
				return err
			})
		},
	}
}

func (a *app) keyCompromise() *cobra.Command {
	var c workspace.Compromise
	cmd := &cobra.Command{
		Use:   "compromise KEY --from-index N --reason TEXT",
		Short: "Say that from an entry of the ledger on a key was in other hands",
		Long: `Compromise closes the range of a key: what it signed for entries from N on no longer counts.
Statements recorded before stay good, because the ledger shows that they were there. Bundles
that the key has signed as a whole must be exported again, and checkpoints of a log key count
only where a witness has cosigned them. KEY is an id from tallystick key list, or enough of its
beginning. A key in use must be rotated first.`,
		Example: `  tallystick key rotate statement
  tallystick key compromise 3f9a1c --from-index 120 --reason "laptop stolen on 3 May"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("from-index") {
				return tallystick.Errorf(tallystick.Invalid, "--from-index is missing").WithHint("name the first entry of the ledger at which the key may have been in other hands; 0 is the first of all")
			}
			if c.Reason == "" {
				return tallystick.Errorf(tallystick.Invalid, "--reason is missing").WithHint("say what is known; it is sealed, so that only those see it whom you show it")
			}
			c.Key = args[0]
			return a.withWorkspace(cmd.Context(), func(w *workspace.Workspace) error {
				key, err := w.CompromiseKey(cmd.Context(), c)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.Out, "%s key %s does not count from entry %d of the ledger on\nhand out the new keys: tallystick trust -o trust.json\n",
					key.Role, key.ID, *key.CompromisedFrom)
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Uint64Var(&c.From, "from-index", 0, "first `entry` of the ledger from which the key does not count")
	flags.StringVar(&c.Reason, "reason", "", "what is known of how it happened")
	return cmd
}

func (a *app) trust() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Show or write trust.json: the public keys by which others verify this workspace's evidence",
		Long: `Trust shows whom a verifier of this workspace believes: its origin and its public keys, with role,
status and the ledger entries that each counts for. Write them to a file and give it to a
verifier by a way that they believe, apart from the evidence.`,
		Example: `  tallystick trust -o trust.json
  tallystick verify evidence.tally --trust trust.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withWorkspace(cmd.Context(), func(w *workspace.Workspace) error {
				trust := w.Trust()
				if output == "" {
					fmt.Fprintf(a.Out, "origin  %s\n\n", trust.Origin)
					return printKeys(a.Out, trust.Keys)
				}
				data, err := trust.Marshal()
				if err != nil {
					return err
				}
				return a.write(output, append(data, '\n'))
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write as json; - is standard output")
	return cmd
}

// withWorkspace calls fn with the workspace, which must exist.
func (a *app) withWorkspace(ctx context.Context, fn func(*workspace.Workspace) error) (err error) {
	w, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return fn(w)
}

func printKeys(out io.Writer, keys []verify.Key) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ROLE\tKEY\tALGORITHM\tSTATUS\tENTRIES")
	for _, k := range keys {
		fmt.Fprintf(tw, "%s\t%.16s\t%s\t%s\t%s\n", k.Role, k.ID, k.Algorithm, k.Status, entries(k))
	}
	return tw.Flush()
}

// entries says which entries of the ledger a key counts for.
func entries(k verify.Key) string {
	end := k.UntilIndex
	if c := k.CompromisedFrom; c != nil && (end == nil || *c < *end) {
		end = c
	}
	switch {
	case end == nil:
		return fmt.Sprintf("from %d on", k.FromIndex)
	case *end <= k.FromIndex:
		return "none"
	}
	return fmt.Sprintf("%d to %d", k.FromIndex, *end-1)
}

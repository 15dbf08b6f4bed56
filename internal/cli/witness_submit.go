package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/witness"
	"github.com/tallystick/tallystick/internal/workspace"
)

// witnessFlags say who cosigns a workspace's ledger.
type witnessFlags struct {
	witnesses []string
	quorum    int
}

// noWitness in place of a witness ends the asking.
const noWitness = "none"

func (f *witnessFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.witnesses, "witness", nil, "have checkpoints cosigned by the witness at `URL=VKEY`; again for others; none forgets them (default: those named last)")
	flags.IntVar(&f.quorum, "witness-quorum", 0, "how many cosignatures make a checkpoint witnessed (default: all)")
}

// policy returns what the flags say; ok is false if they say nothing.
func (f *witnessFlags) policy() (p witness.Policy, ok bool, err error) {
	if len(f.witnesses) == 0 {
		if f.quorum != 0 {
			return p, false, tallystick.Errorf(tallystick.Invalid, "--witness-quorum without --witness").WithHint("name the witnesses with --witness URL=VKEY")
		}
		return p, false, nil
	}
	if slices.Equal(f.witnesses, []string{noWitness}) {
		return p, true, nil
	}
	for _, s := range f.witnesses {
		peer, err := witness.ParsePeer(s)
		if err != nil {
			return p, false, err
		}
		p.Peers = append(p.Peers, peer)
	}
	if p.Quorum = f.quorum; p.Quorum == 0 {
		p.Quorum = len(p.Peers)
	}
	return p, true, p.Validate()
}

func (a *app) witnessSubmit() *cobra.Command {
	var f witnessFlags
	cmd := &cobra.Command{
		Use:   "submit [--witness URL=VKEY]",
		Short: "Have the workspace's newest checkpoint cosigned by its witnesses",
		Long: `Submit seals what is recorded and asks the witnesses to cosign the checkpoint, as a server does all
the time. The witnesses are remembered: audits ask them too, and bundles and proofs carry the
cosignatures.

Exit code: 0 enough witnesses have cosigned, 1 too few.`,
		Example: `  tallystick witness submit --witness https://witness.example.org=VKEY
  tallystick witness submit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, given, err := f.policy()
			if err != nil {
				return err
			}
			return a.withWorkspace(cmd.Context(), func(w *workspace.Workspace) error {
				ctx := cmd.Context()
				if given {
					if err := w.SetWitnesses(ctx, policy); err != nil {
						return err
					}
				}
				group, err := w.WitnessGroup()
				if err != nil {
					return err
				}
				if _, err := w.Seal(ctx); err != nil {
					return err
				}
				if group == nil {
					if given {
						_, err = fmt.Fprintln(a.Out, "no witness is asked any more")
						return err
					}
					return tallystick.Errorf(tallystick.Invalid, "this workspace has no witnesses").WithHint("name one with --witness URL=VKEY")
				}
				round, err := w.Cosign(ctx, group)
				if err != nil {
					return err
				}
				if len(round.Refusals) > 0 { // they are events by now
					if _, err := w.Seal(ctx); err != nil {
						return err
					}
				}
				if !round.Quorum {
					a.code = exitRefused
				}
				_, err = fmt.Fprint(a.Out, witnessLines(group.Status(), round.Size))
				return err
			})
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// witnessLines says how things stand with each witness, and then with all of them.
func witnessLines(s witness.Status, size uint64) string {
	var b strings.Builder
	cosigned := 0
	for _, peer := range s.Peers {
		word, detail := "cosigned", fmt.Sprintf("%d entries", peer.Size)
		switch {
		case peer.Err != nil:
			word, detail = "failed", peer.Err.Error()
			if r := (*witness.Refusal)(nil); errors.As(peer.Err, &r) {
				word, detail = "REFUSED", r.Detail
			}
		case peer.Size < size:
			word = "behind"
		default:
			cosigned++
		}
		fmt.Fprintf(&b, "%-8s  %s  %s\n", word, peer.Name, strings.ReplaceAll(detail, "\n", " "))
	}
	verdict := "witnessed"
	if cosigned < s.Quorum {
		verdict = "not witnessed"
	}
	fmt.Fprintf(&b, "%s: %d of %d have cosigned %d entries, %d are needed\n", verdict, cosigned, len(s.Peers), size, s.Quorum)
	return b.String()
}

// witnessDetail is what a server tells of its witnesses to whoever asks whether it is ready. It says
// nothing that would help somebody who should not know, and so no addresses and no answers.
func witnessDetail(s witness.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "witnessed: %d entries, %d of %d are needed\n", s.Size, s.Quorum, len(s.Peers))
	for _, peer := range s.Peers {
		word := "cosigns"
		if r := (*witness.Refusal)(nil); errors.As(peer.Err, &r) {
			word = "REFUSES (" + string(r.Fault) + ")"
		} else if peer.Err != nil {
			word = "fails"
		} else if peer.Time.IsZero() {
			word = "not asked yet"
		}
		fmt.Fprintf(&b, "witness %s: %s, %d entries\n", peer.Name, word, peer.Size)
	}
	return b.String()
}

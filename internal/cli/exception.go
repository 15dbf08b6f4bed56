package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/verify"
)

func (a *app) freeze() *cobra.Command {
	var f release.Freezing
	var until string
	cmd := &cobra.Command{
		Use: "freeze --reason TEXT", Short: "Keep everything as it is, in one environment, of one model, or everywhere", Args: cobra.NoArgs,
		Example: `  tallystick release freeze --env production --reason "incident 12 is looked into"
  tallystick release freeze --model credit --until 2026-12-24 --reason "holidays"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Environment, "env", "", "only in this environment")
	flags.StringVar(&f.Model, "model", "", "only of this model")
	flags.StringVar(&until, "until", "", "until when, a `time`; until it is lifted if not given")
	flags.StringVar(&f.Reason, "reason", "", "why")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, _ []string) (done recorded, _ client.Receipt, err error) {
			if f.Until, err = laterTime("--until", until); err != nil {
				return done, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/freezes", f, &done)
			return done, receipt, err
		},
		text:      func(w io.Writer, _ recorded) { fmt.Fprintln(w, "nothing is released where the freeze holds") },
		mustExist: true,
	})
}

// laterTime reads a time or a day; empty is the zero time.
func laterTime(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	if text == "" {
		return time.Time{}, nil
	}
	return time.Time{}, tallystick.Errorf(tallystick.Invalid, "%s %q is no time", flag, text).WithHint("write 2006-01-02 or 2006-01-02T15:04:05Z")
}

func (a *app) unfreeze() *cobra.Command {
	var why reason
	cmd := &cobra.Command{
		Use: "unfreeze FREEZE", Short: "Lift a freeze", Args: cobra.ExactArgs(1),
		Example: `  tallystick release unfreeze 0198c0de-0000-7000-8000-000000000000 --reason "incident 12 is over"`,
	}
	cmd.Flags().StringVar(&why.Reason, "reason", "", "why")
	return settles(a, cmd, settling[release.Freeze]{"/freezes/", "/end", &why, printFreezes})
}

func (a *app) freezeList() *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{Use: "freezes", Short: "List freezes, the newest first", Args: cobra.NoArgs, Example: `  tallystick release freezes --open`}
	return lists(a, cmd, listing[release.Freeze]{"/freezes", &f, "only freezes in force", printFreezes})
}

func printFreezes(w io.Writer, all []release.Freeze) {
	fmt.Fprintln(w, "FREEZE\tENVIRONMENT\tMODEL\tFROM\tUNTIL\tREASON")
	for _, f := range all {
		until := moment(f.Until)
		if !f.Lifted.IsZero() {
			until = "lifted " + moment(f.Lifted)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, orDash(f.Environment), orDash(f.Model), moment(f.From), orDash(until), orDash(f.Reason))
	}
}

func (a *app) waiver() *cobra.Command {
	cmd := &cobra.Command{Use: "waiver", Short: "Ask for, review and list dated exceptions to rules"}
	cmd.AddCommand(a.waiverRequest(), a.waiverReview("approve", release.Approve), a.waiverReview("reject", release.Reject), a.waiverRevoke(), a.waiverList())
	return cmd
}

func (a *app) waiverRequest() *cobra.Command {
	var v release.Waiving
	var expires string
	cmd := &cobra.Command{
		Use: "request MODEL@VERSION --to ENVIRONMENT --rule RULE", Short: "Ask for a dated exception to one rule", Args: cobra.ExactArgs(1),
		Example: `  tallystick waiver request credit@3 --to production --rule artifact.format --owner ada --expires 2027-01-31 \
    --reason "the vendor ships pickles alone" --control "loaded in a sandbox without a network"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&v.Environment, "to", "", "the `environment`")
	flags.StringVar(&v.Rule, "rule", "", "id of the rule")
	flags.StringVar(&v.Owner, "owner", "", "who answers for the risk")
	flags.StringVar(&v.Reason, "reason", "", "why the rule cannot be met")
	flags.StringVar(&v.Control, "control", "", "what is done instead")
	flags.StringVar(&expires, "expires", "", "until when, a `time`, within a year")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			if v.Model, v.Version, err = versionName(args[0]); err != nil {
				return done, client.Receipt{}, err
			}
			if v.Expires, err = laterTime("--expires", expires); err != nil {
				return done, client.Receipt{}, err
			}
			if v.Environment == "" || v.Rule == "" || expires == "" {
				return done, client.Receipt{}, usageError(cmd, "--to, --rule or --expires is missing")
			}
			receipt, err := s.Post(ctx, "/waivers", v, &done)
			return done, receipt, err
		},
		text: func(w io.Writer, _ recorded) {
			fmt.Fprintln(w, "somebody else has to approve the waiver before it counts")
		},
		mustExist: true,
	})
}

func (a *app) waiverReview(use string, verdict release.Opinion) *cobra.Command {
	said := struct {
		Verdict release.Opinion `json:"verdict"`
		Comment string          `json:"comment"`
	}{Verdict: verdict}
	cmd := &cobra.Command{
		Use: use + " WAIVER", Short: map[release.Opinion]string{release.Approve: "Approve a waiver that somebody else owns", release.Reject: "Reject a waiver"}[verdict],
		Args: cobra.ExactArgs(1), Example: fmt.Sprintf("  tallystick waiver %s 0198c0de-0000-7000-8000-000000000000 --comment \"looked at the sandbox\"", use),
	}
	cmd.Flags().StringVar(&said.Comment, "comment", "", "why")
	return settles(a, cmd, settling[release.Waiver]{"/waivers/", "/review", &said, printWaivers})
}

func (a *app) waiverRevoke() *cobra.Command {
	var why reason
	cmd := &cobra.Command{
		Use: "revoke WAIVER", Short: "End a waiver before its time", Args: cobra.ExactArgs(1),
		Example: `  tallystick waiver revoke 0198c0de-0000-7000-8000-000000000000 --reason "the vendor ships safetensors now"`,
	}
	cmd.Flags().StringVar(&why.Reason, "reason", "", "why")
	return settles(a, cmd, settling[release.Waiver]{"/waivers/", "/revocation", &why, printWaivers})
}

func (a *app) waiverList() *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List waivers, the newest first", Args: cobra.NoArgs, Example: `  tallystick waiver list --open
  tallystick waiver list --ending`,
	}
	list := lists(a, cmd, listing[release.Waiver]{"/waivers", &f, "only waivers that are asked for, or count", printWaivers})
	cmd.Flags().BoolVar(&f.ending, "ending", false, "only those that end within a week, or have ended in the last 30 days")
	cmd.MarkFlagsMutuallyExclusive("open", "ending")
	return list
}

func printWaivers(w io.Writer, all []release.Waiver) {
	fmt.Fprintln(w, "WAIVER\tVERSION\tTO\tRULE\tOWNER\tSTATE\tUNTIL\tCONTROL")
	now := time.Now()
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Model, v.Version, v.Environment, v.Rule, v.Owner, v.Stand(now), moment(v.Expires), v.Control)
	}
}

func (a *app) signer() *cobra.Command {
	cmd := &cobra.Command{Use: "signer", Short: "Say whose signed evidence counts, besides the installation's own"}
	cmd.AddCommand(a.signerAdd(), a.signerRevoke(), a.signerList())
	return cmd
}

func (a *app) signerAdd() *cobra.Command {
	var n release.NewSigner
	cmd := &cobra.Command{
		Use: "add NAME FILE", Short: "Let the evidence that a key signs count", Args: cobra.ExactArgs(2),
		Long: `Add takes a public key from FILE: ECDSA P-256 in PEM, or the trust.json of a workspace. The gate then judges what the key has signed: an
audit that ran elsewhere counts only if somebody whom the installation knows has signed it.`,
		Example: `  tallystick trust -o laptop.json && tallystick signer add laptop laptop.json --server https://models.example
  tallystick signer add vendor vendor.pub --predicate https://in-toto.io/attestation/test-result/v0.1`,
	}
	cmd.Flags().StringSliceVar(&n.Predicates, "predicate", nil, "`type` of predicate that it may sign; all if not given")
	return acts(a, cmd, command[recorded]{
		do: func(ctx context.Context, s *session, args []string) (done recorded, _ client.Receipt, err error) {
			key, err := readFile(args[1], maxKeyFile)
			if err != nil {
				return done, client.Receipt{}, err
			}
			n.Name, n.PublicKey = args[0], signerKey(key)
			receipt, err := s.Post(ctx, "/signers", n, &done)
			return done, receipt, err
		},
		text:      func(w io.Writer, _ recorded) { fmt.Fprintln(w, "what the key signs counts from now on") },
		mustExist: true,
	})
}

// signerKey returns the key in PEM as it is, and of a trust.json the key with which its workspace signs now.
func signerKey(file []byte) string {
	if t, err := verify.ParseTrust(file); err == nil {
		for _, k := range t.Keys {
			if k.Role == verify.RoleStatement && k.Status == verify.StatusActive {
				return k.PublicKey
			}
		}
	}
	return string(file)
}

func (a *app) signerRevoke() *cobra.Command {
	var why reason
	cmd := &cobra.Command{
		Use: "revoke KEY", Short: "Let the evidence that a key signs count no more", Args: cobra.ExactArgs(1),
		Example: `  tallystick signer revoke KEY --reason "the laptop was stolen"`,
	}
	cmd.Flags().StringVar(&why.Reason, "reason", "", "why")
	return settles(a, cmd, settling[recorded]{"/signers/", "/revocation", &why, func(w io.Writer, _ []recorded) {
		fmt.Fprintln(w, "what the key signs counts no more")
	}})
}

func (a *app) signerList() *cobra.Command {
	return asks(a, &cobra.Command{Use: "list", Short: "List the keys from outside whose evidence counts, or did", Args: cobra.NoArgs, Example: `  tallystick signer list`},
		question[[]release.Signer]{
			ask: func(ctx context.Context, s *session, _ []string) ([]release.Signer, error) {
				return client.List[release.Signer](ctx, s.Client, "/signers", nil, 0)
			},
			text: func(w io.Writer, all []release.Signer) {
				fmt.Fprintln(w, "SIGNER\tKEY\tMAY SIGN\tSINCE\tREVOKED")
				for _, n := range all {
					fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%s\n", n.Name, n.Key, n.Predicates, moment(n.Added), orDash(moment(n.Revoked)))
				}
			},
		})
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
)

const maxTried = 10_000 // decisions

func (a *app) policyShadow() *cobra.Command {
	var current, tier, decisions, format string
	var f releaseFlags
	cmd := &cobra.Command{
		Use:   "shadow DIR",
		Short: "Judge past decisions by a policy on trial and say which would come out otherwise",
		Long: `Shadow takes the inputs of past decisions of the gate, judges each by the policy in force and by the one in
DIR, and counts the verdicts that flip. Nothing is decided. It exits with 1 if a verdict flips.

The inputs are those on record on the server (--server) or in the workspace, the newest first, and the policy in
force is the one by which the newest of a tier was decided. Each is held against its digest. The policy on trial
never leaves this machine, and whoever tries it needs the right to export evidence (bundle.export) and no more;
the server records each input that it gives out. With --decisions the inputs come from a directory instead:
gate-input.json of audits, or any file that holds one.`,
		Example: `  tallystick policy shadow ./policy-next --server https://models.example --last 500
  tallystick policy shadow ./policy-next --model credit --env production
  tallystick policy shadow ./policy-next --policy ./policy --decisions ./decisions --tier high`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			var all []policy.ShadowResult
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			if decisions != "" {
				all, err = shadowRecorded(cmd.Context(), cmp.Or(current, builtinPolicy), args[0], tier, decisions)
			} else {
				all, err = a.shadowDecided(cmd.Context(), trial{current: current, next: args[0], tier: tier, of: f})
			}
			if err != nil {
				return err
			}
			for _, result := range all {
				a.refuseUnless(result.Opened+result.Shut == 0)
			}
			if format == "json" {
				return a.printJSON(all)
			}
			for _, result := range all {
				if err := result.WriteText(a.Out, a.width()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags := comparing(cmd, &tier, &format)
	flags.StringVar(&current, "policy", "", "`directory` of the policy in force, or builtin (default: that of the newest decision; of a directory, builtin)")
	flags.StringVar(&decisions, "decisions", "", "`directory` of recorded inputs of the gate")
	flags.StringVar(&f.model, "model", "", "only decisions about this model")
	flags.StringVar(&f.environment, "env", "", "only decisions for this environment")
	flags.IntVar(&f.limit, "last", 200, "the newest so many decisions")
	for _, flag := range []string{"model", "env", "last"} {
		cmd.MarkFlagsMutuallyExclusive("decisions", flag)
	}
	return cmd
}

func shadowRecorded(ctx context.Context, current, next, tier, dir string) (all []policy.ShadowResult, err error) {
	packs, err := packPairs(current, next, tier, "text")
	if err != nil {
		return nil, err
	}
	for _, pair := range packs {
		result, err := policy.Shadow(ctx, pair[0], pair[1], policy.Recorded(dir))
		if err != nil {
			return nil, err
		}
		all = append(all, result)
	}
	return all, nil
}

// trial is what is to be tried over which decisions.
type trial struct {
	current, next, tier string
	of                  releaseFlags
}

// shadowDecided tries a policy over the decisions that are on record.
func (a *app) shadowDecided(ctx context.Context, t trial) (all []policy.ShadowResult, err error) {
	if t.of.limit < 1 || t.of.limit > maxTried {
		return nil, tallystick.Errorf(tallystick.Invalid, "--last %d is not a number from 1 to %d", t.of.limit, maxTried)
	}
	tiers, err := tiersOf(t.tier)
	if err != nil {
		return nil, err
	}
	packs := map[tallystick.Tier]*policy.Pack{}
	for _, tier := range tiers { // before anybody is asked for anything
		if packs[tier], err = loadPack(t.next, tier); err != nil {
			return nil, err
		}
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close(ctx, false)) }()
	decided, err := client.List[release.GateDecision](ctx, s.Client, "/decisions", t.of.query(), t.of.limit)
	if err != nil {
		return nil, err
	}
	of := map[tallystick.Tier][]release.GateDecision{}
	for _, d := range decided {
		of[d.Tier] = append(of[d.Tier], d)
	}
	for _, tier := range tiers {
		if len(of[tier]) == 0 {
			continue
		}
		from, err := t.inForce(ctx, s, of[tier][0])
		if err != nil {
			return nil, err
		}
		result, err := policy.Shadow(ctx, from, packs[tier], inputs(ctx, s, of[tier]))
		if err != nil {
			return nil, err
		}
		all = append(all, result)
	}
	if len(all) == 0 {
		return nil, tallystick.Errorf(tallystick.NotFound, "no decision of the gate like that is on record").
			WithHint("`tallystick gate MODEL@VERSION --to ENVIRONMENT` makes one; --decisions tries the policy over a directory")
	}
	return all, nil
}

// inForce returns the policy that is named, or the one by which a decision was taken.
func (t trial) inForce(ctx context.Context, s *session, newest release.GateDecision) (*policy.Pack, error) {
	if t.current != "" {
		return loadPack(t.current, newest.Tier)
	}
	var kept api.PolicyFiles
	if err := s.Get(ctx, decisionPath(newest)+"/policy", &kept); err != nil {
		return nil, err
	}
	var files []policy.File
	for _, f := range kept.Files {
		files = append(files, policy.File(f))
	}
	pack, err := policy.Restore(files, "policy "+newest.Policy.Short())
	if err != nil {
		return nil, err
	}
	if pack.Digest() != newest.Policy {
		return nil, tallystick.Errorf(tallystick.Invalid, "what came as the policy %s of decision %s is %s", newest.Policy.Short(), newest.ID, pack.Digest().Short()).
			WithHint("name the policy in force with --policy")
	}
	return pack, nil
}

func decisionPath(d release.GateDecision) string { return "/decisions/" + url.PathEscape(d.ID) }

// inputs yields what the gate judged in each decision, one at a time.
func inputs(ctx context.Context, s *session, decided []release.GateDecision) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, d := range decided {
			input, err := gateInput(ctx, s, d)
			if !yield(input, err) || err != nil {
				return
			}
		}
	}
}

func gateInput(ctx context.Context, s *session, d release.GateDecision) ([]byte, error) {
	r, err := s.Download(ctx, decisionPath(d)+"/input")
	if err != nil {
		return nil, err
	}
	input, err := io.ReadAll(io.LimitReader(r, policy.MaxInput+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("input of decision %s: %w", d.ID, err)
	}
	if got := tallystick.DigestOf(input); got != d.Input {
		return nil, tallystick.Errorf(tallystick.Invalid, "what came as the input of decision %s is %s, not %s", d.ID, got.Short(), d.Input.Short()).
			WithHint("the server or somebody on the way has changed it")
	}
	return input, nil
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func (a *app) policyDiff() *cobra.Command {
	var tier, decisions, format string
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Say what one policy asks for and another does not: rules, settings and, over past decisions, verdicts",
		Long: `Diff compares the policies of two directories; builtin is the one that this binary carries. With a
directory of recorded inputs of the gate it says besides which rules and verdicts would come out otherwise.`,
		Example: `  tallystick policy diff builtin ./policy
  tallystick policy diff ./policy ./policy-next --tier high --decisions ./decisions`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			packs, err := packPairs(args[0], args[1], tier, format)
			if err != nil {
				return err
			}
			var all []policy.Difference
			for _, pair := range packs {
				d := policy.Diff(pair[0], pair[1])
				if decisions != "" {
					result, err := policy.Shadow(cmd.Context(), pair[0], pair[1], policy.Recorded(decisions))
					if err != nil {
						return err
					}
					d.Shadow = &result
				}
				all = append(all, d)
			}
			if format == "json" {
				return a.printJSON(all)
			}
			for _, d := range all {
				if err := d.WriteText(a.Out, a.width()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	comparing(cmd, &tier, &decisions, &format)
	return cmd
}

func (a *app) policyShadow() *cobra.Command {
	var current, tier, decisions, format string
	cmd := &cobra.Command{
		Use:   "shadow DIR --decisions DIR",
		Short: "Judge past decisions by a policy on trial and say which would come out otherwise",
		Long: `Shadow takes the inputs of past decisions from a directory (gate-input.json of audits, or any file that holds
one), judges each by the policy in force and by the one in DIR, and counts the verdicts that flip. Nothing is
decided or recorded. It exits with 1 if a verdict flips.`,
		Example: `  tallystick policy shadow ./policy-next --decisions ./decisions
  tallystick policy shadow ./policy-next --policy ./policy --decisions ./decisions --tier high`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if decisions == "" {
				return usageError(cmd, "--decisions is missing")
			}
			packs, err := packPairs(current, args[0], tier, format)
			if err != nil {
				return err
			}
			var all []policy.ShadowResult
			for _, pair := range packs {
				result, err := policy.Shadow(cmd.Context(), pair[0], pair[1], policy.Recorded(decisions))
				if err != nil {
					return err
				}
				if result.Opened+result.Shut > 0 {
					a.code = exitRefused
				}
				all = append(all, result)
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
	comparing(cmd, &tier, &decisions, &format)
	cmd.Flags().StringVar(&current, "policy", "builtin", "`directory` of the policy in force")
	return cmd
}

func comparing(cmd *cobra.Command, tier, decisions, format *string) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(tier, "tier", "", "risk tier: low, limited or high (default: each)")
	flags.StringVar(decisions, "decisions", "", "`directory` of recorded inputs of the gate")
	flags.StringVar(format, "format", "text", "text or json")
}

// packPairs loads both policies for the tier, or for each.
func packPairs(from, to, tier, format string) (pairs [][2]*policy.Pack, err error) {
	if err := oneOf("--format", format, "text", "json"); err != nil {
		return nil, err
	}
	tiers := []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh}
	if tier != "" {
		t, err := tallystick.ParseTier(tier)
		if err != nil {
			return nil, err
		}
		tiers = []tallystick.Tier{t}
	}
	for _, t := range tiers {
		var pair [2]*policy.Pack
		for i, dir := range []string{from, to} {
			if dir == "builtin" {
				dir = ""
			}
			if pair[i], err = policy.Load(dir, t); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

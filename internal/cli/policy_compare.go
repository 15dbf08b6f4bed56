package cli

import (
	"cmp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	flags := comparing(cmd, &tier, &format)
	flags.StringVar(&decisions, "decisions", "", "`directory` of recorded inputs of the gate")
	return cmd
}

func comparing(cmd *cobra.Command, tier, format *string) *pflag.FlagSet {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(tier, "tier", "", "risk tier: low, limited or high (default: each)")
	flags.StringVar(format, "format", "text", "text or json")
	return flags
}

// packPairs loads both policies for the tier, or for each.
func packPairs(from, to, tier, format string) (pairs [][2]*policy.Pack, err error) {
	if err := oneOf("--format", format, "text", "json"); err != nil {
		return nil, err
	}
	tiers, err := tiersOf(tier)
	if err != nil {
		return nil, err
	}
	for _, t := range tiers {
		old, errOld := loadPack(from, t)
		young, err := loadPack(to, t)
		if err := cmp.Or(errOld, err); err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]*policy.Pack{old, young})
	}
	return pairs, nil
}

// tiersOf returns the one tier that is named, or all.
func tiersOf(tier string) ([]tallystick.Tier, error) {
	if tier == "" {
		return []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh}, nil
	}
	t, err := tallystick.ParseTier(tier)
	return []tallystick.Tier{t}, err
}

// builtinPolicy names the policy that this binary carries.
const builtinPolicy = "builtin"

func loadPack(dir string, tier tallystick.Tier) (*policy.Pack, error) {
	if dir == builtinPolicy {
		dir = ""
	}
	return policy.Load(dir, tier)
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/lineage"
)

func (a *app) lineageUses() *cobra.Command {
	var kind, purpose string
	cmd := &cobra.Command{
		Use:   "uses KIND:ID",
		Short: "Say which features came from something, and under which rules of use",
		Long: `Uses lists what was made from a column, a source or a snapshot: features, or with --kind versions, deployments
and others, each with every rule of use that holds for it and where that rule comes from. With --purpose it says
for each whether a rule is against that.`,
		Example: `  tallystick lineage uses column:core/loans#income
  tallystick lineage uses snapshot:loans@2026-03 --kind version --purpose marketing`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&kind, "kind", string(lineage.Feature), "what is listed")
	flags.StringVar(&purpose, "purpose", "", "say which may not be used for this `purpose`")
	return asks(a, cmd, question[api.Uses]{
		ask: func(ctx context.Context, s *session, args []string) (uses api.Uses, err error) {
			node, err := nodeName(args[0])
			if err != nil {
				return uses, err
			}
			return uses, s.Get(ctx, "/lineage/uses?"+chosen("node", node, "kind", kind, "purpose", purpose).Encode(), &uses)
		},
		text: func(w io.Writer, uses api.Uses) { printUses(w, uses, kind, purpose) },
	})
}

func printUses(w io.Writer, uses api.Uses, kind, purpose string) {
	if len(uses.Items) == 0 {
		fmt.Fprintf(w, "no %s is known to come from it\n", kind)
	} else {
		fmt.Fprintf(w, "%s\tSTEPS\t%sRULES OF USE\n", strings.ToUpper(kind), ifAsked(purpose, strings.ToUpper(shorten(purpose, 30))))
	}
	for _, use := range uses.Items {
		says := []string{"none"}
		if len(use.Rules) > 0 {
			says = nil
		}
		for _, a := range use.Rules {
			says = append(says, ruleWords(a.Rule))
		}
		may := "not forbidden"
		if len(use.Against) > 0 {
			may = "✗ forbidden by " + use.Against[0].Rule.Node.String()
		}
		for i, say := range says {
			if i == 0 {
				fmt.Fprintf(w, "%s\t%d\t%s%s\n", use.Node.Ref.ID, len(use.Path), ifAsked(purpose, may), say)
			} else {
				fmt.Fprintf(w, "\t\t%s%s\n", ifAsked(purpose, ""), say)
			}
		}
	}
	if uses.Cut != "" {
		fmt.Fprintln(w, "this is not all: ask about something nearer")
	}
}

// ifAsked is a column of the table that is there only if a purpose was asked about.
func ifAsked(purpose, column string) string {
	if purpose == "" {
		return ""
	}
	return column + "\t"
}

// ruleWords writes a rule as a person would.
func ruleWords(r lineage.UsageRule) string {
	var says []string
	if len(r.Allowed) > 0 {
		says = append(says, "only for "+strings.Join(r.Allowed, ", "))
	}
	if len(r.Forbidden) > 0 {
		says = append(says, "not for "+strings.Join(r.Forbidden, ", "))
	}
	if r.Basis != "" {
		says = append(says, "basis: "+r.Basis)
	}
	if r.Reason != "" {
		says = append(says, "because "+shorten(r.Reason, 60))
	}
	if len(says) == 0 {
		says = []string{"for anything"}
	}
	return strings.Join(says, "; ") + " (" + r.Node.String() + ")"
}

func (a *app) lineageRule() *cobra.Command {
	var r lineage.UsageRule
	cmd := &cobra.Command{
		Use:   "rule KIND:ID",
		Short: "Say what a column, feature, source or snapshot may be used for",
		Long: `Rule sets the rule of use of one thing. It holds for everything that is made from it. A rule that was there
before is replaced; both stand on the trail.`,
		Example: `  tallystick lineage rule column:core/loans#postcode --forbid credit-scoring --reason "stands in for origin"`,
		Args:    cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&r.Allowed, "allow", nil, "`purposes` that it may be used for; without any, all that are not forbidden")
	flags.StringSliceVar(&r.Forbidden, "forbid", nil, "`purposes` that it may not be used for")
	flags.StringVar(&r.Basis, "basis", "", "what permits the use: consent, contract, legal obligation")
	flags.StringVar(&r.Reason, "reason", "", "why")
	return acts(a, cmd, command[lineage.UsageRule]{
		do: func(ctx context.Context, s *session, args []string) (rule lineage.UsageRule, _ client.Receipt, err error) {
			node, err := lineage.ParseRef(args[0])
			if err != nil {
				return rule, client.Receipt{}, err
			}
			if len(r.Allowed)+len(r.Forbidden) == 0 && r.Basis == "" {
				return rule, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "the rule of %s says nothing", node).WithHint("use --allow, --forbid or --basis")
			}
			r.Node = node
			receipt, err := s.Post(ctx, "/lineage/rules", r, &rule)
			return rule, receipt, err
		},
		text: func(w io.Writer, rule lineage.UsageRule) { fmt.Fprintln(w, ruleWords(rule)) },
	})
}

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) model() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Register models, say what they are, sign and scan their files"}
	cmd.AddCommand(a.modelRegister(), a.modelList(), a.modelShow(), a.modelUpdate(), a.modelRetire(), a.modelQuestions(),
		a.modelSign(), a.modelVerify(), a.modelScan())
	return cmd
}

func modelPath(name string) string { return "/models/" + url.PathEscape(name) }

// modelFlags are what a person says of a model.
type modelFlags struct {
	text            map[string]*string // by the field's name in the API
	answers, labels []string
	thirdParty      bool
}

func addModelFlags(cmd *cobra.Command) *modelFlags {
	f := &modelFlags{text: map[string]*string{}}
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, t := range []struct{ field, flag, usage string }{
		{"owner", "owner", "who answers for the model (default: you)"},
		{"sre_owner", "sre-owner", "who answers for its operation"},
		{"intended_purpose", "purpose", "what it is for"},
		{"acceptable_use", "acceptable-use", "what it may be used for, and what not"},
		{"summary", "summary", "what it does, in a sentence or two"},
		{"tier_stated", "tier", "the least risk tier: low, limited or high; answers can make it higher"},
		{"state", "state", "active or experimental; an experimental model owes no evidence"},
		{"supplier", "supplier", "who supplies a third-party model"},
		{"supplier_contract", "supplier-contract", "contract under which it is supplied"},
	} {
		f.text[t.field] = flags.String(t.flag, "", t.usage)
	}
	flags.BoolVar(&f.thirdParty, "third-party", false, "somebody else made the model; its files need not be known")
	flags.StringArrayVar(&f.answers, "answer", nil, "`QUESTION=ANSWER` about its risk; tallystick model questions lists them")
	flags.StringArrayVar(&f.labels, "label", nil, "`NAME=VALUE` to find it by")
	return f
}

// body returns what was said. before holds the answers and labels to which the given ones are added.
func (f *modelFlags) body(cmd *cobra.Command, before catalog.ModelDetails) (map[string]any, error) {
	body := map[string]any{}
	for field, value := range f.text {
		if *value != "" {
			body[field] = *value
		}
	}
	if cmd.Flags().Changed("third-party") {
		body["third_party"] = f.thirdParty
	}
	answers, err := pairs("--answer", f.answers)
	if err != nil {
		return nil, err
	}
	if err := catalog.Answers(answers).Validate(); err != nil {
		return nil, err
	}
	labels, err := pairs("--label", f.labels)
	if err != nil {
		return nil, err
	}
	for field, sets := range map[string][2]map[string]string{"answers": {before.Answers, answers}, "labels": {before.Labels, labels}} {
		if len(sets[1]) > 0 {
			all := map[string]string{}
			maps.Copy(all, sets[0])
			maps.Copy(all, sets[1])
			body[field] = all
		}
	}
	return body, nil
}

func (a *app) modelRegister() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "register NAME",
		Short: "Register a model",
		Long: `Register a model. Its risk tier is computed from the answers (tallystick model questions), and says
what evidence the model owes (tallystick status NAME). A retired model comes back with --reason.`,
		Example: `  tallystick model register credit --owner ana --sre-owner bo --purpose "score loan applications" \
    --acceptable-use "a person decides; not for pricing" --answer financial_effect=major --answer reach=customers`,
		Args: cobra.ExactArgs(1),
	}
	f := addModelFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why a retired model comes back")
	return acts(a, cmd, command[catalog.Model]{
		do: func(ctx context.Context, s *session, args []string) (m catalog.Model, _ client.Receipt, err error) {
			body, err := f.body(cmd, catalog.ModelDetails{})
			if err != nil {
				return m, client.Receipt{}, err
			}
			body["name"] = args[0]
			if reason != "" {
				body["reason"] = reason
			}
			receipt, err := s.Post(ctx, "/models", body, &m)
			return m, receipt, err
		},
		text: printModel,
	})
}

func (a *app) modelUpdate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Change what is said of a model",
		Long:  `Update changes what is given and leaves the rest. Answers and labels are added to those before.`,
		Example: `  tallystick model update credit --sre-owner bo
  tallystick model update credit --answer safety=none --answer sensitive_data=personal`,
		Args: cobra.ExactArgs(1),
	}
	f := addModelFlags(cmd)
	return acts(a, cmd, command[catalog.Model]{
		do: func(ctx context.Context, s *session, args []string) (m catalog.Model, receipt client.Receipt, err error) {
			path := modelPath(args[0])
			if len(f.answers)+len(f.labels) > 0 {
				return f.add(ctx, s, cmd, path)
			}
			body, err := f.body(cmd, catalog.ModelDetails{})
			if err != nil {
				return m, receipt, err
			}
			if len(body) == 0 {
				return m, receipt, usageError(cmd, "nothing is to be changed")
			}
			receipt, err = s.Patch(ctx, path, body, &m)
			return m, receipt, err
		},
		text: printModel, mustExist: true,
	})
}

// add changes a model to whose answers and labels some are added. They travel whole, so the change holds
// only for the revision that it was made from; if somebody was quicker it is made once more from theirs.
func (f *modelFlags) add(ctx context.Context, s *session, cmd *cobra.Command, path string) (m catalog.Model, receipt client.Receipt, err error) {
	const attempts = 2
	var conflict error
	var made int64 // revision that the change is made from
	for range attempts {
		var before catalog.Model
		if err := s.Get(ctx, path, &before); err != nil {
			return m, receipt, err
		}
		if conflict != nil && before.Revision == made {
			return m, receipt, conflict // about something else: nobody has changed the model
		}
		made = before.Revision
		body, err := f.body(cmd, before.ModelDetails)
		if err != nil {
			return m, receipt, err
		}
		receipt, conflict = s.PatchIf(ctx, path, strconv.Quote(strconv.FormatInt(made, 10)), body, &m)
		if tallystick.CodeOf(conflict) != tallystick.Conflict {
			return m, receipt, conflict
		}
	}
	return m, receipt, conflict
}

func (a *app) modelRetire() *cobra.Command {
	var reason, replacement string
	cmd := &cobra.Command{
		Use: "retire NAME --reason TEXT", Short: "Take a model out of use", Args: cobra.ExactArgs(1),
		Example: `  tallystick model retire credit --reason "the product ended" --replacement credit-2`,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().StringVar(&replacement, "replacement", "", "the registered model that takes its place")
	return acts(a, cmd, command[catalog.Model]{
		do: func(ctx context.Context, s *session, args []string) (m catalog.Model, _ client.Receipt, err error) {
			if reason == "" {
				return m, client.Receipt{}, errNoReason("the retirement")
			}
			body := map[string]string{"reason": reason}
			if replacement != "" {
				body["replacement"] = replacement
			}
			receipt, err := s.Post(ctx, modelPath(args[0])+"/retirement", body, &m)
			return m, receipt, err
		},
		text: printModel, mustExist: true,
	})
}

func errNoReason(what string) error {
	return tallystick.Errorf(tallystick.Invalid, "--reason is missing").WithHint("say why: the trail keeps the reason of %s", what)
}

func (a *app) modelShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Show what is said of a model", Args: cobra.ExactArgs(1), Example: `  tallystick model show credit --format json`,
	}, question[catalog.Model]{
		ask: func(ctx context.Context, s *session, args []string) (m catalog.Model, err error) {
			err = s.Get(ctx, modelPath(args[0]), &m)
			return m, err
		},
		text: printModel,
	})
}

func printModel(w io.Writer, m catalog.Model) {
	thirdParty := ""
	if m.ThirdParty {
		thirdParty = "yes"
	}
	printFields(w, "model", m.Name, "state", string(m.State), "tier", string(m.Tier), "because", strings.TrimPrefix(m.TierDecision.Reason, string(m.Tier)+", because "),
		"owner", m.Owner, "sre owner", m.SREOwner, "purpose", m.Purpose, "acceptable use", m.AcceptableUse, "summary", m.Summary,
		"third party", thirdParty, "supplier", m.Supplier, "contract", m.SupplierContract, "answers", joinPairs(m.Answers), "labels", joinPairs(m.Labels),
		"latest version", m.LatestVersion, "replaced by", m.Replacement, "reason", m.Reason)
}

func joinPairs(m map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, name+"="+m[name])
	}
	return strings.Join(all, " ")
}

func (a *app) modelList() *cobra.Command {
	var state, tier, owner, text, label string
	var priority bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List models: whose, of which tier, what they owe, where they serve",
		Example: `  tallystick model list --tier high --owner ana
  tallystick model list --priority`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&state, "state", "", "experimental, active or retired")
	flags.StringVar(&tier, "tier", "", "low, limited or high")
	flags.StringVar(&owner, "owner", "", "whose")
	flags.StringVar(&text, "text", "", "words that those of name, summary or purpose begin with")
	flags.StringVar(&label, "label", "", "with the label `NAME=VALUE`")
	flags.BoolVar(&priority, "priority", false, "those first that should be audited first")
	return asks(a, cmd, question[[]catalog.Overview]{
		ask: func(ctx context.Context, s *session, _ []string) ([]catalog.Overview, error) {
			q := chosen("state", state, "tier", tier, "owner", owner, "text", text, "label", label)
			if priority {
				if len(q) > 0 {
					return nil, usageError(cmd, "--priority goes with no other filter")
				}
				q.Set("order", "priority")
			}
			return client.List[catalog.Overview](ctx, s.Client, "/models", q, 0)
		},
		text: printModels,
	})
}

func printModels(w io.Writer, models []catalog.Overview) {
	fmt.Fprintln(w, "MODEL\tSTATE\tTIER\tOWNER\tLATEST\tVERDICT\tOWES\tSERVES\tFINDINGS")
	for _, m := range models {
		owes := "-"
		if m.Owes > 0 {
			owes = fmt.Sprintf("%d of %d", m.Missing+m.Stale, m.Owes)
		}
		var places []string
		for _, p := range m.Places {
			places = append(places, fmt.Sprintf("%s in %s (%s)", p.Version, p.Environment, p.Role))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", m.Name, m.State, m.Tier, orDash(m.Owner), orDash(m.LatestVersion), orDash(string(m.Verdict)),
			owes, orDash(strings.Join(places, ", ")), m.Findings)
	}
}

func (a *app) modelQuestions() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "questions", Short: "List the questions about risk, and which tier each answer asks for", Args: cobra.NoArgs,
		Example: `  tallystick model questions`,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			if format == "json" {
				return a.printJSON(catalog.Questions())
			}
			return printColumns(a.Out, func(w io.Writer) {
				for _, q := range catalog.Questions() {
					fmt.Fprintf(w, "%s: %s\n", q.ID, q.Text)
					for _, o := range q.Options {
						fmt.Fprintf(w, "  --answer %s=%s\t%s\t%s\n", q.ID, o.ID, o.Asks, o.Text)
					}
				}
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

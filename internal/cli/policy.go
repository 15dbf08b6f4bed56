package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
)

func (a *app) policy() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Test, explain and compare the policies of the gate"}
	cmd.AddCommand(a.policyTest(), a.policyExplain(), a.policyRender(), a.policyDiff(), a.policyShadow(), a.policyHistory())
	return cmd
}

func (a *app) policyTest() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Run the tests of a policy directory, or of the built-in packs",
		Example: `  tallystick policy test
  tallystick policy test ./policy`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			results, err := policy.Test(cmd.Context(), first(args))
			if err != nil {
				return err
			}
			if policy.TestVerdict(results) != tallystick.Pass {
				a.code = exitRefused
			}
			if format == "json" {
				return a.printJSON(results)
			}
			return policy.WriteTests(a.Out, results)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) policyExplain() *cobra.Command {
	var dir, tier, input, format string
	var trace bool
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say what a policy asks for and, for an input, why each rule came out as it did",
		Example: `  tallystick policy explain --tier high
  tallystick verify evidence.tally --extract x
  tallystick policy explain --tier high --input x/evidence/gate-input.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			t, err := tallystick.ParseTier(tier)
			if err != nil {
				return err
			}
			pack, err := policy.Load(dir, t)
			if err != nil {
				return err
			}
			options := policy.ExplainOptions{Trace: trace}
			if input != "" {
				data, err := readFile(input, policy.MaxInput)
				if err != nil {
					return err
				}
				var document policy.Input
				dec := json.NewDecoder(bytes.NewReader(data))
				dec.UseNumber()
				if err := dec.Decode(&document); err != nil {
					return tallystick.Errorf(tallystick.Invalid, "%s is no gate input: %w", input, err)
				}
				options.Input, options.Now = document, document.Now
			}
			explanation, err := pack.Explain(cmd.Context(), options)
			if err != nil {
				return err
			}
			if format == "json" {
				return a.printJSON(explanation)
			}
			return explanation.WriteText(a.Out, a.width())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&dir, "policy", "", "`directory` of a policy of your own")
	flags.StringVar(&tier, "tier", string(tallystick.TierLimited), "risk tier: low, limited or high")
	flags.StringVar(&input, "input", "", "gate-input.json of an audit")
	flags.BoolVar(&trace, "trace", false, "include the engine's own trace")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
}

// policyRender turns the decision in a report into the forms that CI servers read.
func (a *app) policyRender() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "render REPORT.json",
		Short: "Write the gate decision of a report as text, json, sarif, junit, markdown or github",
		Example: `  tallystick policy render tallystick-audit/report.json --format sarif > gate.sarif
  tallystick policy render tallystick-audit/report.json --format markdown`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := policy.ParseFormat(format)
			if err != nil {
				return err
			}
			doc, err := readReport(args[0])
			if err != nil {
				return err
			}
			return a.renderGate(f, doc)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, sarif, junit, markdown or github")
	return cmd
}

func readReport(path string) (*report.Document, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	doc, err := report.ReadJSON(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return doc, nil
}

func (a *app) renderGate(format policy.Format, doc *report.Document) error {
	return policy.Render(a.Out, format, doc.Gate, policy.RenderOptions{
		Model: doc.Model.Name, Version: doc.Model.Version, File: doc.Data.Files[0].Name, Tool: doc.Tool.Version,
		Width: a.width(), Colour: a.colour(),
	})
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

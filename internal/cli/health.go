package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/health"
)

func (a *app) health() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "health MODEL", Short: "Say in one figure how a model stands, and why", Args: cobra.ExactArgs(1),
		Long: `Health is made of objectives, monitors, owed evidence, findings and labels, each with a weight. What is unknown earns
nothing. While objectives, monitors, evidence or findings fail, it is at most 40, whatever the rest says.`,
		Example: `  tallystick health credit
  tallystick health credit --format json`,
	}, question[health.Health]{
		ask: func(ctx context.Context, s *session, args []string) (h health.Health, err error) {
			return h, s.Get(ctx, "/models/"+url.PathEscape(args[0])+"/health", &h)
		},
		text: func(w io.Writer, h health.Health) {
			fmt.Fprintf(w, "%s\n%s\n\n", h.Model, h.Words)
			fmt.Fprintln(w, "PART\tWEIGHT\tVALUE\tVERDICT\tWHY")
			for _, p := range h.Parts {
				value := figure.None
				if p.Value != nil {
					value = figure.Percent(*p.Value)
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", p.Name, p.Weight, value, p.Verdict, p.Reason)
			}
		},
	})
}

package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/stat"
)

// correlated is a figure of the business beside the drift of scores, window by window.
type correlated struct {
	Figure  string         `json:"figure"`
	Of      string         `json:"drift_of"`
	Windows []both         `json:"windows"`
	Rank    *stat.Estimate `json:"rank_correlation"` // null: too few windows
}

// both is what one window has.
type both struct {
	From   time.Time `json:"from"`
	Figure float64   `json:"figure"`
	PSI    float64   `json:"psi"`
}

func (a *app) monitorCorrelate() *cobra.Command {
	var name, of string
	var limit int
	cmd := &cobra.Command{
		Use: "correlate NAME --kpi FIGURE", Short: "Put a figure of the business beside drift, window by window", Args: cobra.ExactArgs(1),
		Long: `Put the mean of a figure that the check kpi judges beside the drift (PSI) of the score, or of what --with names, over the
windows that were judged last, and tell their rank correlation. It describes and judges nothing: windows that follow each
other are not independent, and what moves together need not be cause and effect.`,
		Example: `  tallystick monitor correlate credit-hourly --kpi basket
  tallystick monitor correlate credit-hourly --kpi basket --with income --limit 500 --format json`,
	}
	cmd.Flags().StringVar(&name, "kpi", "", "`name` of the figure in the monitor")
	cmd.Flags().StringVar(&of, "with", "score", "`feature` whose drift is taken")
	cmd.Flags().IntVar(&limit, "limit", 200, "windows that were judged last, at most 1000")
	return asks(a, cmd, question[correlated]{
		ask: func(ctx context.Context, s *session, args []string) (c correlated, err error) {
			if name == "" || limit < 1 || limit > 1000 {
				return c, tallystick.Errorf(tallystick.Invalid, "--kpi names no figure, or --limit is not 1 to 1000").WithHint("give the name that the monitor has under checks.kpi")
			}
			c = correlated{Figure: name, Of: of, Windows: []both{}}
			all, err := client.List[monitor.JudgedWindow](ctx, s.Client, "/judgements", chosen("monitor", args[0]), limit)
			if err != nil {
				return c, err
			}
			for _, w := range all {
				var j monitor.WindowJudgement
				if err := s.Get(ctx, "/judgements/"+string(w.Judgement), &j); err != nil {
					return c, err
				}
				if b, has := bothOf(&j, name, of); has {
					c.Windows = append(c.Windows, b)
				}
			}
			slices.SortFunc(c.Windows, func(x, y both) int { return x.From.Compare(y.From) })
			c.correlate()
			return c, nil
		},
		text: printCorrelated,
	})
}

// bothOf returns what a judgement has, false if it lacks one of the two.
func bothOf(j *monitor.WindowJudgement, name, of string) (both, bool) {
	b, found := both{From: j.From}, 0
	for _, r := range j.Rows {
		if !r.Value.Valid() {
			continue
		}
		switch {
		case r.Check == "kpi" && r.Subject == name:
			b.Figure = float64(r.Value)
			found |= 1
		case r.Check == "drift" && r.Subject == of:
			b.PSI = float64(r.Value)
			found |= 2
		}
	}
	return b, found == 3
}

func (c *correlated) correlate() {
	var x, y []float64
	for _, w := range c.Windows {
		x, y = append(x, w.Figure), append(y, w.PSI)
	}
	if e := stat.Spearman(x, y); e.Value == e.Value {
		c.Rank = &e
	}
}

func printCorrelated(w io.Writer, c correlated) {
	fmt.Fprintf(w, "WINDOW\t%s\tPSI OF %s\n", c.Figure, c.Of)
	for _, b := range c.Windows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", moment(b.From), figure.Plain(b.Figure), figure.Plain(b.PSI))
	}
	if c.Rank == nil {
		fmt.Fprintf(w, "\n%d windows that have both: nothing to correlate.\n", len(c.Windows))
		return
	}
	fmt.Fprintf(w, "\nRank correlation over %d windows: %.2f (95 %% interval %.2f to %.2f). It describes, and judges nothing.\n", len(c.Windows), c.Rank.Value, c.Rank.Interval.Low, c.Rank.Interval.High)
}

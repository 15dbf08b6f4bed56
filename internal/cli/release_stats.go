package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/release"
)

func (a *app) releaseStats() *cobra.Command {
	var environment, from, to string
	cmd := &cobra.Command{
		Use:   "stats [MODEL]",
		Short: "Say how the release process went: how much, how long it took, what denied",
		Long: `Stats counts what is on record of a period: requests, decisions of the gate, promotions, rollbacks and
waivers; how long it took from a request to the last needed approval and to the promotion; which share
was denied and by which rules; what came in by a waiver; and what was rolled back within seven days.
Of fewer than five no median is told.`,
		Example: `  tallystick release stats
  tallystick release stats credit --env production --from 2026-07-01 --to 2026-09-30
  tallystick release stats --format json`,
		Args: cobra.MaximumNArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&environment, "env", "", "only of this environment")
	flags.StringVar(&from, "from", "", "from this `time` on: 2026-01-31, or RFC 3339; 90 days before the end if absent")
	flags.StringVar(&to, "to", "", "up to this `time`; a day is taken whole; now if absent")
	return asks(a, cmd, question[release.Figures]{
		ask: func(ctx context.Context, s *session, args []string) (f release.Figures, err error) {
			q := chosen("model", first(args), "environment", environment)
			if err := addTimes(q, "from", from); err != nil {
				return f, err
			}
			until, err := parseTime("--to", to)
			if err != nil {
				return f, err
			}
			if _, notDay := time.Parse(time.DateOnly, to); notDay == nil {
				until = until.AddDate(0, 0, 1)
			}
			if !until.IsZero() {
				q.Set("to", until.Format(time.RFC3339Nano))
			}
			return f, s.Get(ctx, "/releases/figures?"+q.Encode(), &f)
		},
		text: printFigures,
	})
}

func printFigures(w io.Writer, f release.Figures) {
	of := strings.TrimSpace(f.Model + " " + map[bool]string{true: "in " + f.Environment}[f.Environment != ""])
	printFields(w, "of", of, "from", moment(f.From), "to", moment(f.To))
	fmt.Fprintf(w, "requests\t%d\n", f.Requests)
	fmt.Fprintf(w, "decisions\t%d, of them %d denials\n", f.Decisions, f.Denials)
	fmt.Fprintf(w, "promotions\t%d\n", f.Promotions)
	fmt.Fprintf(w, "rollbacks\t%d\n", f.Rollbacks)
	fmt.Fprintf(w, "waivers\t%d asked for, %d approved\n", f.Waivers, f.Approved)
	fmt.Fprintf(w, "time to sign-off\t%s\n", f.SignOff.Words())
	fmt.Fprintf(w, "time to promotion\t%s\n", f.Promotion.Words())
	fmt.Fprintf(w, "denied\t%s\n", f.Denied.Words()+", of the requests that were judged")
	fmt.Fprintf(w, "under a waiver\t%s\n", f.Excepted.Words()+", of the promotions")
	fmt.Fprintf(w, "rolled back in 7 days\t%s", f.RolledBack.Words()+", of the promotions of a champion")
	if f.TooYoung > 0 {
		fmt.Fprintf(w, "; %d too young to tell", f.TooYoung)
	}
	fmt.Fprintln(w)
	for i, rule := range f.Denying {
		lead := ""
		if i == 0 {
			lead = "denied most by"
		}
		fmt.Fprintf(w, "%s\t%s: in %d decisions, about %d requests or versions\n", lead, rule.Rule, rule.Decisions, rule.Requests)
	}
}

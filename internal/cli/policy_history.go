package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/release"
)

func (a *app) policyHistory() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Say which policy judged from when to when, or which was in force on a day, and what says so",
		Long: `History tells from the trail which policy was in force for each risk tier, what changed by rule and why, and
whether a review is due: a policy that was neither changed nor confirmed in 365 days. With --at it says what
was in force then, the last event before that says so, and the next one after.

A server records a change when it starts with another policy than the last, with ` + "`serve --policy-note`" + `.`,
		Example: `  tallystick policy history
  tallystick policy history --at 2026-03-03 --format json`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&at, "at", "", "what was in force then: a `time` as 2026-03-03 or RFC 3339")
	return asks(a, cmd, question[release.PolicyHistory]{
		ask: func(ctx context.Context, s *session, _ []string) (h release.PolicyHistory, err error) {
			path := "/policies/history"
			if at != "" {
				q, err := span(at)
				if err != nil {
					return h, err
				}
				path += "?" + q.Encode()
			}
			return h, s.Get(ctx, path, &h)
		},
		text: printPolicies,
	})
}

func printPolicies(w io.Writer, h release.PolicyHistory) {
	if len(h.Stretches) == 0 {
		fmt.Fprintln(w, "The trail names no policy of that time.")
		return
	}
	fmt.Fprintln(w, "TIER\tPOLICY\tFROM\tUNTIL\tEVENT\tSAID BY\tREVIEW")
	for _, s := range h.Stretches {
		until, review := "in force", ""
		if !s.Until.IsZero() {
			until, review = moment(s.Until), "-"
		} else if review = "reviewed " + moment(s.Reviewed); s.ReviewDue {
			review = "DUE: none since " + moment(s.Reviewed)
		}
		said := fmt.Sprintf("%d on %s", s.Said, moment(s.SaidAt))
		if s.Next > 0 {
			said += fmt.Sprintf(", again by %d", s.Next)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.Tier, s.Policy.Short(), moment(s.From), until, s.Event, said, review)
		if s.Note != "" {
			fmt.Fprintf(w, "  why: %s\n", s.Note)
		}
		if s.Changes == nil {
			continue
		}
		for _, part := range []struct {
			lead  string
			lines []string
		}{{"added", s.Changes.Added}, {"removed", s.Changes.Removed}, {"changed", s.Changes.Changed}, {"setting", s.Changes.Settings}} {
			for _, line := range part.lines {
				fmt.Fprintf(w, "  %s: %s\n", part.lead, line)
			}
		}
	}
	if h.Cut {
		fmt.Fprintln(w, "earlier decisions were not read")
	}
}

package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) history() *cobra.Command {
	var kind, who, outcome, since, until, at string
	var without []string
	var limit int
	var newest bool
	cmd := &cobra.Command{
		Use:   "history MODEL[@VERSION]",
		Short: "Say who did what to a model and when, and who was refused; or what served on a day",
		Long: `History is the one ordered answer to who registered, changed, audited, deployed, read or was refused a
model. With --at it says what served on that day (or at that moment) in each environment, who put it
there, and on what evidence.

On a server, people have names only for those who may open sealed fields (role auditor).`,
		Example: `  tallystick history credit
  tallystick history credit@3 --outcome denied
  tallystick history credit --newest --without window.judged,objective.judged
  tallystick history credit --at 2026-03-03`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&at, "at", "", "what served then: a `time` as 2026-03-03 or RFC 3339")
	flags.StringVar(&kind, "type", "", "type of event, such as version.registered")
	flags.StringSliceVar(&without, "without", nil, "leave out this `type` of event, such as window.judged; several times")
	flags.StringVar(&who, "actor", "", "who did it")
	flags.StringVar(&outcome, "outcome", "", "success, denied or failed")
	flags.StringVar(&since, "since", "", "from this `time` on")
	flags.StringVar(&until, "until", "", "before this `time`")
	flags.IntVar(&limit, "limit", 1000, "number of events")
	flags.BoolVar(&newest, "newest", false, "newest first")
	return asks(a, cmd, question[historyAnswer]{
		ask: func(ctx context.Context, s *session, args []string) (h historyAnswer, err error) {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return h, err
			}
			if limit < 1 {
				return h, tallystick.Errorf(tallystick.Invalid, "--limit %d is less than 1", limit)
			}
			if at != "" {
				if version != "" || kind+who+outcome+since+until != "" || len(without) > 0 {
					return h, usageError(cmd, "--at takes a model and no filter")
				}
				q, err := span(at)
				if err != nil {
					return h, err
				}
				h.Moment = &catalog.Moment{}
				return h, s.Get(ctx, modelPath(model)+"/at?"+q.Encode(), h.Moment)
			}
			q := chosen("version", version, "type", kind, "actor", who, "outcome", outcome)
			if err := addTimes(q, "since", since, "until", until); err != nil {
				return h, err
			}
			if len(without) > 0 {
				q.Set("without", strings.Join(without, ","))
			}
			if newest {
				q.Set("newest", "true")
			}
			h.History, err = readHistory(ctx, s, model, q, limit)
			return h, err
		},
		text: printHistory,
	})
}

// historyAnswer is what happened, or what served.
type historyAnswer struct {
	*catalog.History
	*catalog.Moment
}

// MarshalJSON writes the one of the two that there is.
func (h historyAnswer) MarshalJSON() ([]byte, error) {
	if h.Moment != nil {
		return marshal(h.Moment)
	}
	return marshal(h.History)
}

// span is a day, or a moment.
func span(at string) (url.Values, error) {
	t, err := parseTime("--at", at)
	if err != nil {
		return nil, err
	}
	q := chosen("from", t.Format(time.RFC3339Nano))
	if _, err := time.Parse(time.DateOnly, at); err == nil {
		q.Set("until", t.AddDate(0, 0, 1).Format(time.RFC3339Nano))
	}
	return q, nil
}

func readHistory(ctx context.Context, s *session, model string, q url.Values, limit int) (*catalog.History, error) {
	whole := &catalog.History{Model: model, Lines: []catalog.Line{}}
	for {
		q.Set("limit", strconv.Itoa(min(1000, limit-len(whole.Lines))))
		var part catalog.History
		if err := s.Get(ctx, modelPath(model)+"/history?"+q.Encode(), &part); err != nil {
			return nil, err
		}
		whole.Lines, whole.Next = append(whole.Lines, part.Lines...), part.Next
		if part.Next == 0 || len(whole.Lines) >= limit {
			return whole, nil
		}
		q.Set("after", strconv.FormatUint(part.Next, 10))
	}
}

func printHistory(w io.Writer, h historyAnswer) {
	if h.Moment != nil {
		printServing(w, *h.Moment)
		return
	}
	fmt.Fprintln(w, "TIME\tEVENT\tOUTCOME\tWHAT HAPPENED")
	for _, l := range h.Lines {
		words := l.Words
		if l.Why != "" {
			words += ": " + l.Why
		}
		if l.Purpose != "" {
			words += " (purpose: " + l.Purpose + ")"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", moment(l.Time), l.Sequence, orDash(string(l.Outcome)), words)
	}
	if h.History.Next != 0 {
		fmt.Fprintln(w, "there is more: ask for it with --limit, or from a time on with --since")
	}
}

func printServing(w io.Writer, m catalog.Moment) {
	if len(m.Serving) == 0 {
		fmt.Fprintf(w, "no version of %s served anywhere then\n", m.Model)
		return
	}
	fmt.Fprintln(w, "ENVIRONMENT\tVERSION\tAS\tSINCE\tUNTIL\tBY\tEVENT")
	for _, s := range m.Serving {
		fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%s\t%s\t%d\n", s.Environment, m.Model, s.Version, s.Role, moment(s.Since), orDash(moment(s.Until)), orDash(cmp.Or(s.ByName, s.By)), s.Event)
	}
	fmt.Fprintln(w)
	for _, s := range m.Serving {
		fmt.Fprintln(w, s.Words)
	}
}

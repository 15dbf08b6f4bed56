package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/replay"
)

// maxShownBody bounds what a dry run shows of a request, in bytes.
const maxShownBody = 2000

// wouldSend is what a dry run prints.
type wouldSend struct {
	replay.Asked
	Requests int            `json:"requests"`
	Lacking  map[string]int `json:"lacking,omitempty"`
	First    string         `json:"first_request"` // its body
}

func (a *app) printDryRun(format string, plan *replay.Plan, in *chosenInputs) error {
	first := string(in.requests[0].Data)
	if format == "json" {
		return writeJSON(a.Out, wouldSend{in.asked, len(in.requests), in.lacking, first})
	}
	if len(first) > maxShownBody {
		first = strings.ToValidUTF8(first[:maxShownBody], "") + "…"
	}
	return printColumns(a.Out, func(w io.Writer) {
		printFields(w, "model", in.model, "against", "POST "+plan.Address(), "as", string(plan.Format), "chosen", fmt.Sprint(in.asked.Chosen), "would be sent", fmt.Sprint(len(in.requests)))
		printLacking(w, in)
		fmt.Fprintf(w, "first request\t%s\nnothing was sent\n", oneLine(fmt.Errorf("%s", first)))
	})
}

func printLacking(w io.Writer, in *chosenInputs) {
	if in.asked.NotKept > 0 {
		fmt.Fprintf(w, "input not kept\t%d\n", in.asked.NotKept)
		for _, why := range slices.Sorted(maps.Keys(in.lacking)) {
			fmt.Fprintf(w, "\t%d: %s\n", in.lacking[why], why)
		}
	}
	if in.asked.Gone > 0 {
		fmt.Fprintf(w, "erased or removed\t%d\n", in.asked.Gone)
	}
}

// printReplay prints a report, with the values of the largest differences, which no report has.
func printReplay(w io.Writer, r *replay.Report, in *chosenInputs, answers []replay.Reply) {
	c := r.Outcome
	printFields(w, "model", r.Model, "against", r.Against, "as", string(r.As), "version", r.Version, "chosen", fmt.Sprint(r.Chosen))
	printLacking(w, in)
	printFields(w, "sent", fmt.Sprint(c.Sent), "answered", fmt.Sprint(c.Answered))
	for _, why := range slices.Sorted(maps.Keys(c.Faults)) {
		fmt.Fprintf(w, "no answer\t%d: %s\n", c.Faults[why], why)
	}
	if c.Healed > 0 {
		fmt.Fprintf(w, "failed then, answered now\t%d\n", c.Healed)
	}
	if c.Bare > 0 {
		fmt.Fprintf(w, "not comparable\t%d\n", c.Bare)
	}
	if c.Decisions != nil {
		fmt.Fprintf(w, "decisions changed\t%s (exact), told by the %s\n", c.Decisions.Words(), map[string]string{"output": "outputs", "threshold": "thresholds", "both": "outputs and thresholds"}[c.Decided])
	}
	if n := c.Numbers; n != nil {
		fmt.Fprintf(w, "numbers differ\t%s (exact)\n", n.Differ.Words())
		fmt.Fprintf(w, "differences\tmean %s, 5 %% below %s, median %s, 5 %% above %s, largest %s\n", figure.Number(n.Mean), figure.Number(n.Low), figure.Number(n.Median), figure.Number(n.High), figure.Number(n.Largest))
	}
	for _, l := range []struct {
		name string
		l    *replay.Latency
	}{{"latency recorded", c.Recorded}, {"latency now", c.Replayed}} {
		if l.l != nil {
			fmt.Fprintf(w, "%s\tp50 %s ms, p90 %s ms, p99 %s ms of %d\n", l.name, figure.Number(l.l.P50), figure.Number(l.l.P90), figure.Number(l.l.P99), l.l.N)
		}
	}
	if len(c.Largest) > 0 {
		printDifferences(w, c.Largest, in, answers)
	}
	fmt.Fprintf(w, "\n%s\n", c.Words)
	if c.Verdict != "" {
		fmt.Fprintf(w, "%s\n", c.Verdict)
	}
}

func printDifferences(w io.Writer, all []replay.Deviation, in *chosenInputs, answers []replay.Reply) {
	fmt.Fprintln(w, "\nPREDICTION\tVERSION\tOUTPUT THEN\tNOW\tSCORE THEN\tNOW\tDIFFERENCE")
	for _, d := range all {
		i := slices.IndexFunc(answers, func(a replay.Reply) bool { return a.ID == d.ID })
		if i < 0 {
			continue
		}
		then, now, difference := in.requests[i].Record, answers[i], "-"
		if d.Number != nil {
			difference = figure.Number(*d.Number)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, orDash(then.Version), shownValue(then.Output), shownValue(now.Output), shownValue(then.Score), shownValue(now.Score), difference)
	}
}

func shownValue(v prediction.Value) string {
	if v.IsNull() {
		return "-"
	}
	return brief(v.String())
}

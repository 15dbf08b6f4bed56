package policy

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// WriteText writes the explanation for a terminal of width columns; 0 is 100.
func (e Explanation) WriteText(w io.Writer, width int) error {
	if width == 0 {
		width = defaultWidth
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "Policy %s, tier %s, %s\n", e.Pack, e.Tier, e.Policy)
	for _, words := range e.Changed {
		writeHanging(out, "  changed: ", printable(words), width)
	}
	for _, id := range e.LeftOut {
		fmt.Fprintf(out, "  left out: %s\n", id)
	}
	if e.Words != "" {
		writeHanging(out, "", printable(e.Words), width)
	}
	for _, rule := range e.Rules {
		rule.writeText(out, width)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	return nil
}

func (r ExplainedRule) writeText(out io.Writer, width int) {
	blocks := "does not block"
	if r.Blocks {
		blocks = "blocks"
	}
	fmt.Fprintf(out, "\n%s: %s\n", r.ID, printable(r.Title))
	writeHanging(out, "  ", printable(r.Description), width)
	fmt.Fprintf(out, "  severity: %s, %s at this tier\n", r.Severity, blocks)
	if len(r.Controls) > 0 {
		writeHanging(out, "  controls: ", printable(strings.Join(r.Controls, ", ")), width)
	}
	writeHanging(out, "  to do: ", printable(r.Remediation), width)
	fmt.Fprintf(out, "  source: %s\n", printable(r.Source))
	if r.Row == nil {
		return
	}
	writeHanging(out, "  came out: ", printable(fmt.Sprintf("%s. %s", r.Row.Status, r.Row.Message)), width)
	for _, why := range r.Why {
		writeHanging(out, "  why: ", printable(why), width)
	}
	for _, fact := range r.Facts {
		writeHanging(out, "  fact: ", printable(fact), width)
	}
	for line := range strings.Lines(r.Trace) {
		fmt.Fprintf(out, "  | %s\n", printable(strings.TrimRight(line, "\n")))
	}
}

// WriteTests writes the results of policy tests for a terminal: those that did not pass with
// their reason, then one line that counts.
func WriteTests(w io.Writer, results []TestResult) error {
	out := bufio.NewWriter(w)
	counts := map[Status]int{}
	var took time.Duration
	for _, r := range results {
		counts[r.Status]++
		took += r.Duration
		if r.Status != Pass {
			fmt.Fprintf(out, "%-5s %s.%s\n      %s: %s\n", r.Status, r.Package, r.Name, printable(r.Source), printable(r.Message))
		}
	}
	fmt.Fprintf(out, "%d tests: %d pass, %d fail, %d error, %d skip (%s)\n",
		len(results), counts[Pass], counts[Fail], counts[Error], counts[Skip], took.Round(time.Millisecond))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write test results: %w", err)
	}
	return nil
}

// TestVerdict is pass if no test failed or ended in an error.
func TestVerdict(results []TestResult) tallystick.Verdict {
	for _, r := range results {
		if r.Status == Fail || r.Status == Error {
			return tallystick.Fail
		}
	}
	return tallystick.Pass
}

// Command falsealarm measures how often rules for drift raise an alarm on data that does not change,
// and how often they find a feature that has moved.
//
//	go run ./bench/falsealarm [--windows 20000] [--shifted 1000] [--svg docs/falsealarm.svg]
//
// It prints a table for docs/monitoring.md, and fails if more than 7 % of stable windows may be flagged
// by the rule of package drift: by the exact upper 99 % bound.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/tallystick/tallystick/internal/chart"
)

// promise is the largest share of stable windows that may be flagged.
const promise = 0.07

func main() {
	o := defaults()
	flag.IntVar(&o.windows, "windows", o.windows, "stable windows")
	flag.IntVar(&o.shifted, "shifted", o.shifted, "windows of each shift")
	svg := flag.String("svg", "", "file for the picture")
	flag.Parse()
	if err := run(context.Background(), o, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "falsealarm:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, svg string) error {
	results, err := study(ctx, o)
	if err != nil {
		return err
	}
	fmt.Print("| rule |")
	for _, r := range results {
		fmt.Printf(" %s |", r.name())
	}
	fmt.Print("\n|---|")
	for range results {
		fmt.Print("---|")
	}
	fmt.Println()
	for i, name := range ruleNames {
		fmt.Printf("| %s |", name)
		for _, r := range results {
			fmt.Printf(" %.2f %% |", 100*r.share(i))
		}
		fmt.Println()
	}
	stable := results[0]
	fmt.Printf("\nwindows flagged of %d stable ones, their exact upper 99 %% bound, and the most of any one reference:\n", stable.windows)
	for i, name := range ruleNames {
		fmt.Printf("  %-60s %6d  %.4f  %.4f\n", name, stable.flagged[i], upper(stable.flagged[i], stable.windows), stable.worst[i])
	}
	if svg != "" {
		if err := os.WriteFile(svg, []byte(picture(results)), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return fmt.Errorf("write picture: %w", err)
		}
	}
	if bound := upper(stable.flagged[ours], stable.windows); bound > promise {
		return fmt.Errorf("up to %.4f of stable windows may be flagged, more than %.2f", bound, promise)
	}
	return nil
}

// picture shows the rules as rows and the shifts as panels.
func picture(results []result) string {
	c := chart.Dots{
		Header: chart.Header{
			Title:       "Alarms on stable data, and on one feature that has moved",
			Description: "Share of windows of 1,000 rows that each rule flags, with exact 99 % bounds on either side: of 20 features of which none has moved, and the moved one of 20.",
			Width:       960,
		},
		Reference: -1,
	}
	for _, name := range ruleNames {
		c.Rows = append(c.Rows, chart.DotRow{Label: name})
	}
	for k, r := range results {
		p := chart.Panel{Title: r.name(), Format: chart.Percent}
		for i := range ruleNames {
			dot := chart.Dot{Value: r.share(i), Low: lower(r.flagged[i], r.windows), High: upper(r.flagged[i], r.windows)}
			if k == 0 && dot.High > promise {
				dot.Mark = chart.Bad
			}
			p.Dots = append(p.Dots, dot)
		}
		c.Panels = append(c.Panels, p)
	}
	return string(c.SVG())
}

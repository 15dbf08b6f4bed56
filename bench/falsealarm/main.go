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
		if err := os.WriteFile(svg, []byte(picture(stable)), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return fmt.Errorf("write picture: %w", err)
		}
	}
	if bound := upper(stable.flagged[ours], stable.windows); bound > promise {
		return fmt.Errorf("up to %.4f of stable windows may be flagged, more than %.2f", bound, promise)
	}
	return nil
}

// picture shows how often the rules flag windows in which nothing has moved.
func picture(stable result) string {
	c := chart.Bars{
		Header: chart.Header{
			Title: "Alarms on data that does not change",
			Description: fmt.Sprintf("Share of %s windows of 1,000 rows that each rule flags, of 20 features of which none has moved. Marked: the exact upper 99 %% bound is above 7 %%.",
				chart.Count(int64(stable.windows))),
			Width: 960, // so that the names fit
		},
		Limits: []chart.Limit{{Value: promise, Name: "at most"}},
		Format: chart.Percent,
	}
	for i, name := range ruleNames {
		bar := chart.Bar{Label: name, Value: stable.share(i), Mark: chart.Good}
		if upper(stable.flagged[i], stable.windows) > promise {
			bar.Mark = chart.Bad
		}
		c.Rows = append(c.Rows, bar)
	}
	return string(c.SVG())
}

// Command limits reads the output of go test -bench and prints the figures that have a limit in one table.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
)

func main() {
	measured, err := parse(os.Stdin)
	if err == nil {
		err = write(os.Stdout, rows(), measured)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

// write prints one line for each row, measured or not.
func write(out io.Writer, rows []row, measured results) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "BENCHMARK\tFIGURE\tBESIDE IT\tRATIO\tTARGET\tMET")
	for _, r := range rows {
		figure, ok := measured.get(r.figure)
		if !ok {
			fmt.Fprintf(tw, "%s\tnot measured\t\t\t%s\t\n", r.name, r.target)
			continue
		}
		beside, hasLimit := measured.get(r.beside)
		limit, ratio := "", ""
		compared := figure
		if hasLimit && beside != 0 {
			limit = number(beside) + " " + r.unit + ", " + r.what
			ratio = number(figure/beside) + " x"
			compared = figure / beside
		}
		fmt.Fprintf(tw, "%s\t%s %s\t%s\t%s\t%s\t%s\n", r.name, number(figure), r.unit, limit, ratio, r.target, r.target.met(compared))
	}
	return tw.Flush()
}

// number writes three digits that mean something, or all of a large whole number.
func number(x float64) string {
	if x >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

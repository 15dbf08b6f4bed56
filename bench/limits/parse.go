package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results holds what was measured, once for each time that a benchmark ran.
type results map[metric][]float64

// get returns the median of a metric.
func (r results) get(m metric) (float64, bool) {
	values := slices.Sorted(slices.Values(r[m]))
	if len(values) == 0 {
		return 0, false
	}
	return values[len(values)/2], true
}

// parse reads the format of package testing (golang.org/design/14313-benchmark-format): a name, the
// number of iterations, then pairs of value and unit. Other lines are passed over.
func parse(in io.Reader) (results, error) {
	processors := regexp.MustCompile(`-\d+$`)
	measured := results{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		if _, err := strconv.Atoi(fields[1]); err != nil {
			continue // a log line
		}
		name := processors.ReplaceAllString(fields[0], "")
		for pair := range slices.Chunk(fields[2:], 2) {
			value, err := strconv.ParseFloat(pair[0], 64)
			if err != nil || len(pair) != 2 {
				return nil, fmt.Errorf("benchmark line %q: not pairs of value and unit", lines.Text())
			}
			m := metric{name, pair[1]}
			measured[m] = append(measured[m], value)
		}
	}
	return measured, lines.Err()
}

package expectation

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// WriteText writes results as people read them.
func WriteText(w io.Writer, results []Result) error {
	var b strings.Builder
	failed := 0
	for _, r := range results {
		if r.Passed {
			fmt.Fprintf(&b, "ok    %s:%d: %s (%s)\n", r.File, r.Line, r.Test, windows(len(r.Windows)))
			continue
		}
		failed++
		fmt.Fprintf(&b, "FAIL  %s:%d: %s\n", r.File, r.Line, r.Test)
		for _, f := range r.Faults {
			fmt.Fprintf(&b, "      line %d, %s: %s\n        expected  %s\n        got       %s\n", f.Line, f.Window, f.What, f.Expected, f.Got)
			if f.Words != "" {
				fmt.Fprintf(&b, "        %s\n", f.Words)
			}
		}
	}
	fmt.Fprintf(&b, "%d of %d tests hold.\n", len(results)-failed, len(results))
	_, err := io.WriteString(w, b.String())
	return err
}

func windows(n int) string {
	if n == 1 {
		return "1 window"
	}
	return fmt.Sprintf("%d windows", n)
}

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as servers of continuous integration read them: a suite for each file.
func WriteJUnit(w io.Writer, results []Result) error {
	var all junitSuites
	for _, r := range results {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != r.File {
			all.Suites = append(all.Suites, junitSuite{Name: r.File})
		}
		s := &all.Suites[len(all.Suites)-1]
		s.Tests++
		c := junitCase{Class: "tallystick.monitor", Name: r.Test}
		if !r.Passed {
			s.Failures++
			var lines []string
			for _, f := range r.Faults {
				lines = append(lines, fmt.Sprintf("%s:%d: %s: %s: expected %s, got %s. %s", r.File, f.Line, f.Window, f.What, f.Expected, f.Got, f.Words))
			}
			c.Failure = &junitFailure{fmt.Sprintf("%d things are not as expected", len(r.Faults)), strings.Join(lines, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

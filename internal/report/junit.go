package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/wording"
)

// The JUnit form that CI systems read. There is no standard but the ant task's schema; these are
// the elements that its readers agree on.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteContractJUnit writes r as JUnit XML: one test case for each expectation, its class the
// column. A warning passes and says so in its output; all that is neither pass nor warning is a
// failure, because CI must not go on with what was not settled.
func WriteContractJUnit(w io.Writer, r contract.Result) error {
	suite := junitSuite{Name: xmlText("contract " + r.Name), Tests: len(r.Checks), Cases: make([]junitCase, 0, len(r.Checks))}
	for _, c := range r.Checks {
		class := c.Column
		if class == "" {
			class = "table"
		}
		jc := junitCase{Class: xmlText(class), Name: xmlText(c.ID)}
		switch c.Verdict {
		case tallystick.Pass:
		case tallystick.Warn:
			jc.Out = xmlText("warning: " + c.Words)
		default:
			suite.Failures++
			lines := []string{"expected: " + c.Expected, "found: " + c.Found, "rows: " + count(c.Count)}
			if c.Example != "" {
				lines = append(lines, "first: "+c.Example)
			}
			jc.Failure = &junitFailure{Type: string(c.Verdict), Message: xmlText(c.Words), Text: xmlText(strings.Join(lines, "\n"))}
		}
		suite.Cases = append(suite.Cases, jc)
	}
	all := junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write contract result as JUnit: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, data); err != nil {
		return fmt.Errorf("write contract result as JUnit: %w", err)
	}
	return nil
}

// xmlText leaves out what a log must not carry; encoding/xml escapes the rest.
func xmlText(s string) string { return strings.Map(wording.Visible, s) }

package policy

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type (
	junitSuites struct {
		XMLName xml.Name   `xml:"testsuites"`
		Suite   junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
		Output  string       `xml:"system-out,omitempty"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit makes a test case of each rule. Only what keeps the gate shut is a failure or an
// error, so that a CI server and the gate agree; warnings are output of a passing case.
func writeJUnit(w io.Writer, d Decision, options RenderOptions) error {
	suite := junitSuite{
		Name:  strings.TrimSpace("tallystick gate " + options.Model + " " + options.Version),
		Tests: len(d.Rules),
		Properties: []junitProperty{
			{"verdict", string(d.Verdict)}, {"tier", string(d.Tier)}, {"pack", d.Pack},
			{"policy_digest", string(d.Policy)}, {"input_digest", string(d.Input)}, {"engine", d.Engine},
		},
	}
	for _, rule := range byUrgency(d.Rules) {
		c := junitCase{Class: "tallystick.gate." + strings.ReplaceAll(rule.ID, "-", "_"), Name: rule.ID + ": " + rule.Title}
		text := advice(rule)
		switch {
		case rule.Denies() && rule.Status == Error:
			suite.Errors++
			c.Error = &junitReason{rule.Message, string(rule.Status), text}
		case rule.Denies():
			suite.Failures++
			c.Failure = &junitReason{rule.Message, string(rule.Status), text}
		case rule.Status == Skip:
			suite.Skipped++
			c.Skipped = &junitReason{Message: rule.Message}
		case rule.Status == Pass:
			c.Output = rule.Message
		default:
			c.Output = fmt.Sprintf("%s: %s\n%s", rule.Status, rule.Message, text)
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(junitSuites{Suite: suite}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// advice lists the details of a rule and what to do.
func advice(rule Rule) string {
	lines := append([]string{}, rule.Details...)
	if rule.Remediation != "" {
		lines = append(lines, "What to do: "+rule.Remediation)
	}
	return strings.Join(lines, "\n")
}

package policy

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Workflow commands end at a line end; properties at a colon or comma as well.
var (
	commandEscapes  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// writeGitHub writes one annotation for each rule that did not pass.
func writeGitHub(w io.Writer, d Decision) error {
	out := bufio.NewWriter(w)
	for _, rule := range byUrgency(d.Rules) {
		command := "warning"
		switch {
		case rule.Denies():
			command = "error"
		case rule.Status == Pass, rule.Status == Skip:
			continue
		case rule.Status == Waived:
			command = "notice"
		}
		message := rule.Message
		if rule.Remediation != "" {
			message += "\nWhat to do: " + rule.Remediation
		}
		fmt.Fprintf(out, "::%s title=%s::%s\n", command, propertyEscapes.Replace(fmt.Sprintf("%s is %s", rule.ID, rule.Status)), commandEscapes.Replace(message))
	}
	fmt.Fprintf(out, "%s\n", printable(headline(d)+": "+tally(d.Rules)))
	return out.Flush()
}

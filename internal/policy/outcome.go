package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What a result may hold.
const (
	maxDetails = 100
	maxWords   = 2000 // bytes of one sentence
)

// outcome is what the result of a rule must be.
type outcome struct {
	status      Status
	message     string
	details     []string
	evidence    []string
	remediation string
	idle        bool // applies is false: nothing to judge; the row does not block
}

// ruleStatuses are those that a rule may give itself. Errors and waivers are the gate's.
var ruleStatuses = []Status{Pass, Warn, Fail, Skip, Inconclusive, Insufficient}

// readOutcome checks what a rule returned. No field may be of another kind or unknown: a misspelt
// one would say less than its author meant.
func readOutcome(value any) (outcome, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return outcome{}, fmt.Errorf("it is %s and not an object", withArticle(kindOf(value)))
	}
	var o outcome
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, ok := object[name], false
		switch name {
		case "status":
			var status string
			status, ok = value.(string)
			o.status = Status(status)
		case "message":
			o.message, ok = value.(string)
		case "remediation":
			o.remediation, ok = value.(string)
		case "details":
			o.details, ok = sentences(value)
		case "evidence":
			o.evidence, ok = sentences(value)
		case "applies":
			var applies bool
			applies, ok = value.(bool)
			o.idle = !applies
		default:
			return outcome{}, fmt.Errorf("it has the field %q, which is not known", name)
		}
		if !ok {
			return outcome{}, fmt.Errorf("its field %s is of the wrong kind: %s", name, kindOf(value))
		}
	}
	switch {
	case !slices.Contains(ruleStatuses, o.status):
		return outcome{}, fmt.Errorf("status %q is not one that a rule can have", o.status)
	case o.message == "":
		return outcome{}, fmt.Errorf("it has no message")
	case o.idle && o.status != Skip:
		return outcome{}, fmt.Errorf("a rule that does not apply has the status skip and not %s", o.status)
	}
	return o, nil
}

func withArticle(kind string) string {
	switch kind {
	case "null":
		return kind
	case "array", "object":
		return "an " + kind
	}
	return "a " + kind
}

func sentences(value any) ([]string, bool) {
	list, ok := value.([]any)
	texts := make([]string, len(list))
	for i, element := range list {
		var text bool
		texts[i], text = element.(string)
		ok = ok && text
	}
	return texts, ok
}

// put fills row with the outcome.
func (o outcome) put(row *Rule) {
	row.Status, row.Message = o.status, clip(o.message)
	row.Details = clipAll(o.details)
	row.Evidence = append(row.Evidence, clipAll(o.evidence)...)
	if o.remediation != "" {
		row.Remediation = clip(o.remediation)
	}
	if o.idle {
		row.Blocking = false
	}
	if row.Status == Pass || row.Status == Skip && o.remediation == "" {
		row.Remediation = ""
	}
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// sentence ends text with a full stop.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// clip bounds one sentence without cutting a character in two.
func clip(text string) string {
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + " …"
}

// clipAll bounds a list of sentences and says how many were left out.
func clipAll(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	kept := make([]string, 0, min(len(list), maxDetails+1))
	for _, text := range list[:min(len(list), maxDetails)] {
		kept = append(kept, clip(text))
	}
	if more := len(list) - len(kept); more > 0 {
		kept = append(kept, fmt.Sprintf("and %d more", more))
	}
	return kept
}

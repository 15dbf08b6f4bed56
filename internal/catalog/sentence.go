package catalog

import (
	"regexp"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// phrase says what an event tells, after "who". Names in braces stand for fields of its data that everybody
// may read; a part in brackets is left out if one of its fields is absent.
type phrase struct {
	did   string // "registered model {model}"
	would string // "register model {model}"
}

func phrases() map[trail.Type]phrase {
	return map[trail.Type]phrase{
		trail.ModelRegistered:    {"registered model {model}[, tier {tier}]", "register model {model}"},
		trail.ModelReregistered:  {"registered the retired model {model} again[, tier {tier}]", "register model {model} again"},
		trail.ModelUpdated:       {"changed model {model}[, tier {tier}]", "change model {model}"},
		trail.ModelRetired:       {"retired model {model}[ in favour of {replacement}]", "retire model {model}"},
		trail.VersionRegistered:  {"registered version {model}@{version}[ as a {state=draft}][, files {version_digest}][, because of {trigger_kind} {trigger_id}]", "register version {model}@{version}"},
		trail.VersionMarked:      {"marked version {model}@{version} as {state}", "mark version {model}@{version}"},
		trail.VersionRead:        {"read version {model}@{version}[, file {file_digest}]", "read version {model}@{version}"},
		trail.EvidenceAttached:   {"attached evidence to {model}[@{version}]: {kind}[ {name}][, verdict {verdict}]", "attach evidence to {model}[@{version}]"},
		trail.CriteriaCommitted:  {"fixed criteria {criteria_digest}", "fix criteria"},
		trail.AuditCompleted:     {"audited {model}@{version}: {verdict}[ under the policy of tier {tier}]", "audit {model}@{version}"},
		trail.AuditFailed:        {"audited {model}[@{version}]", "audit {model}[@{version}]"},
		trail.DeploymentRecorded: {"recorded that {model}@{version} is deployed[ in {environment}]", "record a deployment of {model}[@{version}]"},
		trail.DeploymentScaled:   {"recorded another size of the deployment of {model}[@{version}][ in {environment}]", "record the size of a deployment"},
		trail.DeploymentEnded:    {"recorded that the deployment of {model}[@{version}][ in {environment}] has ended", "record the end of a deployment"},
		trail.AssignmentRecorded: {"put {model}@{version} into {environment}[ as {role}]", "put {model}[@{version}] into {environment}"},
		trail.AssignmentEnded:    {"took {model}@{version} out of {environment}", "take {model}[@{version}] out of {environment}"},
		trail.FindingRaised:      {"raised a finding about {model}[@{version}][: {kind}][, {severity}]", "raise a finding"},
		trail.FindingSeen:        {"saw the finding about {model}[@{version}] again", "see a finding again"},
		trail.FindingResolved:    {"resolved the finding about {model}[@{version}]", "resolve a finding"},
		trail.CommandRefused:     {"asked for {command}", "do {command}[ on {model}]"},
		trail.TrailRead:          {"read the history of {model}", "read the history of {model}"},
	}
}

// sentence tells an event. text returns the text of a field, empty if there is none.
func sentence(e trail.Event, who string, text func(string) string) string {
	p, known := phrases()[e.Type]
	if !known {
		title := e.Type.Short()
		for _, d := range trail.Definitions() {
			if d.Type == e.Type {
				title = strings.ToLower(d.Title[:1]) + d.Title[1:]
			}
		}
		about := ": " + title + " (" + e.Resource.Type + " " + e.Resource.ID + ")"
		p = phrase{did: about, would: "do this: " + strings.TrimPrefix(about, ": ")}
	}
	var words string
	switch e.Outcome {
	case tallystick.Success:
		words = who + " " + fill(p.did, text)
	case tallystick.Denied:
		words = who + " was not allowed to " + fill(p.would, text)
	case tallystick.Failed:
		words = who + " could not " + fill(p.would, text)
	default:
		words = who + " began to " + fill(p.would, text)
	}
	return strings.ReplaceAll(words, " :", ":")
}

var (
	optionalPart = regexp.MustCompile(`\[[^\[\]]*\]`)
	fieldName    = regexp.MustCompile(`\{([a-z_]+)(?:=([a-z]+))?\}`)
)

// fill replaces the fields of a phrase. {state=draft} stands for the field only if it is a draft.
func fill(words string, text func(string) string) string {
	value := func(field string) string {
		m := fieldName.FindStringSubmatch(field)
		s := text(m[1])
		if m[2] != "" && s != m[2] {
			return ""
		}
		if d := tallystick.Digest(s); d.Validate() == nil {
			return d.Short()
		}
		return s
	}
	words = optionalPart.ReplaceAllStringFunc(words, func(part string) string {
		for _, field := range fieldName.FindAllString(part, -1) {
			if value(field) == "" {
				return ""
			}
		}
		return part[1 : len(part)-1]
	})
	return fieldName.ReplaceAllStringFunc(words, func(field string) string {
		if s := value(field); s != "" {
			return s
		}
		return "an unnamed one"
	})
}

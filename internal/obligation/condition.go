package obligation

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// condition says why a control or a type of evidence does not concern a model; nothing if it does. What
// nobody has answered concerns it.
type condition func(m catalog.Model) (reason string)

// conditions returns what the catalogue and the table of evidence can ask of a model.
func conditions() map[string]condition {
	return map[string]condition{
		"high-tier": func(m catalog.Model) string {
			return when(m.Tier != tallystick.TierHigh, fmt.Sprintf("it is a duty of high-risk systems, for which tier high stands here, and the model is of tier %s", m.Tier))
		},
		"lower-tier": func(m catalog.Model) string {
			return when(m.Tier == tallystick.TierHigh, "nobody assesses the model as less than high-risk: it is of tier high")
		},
		"personal-data": func(m catalog.Model) string {
			return when(m.Answers["sensitive_data"] == "none", "the model uses no data about people (sensitive_data=none)")
		},
		"special-data": func(m catalog.Model) string {
			answer := m.Answers["sensitive_data"]
			return when(answer == "none" || answer == "personal", "the model uses no special categories of personal data (sensitive_data="+answer+")")
		},
		"reaches-people": func(m catalog.Model) string {
			answer := m.Answers["reach"]
			return when(answer == "team", "its outputs stay in one team (reach=team)") // who is employed elsewhere in the house is a person too
		},
		"decides": func(m catalog.Model) string {
			return when(m.Answers["automated_decision"] == "none", "the model decides nothing about a person (automated_decision=none)")
		},
		"third-party": func(m catalog.Model) string { return when(!m.ThirdParty, "the model is no third party's") },
	}
}

func when(holds bool, reason string) string {
	if holds {
		return reason
	}
	return ""
}

// unconcerned returns the first reason why what needs these conditions does not concern the model.
func (s *subject) unconcerned(needs []string) string {
	switch s.model.State {
	case catalog.Experimental:
		return "the model is an experiment, which owes nothing"
	case catalog.Retired:
		return "the model is retired, which owes nothing"
	}
	for _, need := range needs {
		reason, known := s.reasons[need]
		if !known {
			reason = conditions()[need](s.model)
			s.reasons[need] = reason
		}
		if reason != "" {
			return reason
		}
	}
	return ""
}

package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
)

// Waiver is a dated exception to one rule. It is data with an owner and never an edit of the
// policy; it does not apply to a rule that came to no result.
type Waiver struct {
	ID      string    `json:"id"`
	Rule    string    `json:"rule"`
	Version string    `json:"version"` // the model version that it is for
	Owner   string    `json:"owner"`
	Reason  string    `json:"reason"`
	Control string    `json:"compensating_control"`
	Expires time.Time `json:"expires"`

	Environment string            `json:"environment"` // empty: any
	Digest      tallystick.Digest `json:"digest"`      // of the version; empty: only its name counts
	ApprovedBy  []string          `json:"approved_by"` // ids of those who agreed
	Requester   string            `json:"requester"`   // who asked for it
}

// waivable are the statuses that a waiver can turn: a judgement that a person may answer for.
var waivable = []Status{Fail, Inconclusive, Insufficient}

// waive turns row into a waived one if a waiver covers its rule. One that does not count is named
// with the reason, so that nobody relies on it in vain.
func waive(row *Rule, rule Definition, f *facts) {
	if !slices.Contains(waivable, row.Status) {
		return
	}
	model, _ := f.document["model"].(map[string]any)
	waivers, _ := f.document["waivers"].([]any)
	for _, raw := range waivers {
		waiver, ok := parseWaiver(raw)
		if !ok || waiver.Rule != row.ID || waiver.Version != model["version"] {
			continue
		}
		if reason := waiver.void(rule, f); reason != "" {
			row.Details = append(row.Details, fmt.Sprintf("Waiver %s %s.", waiver.ID, reason))
			continue
		}
		row.Message = fmt.Sprintf("Waived until %s by %s (waiver %s): %s Found: %s: %s",
			waiver.Expires.UTC().Format(time.DateOnly), waiver.Owner, waiver.ID, sentence(waiver.Reason), row.Status, row.Message)
		row.Details = append(row.Details, "Compensating control: "+waiver.Control)
		row.Status = Waived
		return
	}
}

// void says why a complete waiver of the rule does not count, or "" if it does. An audit alone
// lets nothing in, so that a release asks for more: a waiver that somebody else agreed to, for this
// place and these files.
func (w Waiver) void(rule Definition, f *facts) string {
	release, _ := f.document["release"].(map[string]any)
	version, _ := release["version"].(map[string]any)
	place, _ := release["environment"].(map[string]any)
	switch {
	case !rule.Waivable:
		return "does not count: this rule can never be waived"
	case !f.now.Before(w.Expires):
		return "expired on " + w.Expires.UTC().Format(time.DateOnly)
	case release == nil:
	case w.Environment != "" && w.Environment != place["name"]:
		return "does not count: it is for " + w.Environment
	case w.Digest != "" && string(w.Digest) != version["digest"]:
		return "does not count: it is for other files, " + w.Digest.Short()
	case !slices.ContainsFunc(w.ApprovedBy, func(id string) bool { return id != "" && id != w.Owner && id != w.Requester }):
		return "does not count: nobody but its owner and requester agreed to it"
	}
	return ""
}

func parseWaiver(raw any) (Waiver, bool) {
	data, err := json.Marshal(raw)
	if err != nil {
		return Waiver{}, false
	}
	var w Waiver
	if err := json.Unmarshal(data, &w); err != nil {
		return Waiver{}, false
	}
	whole := w.ID != "" && w.Rule != "" && w.Version != "" && w.Owner != "" && w.Reason != "" && w.Control != "" && !w.Expires.IsZero()
	return w, whole
}

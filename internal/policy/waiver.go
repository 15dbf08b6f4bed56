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

// waive turns rule into a waived one if a complete, unexpired waiver of the version covers it.
func waive(rule *Rule, document map[string]any, now time.Time) {
	if !slices.Contains(waivable, rule.Status) {
		return
	}
	model, _ := document["model"].(map[string]any)
	waivers, _ := document["waivers"].([]any)
	for _, raw := range waivers {
		waiver, ok := parseWaiver(raw)
		switch {
		case !ok, waiver.Rule != rule.ID, waiver.Version != model["version"]:
		case !now.Before(waiver.Expires):
			rule.Details = append(rule.Details, fmt.Sprintf("Waiver %s expired on %s.", waiver.ID, waiver.Expires.UTC().Format(time.DateOnly)))
		default:
			rule.Message = fmt.Sprintf("Waived until %s by %s (waiver %s): %s Found: %s: %s",
				waiver.Expires.UTC().Format(time.DateOnly), waiver.Owner, waiver.ID, sentence(waiver.Reason), rule.Status, rule.Message)
			rule.Details = append(rule.Details, "Compensating control: "+waiver.Control)
			rule.Status = Waived
			return
		}
	}
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

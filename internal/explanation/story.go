package explanation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
)

// story tells how the output came about, from what the record says alone; whether people are named is said by
// named.
func story(r *prediction.Record, named bool) (told []string) {
	say := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	switch {
	case r.Score.IsNumber() && r.Threshold.IsNumber():
		score, _ := r.Score.Float()
		threshold, _ := r.Threshold.Float()
		side := "below"
		if score >= threshold {
			side = "at or above"
		}
		say("The score was %s, %s the threshold of %s.", r.Score, side, r.Threshold)
	case r.Score.IsNumber():
		say("The score was %s; no threshold was recorded.", r.Score)
	}
	if r.Rule != "" {
		say("The rule that made a decision of it: %s.", r.Rule)
	}
	if !r.Output.IsNull() {
		say("The output was %s.", r.Output)
	}
	if o := r.Override; o != nil {
		who := "A person"
		if named {
			who += ", " + o.By + ","
		}
		text := who + " put it in the place of what the model had said"
		if !o.From.IsNull() {
			text += ", " + o.From.String()
		}
		if o.Why != "" {
			text += ", because: " + o.Why
		}
		say("%s.", strings.TrimSuffix(text, "."))
	}
	switch r.DecidedBy {
	case prediction.Automated:
		say("It was decided by the machine alone.")
	case prediction.Human:
		say("A person decided.")
	}
	switch r.Status {
	case prediction.Failed, prediction.TimedOut:
		say("The call ended with %s.", r.Status)
	case prediction.Fallback:
		say("Something else answered in the place of the model.")
	}
	if r.Rationale != "" {
		say("The reason that was given: %s", r.Rationale)
	}
	if len(r.Flags) > 0 {
		say("It was flagged: %s.", strings.Join(r.Flags, ", "))
	}
	return told
}

// causes returns what features contributed, the greatest first, whichever way.
func causes(r *prediction.Record) (all []Cause) {
	for _, a := range r.Attributions {
		x, _ := a.Value.Float()
		c := Cause{Feature: a.Name, Contribution: x}
		if v, ok := r.Features.Get(a.Name); ok {
			c.Value, _ = json.Marshal(v) // a value always has a JSON form
		}
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b Cause) int { return cmp.Compare(math.Abs(b.Contribution), math.Abs(a.Contribution)) })
	return all[:min(len(all), maxCauses)]
}

// missing names what would belong to a whole answer and is not on record.
func (x *Explanation) missing(r *prediction.Record) {
	for _, part := range []struct {
		gone bool
		what string
	}{
		{len(r.Features) == 0 && r.FeaturesRef == "", "what the model was given"},
		{r.Output.IsNull(), "what the model said"},
		{r.Score.IsNull(), "the score"},
		{r.Threshold.IsNull() && r.Rule == "", "the threshold or rule that made a decision of the score"},
		{r.DecidedBy == "", "whether a machine or a person decided"},
		{len(r.Attributions) == 0 && r.Rationale == "", "an explanation: neither attributions nor a rationale"},
		{r.Version == "", "which version answered"},
		{r.Version != "" && x.Model.Digest == "", "the files of the version"},
		{r.Environment == "", "where it ran"},
		{r.Environment != "" && x.Served == nil, "an assignment by which the version served there at that time"},
		{r.Environment != "" && x.Released == nil, "a decision of the gate that let the version in there"},
		{len(x.Data) == 0, "the data that the version learned from"},
		{len(x.Labels) == 0, "how it turned out"},
	} {
		if part.gone {
			x.Missing = append(x.Missing, part.what)
		}
	}
}

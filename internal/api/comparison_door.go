package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// RolloutAnswer is what a rollout controller is told. It is never empty: a controller that finds nothing might go on.
type RolloutAnswer struct {
	Data RolloutData `json:"data"`
}

// RolloutData is the answer.
type RolloutData struct {
	Verdict  comparison.Verdict `json:"verdict" enum:"promote,hold,rollback,inconclusive"`
	OK       bool               `json:"ok" doc:"true if the verdict is promote, and only then"`
	Reason   string             `json:"reason" doc:"what decided, in a sentence"`
	Reasons  []string           `json:"reasons"`
	Score    float64            `json:"score" doc:"0 to 100: how far the evidence has come that promoting needs"`
	Evidence string             `json:"evidence" doc:"digest of the judgement on record; empty if none could be recorded, and then nothing is ok"`
	New      string             `json:"new"`
	Old      string             `json:"old"`
}

// comparisonDoors answer the controllers of rollouts. They answer 200, or 403 where a status is the answer, whenever the
// caller may ask: what cannot be judged or recorded is inconclusive.
func (s *server) comparisonDoors() {
	type getInput struct {
		Comparison string    `path:"comparison" maxLength:"128"`
		New        string    `query:"new" required:"true" maxLength:"128" doc:"version that is to take the place of the other"`
		Old        string    `query:"old" maxLength:"128" doc:"absent, or champion: the version that serves as such"`
		From       time.Time `query:"from" doc:"predictions made from this time on; absent: since the new version serves, or from its first prediction"`
		Split      float64   `query:"split" minimum:"0" maximum:"1" doc:"share of predictions that the new version is to have"`
	}
	huma.Register(s.huma, operation("ask-comparison", http.MethodGet, "/comparisons/{comparison}/answer", "Answer a rollout controller whether to promote; recorded before it is answered", "comparisons"),
		func(ctx context.Context, in *getInput) (*answer[RolloutAnswer], error) {
			data, err := s.rollout(ctx, comparison.Ask{Comparison: in.Comparison, New: in.New, Old: in.Old, From: in.From, Split: in.Split})
			return &answer[RolloutAnswer]{RolloutAnswer{data}}, err
		})
	type postInput struct {
		Comparison string `path:"comparison" maxLength:"128"`
		Body       struct {
			New   string    `json:"new" maxLength:"128"`
			Old   string    `json:"old,omitempty" maxLength:"128"`
			From  time.Time `json:"from,omitzero"`
			Split float64   `json:"split,omitempty" minimum:"0" maximum:"1"`
		}
	}
	huma.Register(s.huma, operation("put-to-comparison", http.MethodPost, "/comparisons/{comparison}/answer", "Answer a rollout controller that posts its question", "comparisons"),
		func(ctx context.Context, in *postInput) (*answer[RolloutAnswer], error) {
			data, err := s.rollout(ctx, comparison.Ask{Comparison: in.Comparison, New: in.Body.New, Old: in.Body.Old, From: in.Body.From, Split: in.Body.Split})
			return &answer[RolloutAnswer]{RolloutAnswer{data}}, err
		})
	type flaggerInput struct {
		Comparison string `path:"comparison" maxLength:"128"`
		Hook       string `path:"hook" enum:"rollout,confirm-traffic-increase,confirm-promotion,rollback" doc:"type of the webhook in the Canary"`
		Body       FlaggerCall
	}
	flagger := operation("answer-flagger", http.MethodPost, "/comparisons/{comparison}/flagger/{hook}", "Answer a webhook of Flagger: 200 to go on, 403 and why to stop", "comparisons")
	flagger.Responses = map[string]*huma.Response{
		"200": {Description: "go on; of rollback: roll back", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}},
	}
	huma.Register(s.huma, flagger, func(ctx context.Context, in *flaggerInput) (*huma.StreamResponse, error) {
		asked := comparison.Ask{Comparison: in.Comparison, New: in.Body.Metadata["new"], Old: in.Body.Metadata["old"]}
		var err error
		if text := in.Body.Metadata["from"]; text != "" {
			asked.From, err = time.Parse(time.RFC3339, text)
		}
		if text := in.Body.Metadata["split"]; text != "" && err == nil {
			asked.Split, err = strconv.ParseFloat(text, 64)
		}
		if err == nil && (asked.Split < 0 || asked.Split >= 1) {
			err = strconv.ErrRange
		}
		if err != nil {
			return nil, s.problem(tallystick.Errorf(tallystick.Invalid, "metadata of the webhook: %v", err).WithHint("from is a time such as 2026-03-01T10:00:00Z, split a share such as 0.1"))
		}
		data, err := s.rollout(ctx, asked)
		if err != nil {
			return nil, err
		}
		status := http.StatusForbidden
		switch {
		case data.Evidence == "":
			status = http.StatusConflict // there is no such comparison, or no answer can be recorded
		case goes(in.Hook, data.Verdict):
			status = http.StatusOK
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			ctx.SetHeader("Content-Type", "text/plain; charset=utf-8")
			ctx.SetStatus(status)
			_, _ = io.WriteString(ctx.BodyWriter(), string(data.Verdict)+": "+data.Reason+" "+data.Evidence+"\n") // the caller may have gone
		}}, nil
	})
}

// FlaggerCall is what Flagger posts.
type FlaggerCall struct {
	_         struct{}          `additionalProperties:"true"`
	Name      string            `json:"name" doc:"of the Canary"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase,omitempty"`
	Checksum  string            `json:"checksum,omitempty" doc:"of what is rolled out"`
	Metadata  map[string]string `json:"metadata,omitempty" doc:"as the Canary has it: new, and old, from and split where they are not known otherwise"`
}

// goes reports whether a webhook is answered with success. That of rollback rolls back then; the others go on.
func goes(hook string, verdict comparison.Verdict) bool {
	switch hook {
	case "rollback":
		return verdict == comparison.Rollback
	case "rollout":
		return verdict == comparison.Promote || verdict == comparison.Hold // the analysis goes on while nothing is wrong
	}
	return verdict == comparison.Promote
}

// rollout answers a question and puts the answer on record. An error is one of who asks; what else is wrong is an answer too.
func (s *server) rollout(ctx context.Context, a comparison.Ask) (RolloutData, error) {
	c := registry.Command{Principal: caller(ctx), Action: access.VersionCompare, Resource: comparisonResource(a.Comparison)}
	if err := s.Registry.May(ctx, c); err != nil {
		return RolloutData{}, s.problem(err)
	}
	j, err := s.Comparisons.Judge(ctx, a)
	if err != nil {
		why := err
		if p := s.explain(err); tallystick.CodeOf(err) == tallystick.Internal { // the cause is in the log
			why = tallystick.Errorf(tallystick.Internal, "%s", p.Detail)
		}
		if j = s.Comparisons.Undecided(ctx, a, why); j == nil {
			message, hint := tallystick.Words(why)
			return undecided(a, strings.TrimSuffix(message+"; "+hint, "; ")), nil
		}
	}
	c.Model = j.Model
	change, err := s.Comparisons.Keep(ctx, j)
	if err == nil {
		c.Propose = single(func(tx *state.Tx) (trail.Change, error) { return s.Comparisons.ProposeJudged(tx, change) })
		_, err = s.Registry.Do(ctx, c)
	}
	if err != nil {
		return undecided(a, strings.TrimSuffix("the answer could not be put on record: "+s.explain(err).Detail, ": ")), nil
	}
	return RolloutData{
		Verdict: j.Verdict, OK: j.Verdict == comparison.Promote, Reason: j.Reasons[0], Reasons: j.Reasons, Score: j.Score, Evidence: string(change.Judgement), New: j.New, Old: j.Old,
	}, nil
}

func undecided(a comparison.Ask, reason string) RolloutData {
	return RolloutData{Verdict: comparison.Inconclusive, Reason: reason, Reasons: []string{reason}, New: a.New, Old: a.Old}
}

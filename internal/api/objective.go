package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func objectiveResource(name string) trail.Resource {
	return trail.Resource{Type: "objective", ID: name}
}

// OnObjective names an objective in the path.
type OnObjective struct {
	Request
	Objective string `path:"objective" maxLength:"128" doc:"name of the objective"`
}

type applyObjectiveInput struct {
	OnObjective
	Body ObjectiveDocument
}

// ObjectiveDocument is an objective as it is written.
type ObjectiveDocument struct {
	Document string `json:"document" maxLength:"65536" doc:"YAML; docs/objectives.md says what can stand in it"`
}

// ObjectiveView is an objective with what was written, and how it stood last.
type ObjectiveView struct {
	objective.Objective
	Source string                    `json:"document,omitempty" doc:"YAML; absent if the objective was removed"`
	Last   *objective.BudgetStanding `json:"last,omitempty" doc:"its newest judgement; absent if there is none"`
}

type judgeObjectiveInput struct {
	OnObjective
	Body ObjectiveToJudge
}

// ObjectiveToJudge says as of when an objective is judged.
type ObjectiveToJudge struct {
	AsOf time.Time `json:"as_of,omitzero" doc:"objective and events as they were on record then; absent: now"`
}

// objectives are how well models are to behave, and how that stands.
func (s *server) objectives() {
	act(s, operation("apply-objective", http.MethodPut, "/objectives/{objective}", "Say how well a model is to behave", "objectives", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in applyObjectiveInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.ObjectiveManage, Resource: objectiveResource(in.Objective)}
			change, err := (*objective.Applied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				if change, err = s.Objectives.PrepareApply(ctx, in.Objective, []byte(in.Body.Document)); err == nil {
					c.Model = change.Model
				}
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Objectives.ProposeApply(tx, change)
			})
			return c, done
		})
	act(s, operation("remove-objective", http.MethodDelete, "/objectives/{objective}", "Let an objective be judged no more", "objectives", http.StatusNotFound),
		func(ctx context.Context, in OnObjective) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{
				Action: access.ObjectiveManage, Resource: objectiveResource(in.Objective),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Objectives.ProposeRemove(tx, in.Objective) }),
			}
			if is, _, err := s.Objectives.Objective(ctx, in.Objective); err == nil {
				c.Model = is.Model
			}
			return c, done
		})
	act(s, operation("judge-objective", http.MethodPost, "/objectives/{objective}/judgements", "Judge an objective now, or as it was known at a moment", "objectives", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in judgeObjectiveInput) (registry.Command, func(tx *state.Tx) (objective.BudgetJudgement, error)) {
			c := registry.Command{Action: access.ObjectiveJudge, Resource: objectiveResource(in.Objective)}
			j, change, err := s.judgeObjective(ctx, &c, in)
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Objectives.ProposeJudged(tx, change)
			})
			return c, func(*state.Tx) (objective.BudgetJudgement, error) { return j, nil }
		})
	s.objectiveAsks()
}

// judgeObjective looks, before any work, whether the caller may, and names the model; Do refuses him then.
func (s *server) judgeObjective(ctx context.Context, c *registry.Command, in judgeObjectiveInput) (told objective.BudgetJudgement, change *objective.Judged, err error) {
	is, _, err := s.Objectives.Objective(ctx, in.Objective)
	c.Model = is.Model
	if err == nil {
		err = caller(ctx).Allows(c.Action, c.Resource)
	}
	if err != nil {
		return told, nil, err
	}
	j, err := s.Objectives.Judge(ctx, in.Objective, in.Body.AsOf)
	if err != nil {
		return told, nil, err
	}
	change, err = s.Objectives.Keep(ctx, j)
	return *j, change, err
}

func (s *server) objectiveAsks() {
	ask(s, operation("list-objectives", http.MethodGet, "/objectives", "List objectives by name, with how they stood last", "objectives", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[ObjectiveView], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[ObjectiveView]{}, err
			}
			found, err := s.Objectives.Objectives(ctx, in.Model)
			if err == nil {
				err = s.nothing(ctx, len(found), nil, catalog.Names{Model: in.Model})
			}
			if err != nil {
				return page[ObjectiveView]{}, err
			}
			standing, err := s.Objectives.Standing(ctx, in.Model)
			all := make([]ObjectiveView, 0, len(found))
			for _, is := range found {
				v := ObjectiveView{Objective: is}
				if last, judged := standing[is.Name]; judged {
					v.Last = &last
				}
				all = append(all, v)
			}
			return pageOf(all, len(all), nil), err
		})
	ask(s, operation("get-objective", http.MethodGet, "/objectives/{objective}", "Get an objective as it was written", "objectives", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Objective string `path:"objective" maxLength:"128"`
		},
		) (v ObjectiveView, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return v, err
			}
			is, doc, err := s.Objectives.Objective(ctx, in.Objective)
			if err != nil {
				return v, err
			}
			if v.Objective = is; doc != nil {
				v.Source = string(doc.Source())
			}
			last, err := s.Objectives.Judged(ctx, objective.JudgedFilter{Objective: is.Name, Limit: 1})
			if len(last) > 0 {
				v.Last = &last[0]
			}
			return v, err
		})
	ask(s, operation("list-objective-judgements", http.MethodGet, "/objective-judgements", "List judgements of objectives, the newest first", "objectives", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Objective string `query:"objective" maxLength:"128"`
			Model     string `query:"model" maxLength:"128"`
			Changed   bool   `query:"changed" doc:"only those that said something else than the one before"`
		},
		) (page[objective.BudgetStanding], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[objective.BudgetStanding]{}, err
			}
			found, err := s.Objectives.Judged(ctx, objective.JudgedFilter{Objective: in.Objective, Model: in.Model, Changed: in.Changed, Before: in.After, Limit: in.Limit + 1})
			if err == nil && len(found) == 0 && in.Objective != "" {
				_, _, err = s.Objectives.Objective(ctx, in.Objective)
			}
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, in.Limit, func(j objective.BudgetStanding) string { return utoa(j.Event) }), err
		})
	ask(s, operation("get-objective-judgement", http.MethodGet, "/objective-judgements/{digest}", "Get a judgement of an objective with every rule", "objectives", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Digest tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		},
		) (objective.BudgetJudgement, error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return objective.BudgetJudgement{}, err
			}
			return s.Objectives.Judgement(ctx, in.Digest)
		})
	ask(s, operation("list-indicators", http.MethodGet, "/indicators", "List what objectives can be about", "objectives"),
		func(ctx context.Context, _ *struct{}) (page[objective.Indicator], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[objective.Indicator]{}, err
			}
			all := objective.Indicators()
			return pageOf(all, len(all), nil), nil
		})
}

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func caseResource(id string) trail.Resource { return trail.Resource{Type: "case", ID: id} }

// OnCaseRule names a rule in the path.
type OnCaseRule struct {
	Request
	Model string `path:"model" maxLength:"128" doc:"name of the model"`
	Rule  string `path:"rule" maxLength:"128" doc:"name of the rule"`
}

type caseRuleInput struct {
	OnCaseRule
	Body CaseRuling
}

// CaseRuling says which predictions of a model people look at.
type CaseRuling struct {
	selection.Terms
	Second float64        `json:"second,omitempty" minimum:"0" maximum:"1" doc:"share of the cases that need a second opinion"`
	Within casework.Hours `json:"within_hours,omitempty" minimum:"0" doc:"a case is to be decided in this time; 0: 168"`
	Queue  string         `json:"queue,omitempty" maxLength:"128" doc:"name of the queue"`
}

func (r CaseRuling) rule(model, name string) casework.CaseRule {
	return casework.CaseRule{
		Model: model, Name: name, Terms: r.Terms, Second: r.Second, Within: r.Within, Queue: r.Queue,
	}
}

type openCaseInput struct {
	Request
	Body CaseOpening
}

// CaseOpening has people look at a prediction.
type CaseOpening struct {
	Prediction string `json:"prediction" maxLength:"64" doc:"id of the prediction"`
	casework.Opening
}

// OnCase names a case in the path.
type OnCase struct {
	Request
	Case string `path:"case" maxLength:"64" doc:"id of the case"`
}

type judgeCaseInput struct {
	OnCase
	Body CaseJudgement
}

// CaseJudgement is an opinion on a case.
type CaseJudgement struct {
	Answer    any    `json:"answer" doc:"what the right answer is: a number, text or boolean"`
	Rationale string `json:"rationale" maxLength:"4096" doc:"why"`
	Second    bool   `json:"second,omitempty" doc:"another person is to look at it too; only with the first opinion"`
}

// casesQuery chooses cases.
type casesQuery struct {
	Paging
	Model      string         `query:"model" maxLength:"128"`
	Queue      string         `query:"queue" maxLength:"128"`
	Rule       string         `query:"rule" maxLength:"128"`
	Prediction string         `query:"prediction" maxLength:"64"`
	State      casework.State `query:"state" enum:"open,second,disputed,decided"`
	Waiting    bool           `query:"waiting" doc:"only what is not decided, what is due first first"`
	Overdue    bool           `query:"overdue" doc:"only what should have been decided"`
	Mine       bool           `query:"mine" doc:"only what the caller has claimed"`
}

// CaseView is a case with the opinions that the caller may see and the record that it is about.
type CaseView struct {
	casework.Case
	Opinions []casework.Opinion `json:"opinions" doc:"those that the caller may see: while a second opinion is waited for, only his own"`
	Record   json.RawMessage    `json:"record,omitempty" doc:"the prediction; absent if it was erased or is not kept any more"`
}

// cases are predictions that people look at.
func (s *server) cases() {
	act(s, operation("define-case-rule", http.MethodPut, "/models/{model}/case-rules/{rule}", "Say which predictions people look at", "cases", http.StatusNotFound),
		func(_ context.Context, in caseRuleInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.CaseRuleManage, Resource: modelResource(in.Model), Model: in.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					if _, err := s.Catalog.ModelIn(tx, in.Model); err != nil {
						return nil, err
					}
					return s.Cases.DefineRule(tx, in.Body.rule(in.Model, in.Rule))
				}),
			}, done
		})
	act(s, operation("remove-case-rule", http.MethodDelete, "/models/{model}/case-rules/{rule}", "Let a rule choose no more predictions", "cases", http.StatusNotFound),
		func(_ context.Context, in OnCaseRule) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.CaseRuleManage, Resource: modelResource(in.Model), Model: in.Model,
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Cases.RemoveRule(tx, in.Model, in.Rule) }),
			}, done
		})
	ask(s, operation("list-case-rules", http.MethodGet, "/case-rules", "List the rules by which people look at predictions", "cases", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[casework.CaseRule], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[casework.CaseRule]{}, err
			}
			found, err := s.Cases.Rules(ctx, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
	act(s, operation("open-case", http.MethodPost, "/cases", "Have people look at a prediction", "cases", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in openCaseInput) (registry.Command, func(tx *state.Tx) (casework.Case, error)) {
			c := registry.Command{Action: access.CaseOpen, Resource: trail.Resource{Type: "prediction", ID: in.Body.Prediction}}
			found, err := s.predictionOf(ctx, in.Body.Prediction)
			if err == nil {
				c.Model = found.Model
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Cases.Open(tx, found, in.Body.Opening)
			})
			return c, func(tx *state.Tx) (casework.Case, error) { return s.Cases.OpenCaseIn(tx, in.Body.Prediction) }
		})
	s.caseActs()
	s.caseLists()
}

// predictionOf returns a prediction on record.
func (s *server) predictionOf(ctx context.Context, text string) (*prediction.Record, error) {
	id, err := prediction.ParseID(text)
	if err != nil {
		return nil, err
	}
	found, err := s.Archive.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return &found.Record, nil
}

func (s *server) caseActs() {
	act(s, operation("claim-case", http.MethodPost, "/cases/{case}/claim", "Take a case to work on it", "cases", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in OnCase) (registry.Command, func(tx *state.Tx) (casework.Case, error)) {
			return s.onCase(ctx, in, func(tx *state.Tx) ([]trail.Change, error) {
				return changed(s.Cases.Claim(tx, in.Case, caller(ctx)))
			})
		})
	act(s, operation("release-case", http.MethodPost, "/cases/{case}/release", "Give a case back", "cases", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in OnCase) (registry.Command, func(tx *state.Tx) (casework.Case, error)) {
			return s.onCase(ctx, in, func(tx *state.Tx) ([]trail.Change, error) {
				return changed(s.Cases.Release(tx, in.Case, caller(ctx)))
			})
		})
	act(s, operation("judge-case", http.MethodPost, "/cases/{case}/judgement", "Give an opinion on a prediction", "cases", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in judgeCaseInput) (registry.Command, func(tx *state.Tx) (casework.Case, error)) {
			judge, err := s.prepareJudgement(ctx, in)
			if err != nil {
				judge = func(*state.Tx) ([]trail.Change, error) { return nil, err }
			}
			return s.onCase(ctx, in.OnCase, judge)
		})
}

// changed returns the changes of a proposal of at most one.
func changed(change trail.Change, err error) ([]trail.Change, error) {
	if change == nil || err != nil {
		return nil, err
	}
	return []trail.Change{change}, nil
}

// prepareJudgement returns the proposal by which an opinion is given and, if that decides the case, becomes the
// label of the prediction.
func (s *server) prepareJudgement(ctx context.Context, in judgeCaseInput) (func(tx *state.Tx) ([]trail.Change, error), error) {
	j := casework.Judgement{Rationale: in.Body.Rationale, Second: in.Body.Second}
	text, err := json.Marshal(in.Body.Answer)
	if err != nil {
		return nil, err
	}
	if err := j.Outcome.UnmarshalJSON(text); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "the answer is not a number, text or boolean")
	}
	who := caller(ctx)
	c, _, err := s.Cases.Case(ctx, in.Case, who)
	if err != nil {
		return nil, err
	}
	return s.Cases.Prepare(ctx, c, j, who, s.Now())
}

// onCase is a command about a case, whose answer is the case.
func (s *server) onCase(ctx context.Context, in OnCase, propose func(tx *state.Tx) ([]trail.Change, error)) (
	registry.Command, func(tx *state.Tx) (casework.Case, error),
) {
	c := registry.Command{Action: access.CaseDecide, Resource: caseResource(in.Case), Propose: propose}
	if is, _, err := s.Cases.Case(ctx, in.Case, caller(ctx)); err == nil { // what is refused stands in the model's history too
		c.Model = is.Model
	}
	return c, func(tx *state.Tx) (casework.Case, error) { return s.Cases.CaseIn(tx, in.Case) }
}

func (s *server) caseLists() {
	ask(s, operation("list-cases", http.MethodGet, "/cases", "List predictions that people look at", "cases", http.StatusNotFound),
		func(ctx context.Context, in *casesQuery) (page[casework.Case], error) {
			if err := s.may(ctx, access.PredictionRead, whole, in.Model); err != nil {
				return page[casework.Case]{}, err
			}
			f := casework.Filter{
				Model: in.Model, Queue: in.Queue, Rule: in.Rule, Prediction: in.Prediction, State: in.State, Waiting: in.Waiting, Overdue: in.Overdue,
				After: in.After, Limit: in.Limit + 1,
			}
			if in.Mine {
				f.ClaimedBy = caller(ctx).ID
			}
			found, err := s.Cases.Cases(ctx, f)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, in.Limit, casework.Case.Place), err
		})
	ask(s, operation("case-workload", http.MethodGet, "/cases/workload", "See how the work on cases stands: what waits, coverage, agreement", "cases", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string    `query:"model" maxLength:"128"`
			From  time.Time `query:"from" doc:"cases opened from this time on"`
			To    time.Time `query:"to" doc:"cases opened before this time"`
		},
		) (casework.Workload, error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return casework.Workload{}, err
			}
			if in.Model != "" {
				if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
					return casework.Workload{}, err
				}
			}
			return s.Cases.Workload(ctx, in.Model, in.From, in.To)
		})
	ask(s, operation("get-case", http.MethodGet, "/cases/{case}", "Get a case with its opinions and its prediction", "cases", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Case    string `path:"case" maxLength:"64"`
			Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
		},
		) (v CaseView, err error) {
			c := registry.Command{Principal: caller(ctx), Action: access.PredictionRead, Resource: caseResource(in.Case), Purpose: in.Purpose}
			if err := s.Registry.May(ctx, c); err != nil {
				return v, err
			}
			if v.Case, v.Opinions, err = s.Cases.Case(ctx, in.Case, c.Principal); err != nil {
				return v, err
			}
			if v.Opinions == nil {
				v.Opinions = []casework.Opinion{}
			}
			id, err := prediction.ParseID(v.Prediction)
			if err != nil {
				return v, err
			}
			found, err := s.Archive.Find(ctx, id)
			if tallystick.CodeOf(err) == tallystick.NotFound { // erased, or kept for long enough
				return v, nil
			}
			if err != nil {
				return v, err
			}
			v.Record = found.Record.AppendJSON(nil)
			return v, s.notePrediction(ctx, c, found, shown{})
		})
}

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func comparisonResource(name string) trail.Resource {
	return trail.Resource{Type: "comparison", ID: name}
}

// OnComparison names a comparison in the path.
type OnComparison struct {
	Request
	Comparison string `path:"comparison" maxLength:"128" doc:"name of the comparison"`
}

type applyComparisonInput struct {
	OnComparison
	Body ComparisonDocument
}

// ComparisonDocument is a comparison as it is written.
type ComparisonDocument struct {
	Document string `json:"document" maxLength:"1048576" doc:"YAML; docs/comparison.md says what can stand in it"`
}

// ComparisonView is a comparison with what was written.
type ComparisonView struct {
	comparison.Comparison
	Source string `json:"document,omitempty" doc:"YAML; absent if the comparison was removed"`
}

type compareInput struct {
	Request
	Body VersionsToCompare
}

// VersionsToCompare names two versions and how they are compared: by a comparison that was applied, by one that is sent,
// or else by errors alone.
type VersionsToCompare struct {
	Model       string    `json:"model" maxLength:"128" doc:"name of the model"`
	New         string    `json:"new" maxLength:"128" doc:"version that is to take the place of the other"`
	Old         string    `json:"old,omitempty" maxLength:"128" doc:"version that it is compared with; absent, or champion: the one that serves as such"`
	Comparison  string    `json:"comparison,omitempty" maxLength:"128" doc:"name of the comparison"`
	Document    string    `json:"document,omitempty" maxLength:"1048576" doc:"comparison as YAML, in place of a name"`
	Environment string    `json:"environment,omitempty" maxLength:"128" doc:"where predictions were made; only without a comparison, which says it itself"`
	From        time.Time `json:"from,omitzero" doc:"predictions made from this time on; absent: since the new version serves, or from its first prediction"`
	AsOf        time.Time `json:"as_of,omitzero" doc:"as it was known then; absent: now"`
	Split       float64   `json:"split,omitempty" minimum:"0" maximum:"1" doc:"share of predictions that the new version is to have; absent: as the comparison or the canary says"`
}

// comparisons hold two versions of a model against each other.
func (s *server) comparisons() {
	s.comparisonActs()
	s.comparisonDoors()
	act(s, operation("compare-versions", http.MethodPost, "/comparison-judgements", "Hold two versions against each other by their predictions", "comparisons", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in compareInput) (registry.Command, func(tx *state.Tx) (comparison.VersionsJudgement, error)) {
			c := registry.Command{Action: access.VersionCompare, Resource: modelResource(in.Body.Model), Model: in.Body.Model}
			var j comparison.VersionsJudgement
			var change *comparison.Judged
			_, err := s.Catalog.Model(ctx, in.Body.Model)
			if err == nil {
				err = caller(ctx).Allows(c.Action, c.Resource)
			}
			if err == nil {
				j, change, err = s.compareVersions(ctx, in.Body)
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Comparisons.ProposeJudged(tx, change)
			})
			return c, func(*state.Tx) (comparison.VersionsJudgement, error) { return j, nil }
		})
	ask(s, operation("list-comparison-judgements", http.MethodGet, "/comparison-judgements", "List what was answered about two versions, the last first", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Comparison string             `query:"comparison" maxLength:"128"`
			Model      string             `query:"model" maxLength:"128"`
			Version    string             `query:"version" maxLength:"128" doc:"the new or the old one"`
			Verdict    comparison.Verdict `query:"verdict" enum:"promote,hold,rollback,inconclusive"`
		},
		) (page[comparison.JudgedVersions], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[comparison.JudgedVersions]{}, err
			}
			found, err := s.Comparisons.Judged(ctx, comparison.Filter{
				Comparison: in.Comparison, Model: in.Model, Version: in.Version, Verdict: in.Verdict, Before: in.After, Limit: in.Limit + 1,
			})
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, in.Limit, func(j comparison.JudgedVersions) string { return utoa(j.Event) }), err
		})
	ask(s, operation("get-comparison-judgement", http.MethodGet, "/comparison-judgements/{digest}", "Get what was answered about two versions, with a row for every metric", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Digest tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		},
		) (comparison.VersionsJudgement, error) {
			if err := s.may(ctx, access.PredictionRead, whole, ""); err != nil {
				return comparison.VersionsJudgement{}, err
			}
			return s.Comparisons.Judgement(ctx, in.Digest)
		})
}

// compareVersions answers a question, and keeps the answer.
func (s *server) compareVersions(ctx context.Context, in VersionsToCompare) (comparison.VersionsJudgement, *comparison.Judged, error) {
	a := comparison.Ask{Comparison: in.Comparison, Document: []byte(in.Document), New: in.New, Old: in.Old, From: in.From, AsOf: in.AsOf, Split: in.Split}
	var err error
	switch {
	case in.Comparison != "" && in.Document != "":
		err = tallystick.Errorf(tallystick.Invalid, "a comparison is named, and another is sent").WithHint("leave one of them out")
	case in.Environment != "" && (in.Comparison != "" || in.Document != ""):
		err = tallystick.Errorf(tallystick.Invalid, "the comparison says itself in which environment").WithHint("leave out the environment")
	case in.Comparison == "" && in.Document == "":
		a.Document, err = comparison.Plain(in.Model, in.Environment)
	}
	if err != nil {
		return comparison.VersionsJudgement{}, nil, err
	}
	j, err := s.Comparisons.Judge(ctx, a)
	if err != nil {
		return comparison.VersionsJudgement{}, nil, err
	}
	if j.Model != in.Model {
		return comparison.VersionsJudgement{}, nil, tallystick.Errorf(tallystick.Invalid, "the comparison %s is about %s, not %s", j.Comparison, j.Model, in.Model)
	}
	change, err := s.Comparisons.Keep(ctx, j)
	return *j, change, err
}

func (s *server) comparisonActs() {
	act(s, operation("apply-comparison", http.MethodPut, "/comparisons/{comparison}", "Say how versions of a model are compared, and by which margins", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in applyComparisonInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.MonitorManage, Resource: comparisonResource(in.Comparison)}
			change, err := (*comparison.Applied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				if change, err = s.Comparisons.PrepareApply(ctx, in.Comparison, []byte(in.Body.Document)); err == nil {
					c.Model = change.Model
				}
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Comparisons.ProposeApply(tx, change)
			})
			return c, done
		})
	act(s, operation("remove-comparison", http.MethodDelete, "/comparisons/{comparison}", "Compare versions so no more", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in OnComparison) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{
				Action: access.MonitorManage, Resource: comparisonResource(in.Comparison),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Comparisons.ProposeRemove(tx, in.Comparison) }),
			}
			if is, _, err := s.Comparisons.Comparison(ctx, in.Comparison); err == nil {
				c.Model = is.Model
			}
			return c, done
		})
	ask(s, operation("list-comparisons", http.MethodGet, "/comparisons", "List comparisons by name", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[comparison.Comparison], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[comparison.Comparison]{}, err
			}
			found, err := s.Comparisons.Comparisons(ctx, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-comparison", http.MethodGet, "/comparisons/{comparison}", "Get a comparison as it was written", "comparisons", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Comparison string `path:"comparison" maxLength:"128"`
		},
		) (v ComparisonView, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return v, err
			}
			is, doc, err := s.Comparisons.Comparison(ctx, in.Comparison)
			v.Comparison = is
			if doc != nil {
				v.Source = string(doc.Source())
			}
			return v, err
		})
}

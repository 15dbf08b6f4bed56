package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

// inventoryQuery chooses models.
type inventoryQuery struct {
	State catalog.ModelState `query:"state" enum:"experimental,active,retired"`
	Tier  tallystick.Tier    `query:"tier" enum:"low,limited,high"`
	Owner string             `query:"owner" maxLength:"256"`
	Text  string             `query:"text" maxLength:"256" doc:"words that those of name, summary or purpose begin with"`
	Label string             `query:"label" maxLength:"512" doc:"name=value"`
	Order string             `query:"order" enum:"name,priority" default:"name" doc:"by priority: those that should be audited first; other filters do not count then"`
	After string             `query:"after" maxLength:"128" doc:"next of the page before"`
	Limit int                `query:"limit" default:"100" minimum:"1" maximum:"199"`
}

type historyQuery struct {
	Model   string    `path:"model" maxLength:"128"`
	Version string    `query:"version" maxLength:"128"`
	Type    string    `query:"type" maxLength:"128"`
	Without []string  `query:"without" maxItems:"20" maxLength:"128" doc:"types that are left out, such as window.judged"`
	Actor   string    `query:"actor" maxLength:"256" doc:"name or id; only for those who may open sealed fields"`
	Outcome string    `query:"outcome" enum:"success,denied,failed"`
	Since   time.Time `query:"since" doc:"inclusive"`
	Until   time.Time `query:"until" doc:"exclusive"`
	Newest  bool      `query:"newest" doc:"newest first"`
	After   uint64    `query:"after" maximum:"9007199254740991" doc:"next of the page before"`
	Limit   int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (q historyQuery) filter() (f catalog.HistoryFilter, err error) {
	f = catalog.HistoryFilter{
		Version: q.Version, Actor: q.Actor, Outcome: tallystick.Outcome(q.Outcome), Since: q.Since, Until: q.Until, Newest: q.Newest, Limit: q.Limit,
	}
	if q.Type != "" {
		if f.Type, err = trail.ParseType(q.Type); err != nil {
			return f, err
		}
	}
	for _, name := range q.Without {
		without, err := trail.ParseType(name)
		if err != nil {
			return f, err
		}
		f.Without = append(f.Without, without)
	}
	if q.Newest {
		f.Before = q.After
	} else {
		f.After = q.After
	}
	return f, nil
}

// inventory are the questions about models as a whole.
func (s *server) inventory() {
	ask(s, operation("list-models", http.MethodGet, "/models", "List models: whose, of which tier, what they owe, where they serve", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *inventoryQuery) (page[catalog.Overview], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[catalog.Overview]{}, err
			}
			models, err := s.chosen(ctx, in)
			err = s.nothing(ctx, len(models), err, catalog.Names{Owner: in.Owner})
			if err != nil {
				return page[catalog.Overview]{}, err
			}
			cut := pageOf(models, in.Limit, func(m catalog.Model) string { return m.Name })
			found, err := s.Releases.Overviews(ctx, cut.Items)
			if found == nil {
				found = []catalog.Overview{}
			}
			return page[catalog.Overview]{Items: found, Next: cut.Next}, err
		})
	ask(s, operation("get-model-status", http.MethodGet, "/models/{model}/status", "Say what a model owes, what is there and what produces the rest", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model   string `path:"model" maxLength:"128"`
			Version string `query:"version" maxLength:"128" doc:"absent: the latest"`
		},
		) (release.Status, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return release.Status{}, err
			}
			return s.Releases.Status(ctx, in.Model, in.Version)
		})
	ask(s, operation("get-model-history", http.MethodGet, "/models/{model}/history", "Say who did what to a model, refusals included", "trail", http.StatusNotFound),
		func(ctx context.Context, in *historyQuery) (catalog.History, error) {
			if err := s.may(ctx, access.TrailRead, modelResource(in.Model), in.Model); err != nil {
				return catalog.History{}, err
			}
			f, err := in.filter()
			if err != nil {
				return catalog.History{}, err
			}
			f.Personal, f.People = s.discloses(ctx), s.Access
			if f.Actor, err = s.Access.ActorID(ctx, f.Actor); err != nil {
				return catalog.History{}, err
			}
			h, err := s.Catalog.History(ctx, in.Model, f)
			if err == nil {
				err = s.nothingTold(ctx, len(h.Lines), trail.Filter{Actor: f.Actor}, catalog.Names{Model: in.Model, Version: f.Version})
			}
			if err != nil {
				return h, err
			}
			return h, s.noteRead(ctx, &eventQuery{Model: in.Model, Type: in.Type, Actor: in.Actor, Outcome: in.Outcome}, len(h.Lines))
		})
	ask(s, operation("get-model-at", http.MethodGet, "/models/{model}/at", "Say what served at a moment, or within a span, who put it there and on what evidence", "trail", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string    `path:"model" maxLength:"128"`
			From  time.Time `query:"from" required:"true" doc:"the moment, or the beginning of the span"`
			Until time.Time `query:"until" doc:"the end of the span, exclusive"`
		},
		) (catalog.Moment, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return catalog.Moment{}, err
			}
			m, err := s.Catalog.At(ctx, in.Model, catalog.AtQuery{From: in.From, Until: in.Until, Personal: s.discloses(ctx), People: s.Access})
			if m.Serving == nil {
				m.Serving = []catalog.Serving{}
			}
			return m, err
		})
}

func (s *server) chosen(ctx context.Context, in *inventoryQuery) ([]catalog.Model, error) {
	if in.Order == "priority" {
		return s.Catalog.Priority(ctx, in.After, in.Limit+1)
	}
	return s.Catalog.Models(ctx, catalog.ModelFilter{
		State: in.State, Tier: in.Tier, Owner: in.Owner, Text: in.Text, Label: in.Label, After: in.After, Limit: in.Limit + 1,
	})
}

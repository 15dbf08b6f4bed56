package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// OnReaction names a reaction in the path.
type OnReaction struct {
	Request
	Reaction string `path:"reaction" maxLength:"128" doc:"name of the reaction"`
}

type applyReactionInput struct {
	OnReaction
	Body ReactionDocument
}

// ReactionDocument is a reaction as it is written.
type ReactionDocument struct {
	Document string `json:"document" maxLength:"65536" doc:"YAML; docs/reactions.md says what can stand in it"`
}

type approveReactionInput struct {
	OnReaction
	Body ReactionApproval
}

// ReactionApproval lets a reaction act by itself.
type ReactionApproval struct {
	Document tallystick.Digest `json:"document_digest,omitempty" pattern:"^sha256:[0-9a-f]{64}$" doc:"which document was looked at; refused if another is in force"`
	Comment  string            `json:"comment,omitempty" maxLength:"4096" doc:"why"`
}

// ReactionView is a reaction with what was written.
type ReactionView struct {
	reaction.Reaction
	Source string `json:"document,omitempty" doc:"YAML; absent if the reaction was removed"`
}

// ReactionRehearsal names what is rehearsed: a document, and of which time.
type ReactionRehearsal struct {
	Document string    `json:"document" maxLength:"65536" doc:"YAML of a reaction"`
	From     time.Time `json:"from" doc:"what fired from this time on"`
	To       time.Time `json:"to,omitzero" doc:"exclusive; absent: now"`
}

// ReactionsRun tells what a look did.
type ReactionsRun struct {
	Outcome string `json:"outcome" doc:"how many deeds were proposed, begun, done, refused and skipped; empty: none"`
}

func reactionResource(name string) trail.Resource { return trail.Resource{Type: "reaction", ID: name} }

// reactions say what is done, or proposed, when a model is judged bad.
func (s *server) reactions() {
	act(s, operation("apply-reaction", http.MethodPut, "/reactions/{reaction}", "Say what is done, or proposed, when a model is judged bad", "reactions", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in applyReactionInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.ReactionManage, Resource: reactionResource(in.Reaction)}
			change, err := (*reaction.Applied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				change, err = s.Reactions.PrepareApply(ctx, in.Reaction, []byte(in.Body.Document), caller(ctx))
			}
			if err == nil {
				c.Model = change.Model
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Reactions.ProposeApply(tx, change)
			})
			return c, done
		})
	act(s, operation("approve-reaction", http.MethodPost, "/reactions/{reaction}/approval", "Let a reaction that somebody else applied act by itself", "reactions", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in approveReactionInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.ReactionApprove, Resource: reactionResource(in.Reaction), Model: s.reactedTo(ctx, in.Reaction),
				Propose: single(func(tx *state.Tx) (trail.Change, error) {
					return s.Reactions.Approve(tx, in.Reaction, in.Body.Document, in.Body.Comment, caller(ctx))
				}),
			}, done
		})
	act(s, operation("remove-reaction", http.MethodDelete, "/reactions/{reaction}", "Do nothing by a reaction any more", "reactions", http.StatusNotFound),
		func(ctx context.Context, in OnReaction) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.ReactionManage, Resource: reactionResource(in.Reaction), Model: s.reactedTo(ctx, in.Reaction),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Reactions.ProposeRemove(tx, in.Reaction) }),
			}, done
		})
	s.reactionQuestions()
}

// reactedTo returns the model of a reaction, so that what is refused stands in the model's history too; empty if there is none.
func (s *server) reactedTo(ctx context.Context, name string) string {
	r, _, _, _ := s.Reactions.Reaction(ctx, name) // the act itself says that there is none
	return r.Model
}

func (s *server) reactionQuestions() {
	ask(s, operation("list-reactions", http.MethodGet, "/reactions", "List reactions by name, those that were removed too", "reactions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[reaction.Reaction], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[reaction.Reaction]{}, err
			}
			found, err := s.Reactions.Reactions(ctx, in.Model)
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-reaction", http.MethodGet, "/reactions/{reaction}", "Get a reaction as it was written, and who approved it", "reactions", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Reaction string `path:"reaction" maxLength:"128"`
		},
		) (v ReactionView, err error) {
			if err := s.may(ctx, access.CatalogRead, reactionResource(in.Reaction), ""); err != nil {
				return v, err
			}
			is, _, source, err := s.Reactions.Reaction(ctx, in.Reaction)
			v.Reaction, v.Source = is, string(source)
			return v, err
		})
	ask(s, operation("list-reaction-tries", http.MethodGet, "/reaction-tries", "List what reactions tried, the newest first", "reactions"),
		func(ctx context.Context, in *struct {
			Newest
			Reaction string         `query:"reaction" maxLength:"128"`
			Model    string         `query:"model" maxLength:"128"`
			Incident string         `query:"incident" maxLength:"64"`
			State    reaction.State `query:"state" enum:"proposed,begun,done,refused,lapsed,skipped"`
		},
		) (page[reaction.Try], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[reaction.Try]{}, err
			}
			found, err := s.Reactions.Tries(ctx, reaction.TryFilter{Reaction: in.Reaction, Model: in.Model, Incident: in.Incident, State: in.State, Before: in.After, Limit: in.Limit + 1})
			return pageOf(found, in.Limit, func(t reaction.Try) string { return utoa(t.Event) }), err
		})
	ask(s, operation("rehearse-reaction", http.MethodPost, "/reaction-rehearsals", "Say what a reaction would have tried of what is on record; nothing is done", "reactions", http.StatusNotFound),
		func(ctx context.Context, in *struct{ Body ReactionRehearsal }) (r reaction.Rehearsal, err error) {
			if err := s.may(ctx, access.ReactionManage, whole, ""); err != nil {
				return r, err
			}
			return s.Reactions.Rehearse(ctx, []byte(in.Body.Document), in.Body.From, in.Body.To)
		})
	ask(s, operation("run-reactions", http.MethodPost, "/reaction-runs", "Look at once whether reactions are due; a server does so every ten seconds", "reactions"),
		func(ctx context.Context, _ *struct{}) (out ReactionsRun, err error) {
			if err := s.may(ctx, access.ReactionManage, whole, ""); err != nil {
				return out, err
			}
			out.Outcome, err = s.Reactions.Run(ctx)
			return out, err
		})
}

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func monitorResource(name string) trail.Resource { return trail.Resource{Type: "monitor", ID: name} }

// maxReferenceBody bounds a reference that is sent.
const maxReferenceBody = 64 << 20

type pinInput struct {
	Request
	Model string `path:"model" maxLength:"128" doc:"name of the model"`
	Body  ReferencePin
}

// ReferencePin says what predictions of a model are compared with: its predictions of a time, or a document that was
// made of a file.
type ReferencePin struct {
	Version     string            `json:"version,omitempty" maxLength:"128" doc:"version that it is for; absent: every one that has none of its own"`
	Environment string            `json:"environment,omitempty" maxLength:"128" doc:"only predictions that were made there"`
	From        time.Time         `json:"from,omitzero" doc:"predictions made from this time on"`
	To          time.Time         `json:"to,omitzero" doc:"predictions made before this time"`
	Categories  []string          `json:"categories,omitempty" maxItems:"1000" doc:"features that are categories although they are numbers"`
	Document    []byte            `json:"document,omitempty" doc:"of a reference, in base64; instead of a time"`
	Data        tallystick.Digest `json:"data_digest,omitempty" doc:"of the file that it was made of" pattern:"^sha256:[0-9a-f]{64}$"`
}

// ReferencePinned tells what was pinned.
type ReferencePinned struct {
	Digest tallystick.Digest `json:"reference_digest"`
	Rows   int64             `json:"rows" doc:"that it was made of"`
	Left   []string          `json:"left_out,omitempty" doc:"features that are no part of it, and why"`
}

// ReferenceView is a reference with its document.
type ReferenceView struct {
	monitor.Reference
	Document json.RawMessage `json:"document" doc:"how each feature is counted, and the counts"`
}

// OnMonitor names a monitor in the path.
type OnMonitor struct {
	Request
	Monitor string `path:"monitor" maxLength:"128" doc:"name of the monitor"`
}

type applyInput struct {
	OnMonitor
	Body MonitorDocument
}

// MonitorDocument is a monitor as it is written.
type MonitorDocument struct {
	Document string `json:"document" maxLength:"1048576" doc:"YAML; docs/monitoring.md says what can stand in it"`
}

// MonitorView is a monitor with what was written.
type MonitorView struct {
	monitor.Monitor
	Source string `json:"document,omitempty" doc:"YAML; absent if the monitor was removed"`
}

type judgeInput struct {
	OnMonitor
	Body WindowToJudge
}

// WindowToJudge names a window, and as of when it is judged.
type WindowToJudge struct {
	Window time.Time `json:"window" doc:"a moment in the window"`
	AsOf   time.Time `json:"as_of,omitzero" doc:"monitor, reference and predictions as they were on record then; absent: now"`
}

// monitors are what is watched of models, and what came of it.
func (s *server) monitors() {
	s.nameChecks()
	s.referenceActs()
	s.breakdownActs()
	s.monitorActs()
	act(s, operation("judge-window", http.MethodPost, "/monitors/{monitor}/judgements", "Judge a window of predictions, as it was known at a moment", "monitors", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in judgeInput) (registry.Command, func(tx *state.Tx) (monitor.WindowJudgement, error)) {
			c := registry.Command{Action: access.WindowJudge, Resource: monitorResource(in.Monitor)}
			var j monitor.WindowJudgement
			err := s.onMonitor(ctx, &c, in.Monitor)
			var change *monitor.Judged
			if err == nil {
				j, change, err = s.judgeWindow(ctx, in)
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Monitors.ProposeJudged(tx, change)
			})
			return c, func(*state.Tx) (monitor.WindowJudgement, error) { return j, nil }
		})
	ask(s, operation("list-judgements", http.MethodGet, "/judgements", "List judgements of windows, what was judged last first", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Monitor string             `query:"monitor" maxLength:"128"`
			Model   string             `query:"model" maxLength:"128"`
			From    time.Time          `query:"from" doc:"windows that begin from this time on"`
			To      time.Time          `query:"to" doc:"windows that begin before this time"`
			Verdict tallystick.Verdict `query:"verdict" enum:"pass,warn,inconclusive,insufficient,fail"`
			All     bool               `query:"all" doc:"those too that a later one has taken the place of"`
		},
		) (page[monitor.JudgedWindow], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[monitor.JudgedWindow]{}, err
			}
			found, err := s.Monitors.Judged(ctx, monitor.JudgedFilter{
				Monitor: in.Monitor, Model: in.Model, From: in.From, To: in.To, Verdict: in.Verdict, All: in.All, Before: in.After, Limit: in.Limit + 1,
			})
			if err == nil && len(found) == 0 && in.Monitor != "" {
				_, _, err = s.Monitors.Monitor(ctx, in.Monitor)
			}
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, in.Limit, func(j monitor.JudgedWindow) string { return utoa(j.Event) }), err
		})
	ask(s, operation("get-judgement", http.MethodGet, "/judgements/{digest}", "Get a judgement with a row for every check", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Digest tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		},
		) (monitor.WindowJudgement, error) {
			if err := s.may(ctx, access.PredictionRead, whole, ""); err != nil {
				return monitor.WindowJudgement{}, err
			}
			return s.Monitors.Judgement(ctx, in.Digest)
		})
}

// nameChecks puts the checks that there are into the form of a row.
func (s *server) nameChecks() {
	forms := s.huma.OpenAPI().Components.Schemas
	check := forms.SchemaFromRef(forms.Schema(reflect.TypeFor[monitor.Row](), true, "").Ref).Properties["check"]
	for _, a := range monitor.AllChecks() {
		check.Enum = append(check.Enum, a.Key)
	}
}

// onMonitor looks, before any work, whether the caller may, and names the model; Do refuses him then.
func (s *server) onMonitor(ctx context.Context, c *registry.Command, name string) error {
	is, _, err := s.Monitors.Monitor(ctx, name)
	c.Model = is.Model
	if err != nil {
		return err
	}
	return caller(ctx).Allows(c.Action, c.Resource)
}

func (s *server) judgeWindow(ctx context.Context, in judgeInput) (monitor.WindowJudgement, *monitor.Judged, error) {
	j, err := s.Monitors.Judge(ctx, in.Monitor, in.Body.Window, in.Body.AsOf)
	if err != nil {
		return monitor.WindowJudgement{}, nil, err
	}
	change, err := s.Monitors.Keep(ctx, j)
	return *j, change, err
}

func (s *server) referenceActs() {
	pin := operation("pin-reference", http.MethodPost, "/models/{model}/references", "Say what predictions of a model are compared with", "monitors", http.StatusNotFound)
	pin.MaxBodyBytes = maxReferenceBody
	act(s, pin, func(ctx context.Context, in pinInput) (registry.Command, func(tx *state.Tx) (ReferencePinned, error)) {
		c := registry.Command{Action: access.MonitorManage, Resource: modelResource(in.Model), Model: in.Model}
		var told ReferencePinned
		var change *monitor.Pinned
		_, err := s.Catalog.Model(ctx, in.Model)
		if err == nil {
			err = caller(ctx).Allows(c.Action, c.Resource)
		}
		if err == nil {
			change, told.Left, err = s.Monitors.PreparePin(ctx, monitor.Pin{
				Model: in.Model, Version: in.Body.Version, Environment: in.Body.Environment, From: in.Body.From, To: in.Body.To,
				Categories: in.Body.Categories, Document: in.Body.Document, Data: in.Body.Data,
			})
		}
		if err == nil {
			told.Digest, told.Rows = change.Reference, change.Predictions
		}
		c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
			if err != nil {
				return nil, err
			}
			return s.Monitors.ProposePin(tx, change)
		})
		return c, func(*state.Tx) (ReferencePinned, error) { return told, nil }
	})
	ask(s, operation("list-references", http.MethodGet, "/references", "List what predictions are or were compared with, newest first", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[monitor.Reference], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[monitor.Reference]{}, err
			}
			found, err := s.Monitors.References(ctx, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-reference", http.MethodGet, "/references/{digest}", "Get a reference with its document", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Digest tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		},
		) (v ReferenceView, err error) {
			if err := s.may(ctx, access.PredictionRead, whole, ""); err != nil {
				return v, err
			}
			r, is, err := s.Monitors.Reference(ctx, in.Digest)
			if err != nil {
				return v, err
			}
			v.Reference = is
			v.Document, err = r.Marshal()
			return v, err
		})
}

func (s *server) monitorActs() {
	act(s, operation("apply-monitor", http.MethodPut, "/monitors/{monitor}", "Say what of a model is watched, and by which limits", "monitors", http.StatusNotFound),
		func(ctx context.Context, in applyInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.MonitorManage, Resource: monitorResource(in.Monitor)}
			change, err := (*monitor.Applied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				if change, err = s.Monitors.PrepareApply(ctx, in.Monitor, []byte(in.Body.Document)); err == nil {
					c.Model = change.Model
				}
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Monitors.ProposeApply(tx, change)
			})
			return c, done
		})
	act(s, operation("remove-monitor", http.MethodDelete, "/monitors/{monitor}", "Let a monitor judge no more windows", "monitors", http.StatusNotFound),
		func(ctx context.Context, in OnMonitor) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{
				Action: access.MonitorManage, Resource: monitorResource(in.Monitor),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Monitors.ProposeRemove(tx, in.Monitor) }),
			}
			if is, _, err := s.Monitors.Monitor(ctx, in.Monitor); err == nil {
				c.Model = is.Model
			}
			return c, done
		})
	ask(s, operation("list-monitors", http.MethodGet, "/monitors", "List monitors by name", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model string `query:"model" maxLength:"128"`
		},
		) (page[monitor.Monitor], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[monitor.Monitor]{}, err
			}
			found, err := s.Monitors.Monitors(ctx, in.Model)
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model})
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-monitor", http.MethodGet, "/monitors/{monitor}", "Get a monitor as it was written", "monitors", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Monitor string `path:"monitor" maxLength:"128"`
		},
		) (v MonitorView, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return v, err
			}
			is, doc, err := s.Monitors.Monitor(ctx, in.Monitor)
			v.Monitor = is
			if doc != nil {
				v.Source = string(doc.Source())
			}
			return v, err
		})
}

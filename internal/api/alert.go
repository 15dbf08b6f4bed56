package api

import (
	"context"
	"net/http"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func silenceResource(id string) trail.Resource { return trail.Resource{Type: "silence", ID: id} }

func policyResource(name string) trail.Resource {
	return trail.Resource{Type: "alert_policy", ID: name}
}

// AlertEnd says why somebody resolves an alert by hand.
type AlertEnd struct {
	Reason string `json:"reason" maxLength:"4096" doc:"why"`
}

type resolveAlertInput struct {
	Request
	Alert string `path:"alert" maxLength:"128" doc:"id of the alert"`
	Body  AlertEnd
}

type silenceInput struct {
	Request
	Body alert.Silencing
}

type endSilenceInput struct {
	Request
	Silence string `path:"silence" maxLength:"128" doc:"id of the silence"`
}

// SilenceMade tells what was silenced.
type SilenceMade struct {
	Silence    string `json:"silence" doc:"id of the silence"`
	Suppressed int    `json:"suppressed" doc:"alerts that fire now and whose notifications it keeps back"`
}

// AlertsEvaluated tells what an evaluation did.
type AlertsEvaluated struct {
	Outcome string `json:"outcome" doc:"how many alerts are pending, fired and resolved by it; empty: none"`
}

// OnAlertPolicy names a policy in the path.
type OnAlertPolicy struct {
	Request
	Policy string `path:"policy" maxLength:"128" doc:"name of the policy"`
}

type applyPolicyInput struct {
	OnAlertPolicy
	Body AlertPolicyDocument
}

// AlertPolicyDocument is a policy as it is written.
type AlertPolicyDocument struct {
	Document string `json:"document" maxLength:"262144" doc:"YAML; docs/alerts.md says what can stand in it"`
}

// AlertPolicyView is a policy with what was written.
type AlertPolicyView struct {
	alert.Policy
	Source string `json:"document,omitempty" doc:"YAML; absent if the policy was removed"`
}

// alerts are what was judged bad often enough, and what keeps notifications of it back.
func (s *server) alerts() {
	ask(s, operation("list-alerts", http.MethodGet, "/alerts", "List alerts, what was raised last first", "alerts", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Model       string            `query:"model" maxLength:"128"`
			Environment string            `query:"environment" maxLength:"128"`
			State       alert.State       `query:"state" enum:"pending,firing,resolved"`
			Live        bool              `query:"live" doc:"those alone that are pending or firing"`
			Severity    alert.Severity    `query:"severity" enum:"page,ticket"`
			Fingerprint tallystick.Digest `query:"fingerprint" pattern:"^sha256:[0-9a-f]{64}$" doc:"every time that this thing raised one"`
		},
		) (page[alert.Alert], error) {
			if err := s.may(ctx, access.CatalogRead, whole, in.Model); err != nil {
				return page[alert.Alert]{}, err
			}
			found, err := s.Alerts.Alerts(ctx, alert.Filter{
				Model: in.Model, Environment: in.Environment, State: in.State, Live: in.Live, Severity: in.Severity, Fingerprint: in.Fingerprint, Before: in.After, Limit: in.Limit + 1,
			})
			err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model, Environment: in.Environment})
			for i := range found {
				found[i] = told(ctx, found[i])
			}
			return pageOf(found, in.Limit, func(a alert.Alert) string { return utoa(a.Event) }), err
		})
	ask(s, operation("get-alert", http.MethodGet, "/alerts/{alert}", "Get an alert", "alerts", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Alert string `path:"alert" maxLength:"128"`
		},
		) (alert.Alert, error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return alert.Alert{}, err
			}
			a, err := s.Alerts.Alert(ctx, in.Alert)
			return told(ctx, a), err
		})
	ask(s, operation("get-alert-history", http.MethodGet, "/alerts/{alert}/history", "Tell what became of the thing that an alert is about, newest first", "alerts", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Alert string `path:"alert" maxLength:"128"`
		},
		) (page[alert.Happening], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[alert.Happening]{}, err
			}
			found, err := s.Alerts.History(ctx, in.Alert, in.After, in.Limit+1)
			return pageOf(found, in.Limit, func(l alert.Happening) string { return utoa(l.Event) }), err
		})
	ask(s, operation("evaluate-alerts", http.MethodPost, "/alert-evaluations", "Look at judgements at once that alerts were not evaluated for; a server does so every ten seconds", "alerts"),
		func(ctx context.Context, _ *struct{}) (AlertsEvaluated, error) {
			if err := s.may(ctx, access.WindowJudge, whole, ""); err != nil {
				return AlertsEvaluated{}, err
			}
			outcome, err := s.Alerts.Run(ctx)
			return AlertsEvaluated{outcome}, err
		})
	act(s, operation("resolve-alert", http.MethodPost, "/alerts/{alert}/resolution", "Resolve an alert by hand", "alerts", http.StatusNotFound),
		func(ctx context.Context, in resolveAlertInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.AlertManage, Resource: trail.Resource{Type: "alert", ID: in.Alert}}
			if a, err := s.Alerts.Alert(ctx, in.Alert); err == nil {
				c.Model = a.Model
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				change, err := s.Alerts.Resolve(tx, in.Alert, in.Body.Reason)
				if change == nil {
					return nil, err
				}
				return change, err
			})
			return c, done
		})
	s.silences()
	s.alertPolicies()
}

// told leaves out what only those may read who may read predictions.
func told(ctx context.Context, a alert.Alert) alert.Alert {
	if caller(ctx).Allows(access.PredictionRead, modelResource(a.Model)) != nil {
		a.Words = ""
	}
	return a
}

func (s *server) silences() {
	act(s, operation("create-silence", http.MethodPost, "/silences", "Keep notifications of certain alerts back for a time", "alerts", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in silenceInput) (registry.Command, func(tx *state.Tx) (SilenceMade, error)) {
			var made SilenceMade
			c := registry.Command{Action: access.AlertManage, Resource: silenceResource("new")}
			c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
				changes, err := s.Alerts.Silence(tx, in.Body)
				if err != nil {
					return nil, err
				}
				made = SilenceMade{changes[0].(*alert.SilenceCreated).Silence, len(changes) - 1}
				return changes, nil
			}
			return c, func(*state.Tx) (SilenceMade, error) { return made, nil }
		})
	act(s, operation("end-silence", http.MethodDelete, "/silences/{silence}", "End a silence before its time", "alerts", http.StatusNotFound),
		func(_ context.Context, in endSilenceInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			return registry.Command{
				Action: access.AlertManage, Resource: silenceResource(in.Silence),
				Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Alerts.EndSilence(tx, in.Silence) },
			}, done
		})
	ask(s, operation("list-silences", http.MethodGet, "/silences", "List silences, what was created last first", "alerts"),
		func(ctx context.Context, in *struct {
			Newest
			Ended bool `query:"ended" doc:"those too that have ended"`
		},
		) (page[alert.Silence], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[alert.Silence]{}, err
			}
			found, err := s.Alerts.Silences(ctx, in.Ended, in.After, in.Limit+1)
			return pageOf(found, in.Limit, func(s alert.Silence) string { return utoa(s.Event) }), err
		})
}

func (s *server) alertPolicies() {
	act(s, operation("apply-alert-policy", http.MethodPut, "/alert-policies/{policy}", "Say when alerts fire and resolve, and how urgent they are", "alerts", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in applyPolicyInput) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{Action: access.MonitorManage, Resource: policyResource(in.Policy)}
			change, err := (*alert.PolicyApplied)(nil), caller(ctx).Allows(c.Action, c.Resource)
			if err == nil {
				if change, err = s.Alerts.PreparePolicy(ctx, in.Policy, []byte(in.Body.Document)); err == nil {
					c.Model = change.Model
				}
			}
			c.Propose = single(func(tx *state.Tx) (trail.Change, error) {
				if err != nil {
					return nil, err
				}
				return s.Alerts.ProposePolicy(tx, change)
			})
			return c, done
		})
	act(s, operation("remove-alert-policy", http.MethodDelete, "/alert-policies/{policy}", "Let a policy of alerts count no more", "alerts", http.StatusNotFound),
		func(ctx context.Context, in OnAlertPolicy) (registry.Command, func(tx *state.Tx) (Recorded, error)) {
			c := registry.Command{
				Action: access.MonitorManage, Resource: policyResource(in.Policy),
				Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Alerts.RemovePolicy(tx, in.Policy) }),
			}
			if is, _, err := s.Alerts.Policy(ctx, in.Policy); err == nil {
				c.Model = is.Model
			}
			return c, done
		})
	ask(s, operation("list-alert-policies", http.MethodGet, "/alert-policies", "List policies of alerts by name", "alerts"),
		func(ctx context.Context, _ *struct{}) (page[alert.Policy], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[alert.Policy]{}, err
			}
			found, err := s.Alerts.Policies(ctx)
			return pageOf(found, len(found), nil), err
		})
	ask(s, operation("get-alert-policy", http.MethodGet, "/alert-policies/{policy}", "Get a policy of alerts as it was written", "alerts", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Policy string `path:"policy" maxLength:"128"`
		},
		) (v AlertPolicyView, err error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return v, err
			}
			is, doc, err := s.Alerts.Policy(ctx, in.Policy)
			v.Policy = is
			if doc != nil {
				v.Source = string(doc.Source())
			}
			return v, err
		})
}

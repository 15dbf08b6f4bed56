// Package health says in one figure how a model stands, and explains the figure: objectives, monitors, owed evidence, findings and
// labels, each with its weight, its value and its reason in words. What is unknown earns nothing, and a failing part that is
// critical caps the whole. It also tells Prometheus what objectives and monitors say.
package health

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/release"
)

// Config says whom an office asks. All fields are required.
type Config struct {
	Catalog    *catalog.Catalog
	Releases   *release.Office
	Monitors   *monitor.Office
	Objectives *objective.Office
	Asker      *query.Asker
	Now        func() time.Time
}

// Office says how models stand. Its methods may be called by many goroutines.
type Office struct{ config Config }

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config} }

// Health is how a model stands.
type Health struct {
	Model    string    `json:"model"`
	At       time.Time `json:"at"`
	Score    *int      `json:"score" doc:"0 to 100; null if nothing is known"`
	Known    int       `json:"known" doc:"sum of the weights of the parts that are known, of 100"`
	CappedBy string    `json:"capped_by,omitempty" doc:"the critical part that fails, and for which the score is at most 40"`
	Words    string    `json:"words"`
	Parts    []Part    `json:"parts"`
}

// Part is one of the things that health is made of.
type Part struct {
	Name     string             `json:"name" enum:"objectives,monitors,evidence,findings,labels"`
	Weight   int                `json:"weight" doc:"of 100"`
	Critical bool               `json:"critical" doc:"if it fails, the score is at most 40"`
	Value    *float64           `json:"value" doc:"0 to 1; null: unknown, which earns nothing"`
	Verdict  tallystick.Verdict `json:"verdict" enum:"pass,warn,insufficient,fail"`
	Reason   string             `json:"reason"`
}

// Of returns how a model stands, or a NotFound error.
func (o *Office) Of(ctx context.Context, model string) (Health, error) {
	h := Health{Model: model, At: o.config.Now().UTC().Truncate(time.Second)}
	if _, err := o.config.Catalog.Model(ctx, model); err != nil {
		return h, err
	}
	for _, look := range []func(context.Context, string, time.Time) (Part, error){o.objectives, o.monitors, o.evidence, o.findings, o.labels} {
		p, err := look(ctx, model, h.At)
		if err != nil {
			return h, err
		}
		h.Parts = append(h.Parts, p)
	}
	h.settle()
	return h, nil
}

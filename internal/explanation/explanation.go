// Package explanation joins what is on record about one decision into one answer: what the model was given and
// said, the rule that made a decision of it, who let the version run and on what, the data it learned from,
// what turned out to be true, what people said of it, and where the proof of it all is.
//
// What is not on record is named as such: an answer that leaves it out would be read as if it had been asked.
package explanation

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/release"
)

// Config says where everything stands. All fields are required.
type Config struct {
	Archive  *archive.Archive
	Catalog  *catalog.Catalog
	Lineage  *lineage.Graph
	Releases *release.Office
	Labels   *label.Store
	Cases    *casework.Desk
}

// Explainer answers for single decisions. Its methods may be called by many goroutines.
type Explainer struct{ config Config }

// New returns the explainer of an installation.
func New(config Config) *Explainer { return &Explainer{config: config} }

// Explanation is one answer about one decision.
type Explanation struct {
	Prediction string           `json:"prediction" doc:"id of the prediction"`
	Record     json.RawMessage  `json:"record" doc:"the prediction as it is kept"`
	Decision   []string         `json:"decision" doc:"how the output came about, in sentences"`
	Causes     []Cause          `json:"causes,omitempty" doc:"what each feature contributed, as the sender said, the greatest first"`
	Model      ModelFacts       `json:"explained_model"`
	Served     *catalog.Serving `json:"served,omitempty" doc:"the assignment by which the version served then, with the evidence that was on record when it began"`
	Released   *Released        `json:"released,omitempty" doc:"the decision of the gate that let the version in"`
	Data       []LearnedFrom    `json:"learned_from,omitempty" doc:"the data that the version was made from"`
	Labels     []TurnedOut      `json:"labels,omitempty" doc:"what was said of how it turned out, the first first"`
	Cases      []casework.Case  `json:"cases,omitempty" doc:"what people said who looked at it"`
	Proof      RecordPlace      `json:"proof"`
	Missing    []string         `json:"missing,omitempty" doc:"what is not on record"`

	record prediction.Record
}

// Cause is what a feature contributed.
type Cause struct {
	Feature      string          `json:"feature"`
	Value        json.RawMessage `json:"value,omitempty" doc:"what the model was given"`
	Contribution float64         `json:"contribution"`
}

// ModelFacts is what the registry says of the model and the version.
type ModelFacts struct {
	Model   string            `json:"model"`
	Purpose string            `json:"purpose,omitempty"`
	Owner   string            `json:"owner,omitempty" doc:"id of who answers for it"`
	Tier    tallystick.Tier   `json:"tier,omitempty"`
	Version string            `json:"version,omitempty"`
	Source  string            `json:"version_source,omitempty" doc:"how it is known which version answered"`
	Digest  tallystick.Digest `json:"version_digest,omitempty"`
	Commit  string            `json:"code_commit,omitempty"`
}

// Released is the newest decision of the gate before the prediction that let the version into its environment.
type Released struct {
	release.GateDecision
	Reviews []release.Review `json:"reviews,omitempty" doc:"of the request, the oldest first"`
}

// LearnedFrom is data that the version was made from.
type LearnedFrom struct {
	Node   string            `json:"node" doc:"kind:id in the lineage"`
	Label  string            `json:"label,omitempty"`
	Digest tallystick.Digest `json:"digest,omitempty"`
}

// TurnedOut is a label with its place in the history of the prediction.
type TurnedOut struct {
	Value    json.RawMessage `json:"value"`
	Time     time.Time       `json:"time" doc:"of the outcome"`
	Source   string          `json:"source,omitempty"`
	Note     string          `json:"note,omitempty"`
	Recorded time.Time       `json:"recorded"`
	Event    uint64          `json:"event"`
	Counts   bool            `json:"counts" doc:"it is the one that counts now"`
}

// RecordPlace is where the prediction stands on the record.
type RecordPlace struct {
	Segment string            `json:"segment"`
	Index   uint64            `json:"index" doc:"in the segment, from 0"`
	Leaf    tallystick.Digest `json:"leaf_digest"`
	Root    tallystick.Digest `json:"root_digest"`
	Event   uint64            `json:"event" doc:"sequence of the event that registered the segment"`
}

const (
	maxCauses = 100
	maxData   = 100
)

// Explain answers for the prediction with an id; a NotFound error if there is none, which says whether it was
// erased. Personal gives the names of people, for those who may see them.
func (e *Explainer) Explain(ctx context.Context, id prediction.ID, people catalog.People, personal bool) (x Explanation, model string, err error) {
	found, err := e.config.Archive.Find(ctx, id)
	if err != nil {
		return x, "", err
	}
	r := &found.Record
	x = Explanation{
		Prediction: r.ID.String(), Record: r.AppendJSON(nil), Decision: story(r, true), Causes: causes(r), record: *r,
		Proof: RecordPlace{Segment: found.Segment, Index: found.Inclusion.Index, Leaf: found.Leaf, Root: found.Root, Event: found.Event},
	}
	for _, part := range []func(context.Context, *prediction.Record, *Explanation) error{e.tellModel, e.tellRelease, e.tellData, e.tellOutcome} {
		if err := part(ctx, r, &x); err != nil {
			return x, r.Model, err
		}
	}
	if err := e.tellServing(ctx, r, &x, people, personal); err != nil {
		return x, r.Model, err
	}
	if x.Cases, err = e.config.Cases.Cases(ctx, casework.Filter{Prediction: x.Prediction}); err != nil {
		return x, r.Model, err
	}
	if len(x.Cases) == 0 {
		x.Cases = nil
	}
	x.missing(r)
	return x, r.Model, nil
}

func (e *Explainer) tellModel(ctx context.Context, r *prediction.Record, x *Explanation) error {
	m, err := e.config.Catalog.Model(ctx, r.Model)
	if err != nil {
		return err
	}
	x.Model = ModelFacts{Model: m.Name, Purpose: m.Purpose, Owner: m.Owner, Tier: m.Tier, Version: r.Version, Source: r.VersionSource}
	if r.Version == "" {
		return nil
	}
	v, err := e.config.Catalog.Version(ctx, r.Model, r.Version)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	x.Model.Digest, x.Model.Commit = v.Digest, v.CodeCommit
	return nil
}

func (e *Explainer) tellServing(ctx context.Context, r *prediction.Record, x *Explanation, people catalog.People, personal bool) error {
	if r.Environment == "" || r.Version == "" {
		return nil
	}
	at, err := e.config.Catalog.At(ctx, r.Model, catalog.AtQuery{From: r.Time.Time(), Personal: personal, People: people})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(at.Serving, func(s catalog.Serving) bool { return s.Environment == r.Environment && s.Version == r.Version }); i >= 0 {
		x.Served = &at.Serving[i]
	}
	return nil
}

func (e *Explainer) tellRelease(ctx context.Context, r *prediction.Record, x *Explanation) error {
	if r.Environment == "" || r.Version == "" {
		return nil
	}
	decisions, err := e.config.Releases.Decisions(ctx, release.Filter{Model: r.Model, Version: r.Version, Environment: r.Environment, Limit: 1000})
	if err != nil {
		return err
	}
	for _, d := range decisions { // the newest first
		if d.Verdict != tallystick.Pass || d.Request == "" || d.At.After(r.Time.Time()) {
			continue
		}
		x.Released = &Released{GateDecision: d}
		_, x.Released.Reviews, err = e.config.Releases.Request(ctx, d.Request)
		return err
	}
	return nil
}

func (e *Explainer) tellData(ctx context.Context, r *prediction.Record, x *Explanation) error {
	if r.Version == "" {
		return nil
	}
	walk, err := e.config.Lineage.Fed(ctx, r.Model, r.Version, lineage.Options{Kinds: []lineage.Kind{lineage.Snapshot}, Limit: maxData})
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range walk.Nodes {
		x.Data = append(x.Data, LearnedFrom{Node: n.Ref.String(), Label: n.Label, Digest: n.Digest})
	}
	return nil
}

func (e *Explainer) tellOutcome(ctx context.Context, r *prediction.Record, x *Explanation) error {
	now, err := e.config.Labels.Watermark(ctx, r.Model, time.Time{})
	if err != nil {
		return err
	}
	all, err := e.config.Labels.History(ctx, r.Model, r.ID, now)
	if err != nil {
		return err
	}
	for _, k := range all {
		value, err := json.Marshal(k.Value)
		if err != nil {
			return err
		}
		x.Labels = append(x.Labels, TurnedOut{Value: value, Time: k.Time.Time(), Source: k.Source, Note: k.Note, Recorded: k.Recorded, Event: k.Event, Counts: k.Counts})
	}
	return nil
}

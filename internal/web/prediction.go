package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/explanation"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// told is everything that is on record about one decision, drawn.
type told struct {
	explanation.Explanation
	Kept  prediction.Record
	Scale *scale // nil if there is no score
	Given []given
	More  int // features that are left out
}

// given is a feature with its contribution, if that is on record.
type given struct {
	Name, Value  string
	Known        bool    // there is a value
	Contribution string  // empty if none is on record
	X, W         float64 // of the bar, of 100
	Against      bool    // it lowered the score
}

// scale is a score on the line on which its threshold lies, in percent of it.
type scale struct {
	Low, High        string
	Score, Threshold string // Threshold is empty if none is on record
	ScoreAt, At      float64
	Words            string
}

// shownGiven bounds the features of a page.
const shownGiven = 200

// predictionPage is the explanation of one decision.
type predictionPage struct {
	told
	Forms   forms
	Purpose string
	Names   names
	Open    deed
	Typed   casework.Opening
	Trouble *trouble
}

// explained returns everything about the prediction with that id to who may see it. That is on the trail
// before it is shown.
func (s *server) explained(v *visit, text string) (t *told, err error) {
	c := registry.Command{
		Principal: v.who, Action: access.PredictionRead, Resource: trail.Resource{Type: "prediction", ID: "one"}, Purpose: v.query("purpose"),
	}
	if err := tallystick.ValidateText("purpose", c.Purpose, maxPurpose); err != nil {
		return nil, err
	}
	if err := s.Registry.May(v.ctx(), c); err != nil {
		return nil, err
	}
	id, err := prediction.ParseID(text)
	if err != nil {
		return nil, err
	}
	t = &told{}
	if t.Explanation, c.Model, err = s.Explained.Explain(v.ctx(), id, s.People, v.discloses()); err != nil {
		return nil, err
	}
	c.Resource = trail.Resource{Type: "segment", ID: t.Proof.Segment}
	if err := s.Registry.Note(v.ctx(), c, trail.Entry{Type: trail.PredictionRead, Data: map[string]any{
		"model": c.Model, "segment": t.Proof.Segment, "proof": false, "prediction": t.Prediction,
	}}); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(t.Record, &t.Kept); err != nil {
		return nil, fmt.Errorf("read the record of prediction %s: %w", t.Prediction, err)
	}
	t.Scale = newScale(t.Kept.Score, t.Kept.Threshold)
	t.Given = givenOf(t.Kept.Features, t.Causes)
	if t.More = max(0, len(t.Given)-shownGiven); t.More > 0 {
		t.Given = t.Given[:shownGiven]
	}
	return t, nil
}

// maxPurpose bounds what somebody says a prediction is read for, in bytes.
const maxPurpose = 1000

func (s *server) prediction(v *visit) error {
	p, err := s.predictionPage(v)
	if err != nil {
		return err
	}
	return s.show(v, "prediction", p.heading(), p)
}

func (p *predictionPage) heading() string { return "Decision of " + p.Subject() }

// Subject returns the name of the version that answered, that of the model if it is not known.
func (p *predictionPage) Subject() string { return subjectOf(p.Kept.Model, p.Kept.Version) }

func subjectOf(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}

func (s *server) predictionPage(v *visit) (*predictionPage, error) {
	t, err := s.explained(v, v.r.PathValue("prediction"))
	if err != nil {
		return nil, err
	}
	p := &predictionPage{told: *t, Forms: s.forms(v), Purpose: v.query("purpose")}
	ids := []string{p.Explanation.Model.Owner}
	if p.Released != nil {
		for _, r := range p.Released.Reviews {
			ids = append(ids, r.Reviewer)
		}
	}
	for _, c := range p.Cases {
		ids = append(ids, c.ClaimedBy)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	p.Open, err = s.deed(v, s.openingCase(v, &p.Kept, casework.Opening{Reason: "a complaint"}))
	return p, err
}

// openingCase is the command by which people are to look at a prediction. Its answer is the case.
func (s *server) openingCase(v *visit, r *prediction.Record, o casework.Opening) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.CaseOpen, Resource: trail.Resource{Type: "prediction", ID: r.ID.String()}, Model: r.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Cases.Open(tx, r, o) }),
		Answer:  func(tx *state.Tx) (any, error) { return s.Cases.OpenCaseIn(tx, r.ID.String()) },
	}
}

// openCase has people look at a prediction.
func (s *server) openCase(v *visit) error {
	id, err := prediction.ParseID(v.r.PathValue("prediction"))
	if err != nil {
		return err
	}
	found, err := s.Archive.Find(v.ctx(), id)
	if err != nil {
		return err
	}
	o := casework.Opening{Reason: v.value("reason"), Queue: v.value("queue"), Second: v.value("second") != ""}
	done, err := s.act(v, s.openingCase(v, &found.Record, o))
	if err == nil {
		var c casework.Case
		if err := json.Unmarshal(done.Answer, &c); err != nil {
			return fmt.Errorf("answer of a case: %w", err)
		}
		return s.done(v, caseAddress(c.ID), done.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.predictionPage(v)
	if errPage != nil {
		return errPage
	}
	p.Typed, p.Trouble = o, troubleOf(err)
	return s.render(v, "prediction", p.heading(), p.Trouble.Status, p)
}

// letter hands out the draft of a letter to the person whom a decision is about.
func (s *server) letter(v *visit) error {
	t, err := s.explained(v, v.r.PathValue("prediction"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.WriteLetter(&b); err != nil {
		return err
	}
	return v.download("letter-"+t.Prediction+".md", "text/markdown; charset=utf-8", b.Bytes())
}

// findPrediction leads to the page of the prediction that somebody has the id of.
func (s *server) findPrediction(v *visit) error {
	id, err := prediction.ParseID(v.query("id"))
	if err != nil {
		return err
	}
	to := "/predictions/" + id.String()
	if purpose := v.query("purpose"); purpose != "" {
		to += "?" + url.Values{"purpose": {purpose}}.Encode()
	}
	return v.redirect(to)
}

// newScale returns the line on which a score and its threshold lie: from 0 to 1 if they lie there.
func newScale(score, threshold prediction.Value) *scale {
	at, _ := score.Float()
	if !score.IsNumber() || math.IsNaN(at) {
		return nil
	}
	low, high, limit := min(at, 0), max(at, 1), math.NaN()
	if threshold.IsNumber() {
		limit, _ = threshold.Float()
	}
	if !math.IsNaN(limit) {
		low, high = min(low, limit), max(high, limit)
	}
	if low < 0 || high > 1 { // nothing says where such a score ends
		low, high = at, at
		if !math.IsNaN(limit) {
			low, high = min(at, limit), max(at, limit)
		}
		room := (high - low) / 4
		if room == 0 {
			room = max(math.Abs(at)/4, 1)
		}
		low, high = low-room, high+room
	}
	if math.IsInf(high-low, 0) || high <= low {
		return nil
	}
	place := func(x float64) float64 { return math.Round((x-low)/(high-low)*1000) / 10 }
	s := &scale{Low: figureOf(low), High: figureOf(high), Score: score.String(), ScoreAt: place(at), Words: "score " + score.String()}
	if !math.IsNaN(limit) {
		s.Threshold, s.At = threshold.String(), place(limit)
		s.Words += ", threshold " + s.Threshold
	}
	s.Words += ", on a line from " + s.Low + " to " + s.High
	return s
}

// Anchor says on which side of its place a word stays inside the picture.
func (s *scale) Anchor(at float64) string {
	switch {
	case at < 15:
		return "start"
	case at > 85:
		return "end"
	}
	return "middle"
}

func figureOf(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// givenOf returns the features, those that contributed most first.
func givenOf(features prediction.Features, causes []explanation.Cause) (all []given) {
	most, positive, negative := 0.0, false, false
	for _, c := range causes {
		most = max(most, math.Abs(c.Contribution))
		positive, negative = positive || c.Contribution > 0, negative || c.Contribution < 0
	}
	middle, room := 50.0, 50.0
	switch {
	case !negative:
		middle, room = 0, 100
	case !positive:
		middle, room = 100, 100
	}
	for _, c := range causes {
		g := given{Name: c.Feature, Contribution: figureOf(c.Contribution), Against: c.Contribution < 0, X: middle}
		if c.Contribution > 0 {
			g.Contribution = "+" + g.Contribution
		}
		if most > 0 {
			g.W = math.Round(math.Abs(c.Contribution)/most*room*10) / 10
		}
		if g.Against {
			g.X -= g.W
		}
		if value, ok := features.Get(c.Feature); ok {
			g.Value, g.Known = value.String(), true
		}
		all = append(all, g)
	}
	for _, f := range features {
		if !slices.ContainsFunc(causes, func(c explanation.Cause) bool { return c.Feature == f.Name }) {
			all = append(all, given{Name: f.Name, Value: f.Value.String(), Known: true})
		}
	}
	return all
}

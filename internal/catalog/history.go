package catalog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// HistoryFilter chooses from the history of a model. Zero fields choose all.
type HistoryFilter struct {
	Version string     // events that name this version
	Type    trail.Type // of event
	Actor   string     // id; needs Personal
	Outcome tallystick.Outcome
	Since   time.Time // inclusive
	Until   time.Time // exclusive
	After   uint64    // sequence, exclusive; for the next page
	Before  uint64    // sequence, exclusive; for the next page, newest first; 0: no bound
	Newest  bool      // newest first
	Limit   int       // lines; 0 means 100; at most 250

	// Personal opens what names people, for those who may see it. Without it people have no names and
	// free text is left out, but for the reason of a refusal, from which known names are taken out.
	Personal bool
}

// Line is one touch of a model, in words.
type Line struct {
	Sequence  uint64              `json:"sequence"`
	ID        string              `json:"id"`
	Time      time.Time           `json:"time"`
	Type      string              `json:"type" doc:"short type of the event, such as version.registered"`
	Actor     string              `json:"actor,omitempty" doc:"who; absent for those who may not see it"`
	ActorKind string              `json:"actor_kind" doc:"person, service or program"`
	Resource  string              `json:"resource" doc:"what it was done to, such as version/credit@3"`
	Version   string              `json:"version,omitempty" doc:"version that the event names"`
	Outcome   tallystick.Outcome  `json:"outcome,omitempty" doc:"success, denied or failed; absent for an intent"`
	Words     string              `json:"words" doc:"who did what to what, and how it ended, in a sentence"`
	Purpose   string              `json:"purpose,omitempty" doc:"what for, as the actor gave it"`
	Why       string              `json:"why,omitempty" doc:"why it was done, or refused"`
	Evidence  []tallystick.Digest `json:"evidence,omitempty" doc:"digests of the evidence that the event names"`
	Sealed    bool                `json:"sealed" doc:"whether the ledger has the event"`
}

// History is part of the one ordered answer to who registered, changed, judged, deployed, read or was refused
// a model.
type History struct {
	Model string `json:"model"`
	Lines []Line `json:"lines"`
	Next  uint64 `json:"next,omitempty" doc:"sequence to go on after, or before if newest first; absent at the end; there can be more even if there are no lines"`
}

const (
	maxHistory = 250 // each costs some 0.1 ms: what people were told is opened and checked
	maxScanned = 250 // events that one call looks at for those that name a version; they cost the same
)

// History returns the touches of a model in the order of the trail. The model need not be registered:
// an attempt on an unknown model has left events too. But if there is neither model nor event it is
// NotFound.
func (c *Catalog) History(ctx context.Context, name string, f HistoryFilter) (History, error) {
	if f.Actor != "" && !f.Personal {
		return History{}, tallystick.Errorf(tallystick.Forbidden, "whoever may not see the names of people may not look for them").
			WithHint("leave out the actor, or ask somebody with the role auditor")
	}
	h := History{Model: name}
	names, err := c.namesIn(ctx, name)
	if err != nil {
		return History{}, fmt.Errorf("history of %s: %w", name, err)
	}
	want := min(limit(f.Limit), maxHistory)
	chosen := trail.Filter{
		Model: name, Type: f.Type, Actor: f.Actor, Outcome: f.Outcome, Since: f.Since, Until: f.Until,
		After: f.After, Before: f.Before, Newest: f.Newest, Limit: want,
	}
	if f.Version != "" {
		chosen.Limit = maxScanned // most of them will be passed over
	}
	naming := []byte(`"version":"` + f.Version + `"`) // as the canonical leaf has it: names need no escapes
	scanned := 0
	for e, err := range c.events.All(ctx, chosen) {
		if err != nil {
			return History{}, fmt.Errorf("history of %s: %w", name, err)
		}
		if len(h.Lines) == want || scanned == maxScanned {
			return h, nil
		}
		scanned++
		h.Next = e.Sequence
		if f.Version != "" && !bytes.Contains(e.Leaf, naming) {
			continue
		}
		line, err := newLine(e, f.Personal, names)
		if err != nil {
			return History{}, fmt.Errorf("history of %s: %w", name, err)
		}
		if f.Version == "" || line.Version == f.Version {
			h.Lines = append(h.Lines, line)
		}
	}
	h.Next = 0
	if scanned == 0 {
		_, err := c.Model(ctx, name)
		if err != nil {
			return History{}, fmt.Errorf("history of %s: %w", name, err)
		}
	}
	return h, nil
}

// namesIn returns the people whom the catalog names for the model, to be taken out of free text.
func (c *Catalog) namesIn(ctx context.Context, name string) (names []string, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		m, err := model(tx, name)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return nil
		}
		names = append(slices.Collect(maps.Values(m.PhaseOwners)), m.Owner, m.SREOwner)
		return err
	})
	return names, err
}

// newLine tells an event in words.
func newLine(e trail.Event, personal bool, names []string) (Line, error) {
	data, err := e.Data()
	if err != nil {
		return Line{}, err
	}
	text := func(field string) string {
		s, _ := data[field].(string)
		return s
	}
	actor, _ := data["actor"].(map[string]any)
	kind, _ := actor["kind"].(string)
	line := Line{
		Sequence: e.Sequence, ID: e.ID, Time: e.Time, Type: e.Type.Short(), ActorKind: kind, Resource: e.Resource.Type + "/" + e.Resource.ID,
		Version: text("version"), Outcome: e.Outcome, Evidence: evidenceOf(e, data), Sealed: e.Index != nil,
	}
	who := "a " + kind
	if personal && e.Actor != "" {
		who, line.Actor = e.Actor, e.Actor
	}
	line.Words = sentence(e, who, text)
	line.Why = text("description")
	if personal {
		line.Purpose = text("purpose")
		if line.Why == "" {
			line.Why = text("reason")
		}
		return line, nil
	}
	if e.Outcome == tallystick.Success {
		line.Why = ""
	}
	names = append(slices.Clone(names), e.Actor, text("owner"), text("sre_owner"))
	if phases, ok := data["phase_owners"].(map[string]any); ok {
		for _, person := range phases {
			if s, ok := person.(string); ok {
				names = append(names, s)
			}
		}
	}
	line.Why = redact(line.Why, names)
	return line, nil
}

// redact takes names out of a text, the longest first: one can be part of another.
func redact(text string, names []string) string {
	names = slices.SortedFunc(slices.Values(names), func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		if name != "" {
			text = strings.ReplaceAll(text, name, "somebody")
		}
	}
	return text
}

// evidenceOf returns the digests of evidence that the event names in the clear.
func evidenceOf(e trail.Event, data map[string]any) (digests []tallystick.Digest) {
	for _, field := range []string{"evidence_digest", "report_digest", "policy_digest", "criteria_digest", "version_digest", "snapshot_digest", "manifest_digest"} {
		if s, ok := data[field].(string); ok && tallystick.Digest(s).Validate() == nil {
			digests = append(digests, tallystick.Digest(s))
		}
	}
	if list, ok := data["statements"].([]any); ok {
		for _, one := range list {
			if s, ok := one.(string); ok {
				digests = append(digests, tallystick.Digest(s))
			}
		}
	}
	return digests
}

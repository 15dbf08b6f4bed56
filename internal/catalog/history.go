package catalog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// HistoryFilter chooses from the history of a model. Zero fields choose all.
type HistoryFilter struct {
	Version string       // events that name this version
	Type    trail.Type   // of event
	Without []trail.Type // types that are left out
	Actor   string       // id; needs Personal
	Outcome tallystick.Outcome
	About   trail.Resource // what it was done to
	Since   time.Time      // inclusive
	Until   time.Time      // exclusive
	After   uint64         // sequence, exclusive; for the next page
	Before  uint64         // sequence, exclusive; for the next page, newest first; 0: no bound
	Newest  bool           // newest first
	Limit   int            // lines; 0 means 100; at most 250

	// Personal opens what names people, for those who may see it. Without it people have no names and
	// free text is left out, but for the reason of a refusal, from which known names are taken out.
	Personal bool
	People   People // give names to the ids of people if Personal is set; nil: they stay ids
}

// Line is one touch of a model, in words.
type Line struct {
	Sequence  uint64              `json:"sequence"`
	ID        string              `json:"id"`
	Time      time.Time           `json:"time"`
	Type      string              `json:"type" doc:"short type of the event, such as version.registered"`
	Actor     string              `json:"actor,omitempty" doc:"id of who did it; absent for those who may not see it"`
	ActorName string              `json:"actor_name,omitempty" doc:"name of who did it, of a user of the registry"`
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
		Model: name, Type: f.Type, Without: f.Without, Actor: f.Actor, Outcome: f.Outcome, Resource: f.About, Since: f.Since, Until: f.Until,
		After: f.After, Before: f.Before, Newest: f.Newest, Limit: want + 1, // one more says whether there is more
	}
	if f.Version != "" {
		chosen.Limit = maxScanned + 1 // most of them will be passed over
		naming := naming(f.Version)
		chosen.Skim = func(leaf []byte) bool { return bytes.Contains(leaf, naming) }
	}
	events, err := c.events.Events(ctx, chosen)
	if err != nil {
		return History{}, fmt.Errorf("history of %s: %w", name, err)
	}
	all, err := open(events)
	if err != nil {
		return History{}, fmt.Errorf("history of %s: %w", name, err)
	}
	scanned, more := 0, false
	var touches []touch
	for _, t := range all {
		if len(touches) == want || scanned == maxScanned {
			more = true
			break
		}
		scanned++
		h.Next = t.Sequence
		if t.data != nil && (f.Version == "" || t.data["version"] == f.Version) {
			touches = append(touches, t)
		}
	}
	if !more {
		h.Next = 0
	}
	if scanned == 0 {
		if _, err := c.Model(ctx, name); err != nil {
			return History{}, fmt.Errorf("history of %s: %w", name, err)
		}
	}
	see := sight{personal: f.Personal, secret: names}
	if see.names, err = namesOf(ctx, f.Personal, f.People, touches); err != nil {
		return History{}, fmt.Errorf("history of %s: %w", name, err)
	}
	for _, t := range touches {
		h.Lines = append(h.Lines, newLine(t, see))
	}
	return h, nil
}

// touch is an event with its data open.
type touch struct {
	trail.Event
	data map[string]any
}

// open opens what people were told in events, on all processors: to check it against the commitments is most of what a
// page costs. Those that were passed over have no data.
func open(events []trail.Event) ([]touch, error) {
	touches := make([]touch, len(events))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for first := 0; first < len(events); first += opened {
		group.Go(func() (err error) {
			for i := first; i < min(first+opened, len(events)); i++ {
				touches[i].Event = events[i]
				if events[i].Leaf == nil {
					continue
				}
				if touches[i].data, err = events[i].Data(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return touches, group.Wait()
}

// opened is how many events are opened together.
const opened = 16

// text returns a field of the data, empty if it is none of text.
func (t touch) text(field string) string {
	s, _ := t.data[field].(string)
	return s
}

// sight is what the reader of a line may see.
type sight struct {
	personal bool
	names    map[string]string // of people, by id
	secret   []string          // names that are taken out of free text unless personal
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
func newLine(t touch, see sight) Line {
	actor, _ := t.data["actor"].(map[string]any)
	kind, _ := actor["kind"].(string)
	line := Line{
		Sequence: t.Sequence, ID: t.ID, Time: t.Time, Type: t.Type.Short(), ActorKind: kind, Resource: t.Resource.Type + "/" + t.Resource.ID,
		Version: t.text("version"), Outcome: t.Outcome, Evidence: evidenceOf(t.Event, t.data), Sealed: t.Index != nil,
	}
	who := ""
	if see.personal {
		who, line.Actor, line.ActorName = t.Actor, t.Actor, see.names[t.Actor]
	}
	line.Words = Words(t.Event, Telling{Who: who, Data: t.data, Names: see.names})
	line.Why = t.text("description")
	if see.personal {
		line.Purpose = t.text("purpose")
		if line.Why == "" {
			line.Why = t.text("reason")
		}
		return line
	}
	if t.Outcome == tallystick.Success {
		line.Why = ""
	}
	names := append(slices.Clone(see.secret), t.Actor, t.text("owner"), t.text("sre_owner"))
	if phases, ok := t.data["phase_owners"].(map[string]any); ok {
		for _, person := range phases {
			if s, ok := person.(string); ok {
				names = append(names, s)
			}
		}
	}
	line.Why = redact(line.Why, names)
	return line
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

package catalog_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
)

var endings = []tallystick.Outcome{tallystick.Success, tallystick.Denied, tallystick.Failed, ""}

// dataOf returns data of an event in which every field is there, or only those that an event of that outcome
// must have.
func dataOf(d trail.Definition, outcome tallystick.Outcome, whole bool) map[string]any {
	data := map[string]any{"actor": map[string]any{"kind": "person"}}
	for _, f := range d.Fields {
		switch must := f.Required && outcome == tallystick.Success; {
		case !whole && !must && f.Name != "model":
		case !f.Public:
			data[f.Name] = "SEALED"
		case f.Kind == trail.Number:
			data[f.Name] = float64(7)
		case f.Kind == trail.List:
			data[f.Name] = []any{"one", "two"}
		case f.Kind == trail.Text || f.Kind == trail.Digest:
			data[f.Name] = "<" + f.Name + ">"
		}
	}
	return data
}

// Every type of event has a sentence of its own, which never has a hole and never tells what is sealed.
func TestEveryEventHasASentence(t *testing.T) {
	t.Parallel()
	seen := map[string]trail.Type{}
	for _, d := range trail.Definitions() {
		for _, outcome := range endings {
			for _, whole := range []bool{true, false} {
				e := trail.Event{Type: d.Type, Resource: trail.Resource{Type: "thing", ID: "a-resource"}, Outcome: outcome}
				words := catalog.Words(e, catalog.Telling{Who: "ada", Data: dataOf(d, outcome, whole)})
				switch {
				case !strings.HasPrefix(words, "ada "):
					t.Errorf("%s: %q does not begin with who did it", d.Type.Short(), words)
				case strings.ContainsAny(words, "[]{}") || strings.Contains(words, "  "):
					t.Errorf("%s: %q is not filled in", d.Type.Short(), words)
				case strings.Contains(words, "SEALED"):
					t.Errorf("%s: %q tells what is sealed", d.Type.Short(), words)
				case strings.Contains(words, "a-resource"), strings.Contains(words, d.Type.Short()):
					t.Errorf("%s: %q is no sentence that a person would say", d.Type.Short(), words)
				case strings.Contains(words, "unnamed") && d.Type != trail.CommandRefused:
					t.Errorf("%s (%s, all fields: %v): %q has a hole", d.Type.Short(), outcome, whole, words)
				}
				if before, twice := seen[words]; twice && before != d.Type && whole && outcome == tallystick.Success {
					t.Errorf("%s and %s are told alike: %q", before.Short(), d.Type.Short(), words)
				}
				seen[words] = d.Type
			}
		}
	}
	words := catalog.Words(trail.Event{Type: "io.github.tallystick.of.tomorrow.v1", Resource: trail.Resource{Type: "thing", ID: "x"}, Outcome: tallystick.Success}, catalog.Telling{})
	if !strings.Contains(words, "thing x") {
		t.Errorf("a type that nobody knows: %q", words)
	}
}

// Whoever is refused reads what was asked for in words, not as the name of a command.
func TestEveryRefusalHasASentence(t *testing.T) {
	t.Parallel()
	for _, action := range access.Actions() {
		for _, model := range []string{"credit", ""} {
			data := map[string]any{"command": string(action)}
			if model != "" {
				data["model"] = model
			}
			words := catalog.Words(trail.Event{Type: trail.CommandRefused, Outcome: tallystick.Denied}, catalog.Telling{Who: "ada", Data: data})
			if strings.Contains(words, string(action)) || strings.ContainsAny(words, "[]{}") || model == "" && strings.HasSuffix(words, " of") {
				t.Errorf("%s: %q", action, words)
			}
		}
	}
}

// people are names by id.
type people map[string]string

func (p people) Names(_ context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for _, id := range ids {
		if name, ok := p[id]; ok {
			names[id] = name
		}
	}
	return names, nil
}

func TestHistoryNamesPeople(t *testing.T) {
	t.Parallel()
	b, day := lived(t)
	known := people{"alice": "Alice Liddell"}
	open := b.history(t, catalog.HistoryFilter{Personal: true, People: known})
	first := open.Lines[0]
	if first.Actor != "alice" || first.ActorName != "Alice Liddell" || first.Words != "Alice Liddell registered model credit, tier high" {
		t.Errorf("%+v", first)
	}
	if i := slices.IndexFunc(open.Lines, func(l catalog.Line) bool { return l.Actor == "svc-7" }); i < 0 || open.Lines[i].ActorName != "" || !strings.HasPrefix(open.Lines[i].Words, "svc-7 ") {
		t.Error("who has no name is not called by the id")
	}
	for _, line := range b.history(t, catalog.HistoryFilter{People: known}).Lines {
		if strings.Contains(line.Words, "lice") || line.ActorName != "" {
			t.Errorf("named to who may not see it: %+v", line)
		}
	}
	for _, personal := range []bool{true, false} {
		m, err := b.catalog.At(t.Context(), "credit", catalog.AtQuery{From: day.now(), Personal: personal, People: known})
		if err != nil || len(m.Serving) == 0 {
			t.Fatal(m, err)
		}
		if s := m.Serving[0]; (s.ByName == "Alice Liddell") != personal || strings.Contains(s.Words, "Alice Liddell") != personal || (s.By == "alice") != personal {
			t.Errorf("personal %v: %+v", personal, s)
		}
	}
}

package trail

import (
	"bytes"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

func TestDefinitions(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^io\.github\.tallystick\.[a-z]+(\.[a-z_]+){1,2}\.v[0-9]+$`)
	field := regexp.MustCompile(`^[a-z][a-z_]*$`)
	common := make(map[string]bool)
	for _, f := range commonFields {
		common[f.Name] = true
	}
	seen := make(map[Type]bool)
	for _, d := range Definitions() {
		if !name.MatchString(string(d.Type)) || d.Title == "" || d.Description == "" || d.Action == "" {
			t.Errorf("type %q is incomplete or misnamed", d.Type)
		}
		if seen[d.Type] {
			t.Errorf("type %q is defined twice", d.Type)
		}
		seen[d.Type] = true
		fields := maps.Clone(common)
		for _, f := range d.Fields {
			if !field.MatchString(f.Name) || f.Description == "" || f.Kind == "" || fields[f.Name] {
				t.Errorf("type %q: field %q is incomplete, misnamed or twice", d.Type, f.Name)
			}
			fields[f.Name] = true
		}
		if got, err := ParseType(d.Type.Short()); got != d.Type || err != nil {
			t.Errorf("ParseType(%q) = %q, %v", d.Type.Short(), got, err)
		}
	}
	if _, err := ParseType("audit.complete"); tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "audit.completed") {
		t.Errorf("a misspelt type: %v", err)
	}
}

// TestLeaf looks at the whole leaf of an event: what stands in it, in the clear and sealed.
func TestLeaf(t *testing.T) {
	t.Parallel()
	db, recorder := open(t)
	receipt := record(t, recorder, entry())
	e, err := NewReader(db, origin).Event(t.Context(), receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := verify.DecodeEvent(e.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ada@", "release", "two years", "compas.csv", "tallystick 0.1"} {
		if bytes.Contains(e.Leaf, []byte(secret)) {
			t.Errorf("the leaf holds %q in the clear", secret)
		}
	}
	wantSealed := []string{"/actor/id", "/context/program", "/description", "/files", "/options", "/purpose"}
	if diff := cmp.Diff(wantSealed, sealed.Commitments()); diff != "" {
		t.Errorf("sealed fields (-want +got):\n%s", diff)
	}
	data, err := e.Data()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"action": "audit.complete", "outcome": "success", "purpose": "release",
		"description": "audited two years of predictions",
		"actor":       map[string]any{"id": "ada@example.org", "kind": "person"},
		"resource":    map[string]any{"type": "version", "id": "compas@1"},
		"context":     map[string]any{"program": "tallystick 0.1"},
		"model":       "compas", "version": "1", "verdict": "fail", "rows": 7214.0,
		"data_digest": someDigest, "policy_digest": someDigest, "report_digest": someDigest,
		"statements": []any{someDigest}, "files": []any{"data/compas.csv"},
		"labels_digest": nil, "reference_digest": nil, "contract_digest": nil, "criteria_digest": nil,
		"tier": nil, "signer": nil, "options": nil,
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if sealed.Source != origin || sealed.Subject != "version/compas@1" || sealed.Sequence != 1 {
		t.Errorf("envelope %+v", sealed.Event)
	}
}

func TestEntryRefused(t *testing.T) {
	t.Parallel()
	_, recorder := open(t)
	tests := map[string]struct {
		change func(*Entry)
		want   string
	}{
		"unknown type":      {func(e *Entry) { e.Type = "audit.completed" }, "not known"},
		"no actor":          {func(e *Entry) { e.Actor.ID = "" }, "no actor id"},
		"no kind of actor":  {func(e *Entry) { e.Actor.Kind = "" }, "no actor kind"},
		"no resource":       {func(e *Entry) { e.Resource.ID = "" }, "no resource id"},
		"no outcome":        {func(e *Entry) { e.Outcome = "" }, "no outcome"},
		"another outcome":   {func(e *Entry) { e.Outcome = "done" }, `"done" is not success`},
		"a field missing":   {func(e *Entry) { delete(e.Data, "verdict") }, "has no verdict"},
		"a field empty":     {func(e *Entry) { e.Data["data_digest"] = tallystick.Digest("") }, "has no data_digest"},
		"a field too many":  {func(e *Entry) { e.Data["colour"] = "red" }, `field "colour"`},
		"a path for digest": {func(e *Entry) { e.Data["data_digest"] = "/home/ada/file.csv" }, "data_digest"},
		"a bad digest":      {func(e *Entry) { e.Data["statements"] = []string{someDigest, "x"} }, "element 1"},
		"a wrong kind":      {func(e *Entry) { e.Data["rows"] = "7214" }, "is no number"},
		"text for a list":   {func(e *Entry) { e.Data["files"] = "compas.csv" }, "is no list"},
		"a long purpose":    {func(e *Entry) { e.Purpose = strings.Repeat("x", maxText+1) }, "the limit is"},
		"a huge field":      {func(e *Entry) { e.Context = map[string]any{"x": strings.Repeat("x", 70_000)} }, "limit"},
		"bad UTF-8":         {func(e *Entry) { e.Description = "\xff" }, "UTF-8"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := entry()
			e.Data = maps.Clone(e.Data)
			test.change(&e)
			_, err := recorder.Record(t.Context(), e)
			if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestRequiredFieldsOfAFailure records a denied and a failed action: what it would have produced is
// not there yet.
func TestRequiredFieldsOfAFailure(t *testing.T) {
	t.Parallel()
	_, recorder := open(t)
	for _, outcome := range []tallystick.Outcome{tallystick.Denied, tallystick.Failed} {
		e := entry()
		e.Outcome, e.Data = outcome, map[string]any{"model": "compas"}
		record(t, recorder, e)
	}
}

package web

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// eventPage is one event with its receipt.
type eventPage struct {
	eventLine
	ID          string
	Words       string // who did what, in a sentence
	Description string // of the type
	Action      string
	Blind       bool // what it says is closed until somebody else has given a second opinion
	Fields      []eventField
	Sealed      int // fields that are shown sealed
	Open        bool
	Receipt     receipt
}

// eventField is a member of an event's data.
type eventField struct {
	Name, Description string
	Value             string
	Long              bool   // Value takes lines of its own
	Commitment        string // of what is sealed from this reader, or erased
}

// receipt says how far an event has come, and what proves it.
type receipt struct {
	LeafHash string // hexadecimal
	Index    *uint64
	Origin   string
	Size     uint64 // of the tree that the proof leads to
	Root     string // hexadecimal
	Proof    string // base64 of the hashes from the leaf upwards, joined by blanks
	Leaf     string // base64
}

func (s *server) event(v *visit) error {
	e, err := s.Trail.Event(v.ctx(), v.r.PathValue("event"))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(trail.Definitions(), func(d trail.Definition) bool { return d.Type == e.Type })
	if i < 0 {
		return fmt.Errorf("event %d has type %q, which nobody defines", e.Sequence, e.Type)
	}
	all := len(e.Disclosures)
	one := []trail.Event{e}
	if err := s.Cases.Close(v.ctx(), v.who.ID, one); err != nil {
		return err
	}
	e = one[0]
	definition := trail.Definitions()[i]
	page := eventPage{ID: e.ID, Description: definition.Description, Action: definition.Action, Open: v.discloses(), Blind: len(e.Disclosures) < all}
	page.eventLine = newLine(e, titlesOf([]trail.Definition{definition}), page.Open)
	if err := s.tell(v, e, &page); err != nil {
		return err
	}
	if page.Fields, err = fieldsOf(e, definition, page.Open); err != nil {
		return err
	}
	for _, f := range page.Fields {
		if f.Commitment != "" {
			page.Sealed++
		}
	}
	if page.Receipt, err = s.receipt(v, e); err != nil {
		return err
	}
	if page.Open {
		// Opening what is sealed is a touch of its own.
		err := s.Registry.Note(v.ctx(), registry.Command{Principal: v.who, Action: access.TrailDisclose, Resource: whole}, trail.Entry{
			Type: trail.TrailRead, Data: map[string]any{"model": e.Model, "filter": map[string]any{"event": strconv.FormatUint(e.Sequence, 10)}, "events": 1},
		})
		if err != nil {
			return err
		}
	}
	return s.show(v, "event", fmt.Sprintf("Event %d: %s", e.Sequence, page.Title), page)
}

// tell puts the event in words, for what the reader may see.
func (s *server) tell(v *visit, e trail.Event, page *eventPage) error {
	telling := catalog.Telling{Who: page.Actor, Data: e.Sealed()}
	if page.Open {
		var err error
		if telling.Data, err = e.Data(); err != nil {
			return err
		}
		if telling.Names, err = s.People.Names(v.ctx(), catalog.Persons(e, telling.Data)); err != nil {
			return err
		}
		page.Name = telling.Names[page.Actor]
	}
	page.Words = catalog.Words(e, telling)
	return nil
}

// commonFields are shown before those of the type, in this order.
var commonFields = []struct{ name, description string }{
	{"purpose", "what for, as the actor gave it"},
	{"description", "what happened, in a sentence"},
	{"context", "circumstances"},
	{"phase", "intent or outcome"},
	{"intent", "event of the intent that this outcome ends"},
}

// fieldsOf returns the fields that an event has, with what is sealed opened if the reader may see it.
func fieldsOf(e trail.Event, d trail.Definition, open bool) (fields []eventField, err error) {
	data := e.Sealed()
	if open {
		if data, err = e.Data(); err != nil {
			return nil, err
		}
	}
	add := func(name, description string) {
		value, ok := data[name]
		if !ok || value == nil {
			return
		}
		f := eventField{Name: name, Description: description, Commitment: commitment(value)}
		if f.Commitment == "" {
			if f.Value, f.Long, err = inWords(value); err != nil {
				return
			}
			if ms, err := strconv.ParseInt(f.Value, 10, 64); err == nil && strings.HasSuffix(name, "_ms") {
				f.Value += " (" + time.UnixMilli(ms).UTC().Format(time.DateTime) + ")"
			}
		}
		fields = append(fields, f)
	}
	for _, c := range commonFields {
		add(c.name, c.description)
	}
	for _, f := range d.Fields {
		add(f.Name, f.Description)
	}
	return fields, err
}

// commitment returns that of a value that is sealed, empty for any other.
func commitment(value any) string {
	if o, ok := value.(map[string]any); ok && len(o) == 1 {
		digest, _ := o["commitment"].(string)
		return digest
	}
	return ""
}

// shorten puts a word in the place of commitments deep in a value.
func shorten(value any) any {
	o, ok := value.(map[string]any)
	if !ok {
		return value
	}
	if commitment(value) != "" {
		return "sealed"
	}
	short := make(map[string]any, len(o))
	for name, member := range o {
		short[name] = shorten(member)
	}
	return short
}

// inWords writes a value of an event for people.
func inWords(value any) (text string, long bool, err error) {
	switch value := value.(type) {
	case string:
		return value, false, nil
	case []any:
		var items []string
		for _, item := range value {
			s, ok := item.(string)
			if !ok {
				items = nil
				break
			}
			items = append(items, s)
		}
		if items != nil {
			return strings.Join(items, ", "), false, nil
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(shorten(value)); err != nil {
		return "", false, fmt.Errorf("show a value of an event: %w", err)
	}
	text = strings.TrimSpace(b.String())
	return text, strings.Contains(text, "\n"), nil
}

// receipt returns what proves e by now.
func (s *server) receipt(v *visit, e trail.Event) (receipt, error) {
	hash := verify.LeafHash(e.Leaf)
	r := receipt{LeafHash: hex.EncodeToString(hash[:]), Index: e.Index, Origin: s.Origin}
	p, c, err := s.prove(v, e)
	if tallystick.CodeOf(err) == tallystick.Conflict {
		return r, nil // it is on its way
	}
	if err != nil {
		return r, err
	}
	var hashes []string
	for _, h := range p.Hashes {
		hashes = append(hashes, base64.StdEncoding.EncodeToString(h[:]))
	}
	r.Size, r.Root = c.Size, hex.EncodeToString(c.Root[:])
	r.Proof, r.Leaf = strings.Join(hashes, " "), base64.StdEncoding.EncodeToString(e.Leaf)
	return r, nil
}

// prove returns the proof of an event and the checkpoint that it leads to. An event that is not sealed
// yet is a Conflict.
func (s *server) prove(v *visit, e trail.Event) (p verify.InclusionProof, c verify.Checkpoint, err error) {
	if e.Index == nil {
		return p, c, tallystick.Errorf(tallystick.Conflict, "event %d is recorded, but not sealed yet", e.Sequence).WithHint("it is within seconds; load the page again")
	}
	ledger, err := s.Ledger()
	if err != nil {
		return p, c, err
	}
	if p, err = ledger.Prove(v.ctx(), e); err != nil {
		return p, c, err
	}
	c, err = verify.ParseCheckpoint(p.Checkpoint)
	return p, c, err
}

// proof hands out the proof of an event as a file that anybody can check.
func (s *server) proof(v *visit) error {
	e, err := s.Trail.Event(v.ctx(), v.r.PathValue("event"))
	if err != nil {
		return err
	}
	p, _, err := s.prove(v, e)
	if err != nil {
		return err
	}
	return v.download(fmt.Sprintf("event-%d.tlog-proof", e.Sequence), "text/plain; charset=utf-8", p.Marshal())
}

// leaf hands out the bytes that the ledger holds of an event.
func (s *server) leaf(v *visit) error {
	e, err := s.Trail.Event(v.ctx(), v.r.PathValue("event"))
	if err != nil {
		return err
	}
	return v.download(fmt.Sprintf("event-%d.json", e.Sequence), "application/json", e.Leaf)
}

func (v *visit) download(name, kind string, content []byte) error {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(content) // the reader may have gone
	return nil
}

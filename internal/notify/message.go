package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/wording"
)

// item is an event with what everyone may read of it.
type item struct {
	trail.Event
	definition trail.Definition
	fields     map[string]any // the public fields of its type
	actorKind  string
}

// newItem leaves out all that is sealed: commitments say nothing to a receiver.
func newItem(e trail.Event, definition trail.Definition) item {
	data := e.Sealed()
	i := item{Event: e, definition: definition, fields: map[string]any{}}
	for _, f := range definition.Fields {
		if value := data[f.Name]; f.Public && value != nil {
			i.fields[f.Name] = value
		}
	}
	if actor, ok := data["actor"].(map[string]any); ok {
		i.actorKind, _ = actor["kind"].(string)
	}
	return i
}

// Message is a notification as a webhook's receiver gets it: an event in the form of CloudEvents 1.0.
type Message struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`     // of the event; asks the server for its proof
	Source          string    `json:"source"` // origin of the ledger
	Type            string    `json:"type"`   // of the event, in full
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Data      `json:"data"`
}

// Data is what has happened. Templates are given it under the JSON names of its fields.
type Data struct {
	Sentence     string            `json:"sentence"`
	Subscription string            `json:"subscription"`    // name
	Number       uint64            `json:"number"`          // of the notification among the subscription's, from 1 without a gap
	Sequence     uint64            `json:"sequence"`        // place of the event on the trail
	Event        string            `json:"event"`           // id
	Kind         string            `json:"kind"`            // short type of the event, such as finding.raised
	Title        string            `json:"title"`           // of the type, such as Finding raised
	Outcome      string            `json:"outcome"`         // success, denied or failed; empty for an intent
	Actor        string            `json:"actor_kind"`      // person, service or program; who it was is sealed
	Resource     string            `json:"resource"`        // TYPE/ID
	Model        string            `json:"model"`           // empty: it is about none
	Version      string            `json:"version"`         // empty: it is about none
	Environment  string            `json:"environment"`     // empty: it is about none
	Time         string            `json:"time"`            // RFC 3339
	Fields       map[string]any    `json:"fields"`          // what everyone may read of the event
	Links        map[string]string `json:"links,omitempty"` // event, proof and page; absent if the server's address is not known
}

// message returns the notification of an event to a subscription.
func (i item) message(s Subscription, number uint64, source, base string) Message {
	text := func(name string) string {
		value, _ := i.fields[name].(string)
		return value
	}
	return Message{
		SpecVersion: "1.0", ID: i.ID, Source: source, Type: string(i.Type), Subject: i.Resource.Type + "/" + i.Resource.ID, Time: i.Time,
		DataContentType: "application/json",
		Data: Data{
			Sentence: i.sentence(), Subscription: s.Name, Number: number, Sequence: i.Sequence, Event: i.ID, Kind: i.Type.Short(), Title: i.definition.Title,
			Outcome: string(i.Outcome), Actor: i.actorKind, Resource: i.Resource.Type + "/" + i.Resource.ID, Model: i.Model, Version: text("version"),
			Environment: text("environment"), Time: i.Time.Format(time.RFC3339), Fields: i.fields, Links: links(base, i.ID),
		},
	}
}

func links(base, event string) map[string]string {
	if base == "" {
		return nil
	}
	page := strings.TrimSuffix(base, "/") + "/trail/" + url.PathEscape(event)
	return map[string]string{
		"event": strings.TrimSuffix(base, "/") + "/api/v1/events/" + url.PathEscape(event), "page": page, "proof": page + "/proof",
	}
}

const maxSentence = 400 // bytes

// sentence tells the event in one line: "A person raised a finding about credit@4 in production: out of
// band, high." Whatever strangers have put into a field, it is one line without controls.
func (i item) sentence() string {
	data := maps.Clone(i.fields)
	data["actor"] = map[string]any{"kind": i.actorKind}
	return wording.Sentence(wording.Capital(line(catalog.Words(i.Event, catalog.Telling{Data: data}), maxSentence)))
}

// line returns text as one line of at most limit bytes.
func line(text string, limit int) string {
	text = strings.Join(strings.Fields(strings.Map(wording.Visible, strings.ToValidUTF8(text, "\uFFFD"))), " ")
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// encode returns v as JSON that is safe in any document.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a notification: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// asMap returns the data as templates see it.
func (d Data) asMap() (map[string]any, error) {
	raw, err := encode(d)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return m, dec.Decode(&m)
}

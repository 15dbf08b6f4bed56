package otlp

import (
	"fmt"
	"strings"
)

// TableVersion is that of Table. Each record says by which one it was read, as otlp_table in its extra: what
// an attribute becomes is never changed without another number.
const TableVersion = 2

// Place is where an attribute is looked for.
type Place uint8

// The places.
const (
	Own    Place = iota // of the log record or span itself
	Around              // of its resource or its scope
)

// String returns the place as the documentation names it.
func (p Place) String() string {
	if p == Around {
		return "resource, scope"
	}
	return "log record, span"
}

// Mapping says which attribute becomes which key of the record's JSON form. Of several that become the same
// key the first that is there counts.
type Mapping struct {
	Attribute string
	Place     Place
	Key       string // extra: under the attribute's own name there
	Doc       string
}

// prefix begins the attributes that are ours.
const prefix = "tallystick."

// parts are the keys of the record that are objects. Their members can be attributes of their own, since most
// libraries know no attributes that are objects.
var parts = [...]string{"features", "attributions", "override", "extra"}

// bodyOf returns of which body of a record an attribute tallystick.KEY tells, and whether it is the media type.
func bodyOf(key string) (body string, isType, ok bool) {
	switch key {
	case "request.body", "request.type":
		return "request_body", key == "request.type", true
	case "response.body", "response.type":
		return "response_body", key == "response.type", true
	}
	return "", false, false
}

// Attributes that are looked at one by one.
const (
	genModel     = "gen_ai.request.model"
	genResponse  = "gen_ai.response.model"
	genOperation = "gen_ai.operation.name"
	errorType    = "error.type"
)

// Table returns what attributes become, besides those of the log record or span itself that begin with
// tallystick.: tallystick.KEY becomes KEY, whatever the key, and tallystick.features.NAME the feature NAME.
func Table() []Mapping {
	const semantic, generative = "", "generative AI"
	table := []Mapping{
		{prefix + "model", Around, "model", "does not make a prediction of what has no attribute tallystick.* of its own"},
		{genModel, Own, "model", "of spans of generative AI alone, if there is no tallystick.model"},
		{prefix + "version", Around, "version", semantic},
		{genResponse, Own, "version", "if " + genModel + " is the model, and it is another name"},
		{prefix + "version_requested", Around, "version_requested", semantic},
		{prefix + "environment", Around, "environment", semantic},
		{"deployment.environment.name", Around, "environment", semantic},
		{"deployment.environment", Around, "environment", "the older name"},
		{prefix + "route", Around, "route", semantic},
		{"http.route", Own, "route", semantic},
		{"service.name", Around, "route", semantic},
		{prefix + "rule", Around, "rule", semantic},
		{prefix + "threshold", Around, "threshold", semantic},
		{"enduser.pseudo.id", Own, "actor", "enduser.id is not taken: it is no pseudonym"},
		{"service.name", Around, "extra", semantic},
		{"service.namespace", Around, "extra", semantic},
		{"service.version", Around, "extra", semantic},
		{"service.instance.id", Around, "extra", semantic},
		{errorType, Own, "extra", "its presence also makes the status `error`, or `timeout` if it names one"},
	}
	for _, attribute := range []string{
		genOperation, "gen_ai.provider.name", "gen_ai.system", genModel, genResponse, "gen_ai.response.id", "gen_ai.response.finish_reasons",
		"gen_ai.output.type", "gen_ai.conversation.id", "gen_ai.agent.id", "gen_ai.agent.name",
		"gen_ai.request.choice.count", "gen_ai.request.max_tokens", "gen_ai.request.seed", "gen_ai.request.temperature", "gen_ai.request.top_k", "gen_ai.request.top_p",
		"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
	} {
		table = append(table, Mapping{attribute, Own, "extra", generative})
	}
	return table
}

// operations are those of generative AI that are a prediction. What calls a tool or an agent contains others.
var operations = [...]string{"chat", "embeddings", "generate_content", "text_completion"}

// Markdown returns the table as the documentation has it.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| attribute | of | becomes | |\n|---|---|---|---|\n")
	for _, m := range Table() {
		key := "`" + m.Key + "`"
		if m.Key == "extra" {
			key = "`extra`, as `" + m.Attribute + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Attribute, m.Place, key, m.Doc)
	}
	return b.String()
}

// Package replay asks another version of a model again what was asked before: it writes the inputs of predictions on
// record as requests of a protocol, sends them to a server, reads the answers, and holds them against what was
// recorded. It records nothing: what comes back is an answer to a question, never a prediction.
//
//	Plan.Request  a record as a request           Plan.Read  an answer as output and score
//	Send          the requests, a few at a time   Compare    the answers with the records
//
// Decision 0047 says why it is so.
package replay

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Format is the protocol that a server speaks.
type Format string

// The formats.
const (
	JSON   Format = "json"   // an object of features, answered by an object with output and score
	MLflow Format = "mlflow" // dataframe_split to /invocations
	V2     Format = "v2"     // the Open Inference Protocol, to /v2/models/MODEL/infer
	Body   Format = "body"   // the body that was kept, as it was
)

// Formats returns all formats.
func Formats() []Format { return []Format{JSON, MLflow, V2, Body} }

// The bounds of a replay.
const (
	MaxRecords = 1000
	MaxClients = 32
	maxAnswer  = 4 << 20 // bytes of an answer
)

// Plan says how records become requests, and how answers are read.
type Plan struct {
	Format   Format
	Against  *url.URL
	Model    string   // in the path of v2
	Features []string // these, in this order; none: all of each record, by name
	Tensor   string   // v2: all features as one tensor of this name; empty: one input for each
	Output   string   // path of the output in an answer, such as predictions.0.label; empty: that of the format
	Score    string   // path of the score; empty: that of the format
}

// NewPlan returns a plan for a server at an address. An address without a path gets the one of the format.
func NewPlan(format Format, against, model string) (*Plan, error) {
	u, err := url.Parse(against)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "%.200q is no address of a server", shown(u, against)).WithHint("write https://HOST or http://HOST:PORT, with a path if it is another than that of the protocol")
	}
	if u.User != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "the address of %s has a user or password in it", u.Host).WithHint("put a token into a file, and name that")
	}
	if !slices.Contains(Formats(), format) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%.20q is no protocol", string(format)).WithHint("use json, mlflow, v2 or body")
	}
	if u.Path == "" || u.Path == "/" {
		switch format {
		case MLflow:
			u.Path = "/invocations"
		case V2:
			u = u.JoinPath("/v2/models", url.PathEscape(model), "infer")
		}
	}
	return &Plan{Format: format, Against: u, Model: model}, nil
}

// Address returns the address without its query, which can hold a secret.
func (p *Plan) Address() string {
	u := *p.Against
	u.RawQuery = ""
	return u.String()
}

// shown returns what can be told of an address that is none.
func shown(u *url.URL, text string) string {
	if u != nil && u.Host != "" {
		return u.Redacted()
	}
	return text[:min(len(text), strings.IndexByte(text+"?", '?'))]
}

package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxTemplate = 16 << 10  // bytes
	maxRendered = 256 << 10 // bytes of what a template makes
	maxFunction = 64 << 10  // bytes that one function of a template returns
)

// functions are what templates may call besides the comparisons. Each bounds what it returns, so that
// a chain of them stays small.
func functions() template.FuncMap {
	return template.FuncMap{
		"json": func(v any) (string, error) {
			raw, err := encode(v)
			return bounded(string(raw), err)
		},
		"upper": func(s string) (string, error) { return bounded(strings.ToUpper(s), nil) },
		"lower": func(s string) (string, error) { return bounded(strings.ToLower(s), nil) },
		"default": func(otherwise, v any) any {
			if v == nil || v == "" {
				return otherwise
			}
			return v
		},
	}
}

// comparisons are the functions of text/template that templates may call. The others build texts
// without a bound, or call what they are given.
func comparisons() []string {
	return []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index"}
}

func bounded(s string, err error) (string, error) {
	if err == nil && len(s) > maxFunction {
		err = fmt.Errorf("a text is longer than %d bytes", maxFunction)
	}
	return s, err
}

// parseTemplate reads a template of a ticket or a mail: text/template without loops, definitions and
// the functions that have no bound, so that what it costs is bounded by its length.
func parseTemplate(text string) (*template.Template, error) {
	if len(text) > maxTemplate {
		return nil, tallystick.Errorf(tallystick.Invalid, "the template is %d bytes long, the limit is %d", len(text), maxTemplate)
	}
	t, err := template.New("template").Option("missingkey=zero").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%w", err).WithHint("it is a template of Go's package text/template, such as {{.sentence}}")
	}
	if len(t.Templates()) > 1 {
		return nil, forbidden("definitions of other templates")
	}
	if t.Tree == nil {
		return t, nil // empty
	}
	allowed := map[string]bool{}
	for name := range functions() {
		allowed[name] = true
	}
	for _, name := range comparisons() {
		allowed[name] = true
	}
	return t, checkNode(t.Root, allowed)
}

func forbidden(what string) error {
	return tallystick.Errorf(tallystick.Invalid, "the template has %s, which are not allowed here", what).
		WithHint("use fields, if, with, and the functions json, upper, lower, default, index and comparisons; {{json .}} is all of it")
}

// checkNode walks the tree of a template, which is as deep as the template is long at most.
func checkNode(node parse.Node, allowed map[string]bool) error {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, each := range n.Nodes {
			if err := checkNode(each, allowed); err != nil {
				return err
			}
		}
	case *parse.ActionNode:
		return checkNode(n.Pipe, allowed)
	case *parse.PipeNode:
		if n == nil {
			return nil
		}
		for _, command := range n.Cmds {
			for _, argument := range command.Args {
				if err := checkNode(argument, allowed); err != nil {
					return err
				}
			}
		}
	case *parse.ChainNode:
		return checkNode(n.Node, allowed)
	case *parse.IdentifierNode:
		if !allowed[n.Ident] {
			return forbidden(fmt.Sprintf("calls of %s", n.Ident))
		}
	case *parse.IfNode:
		return checkBranch(&n.BranchNode, allowed)
	case *parse.WithNode:
		return checkBranch(&n.BranchNode, allowed)
	case *parse.RangeNode:
		return forbidden("loops")
	case *parse.TemplateNode:
		return forbidden("calls of other templates")
	}
	return nil
}

func checkBranch(n *parse.BranchNode, allowed map[string]bool) error {
	for _, part := range []parse.Node{n.Pipe, n.List, n.ElseList} {
		if err := checkNode(part, allowed); err != nil {
			return err
		}
	}
	return nil
}

// checkTemplate tries a template on notifications that have all fields, and on one that has few.
func checkTemplate(text string) error {
	t, err := parseTemplate(text)
	if err != nil {
		return err
	}
	for _, sample := range samples() {
		if _, err := render(t, sample); err != nil {
			return err
		}
	}
	return nil
}

// samples are notifications as they may come.
func samples() []Data {
	at := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	id := "0195a7b2-4c00-7000-8000-000000000000"
	full := Data{
		Sentence: "A service raised a finding about credit@4 in production: out of band, high.", Subscription: "tickets", Number: 1, Sequence: 7, Event: id,
		Kind: trail.FindingRaised.Short(), Title: "Finding raised", Outcome: "success", Actor: "service", Resource: "finding/f1", Model: "credit", Version: "4",
		Environment: "production", Time: at.Format(time.RFC3339), Links: links("https://tallystick.example.org", id),
		Fields: map[string]any{"finding": "f1", "kind": "out_of_band", "severity": "high", "model": "credit", "version": "4", "environment": "production"},
	}
	few := full
	few.Model, few.Version, few.Environment, few.Links, few.Fields = "", "", "", nil, map[string]any{}
	return []Data{full, few}
}

// render returns what a template makes of a notification.
func render(t *template.Template, d Data) ([]byte, error) {
	m, err := d.asMap()
	if err != nil {
		return nil, err
	}
	var out limited
	if err := t.Execute(&out, m); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%w", err).WithHint("it must work for every event that it is told of; {{with .model}}...{{end}} asks first")
	}
	return out.Bytes(), nil
}

// limited is a buffer with an end.
type limited struct{ bytes.Buffer }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("what the template makes is longer than %d bytes", maxRendered)
	}
	return l.Buffer.Write(p)
}

// contentType returns what a rendered template is sent as.
func contentType(body []byte) string {
	if json.Valid(body) {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

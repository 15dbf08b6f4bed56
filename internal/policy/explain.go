package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/tallystick/tallystick"
)

// Explanation says what a pack asks for and, given an input, why each rule came out as it did.
type Explanation struct {
	Pack     string             `json:"pack"`
	Policy   tallystick.Digest  `json:"policy_digest"`
	Tier     tallystick.Tier    `json:"tier"`
	Custom   bool               `json:"custom_policy"`
	Settings map[string]any     `json:"settings"`           // data.tallystick.tiers.TIER
	Changed  []string           `json:"changed,omitempty"`  // settings that the custom policy changes
	LeftOut  []string           `json:"left_out,omitempty"` // built-in rules that it leaves out
	Verdict  tallystick.Verdict `json:"verdict,omitempty"`  // only with an input
	Words    string             `json:"words,omitempty"`
	Rules    []ExplainedRule    `json:"rules"`
}

// ExplainedRule is one rule; what follows Definition is there only with an input.
type ExplainedRule struct {
	Definition
	Blocks bool     `json:"blocks"` // in the tier of the pack
	Row    *Rule    `json:"row,omitempty"`
	Why    []string `json:"why,omitempty"`   // the cases that the rule tried, in their order
	Facts  []string `json:"facts,omitempty"` // the evidence that it names, with its value
	Trace  string   `json:"trace,omitempty"` // the engine's own trace
}

// ExplainOptions says what to explain besides the rules themselves.
type ExplainOptions struct {
	Input any // nil: only the rules
	Now   time.Time
	Trace bool // include the engine's raw trace, cut at 256 KiB for each rule
}

const maxTrace = 256 << 10

// Explain lists the rules of the pack and, for an input, why each came out as it did.
func (p *Pack) Explain(ctx context.Context, options ExplainOptions) (Explanation, error) {
	e := Explanation{
		Pack: p.name, Policy: p.digest, Tier: p.tier, Custom: p.custom, Settings: p.Settings(), Changed: p.changed,
	}
	for _, rule := range p.dropped {
		e.LeftOut = append(e.LeftOut, rule.ID)
	}
	for _, rule := range p.rules {
		e.Rules = append(e.Rules, ExplainedRule{Definition: rule, Blocks: rule.Blocks(p.tier)})
	}
	if options.Input == nil {
		return e, nil
	}
	canonical, err := Canonical(options.Input, options.Now)
	if err != nil {
		return Explanation{}, err
	}
	f, err := parse(canonical)
	if err != nil {
		return Explanation{}, fmt.Errorf("parse gate input: %w", err)
	}
	decision, err := p.decide(ctx, f)
	if err != nil {
		return Explanation{}, err
	}
	e.Verdict, e.Words = decision.Verdict, decision.Words
	report := f.member("report")
	whole, err := f.input(nil)
	if err != nil {
		return Explanation{}, fmt.Errorf("parse gate input: %w", err)
	}
	judged := conform(f, p.tier) == ""
	for i := range e.Rules {
		rule := &e.Rules[i]
		rule.Row = &decision.Rules[i]
		rule.Facts = factsOf(report, rule.Row.Evidence)
		switch {
		case !judged:
		case p.settled(&Rule{}, rule.Definition, f.document):
			rule.Why = []string{"the rule was not asked: " + rule.Row.Message}
		default:
			p.trace(ctx, rule, whole, options.Trace)
		}
	}
	return e, nil
}

// trace evaluates rule once more and watches.
func (p *Pack) trace(ctx context.Context, rule *ExplainedRule, input ast.Value, raw bool) {
	// Without the index the engine tries every case, and not only those that it cannot rule out.
	watch := &caseTracer{file: strings.TrimSuffix(rule.Source, rule.Source[strings.LastIndexByte(rule.Source, ':'):])}
	options := []rego.EvalOption{rego.EvalRuleIndexing(false), rego.EvalQueryTracer(watch)}
	buffer := topdown.NewBufferTracer()
	if raw {
		options = append(options, rego.EvalQueryTracer(buffer))
	}
	p.questions.alone(ctx, rule.ID, input, options...)
	rule.Why = watch.words()
	if raw {
		out := &limitedBuffer{limit: maxTrace}
		topdown.PrettyTraceWithLocation(out, *buffer)
		rule.Trace = strings.ToValidUTF8(out.String(), "")
	}
}

// caseTracer records which cases of a rule's result were tried, where each ended, and which one
// decided.
type caseTracer struct {
	file  string
	cases []triedCase
}

type triedCase struct {
	query   uint64
	rule    *ast.Rule
	failed  *ast.Expr
	decided bool
}

func (t *caseTracer) Enabled() bool { return true }

func (t *caseTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (t *caseTracer) TraceEvent(event topdown.Event) {
	if rule, ok := event.Node.(*ast.Rule); ok {
		if rule.Head.Ref().String() != "result" || rule.Location == nil || rule.Location.File != t.file {
			return
		}
		switch event.Op {
		case topdown.EnterOp:
			t.cases = append(t.cases, triedCase{query: event.QueryID, rule: rule})
		case topdown.ExitOp:
			if c := t.find(event.QueryID); c != nil {
				c.decided = true
			}
		}
		return
	}
	if expr, ok := event.Node.(*ast.Expr); ok && event.Op == topdown.FailOp {
		if c := t.find(event.QueryID); c != nil && c.failed == nil && !c.decided {
			c.failed = expr
		}
	}
}

func (t *caseTracer) find(query uint64) *triedCase {
	i := slices.IndexFunc(t.cases, func(c triedCase) bool { return c.query == query })
	if i < 0 {
		return nil
	}
	return &t.cases[i]
}

func (t *caseTracer) words() []string {
	var words []string
	for _, c := range t.cases {
		switch {
		case c.decided:
			words = append(words, fmt.Sprintf("%s:%d decided, because %s", t.file, c.rule.Location.Row, conditions(c.rule)))
		case c.failed != nil && c.failed.Location != nil:
			words = append(words, fmt.Sprintf("%s:%d did not apply, because %s is not so", t.file, c.failed.Location.Row, quoted(c.failed.Location)))
		}
	}
	return words
}

// conditions quotes the conditions of a case as they stand in its file.
func conditions(rule *ast.Rule) string {
	var list []string
	for _, expr := range rule.Body {
		if expr.Location == nil {
			continue
		}
		if words := quoted(expr.Location); !expr.Generated && !slices.Contains(list, words) {
			list = append(list, words)
		}
	}
	if len(list) == 0 {
		return "it has no condition"
	}
	return strings.Join(list, " and ")
}

func quoted(at *ast.Location) string { return "`" + firstLine(string(at.Text)) + "`" }

// factsOf shows what JSON pointers into the report point at. Other evidence is a digest and
// speaks for itself.
func factsOf(report any, evidence []string) []string {
	var facts []string
	for _, pointer := range evidence {
		value, ok := resolve(report, pointer)
		if !ok {
			continue
		}
		data, err := json.Marshal(value)
		if err != nil {
			continue
		}
		text := string(data)
		if len(text) > 300 {
			text = strings.ToValidUTF8(text[:300], "") + " …"
		}
		facts = append(facts, pointer+" = "+text)
	}
	return facts
}

// resolve follows a JSON pointer (RFC 6901).
func resolve(value any, pointer string) (any, bool) {
	if !strings.HasPrefix(pointer, "/") {
		return nil, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch at := value.(type) {
		case map[string]any:
			next, ok := at[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			value = at[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// limitedBuffer keeps the first limit bytes and drops the rest.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(0, b.limit-b.Len()))])
	return len(p), nil
}

package policy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
)

// What one question to the engine may cost. Steps are counted, so that a rule that takes too many
// is refused on every machine alike; the deadline is for builtins that take long in one step.
const (
	maxSteps    = 5_000_000       // expressions
	maxDuration = 2 * time.Minute // a busy machine must still come to the count of steps, which decides alike everywhere
)

// questions are the prepared queries of a pack.
type questions struct {
	one  func(query string) (rego.PreparedEvalQuery, error)
	each map[string]rego.PreparedEvalQuery // one rule, by its id

	mu             sync.Mutex
	results, times terms // for what rules say, and for what they make of the time
}

// terms are what is asked of each rule, by its place.
type terms struct {
	each []string
	sets map[string]*rego.PreparedEvalQuery // of several rules, by their places
}

// prepare makes the query of each rule by itself, for the input on which one of several ends in an error: that error ends their
// common query, and the others must keep their results.
func prepare(compiler *ast.Compiler, store storage.Store, rules []Definition) (*questions, error) {
	q := &questions{each: map[string]rego.PreparedEvalQuery{}}
	q.results.sets, q.times.sets = map[string]*rego.PreparedEvalQuery{}, map[string]*rego.PreparedEvalQuery{}
	q.one = func(query string) (rego.PreparedEvalQuery, error) {
		return rego.New(rego.Compiler(compiler), rego.Store(store), rego.Query(query), rego.StrictBuiltinErrors(true)).
			PrepareForEval(context.Background())
	}
	for _, rule := range rules {
		query, err := q.one(rule.pkg.String() + ".result")
		if err != nil {
			return nil, fmt.Errorf("prepare rule %s: %w", rule.ID, err)
		}
		q.each[rule.ID] = query
		// A comprehension is there even if the result is undefined: empty.
		q.results.each = append(q.results.each, "[result | result := "+rule.pkg.String()+".result]")
		q.times.each = append(q.times.each, "sprintf(\"%v\", [[made | made := "+rule.pkg.String()+"."+timed+"]])")
	}
	return q, nil
}

// answer is what the engine says to one rule: a result, none, or an error.
type answer struct {
	value any
	there bool
	err   error // the rule ended in it
	spent bool  // it took too many steps
}

// several returns the answers to the query of several rules, in their order; false if one of them ended in an error.
func several(ctx context.Context, query rego.PreparedEvalQuery, input ast.Value) ([]answer, bool) {
	lists, ok := ask(ctx, query, input).value.([]any)
	if !ok {
		return nil, false
	}
	answers := make([]answer, len(lists))
	for i, list := range lists {
		list, _ := list.([]any)
		if len(list) == 1 {
			answers[i] = answer{value: list[0], there: true}
		}
	}
	return answers, true
}

// alone asks one rule.
func (q *questions) alone(ctx context.Context, id string, input ast.Value, options ...rego.EvalOption) answer {
	return ask(ctx, q.each[id], input, options...)
}

func ask(ctx context.Context, query rego.PreparedEvalQuery, input ast.Value, options ...rego.EvalOption) answer {
	limit := &steps{}
	defer context.AfterFunc(ctx, limit.Cancel)()
	options = append(options, rego.EvalParsedInput(input), rego.EvalExternalCancel(limit), rego.EvalSortSets(true))
	results, err := query.Eval(ctx, options...)
	switch {
	case limit.spent():
		return answer{spent: true}
	case err != nil:
		return answer{err: err}
	case len(results) != 1 || len(results[0].Expressions) != 1:
		return answer{}
	}
	return answer{value: results[0].Expressions[0].Value, there: true}
}

// put fills row with the answer.
func (a answer) put(row *Rule) {
	switch {
	case a.spent:
		fault(row, fmt.Sprintf("The rule took more than %d steps.", maxSteps))
		return
	case a.err != nil:
		fault(row, sentence("The rule ended in an error: "+oneLine(a.err)))
		return
	case !a.there:
		fault(row, "The rule has no result for this input: a fact that it needs is missing.")
		return
	}
	o, err := readOutcome(a.value)
	if err != nil {
		fault(row, sentence("The rule's result does not keep the contract: "+err.Error()))
		return
	}
	o.put(row)
}

// fault marks row as a rule that came to no result.
func fault(row *Rule, message string) {
	row.Status = Error
	row.Message = message
	row.Remediation = "Run `tallystick policy explain --trace` on this input to see where the rule ended, and `tallystick audit` again once it is repaired."
}

// steps stops a rule after maxSteps expressions: the engine asks before each whether it is
// cancelled.
type steps struct {
	taken     atomic.Int64
	cancelled atomic.Bool
}

func (s *steps) Cancel() { s.cancelled.Store(true) }

func (s *steps) Cancelled() bool { return s.taken.Add(1) > maxSteps || s.cancelled.Load() }

func (s *steps) spent() bool { return s.taken.Load() > maxSteps }

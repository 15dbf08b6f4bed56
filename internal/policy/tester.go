package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/tallystick/tallystick"
)

// TestResult is how one test_ rule came out.
type TestResult struct {
	Package  string        `json:"package"`
	Name     string        `json:"name"`
	Source   string        `json:"source"` // file:line
	Status   Status        `json:"status"` // pass, fail, error or skip
	Message  string        `json:"message,omitempty"`
	Duration time.Duration `json:"duration_ns"`
}

const testTimeout = 10 * time.Second // for one test

// Test runs the tests of dir (rules that begin with test_, in files that end in _test.rego) over
// the rules of dir and the built-in ones, or the tests of the built-in rules if dir is empty.
// They run with the capabilities and settings of the gate; data.tallystick.tier is "high" unless a
// test says otherwise. Results are sorted by package and name.
func Test(ctx context.Context, dir string) ([]TestResult, error) {
	builtin, err := builtinSource()
	if err != nil {
		return nil, err
	}
	data, err := builtin.data()
	if err != nil {
		return nil, err
	}
	sources, tested := []source{builtin}, builtin
	if dir != "" {
		custom, err := customSource(dir)
		if err != nil {
			return nil, err
		}
		if err := new(Pack).extend(custom, data); err != nil {
			return nil, err
		}
		sources, tested = append(sources, custom), custom
	}
	if len(tested.tests) == 0 {
		return nil, tallystick.Errorf(tallystick.NotFound, "policy directory %q holds no test", dir).
			WithHint("put rules that begin with test_ into files that end in _test.rego")
	}
	data[namespace].(map[string]any)["tier"] = string(tallystick.TierHigh)
	modules := map[string]*ast.Module{}
	for _, s := range sources {
		if _, err := s.parse(modules); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	for _, file := range tested.tests {
		name := tested.display(file.Name)
		if modules[name], err = parseModule(name, file.Data); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return runTests(ctx, modules, data, names)
}

func runTests(ctx context.Context, modules map[string]*ast.Module, data map[string]any, names map[string]bool) ([]TestResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	store := inmem.NewFromObject(data)
	transaction, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin policy tests: %w", err)
	}
	defer store.Abort(ctx, transaction)
	results, err := tester.NewRunner().
		SetCompiler(newCompiler()).
		SetStore(store).
		SetModules(modules).
		CapturePrintOutput(false).
		EnableTracing(true).
		RaiseBuiltinErrors(true).
		SetTimeout(testTimeout).
		RunTests(ctx, transaction)
	if err != nil {
		return nil, regoError(err)
	}
	var all []TestResult
	for result := range results {
		if result.Location != nil && names[result.Location.File] {
			all = append(all, testResult(result))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run policy tests: %w", err)
	}
	slices.SortFunc(all, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Name, b.Name), strings.Compare(a.Source, b.Source))
	})
	return all, nil
}

func testResult(r *tester.Result) TestResult {
	t := TestResult{
		Package: strings.TrimPrefix(r.Package, "data."), Name: r.Name, Status: Pass, Duration: r.Duration,
		Source: fmt.Sprintf("%s:%d", r.Location.File, r.Location.Row),
	}
	switch {
	case r.Skip:
		t.Status, t.Message = Skip, "the name begins with todo_test_"
	case r.Error != nil:
		t.Status, t.Message = Error, oneLine(r.Error)
	case r.Fail:
		t.Status, t.Message = Fail, "the test does not hold"
		if at := failedAt(r); at != nil {
			t.Message = fmt.Sprintf("line %d does not hold: %s", at.Row, firstLine(string(at.Text)))
		}
	}
	return t
}

// failedAt returns the last expression of the test itself that did not hold.
func failedAt(r *tester.Result) *ast.Location {
	for _, event := range slices.Backward(r.Trace) {
		expr, ok := event.Node.(*ast.Expr)
		if ok && event.Op == topdown.FailOp && expr.Location != nil && expr.Location.File == r.Location.File {
			return expr.Location
		}
	}
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

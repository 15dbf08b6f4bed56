package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// builtins is what a policy may call: pure functions of their arguments whose result is not much
// larger than these. It is a list of what is allowed, so that a newer engine brings nothing in.
// Left out on purpose: network (http.send, net.*, json.*_schema with remote references,
// io.jwt.*, providers.*), the machine and its clock (opa.runtime, time.now_ns), chance (rand.intn,
// uuid.rfc4122), output (print, trace), and what makes much out of little (numbers.range,
// bits.lsh).
var builtins = []string{
	// Comparison and arithmetic.
	"eq", "equal", "neq", "lt", "lte", "gt", "gte", "assign",
	"plus", "minus", "mul", "div", "rem", "abs", "ceil", "floor", "round",
	// Collections.
	"count", "sum", "product", "max", "min", "sort", "any", "all",
	"and", "or", "intersection", "union",
	"array.concat", "array.flatten", "array.reverse", "array.slice",
	"object.filter", "object.get", "object.keys", "object.remove", "object.subset", "object.union", "object.union_n",
	"json.filter", "json.patch", "json.remove", "walk",
	"internal.member_2", "internal.member_3",
	// Strings.
	"concat", "contains", "endswith", "startswith", "indexof", "indexof_n", "lower", "upper", "replace",
	"split", "sprintf", "substring", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix",
	"strings.any_prefix_match", "strings.any_suffix_match", "strings.count", "strings.replace_n", "strings.reverse",
	"format_int", "to_number", "internal.template_string",
	"regex.is_valid", "regex.match", "regex.replace", "regex.split", "regex.find_n", "regex.find_all_string_submatch_n",
	"glob.match", "glob.quote_meta",
	// Types and encodings.
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
	"json.marshal", "json.unmarshal", "json.is_valid", "base64.decode", "base64.encode", "base64.is_valid", "hex.decode", "hex.encode",
	"crypto.sha256", "semver.compare", "semver.is_valid", "units.parse", "units.parse_bytes",
	// Time as a value. The present is input.now and nothing else.
	"time.add_date", "time.clock", "time.date", "time.diff", "time.format", "time.weekday",
	"time.parse_duration_ns", "time.parse_ns", "time.parse_rfc3339_ns",
	// What the test runner of OPA puts into test rules.
	"internal.test_case",
}

// capabilities returns what the compiler accepts: Rego v1, the builtins above, no network.
func capabilities() *ast.Capabilities {
	caps := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(ast.RegoV1))
	caps.Builtins = slices.DeleteFunc(caps.Builtins, func(b *ast.Builtin) bool {
		return !slices.Contains(builtins, b.Name) || b.IsNondeterministic()
	})
	caps.AllowNet = []string{}
	return caps
}

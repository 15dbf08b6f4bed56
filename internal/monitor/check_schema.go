package monitor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// schemaCheck judges whether features are those that the model knows: there, no others, of their types, and as a contract
// has them.
type schemaCheck struct {
	extra   tallystick.Verdict // of a feature that nobody knows; pass: it is not looked for
	columns []contract.Column
}

// maxExtra bounds the features that nobody knows and that are looked at.
const maxExtra = 200

func newSchemaCheck() *schemaCheck { return &schemaCheck{extra: tallystick.Warn} }

func (*schemaCheck) about() About {
	return About{
		Key: "schema",
		Method: "features of the reference that are absent, numbers that are none, features that nobody knows (`extra`), and what `columns` states in the words of a [contract](contract.md): " +
			"type, nulls, nan, infinite, min, max, values, pattern, tolerance, required, severity; lower end of the 99 % exact interval",
		Fails: "absent in all rows, less likely than 1 in a million by chance; other text than numbers in more than 1 %, in any: `warn`; more rows against the contract than its tolerance; extra: `warn`, or as `extra` says",
		Why:   "features that are absent are missing values as well, and judged so by default; the rest reads every column twice, and is off",
	}
}

func (c *schemaCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path,
			yamldoc.Key("extra", d.Choice(func(s string) {
				if c.extra = tallystick.Verdict(s); s == "off" {
					c.extra = tallystick.Pass
				}
			}, "warn", "fail", "off")),
			yamldoc.Key("columns", func(node *yaml.Node, path string) error {
				if err := contract.DecodeColumns(d.Decoder, &c.columns)(node, path); err != nil {
					return err
				}
				for _, column := range c.columns {
					if _, err := newExpected(&column); err != nil {
						return d.Errorf(node, "%s.%s: %s", path, column.Name, err).WithHint("of predictions: type, nulls, nan, infinite, min, max, values, pattern, tolerance, required, severity")
					}
				}
				return nil
			}),
		)
	}
}

// featureSchema counts what is wrong with the type of a feature of the reference.
type featureSchema struct {
	feature *window.Feature
	present int64
	wrong   int64  // values that are no numbers
	example string // the first of them
}

func (c *schemaCheck) begin(ctx context.Context, s *subject) (*look, error) {
	l := &look{}
	var known []*featureSchema
	stated := map[string]bool{}
	var contracts []*expected
	for _, column := range c.columns {
		e, err := newExpected(&column)
		if err != nil {
			return nil, err
		}
		stated[column.Name] = true
		contracts = append(contracts, e)
		l.columns = append(l.columns, newSource(column.Name).column)
	}
	names := map[string]bool{}
	if s.reference != nil {
		for i := range s.reference.Features {
			f := &s.reference.Features[i]
			if names[f.Name] = true; s.document.Checks.judged(f) && !stated[f.Name] {
				known = append(known, &featureSchema{feature: f})
				l.columns = append(l.columns, rollup.ColumnOf(f))
			}
		}
	}
	var unknown []string
	rows, more := []int64(nil), 0
	if c.extra != tallystick.Pass && s.reference != nil && s.office != nil {
		all, err := s.office.config.Asker.Features(ctx, s.selection)
		if err != nil {
			return nil, err
		}
		unknown = slices.DeleteFunc(all, func(name string) bool {
			return names[name] || stated[name] || slices.Contains(s.document.Checks.Except, name)
		})
		more = max(0, len(unknown)-maxExtra)
		unknown = unknown[:len(unknown)-more]
		for _, name := range unknown {
			l.columns = append(l.columns, "f_"+name)
		}
		rows = make([]int64, len(unknown))
	}
	l.count = func(b block, at []int) {
		for i, e := range contracts {
			e.count(b, at[i])
		}
		at = at[len(contracts):]
		for i, f := range known {
			f.count(b, at[i])
		}
		for i, column := range at[len(known):] {
			for k := range b.Rows() {
				if !b.Value(column, k).IsNull() {
					rows[i]++
				}
			}
		}
	}
	l.judge = func(f *facts) (all []Row) {
		if s.reference == nil && len(contracts) == 0 {
			return []Row{f.withoutReference("schema")}
		}
		for _, e := range contracts {
			all = append(all, e.row(f))
		}
		for _, k := range known {
			all = append(all, k.row(f))
		}
		for i, name := range unknown {
			if rows[i] > 0 {
				all = append(all, c.extraRow(f, name, rows[i]))
			}
		}
		if more > 0 {
			r := schemaRow(f, "", stat.Proportion{K: f.Predictions, N: f.Predictions})
			r.Verdict, r.Words = c.extra, fmt.Sprintf("%d features that nobody knows are too many to look at; %d of them were.", len(unknown)+more, len(unknown))
			all = append(all, r)
		}
		return all
	}
	return l, nil
}

const schemaMethod = "schema/2: rows against the reference's features or the stated contract, lower end of the 99 % exact interval"

func schemaRow(f *facts, name string, p stat.Proportion) Row {
	return Row{Check: "schema", Subject: name, Method: schemaMethod, N: p.N, Measure: "share", Value: stat.Number(p.Rate()), Origin: ofDefault, Verdict: tallystick.Pass}
}

func (s *featureSchema) count(b block, column int) {
	number := s.feature.Kind == window.KindNumber
	for k := range b.Rows() {
		if number {
			if _, ok := b.Number(column, k); ok {
				s.present++
				continue
			}
		} else if _, ok := b.Text(column, k); ok {
			s.present++
			continue
		}
		v := b.Value(column, k)
		if v.IsNull() {
			continue
		}
		if s.present++; number {
			if s.wrong++; s.wrong == 1 {
				s.example = v.String()
			}
		}
	}
}

func (s *featureSchema) row(f *facts) Row {
	name, rows := s.feature.Name, f.Profile.Reference().Rows
	if f.few(f.Predictions) {
		r := schemaRow(f, name, stat.Proportion{K: s.wrong, N: s.present})
		r.Role, r.Value, r.Verdict, r.Words = s.feature.Role, stat.Number(math.NaN()), tallystick.Insufficient, name+": too few rows to judge its type."
		return r
	}
	if s.present == 0 {
		r := schemaRow(f, name, stat.Proportion{K: f.Predictions, N: f.Predictions})
		r.Role = s.feature.Role
		p := math.Pow(float64(s.feature.Missing)/float64(rows), float64(f.Predictions))
		if r.P, r.Words = &p, name+" is absent, as it mostly is."; p < luck {
			r.Verdict, r.Words = tallystick.Fail, fmt.Sprintf("%s is absent from all %d predictions, and the reference has it in %s of rows.", name, f.Predictions, figure.Percent(1-float64(s.feature.Missing)/float64(rows)))
		}
		return r
	}
	wrong := stat.Proportion{K: s.wrong, N: s.present}
	r := schemaRow(f, name, wrong)
	l := Limits{Warn: 0, Fail: 0.01}
	r.Role, r.Threshold, r.Warn = s.feature.Role, number(l.Fail), number(l.Warn)
	r.Words = name + " is of its type."
	if f.rare(&r, wrong, l); s.wrong > 0 {
		r.Words = fmt.Sprintf("%s is a number, and something else in %s of rows, such as %s.", name, figure.Percent(wrong.Rate()), brief(s.example))
	}
	return r
}

// maxExample bounds, in characters, what words repeat of a value.
const maxExample = 60

func brief(s string) string {
	if words := []rune(s); len(words) > maxExample {
		return string(words[:maxExample]) + "…"
	}
	return s
}

func (c *schemaCheck) extraRow(f *facts, name string, n int64) Row {
	p := stat.Proportion{K: n, N: f.Predictions}
	r := schemaRow(f, name, p)
	i := p.Exact(confidence)
	r.Low, r.High, r.Role, r.Verdict = &i.Low, &i.High, window.RoleFeature, c.extra
	r.Words = fmt.Sprintf("%s is a feature that the reference does not have, in %s of rows.", name, figure.Percent(p.Rate()))
	return r
}

// reasons lists what is wrong in words, the commonest first.
func reasons(counts map[string]int64, of int64) string {
	var all []string
	for what, n := range counts {
		if n > 0 {
			all = append(all, what)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(a, b)
	})
	for i, what := range all {
		all[i] = fmt.Sprintf("%s in %s of rows", what, figure.Percent(float64(counts[what])/float64(of)))
	}
	return strings.Join(all, ", ")
}

package expectation

import (
	"bytes"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// Parse reads a file of expectations. Every error is Invalid, one line, and says which line and key are wrong.
func Parse(data []byte, path string) (*File, error) {
	d := decoder{yamldoc.Decoder{File: path, Noun: "test", Start: "docs/monitoring.md has one to begin with"}, new(int)}
	node, _, err := d.Read(bytes.NewReader(data), monitor.MaxBytes)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	var version, kind string
	err = d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("monitors", d.texts(&f.Monitors)),
		yamldoc.Key("tests", d.list(maxTests, func(item *yaml.Node, path string) error {
			f.Tests = append(f.Tests, Test{Line: item.Line})
			return d.test(item, path, &f.Tests[len(f.Tests)-1])
		})),
	)
	switch {
	case err != nil:
		return nil, err
	case version == "" || kind == "":
		return nil, d.Errorf(node, "the file does not say that it has tests of monitors").WithHint("begin it with apiVersion: %s and kind: %s", APIVersion, Kind)
	case len(f.Monitors) == 0:
		return nil, d.Errorf(node, "the file names no monitor").WithHint("write monitors: [credit.yaml]")
	case len(f.Tests) == 0:
		return nil, d.Errorf(node, "the file has no tests")
	}
	return f, nil
}

type decoder struct {
	yamldoc.Decoder
	listed *int // values of series so far
}

// list reads a list of at most so many items, of which there is at least one.
func (d decoder) list(most int, each yamldoc.Decode) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
			return d.Errorf(node, "%s must be a list, not %s", path, yamldoc.KindOf(node))
		}
		if len(node.Content) > most {
			return d.Errorf(node, "%s has %d items, the limit is %d", path, len(node.Content), most)
		}
		for i, item := range node.Content {
			if err := each(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (d decoder) texts(dst *[]string) yamldoc.Decode {
	return d.list(maxTests, func(node *yaml.Node, path string) error {
		var text string
		err := d.Text(&text)(node, path)
		*dst = append(*dst, text)
		return err
	})
}

func (d decoder) test(node *yaml.Node, path string, t *Test) error {
	err := d.Mapping(node, path,
		yamldoc.Key("name", d.Text(&t.Name)),
		yamldoc.Key("monitor", d.Text(&t.Monitor)),
		yamldoc.Key("champion", d.Text(&t.Champion)),
		yamldoc.Key("reference", d.input(&t.Reference)),
		yamldoc.Key("references", func(node *yaml.Node, path string) error {
			t.References = map[tallystick.Digest]*Input{}
			return d.Entries(node, path, func(key, value *yaml.Node) error {
				digest, err := tallystick.ParseDigest(key.Value)
				if err != nil {
					return d.Errorf(key, "%s has %q, which is no digest", path, key.Value).WithHint("name the digest that the monitor names")
				}
				var in *Input
				err = d.input(&in)(value, d.Join(path, key.Value))
				t.References[digest] = in
				return err
			})
		}),
		yamldoc.Key("input", d.input(&t.Input)),
		yamldoc.Key("windows", d.list(maxWindows, func(item *yaml.Node, path string) error {
			t.Windows = append(t.Windows, Window{Line: item.Line})
			return d.window(item, path, &t.Windows[len(t.Windows)-1])
		})),
	)
	switch {
	case err != nil:
		return err
	case t.Name == "":
		return d.Errorf(node, "%s has no name", path)
	case len(t.Windows) == 0:
		return d.Errorf(node, "%s has no windows", path)
	}
	return nil
}

func (d decoder) window(node *yaml.Node, path string, w *Window) error {
	expects := false
	err := d.Mapping(node, path,
		yamldoc.Key("at", d.moment(&w.At)),
		yamldoc.Key("after", d.Duration(&w.After)),
		yamldoc.Key("labels", d.Duration(&w.Labels)),
		yamldoc.Key("input", d.input(&w.Input)),
		yamldoc.Key("expect", func(node *yaml.Node, path string) error {
			expects = true
			return d.expected(node, path, &w.Expect)
		}),
	)
	switch {
	case err != nil:
		return err
	case w.At.IsZero():
		return d.Errorf(node, "%s does not say when it is", path).WithHint("write at: 2026-03-01T10:00:00Z, a time in it")
	case !expects:
		return d.Errorf(node, "%s expects nothing", path).WithHint("write expect: {verdict: pass}")
	}
	return nil
}

func (d decoder) moment(dst *time.Time) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
			if at, err := time.Parse(layout, node.Value); node.Kind == yaml.ScalarNode && err == nil && at.Year() >= 1971 && at.Year() <= 2200 {
				*dst = at.UTC()
				return nil
			}
		}
		return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).WithHint("write 2026-01-31 or 2026-01-31T12:00:00Z")
	}
}

func (d decoder) expected(node *yaml.Node, path string, e *Expected) error {
	err := d.Mapping(node, path,
		yamldoc.Key("verdict", d.verdict(&e.Verdict)),
		yamldoc.Key("words", d.Text(&e.Words)),
		yamldoc.Key("others", d.Choice(func(string) { e.Others = true }, string(tallystick.Pass))),
		yamldoc.Key("rows", d.list(10_000, func(item *yaml.Node, path string) error {
			r := Row{Line: item.Line}
			err := d.row(item, path, &r)
			e.Rows = append(e.Rows, r)
			return err
		})),
	)
	if err == nil && e.Verdict == "" && e.Words == "" && !e.Others && len(e.Rows) == 0 {
		return d.Errorf(node, "%s expects nothing", path).WithHint("write expect: {verdict: pass}")
	}
	return err
}

func (d decoder) verdict(dst *tallystick.Verdict) yamldoc.Decode {
	return d.Choice(func(s string) { *dst = tallystick.Verdict(s) }, "pass", "warn", "inconclusive", "insufficient", "fail")
}

func (d decoder) row(node *yaml.Node, path string, r *Row) error {
	var keys []string
	for _, a := range monitor.AllChecks() {
		keys = append(keys, a.Key)
	}
	err := d.Mapping(node, path,
		yamldoc.Key("check", d.Choice(func(s string) { r.Check = s }, keys...)),
		yamldoc.Key("subject", d.Text(&r.Subject)),
		yamldoc.Key("slice", d.Text(&r.Slice)),
		yamldoc.Key("verdict", d.verdict(&r.Verdict)),
		yamldoc.Key("words", d.Text(&r.Words)),
		yamldoc.Key("value", func(node *yaml.Node, path string) error {
			var bounds []float64
			err := d.list(2, func(item *yaml.Node, path string) error {
				x, err := d.Float(item, path)
				bounds = append(bounds, x)
				return err
			})(node, path)
			if err != nil {
				return err
			}
			if len(bounds) != 2 || bounds[0] > bounds[1] {
				return d.Errorf(node, "%s must be the least and the greatest value", path).WithHint("write [0.1, 0.2]")
			}
			r.Value = &[2]float64{bounds[0], bounds[1]}
			return nil
		}),
	)
	if err == nil && r.Check == "" {
		return d.Errorf(node, "%s does not say of which check it is", path)
	}
	if err == nil && r.Verdict == "" && r.Words == "" && r.Value == nil {
		return d.Errorf(node, "%s expects nothing", path).WithHint("write verdict: fail")
	}
	return err
}

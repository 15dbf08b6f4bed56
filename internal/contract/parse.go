package contract

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds a contract file. A contract is for people to review.
const MaxBytes = 1 << 20

// Parse reads one contract; name is what messages call the file. Every error is Invalid, one line,
// and says which line and key are wrong.
func Parse(r io.Reader, name string) (*Contract, error) {
	d := decoder{yamldoc.Decoder{
		File: name, Noun: "contract", Start: "write one, or let 'tallystick data infer FILE' write a first one from good data",
	}}
	node, data, err := d.Read(r, MaxBytes)
	if err != nil {
		return nil, err
	}
	c := &Contract{source: data, columnByName: map[string]int{}}
	if err := d.contract(node, c); err != nil {
		return nil, err
	}
	return c, nil
}

func (d decoder) contract(node *yaml.Node, c *Contract) error {
	var version, kind, extra string
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("name", d.Text(&c.Name)),
		yamldoc.Key("description", d.Text(&c.Description)),
		yamldoc.Key("rows", d.rows(&c.Rows)),
		yamldoc.Key("columns", d.columns(c)),
		yamldoc.Key("extra_columns", d.Choice(func(s string) { extra = s }, "allow", "forbid")),
		yamldoc.Key("limits", d.limits(&c.Limits)),
	)
	if err != nil {
		return err
	}
	c.ForbidExtra = extra == "forbid"
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, Kind}, {"name", c.Name, "credit-scoring"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the contract has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if err := tallystick.ValidateName("contract", c.Name); err != nil {
		return fmt.Errorf("%s: %w", d.File, err)
	}
	if c.Rows.empty() && len(c.Columns) == 0 && c.Limits.Empty() {
		return d.Errorf(node, "the contract expects nothing").WithHint("state rows, columns or limits")
	}
	if c.ForbidExtra && len(c.Columns) == 0 {
		return d.Errorf(node, "extra_columns is forbid, and no column is named").WithHint("name the columns under columns")
	}
	return nil
}

// rows reads {min: 1000, max: 1000000}.
func (d decoder) rows(dst *Range) decode {
	return d.bounds(dst, d.whole)
}

// whole reads a whole number that is not negative, as a float.
func (d decoder) whole(dst **float64) decode {
	return func(node *yaml.Node, path string) error {
		var n *int64
		if err := d.Count(&n, 0)(node, path); err != nil {
			return err
		}
		v := float64(*n)
		*dst = &v
		return nil
	}
}

func (d decoder) columns(c *Contract) decode {
	return func(node *yaml.Node, path string) error {
		return d.Entries(node, path, func(key, value *yaml.Node) error {
			column := Column{Name: key.Value}
			if column.Name == "" {
				return d.Errorf(key, "a column has no name")
			}
			// "id:" alone expects that there is such a column, and no more.
			if value.Tag != "!!null" {
				if err := d.column(value, d.Join(path, key.Value), &column); err != nil {
					return err
				}
			}
			c.columnByName[column.Name] = len(c.Columns)
			c.Columns = append(c.Columns, column)
			return nil
		})
	}
}

func (d decoder) column(node *yaml.Node, path string, c *Column) error {
	number := func(dst **float64) decode { return d.Number(dst, -math.MaxFloat64, math.MaxFloat64) }
	var tolerance *float64
	err := d.Mapping(node, path,
		yamldoc.Key("type", d.Choice(func(s string) { c.Type = Type(s) }, "number", "integer", "category", "time", "text")),
		yamldoc.Key("required", d.Boolean(func(b bool) { c.Optional = !b })),
		yamldoc.Key("severity", d.Choice(func(s string) { c.Warn = s == "warn" }, "fail", "warn")),
		yamldoc.Key("nulls", d.Share(&c.Nulls)),
		yamldoc.Key("nan", d.Share(&c.NaN)),
		yamldoc.Key("infinite", d.Share(&c.Infinite)),
		yamldoc.Key("tolerance", d.Share(&tolerance)),
		yamldoc.Key("min", number(&c.Range.Min)),
		yamldoc.Key("max", number(&c.Range.Max)),
		yamldoc.Key("mean", d.bounds(&c.Mean, number)),
		yamldoc.Key("quantiles", d.quantiles(&c.Quantiles)),
		yamldoc.Key("values", d.values(&c.Values)),
		yamldoc.Key("pattern", d.pattern(&c.Pattern)),
		yamldoc.Key("shares", d.shares(&c.Shares)),
		yamldoc.Key("distinct", d.bounds(&c.Distinct, d.whole)),
		yamldoc.Key("unique", d.Boolean(func(b bool) { c.Unique = b })),
		yamldoc.Key("not_before", d.moment(&c.NotBefore)),
		yamldoc.Key("not_after", d.moment(&c.NotAfter)),
		yamldoc.Key("max_age", d.Duration(&c.MaxAge)),
		yamldoc.Key("fresh", d.Duration(&c.Fresh)),
	)
	if err != nil {
		return err
	}
	if tolerance != nil {
		c.Tolerance = *tolerance
	}
	if err := d.ordered(node, path, c.Range); err != nil {
		return err
	}
	return d.consistent(node, path, c)
}

// consistent refuses expectations that no column of the stated type can meet.
func (d decoder) consistent(node *yaml.Node, path string, c *Column) error {
	numbers := c.Type == TypeNumber || c.Type == TypeInteger
	var wrong, fit string
	switch {
	case c.numeric() && c.temporal():
		return d.Errorf(node, "%s has expectations of numbers and of times", path).WithHint("state one kind of expectation and the type")
	case c.Pattern != "" && c.numeric():
		return d.Errorf(node, "%s has a pattern and expectations of numbers", path).WithHint("a pattern is for text and categories")
	case c.discrete() && c.temporal():
		return d.Errorf(node, "%s has expectations of single values and of times", path).WithHint("values, shares and pattern are not for times")
	case c.numeric() && c.Type != "" && !numbers:
		wrong, fit = "min, max, mean, quantiles, nan and infinite", "number or integer"
	case c.temporal() && c.Type != "" && c.Type != TypeTime:
		wrong, fit = "not_before, not_after, max_age and fresh", "time"
	case c.Pattern != "" && (numbers || c.Type == TypeTime):
		wrong, fit = "pattern", "category or text"
	case c.discrete() && c.Type == TypeTime:
		wrong, fit = "values and shares", "category, integer, number or text"
	}
	if wrong != "" {
		return d.Errorf(node, "%s is of type %s, which cannot have %s", path, c.Type, wrong).WithHint("those are for type %s", fit)
	}
	if !numbers && !c.numeric() {
		return nil
	}
	for _, value := range c.Values {
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return d.Errorf(node, "%s.values holds %q, which is no number", path, value).WithHint("declare the column as type category")
		}
	}
	return nil
}

func (d decoder) quantiles(dst *[]Quantile) decode {
	return func(node *yaml.Node, path string) error {
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			level, err := d.Fraction(key, "a level of "+path)
			if err != nil {
				return err
			}
			q := Quantile{Level: level}
			one := func(b **float64) decode { return d.Number(b, -math.MaxFloat64, math.MaxFloat64) }
			if err := d.bounds(&q.Range, one)(value, d.Join(path, key.Value)); err != nil {
				return err
			}
			*dst = append(*dst, q)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(*dst, func(a, b Quantile) int { return int(math.Copysign(1, a.Level-b.Level)) })
		for i := 1; i < len(*dst); i++ {
			if (*dst)[i].Level == (*dst)[i-1].Level {
				return d.Errorf(node, "%s has the level %s twice", path, formatNumber((*dst)[i].Level)).WithHint("keep one of them")
			}
		}
		return nil
	}
}

func (d decoder) values(dst *[]string) decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
			return d.Errorf(node, "%s must be a list of values, not %s", path, yamldoc.KindOf(node)).WithHint("write [A, B]")
		}
		seen := make(map[string]bool, len(node.Content))
		for i, item := range node.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			if item.Tag == "!!null" {
				return d.Errorf(item, "%s is empty", at).WithHint("missing values are bounded by nulls; quote \"null\" if it is a word of the data")
			}
			if err := d.Scalar(item, at, "one value"); err != nil {
				return err
			}
			if seen[item.Value] {
				return d.Errorf(item, "%s has %q twice", path, item.Value).WithHint("keep one of them")
			}
			seen[item.Value] = true
			*dst = append(*dst, item.Value)
		}
		return nil
	}
}

func (d decoder) shares(dst *[]Share) decode {
	return func(node *yaml.Node, path string) error {
		var least float64
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			share := Share{Value: key.Value}
			if err := d.bounds(&share.Range, d.Share)(value, d.Join(path, key.Value)); err != nil {
				return err
			}
			if share.Min != nil {
				least += *share.Min
			}
			*dst = append(*dst, share)
			return nil
		})
		if err == nil && least > 1+1e-9 {
			return d.Errorf(node, "%s: the least shares add up to %s", path, percent(least))
		}
		return err
	}
}

func (d decoder) pattern(dst *string) decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Text(dst)(node, path); err != nil {
			return err
		}
		if _, err := regexp.Compile(*dst); err != nil {
			return d.Errorf(node, "%s is no regular expression: %s", path, err).WithHint("the syntax is that of RE2, https://github.com/google/re2/wiki/Syntax")
		}
		return nil
	}
}

// DecodeColumns reads what another document states of columns in the words of a contract.
func DecodeColumns(d yamldoc.Decoder, dst *[]Column) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		c := &Contract{columnByName: map[string]int{}}
		if err := (decoder{d}).columns(c)(node, path); err != nil {
			return err
		}
		*dst = c.Columns
		return nil
	}
}

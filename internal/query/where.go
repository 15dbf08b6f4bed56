package query

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Op is how a condition compares.
type Op string

// The operators, the longer before those that they begin with.
const (
	NotEqual Op = "!="
	AtLeast  Op = ">="
	AtMost   Op = "<="
	Equal    Op = "="
	More     Op = ">"
	Less     Op = "<"
)

// Condition holds for a prediction of which a column compares so with a value. With null only equal and not
// equal compare, and null compares with nothing else.
type Condition struct {
	Column string
	Op     Op

	word   string // as it was written, without quotation marks
	quoted bool   // it is text, whatever it looks like
	value  prediction.Value
	null   bool
}

// ParseCondition reads "COLUMN OP VALUE", as in `f_income >= 30000` or `status != ok`. A value in quotation
// marks, single or double, is text; one without is text where the column has text, a number where it has
// numbers. A text is never more or less than a number. The error of what cannot be read says at which character.
// A column is one of predictions, or one of those named beside.
func ParseCondition(s string, beside ...string) (c Condition, err error) {
	at := strings.IndexAny(s, "!<>=")
	if at < 0 {
		return c, misread(s, len(s), "there is no =, !=, <, <=, > or >=")
	}
	for _, op := range []Op{NotEqual, AtLeast, AtMost, Equal, More, Less} {
		if strings.HasPrefix(s[at:], string(op)) {
			c.Op = op
			break
		}
	}
	if c.Op == "" {
		return c, misread(s, at, "! is no comparison, != is")
	}
	c.Column = strings.TrimSpace(s[:at])
	if err := checkColumn(c.Column); err != nil && !slices.Contains(beside, c.Column) {
		message, hint := tallystick.Words(err)
		return c, misread(s, 0, message).WithHint("%s", cmp.Or(hint, "write COLUMN OP VALUE, as in f_income >= 30000"))
	}
	rest := strings.TrimLeft(s[at+len(c.Op):], " \t")
	begins := len(s) - len(rest)
	c.word = strings.TrimRight(rest, " \t")
	if c.word == "" {
		return c, misread(s, len(s), "the value is missing")
	}
	if q := c.word[0]; q == '"' || q == '\'' {
		if len(c.word) < 2 || c.word[len(c.word)-1] != q {
			return c, misread(s, begins, "the quotation mark is not closed")
		}
		c.word, c.quoted = c.word[1:len(c.word)-1], true
	} else if i := strings.IndexAny(c.word, "=<>\"'"); i >= 0 {
		return c, misread(s, begins+i, "a value with "+c.word[i:i+1]+" stands in quotation marks")
	}
	if !c.quoted && c.word == "null" {
		if c.null = true; c.Op != Equal && c.Op != NotEqual {
			return c, misread(s, at, "null is equal or not, never more or less")
		}
		return c, nil
	}
	if c.value = prediction.String(c.word); !c.quoted {
		c.value = label.ValueOf(c.word)
	}
	return c, c.settle(s, begins)
}

func misread(s string, at int, why string) *tallystick.Error {
	return tallystick.Errorf(tallystick.Invalid, "condition %.200q, character %d: %s", s, len([]rune(s[:at]))+1, why)
}

// settle reads the value as the column has it, where the column has one form alone.
func (c *Condition) settle(s string, at int) error {
	wrong := func(form string) error { return misread(s, at, c.Column+" is compared with "+form) }
	switch c.Column {
	case columnTime:
		var t prediction.Time
		word := c.word
		if len(word) == len("2006-01-02") {
			word += "T00:00:00Z"
		}
		if t.UnmarshalText([]byte(word)) != nil {
			return wrong("a time, such as 2026-03-01 or 2026-03-01T12:00:00Z")
		}
		c.value = prediction.Integer(int64(t))
	case columnID:
		if _, err := prediction.ParseID(c.word); err != nil {
			return wrong("an id")
		}
		c.value = textOf(c.word)
	case "trace_id", "span_id", "input_digest", "request_digest", "response_digest", "salt", "leaf":
		c.value = textOf(strings.TrimPrefix(c.word, "sha256:"))
	case columnFlags:
		if c.Op != Equal && c.Op != NotEqual {
			return misread(s, 0, "a flag is there (=) or not (!=)")
		}
		c.value = textOf(c.word)
	}
	return nil
}

// textOf returns s as text, unless it is a number that JSON lacks.
func textOf(s string) prediction.Value { return prediction.String(s) }

// String returns the condition as it can be read again.
func (c Condition) String() string {
	word := c.word
	if c.quoted {
		mark := `"`
		if strings.Contains(word, mark) {
			mark = "'"
		}
		word = mark + word + mark
	}
	return fmt.Sprintf("%s %s %s", c.Column, c.Op, word)
}

// Equals returns the condition that a column is this text.
func Equals(column, text string) Condition {
	return Condition{Column: column, Op: Equal, word: text, quoted: true, value: prediction.String(text)}
}

// Known returns the condition that a column has a value.
func Known(column string) Condition {
	return Condition{Column: column, Op: NotEqual, word: "null", null: true}
}

// MoreThan returns the condition that a column has more than a whole number.
func MoreThan(column string, n int64) Condition {
	return Condition{Column: column, Op: More, word: strconv.FormatInt(n, 10), value: prediction.Integer(n)}
}

// HoldsOf reports whether the condition is true of a value of its column.
func (c *Condition) HoldsOf(v prediction.Value) bool { return c.holds(v) }

// holds reports whether the condition is true of a value.
func (c *Condition) holds(v prediction.Value) bool {
	if c.null {
		return v.IsNull() == (c.Op == Equal)
	}
	if c.Column == columnFlags { // no flags are none of a name
		return c.flagged(v.Text()) == (c.Op == Equal)
	}
	if v.IsNull() {
		return false
	}
	order, comparable := c.compare(v)
	if !comparable {
		return c.Op == NotEqual
	}
	return c.accepts(order)
}

func (c *Condition) accepts(order int) bool {
	switch c.Op {
	case Equal:
		return order == 0
	case NotEqual:
		return order != 0
	case Less:
		return order < 0
	case AtMost:
		return order <= 0
	case More:
		return order > 0
	}
	return order >= 0
}

// compare orders v and the value of the condition, false if they are of different kinds or one is NaN.
func (c *Condition) compare(v prediction.Value) (order int, comparable bool) {
	switch {
	case v.Kind() == prediction.Text:
		return strings.Compare(v.Text(), c.word), c.texts()
	case v.Kind() == prediction.Bool:
		if c.quoted || c.value.Kind() != prediction.Bool {
			return 0, false
		}
		if v == c.value {
			return 0, true
		}
		return 1, c.Op == Equal || c.Op == NotEqual
	case !c.value.IsNumber() || c.quoted:
		return 0, false
	case v.Kind() == prediction.Int && c.value.Kind() == prediction.Int:
		return cmp.Compare(v.Int(), c.value.Int()), true
	}
	x, _ := v.Float()
	y, _ := c.value.Float()
	if x != x || y != y {
		return 0, x != x && y != y && (c.Op == Equal || c.Op == NotEqual)
	}
	return cmp.Compare(x, y), true
}

// texts reports whether the condition compares texts: in order only with what is not a number.
func (c *Condition) texts() bool {
	return c.Op == Equal || c.Op == NotEqual || c.quoted || !c.value.IsNumber()
}

// flagged reports whether the flag is among those of a record.
func (c *Condition) flagged(flags string) bool {
	if !strings.Contains(flags, c.word) && !strings.Contains(flags, `\`) {
		return false
	}
	var all []string
	return json.Unmarshal([]byte(flags), &all) == nil && slices.Contains(all, c.word)
}

// numbers reports whether the condition compares numbers with a number, and which.
func (c *Condition) number() (x float64, ok bool) {
	if c.null || c.quoted || !c.value.IsNumber() {
		return 0, false
	}
	x, exact := c.value.Float()
	return x, exact && x == x
}

// The columns that are treated by themselves.
const (
	columnID       = "id"
	columnTime     = "time"
	columnFlags    = "flags"
	columnOverflow = "overflow"
	columnLabel    = "label"
	columnVersion  = "version"
	columnScore    = "score"
	columnOutput   = "output"
)

// periods are columns that are made of the time, by the layout that names them.
var periods = [...]struct{ name, layout string }{{"hour", "2006-01-02T15"}, {"day", "2006-01-02"}, {"month", "2006-01"}}

func periodLayout(name string) string {
	for _, p := range periods {
		if p.name == name {
			return p.layout
		}
	}
	return ""
}

// fields are the columns that a record can have beside f_ and a_.
func fields() []string {
	return []string{
		"id", "time", "version_requested", "version", "version_source", "environment", "route", "actor", "subject", "trace_id", "span_id",
		"input_digest", "input_keyed", "features_ref", "output", "score", "threshold", "rule", "rationale", "latency_us", "status", "decided_by",
		"override_by", "override_from", "override_why", "flags", "extra", "salt", "leaf", "body_rule", "request_type", "response_type", "request_digest", "response_digest", columnLabel, "hour", "day", "month",
	}
}

// checkColumn returns an Invalid error unless predictions can have such a column.
func checkColumn(name string) error {
	if name == "" {
		return tallystick.Errorf(tallystick.Invalid, "the column is missing")
	}
	if strings.HasPrefix(name, "f_") || strings.HasPrefix(name, "a_") || slices.Contains(fields(), name) {
		return nil
	}
	err := tallystick.Errorf(tallystick.Invalid, "predictions have no column %.100q", name)
	if near := tallystick.Nearest(name, fields()); near != "" {
		return err.WithHint("did you mean %s? a feature is f_NAME, an attribution a_NAME", near)
	}
	return err.WithHint("a feature is f_NAME, an attribution a_NAME")
}

// loose reports whether values of a column can be in the column overflow.
func loose(name string) bool {
	switch name {
	case columnOutput, columnScore, "threshold", "override_from":
		return true
	}
	return strings.HasPrefix(name, "f_") || strings.HasPrefix(name, "a_")
}

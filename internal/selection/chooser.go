package selection

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// Rule is terms with what names them.
type Rule struct {
	Purpose string // what is chosen for: rules of two purposes draw by themselves
	Model   string
	Name    string
	Terms   Terms
}

// Chooser is a rule, ready to be asked.
type Chooser struct {
	Rule
	tier  tallystick.Tier
	where []query.Condition
}

// New returns the chooser of a rule whose model has this risk tier now.
func New(r Rule, tier tallystick.Tier) (*Chooser, error) {
	c := &Chooser{Rule: r, tier: tier}
	for _, text := range r.Terms.Where {
		condition, err := query.ParseCondition(text, Tier)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		c.where = append(c.where, condition)
	}
	return c, nil
}

// Holds reports whether the rule is about a record: its conditions are true and its margin is kept.
func (c *Chooser) Holds(r *prediction.Record) bool {
	for i := range c.where {
		if condition := &c.where[i]; !condition.HoldsOf(c.field(r, condition.Column)) {
			return false
		}
	}
	return c.Terms.Margin == nil || near(r, *c.Terms.Margin)
}

func (c *Chooser) field(r *prediction.Record, name string) prediction.Value {
	if name != Tier {
		v, _ := query.Field(r, name)
		return v
	}
	if c.tier == "" {
		return prediction.Value{}
	}
	return prediction.String(string(c.tier))
}

// near reports whether the score lies within margin of the threshold.
func near(r *prediction.Record, margin float64) bool {
	if !r.Score.IsNumber() || !r.Threshold.IsNumber() {
		return false
	}
	score, _ := r.Score.Float()
	threshold, _ := r.Threshold.Float()
	return math.Abs(score-threshold) <= margin
}

// Stratum returns the values by which the rule tells a record from others, as texts of up to 128 bytes and as a JSON
// array of these.
func (c *Chooser) Stratum(r *prediction.Record) (values []string, text string) {
	values = make([]string, len(c.Terms.Strata))
	for i, name := range c.Terms.Strata {
		if v := c.field(r, name); !v.IsNull() {
			values[i] = Word(v)
		}
	}
	data, _ := json.Marshal(values) // of texts
	return values, string(data)
}

// Word returns a value as a stratum has it.
func Word(v prediction.Value) string {
	text := v.String()
	if len(text) > maxStratumValue {
		text = strings.ToValidUTF8(text[:maxStratumValue], "")
	}
	return text
}

// Rest is the stratum of what has too many values to be told apart.
const Rest = "…"

// Draw returns the number in [0, 1) that bytes have under the rule: the first 53 bits of SHA-256 over both. Where the
// sender of a record cannot choose the bytes, he cannot choose the number.
func (c *Chooser) Draw(random []byte) float64 { return c.DrawOf("", random) }

// DrawOf is Draw for another question of the same rule.
func (c *Chooser) DrawOf(question string, random []byte) float64 {
	name := c.Name
	if question != "" {
		name += "\x00" + question
	}
	h := sha256.New()
	h.Write([]byte("tallystick " + c.Purpose + " draw 1\x00" + c.Model + "\x00" + name + "\x00"))
	h.Write(random)
	return float64(binary.BigEndian.Uint64(h.Sum(nil))>>11) / (1 << 53)
}

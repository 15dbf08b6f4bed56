package health

import (
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
)

// ceiling is the most that a model can have of which a critical part fails.
const ceiling = 40

// settle makes the score of the parts: the sum of weight and value, an unknown value being none.
func (h *Health) settle() {
	sum := 0.0
	var failing, unknown []string
	for _, p := range h.Parts {
		if p.Value == nil {
			unknown = append(unknown, p.Name)
			continue
		}
		h.Known += p.Weight
		sum += float64(p.Weight) * *p.Value
		if p.Verdict == tallystick.Fail {
			failing = append(failing, p.Name)
			if p.Critical && h.CappedBy == "" {
				h.CappedBy = p.Name
			}
		}
	}
	if h.Known == 0 {
		h.Words = "Unknown: nothing that health is made of has been measured."
		return
	}
	score := int(math.Floor(sum + 1e-9))
	capped := h.CappedBy != "" && score > ceiling
	if capped {
		score = ceiling
	}
	h.Score = &score
	said := []string{fmt.Sprintf("%d of 100.", score)}
	if len(failing) > 0 {
		said = append(said, fmt.Sprintf("Failing: %s.", strings.Join(failing, ", ")))
	}
	if capped {
		said = append(said, fmt.Sprintf("It would be %d, but while %s fail it is at most %d.", int(math.Floor(sum+1e-9)), h.CappedBy, ceiling))
	}
	if len(unknown) > 0 {
		said = append(said, fmt.Sprintf("Unknown, which earns nothing: %s (%d of 100).", strings.Join(unknown, ", "), 100-h.Known))
	}
	h.Words = strings.Join(said, " ")
}

// known gives a part a value between 0 and 1.
func (p Part) known(value float64, verdict tallystick.Verdict, format string, args ...any) Part {
	p.Value, p.Verdict, p.Reason = &value, verdict, fmt.Sprintf(format, args...)
	return p
}

func (p Part) unknown(format string, args ...any) Part {
	p.Verdict, p.Reason = tallystick.Insufficient, fmt.Sprintf(format, args...)
	return p
}

// tallied is the mean of verdicts: a pass is 1, a warning half, a failure nothing.
type tallied struct {
	passed, warned, failed, unknown int
	worst                           string // name of the first that failed, or else of one that warned
}

func (t *tallied) add(name string, v tallystick.Verdict) {
	switch v {
	case tallystick.Pass:
		t.passed++
	case tallystick.Warn:
		if t.warned++; t.failed == 0 && t.worst == "" {
			t.worst = name
		}
	case tallystick.Fail:
		if t.failed++; t.failed == 1 {
			t.worst = name
		}
	default:
		t.unknown++
	}
}

// of ends a part. Those that say nothing count as nothing once some of the others say something.
func (t *tallied) of(p Part, noun string) Part {
	all := t.passed + t.warned + t.failed + t.unknown
	if all == t.unknown {
		return p.unknown("None of %d %s can be judged: too little is on record, or too long ago.", all, noun)
	}
	value := (float64(t.passed) + float64(t.warned)/2) / float64(all)
	verdict, words := tallystick.Pass, ""
	switch {
	case t.failed > 0:
		verdict, words = tallystick.Fail, fmt.Sprintf(" %d fail, such as %s.", t.failed, t.worst)
	case t.warned > 0:
		verdict, words = tallystick.Warn, fmt.Sprintf(" %d warn, such as %s.", t.warned, t.worst)
	}
	if t.unknown > 0 {
		words += fmt.Sprintf(" %d cannot be judged.", t.unknown)
	}
	return p.known(value, verdict, "%s: %d of %d %s pass.%s", figure.Percent(value), t.passed, all, noun, words)
}

package policy

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Difference is what one policy asks for and another does not.
type Difference struct {
	From     tallystick.Digest `json:"from"`
	To       tallystick.Digest `json:"to"`
	Tier     tallystick.Tier   `json:"tier"`
	Added    []string          `json:"added"`    // rules, each with its title
	Removed  []string          `json:"removed"`  // rules, each with its title
	Changed  []string          `json:"changed"`  // rules, each with what is another
	Settings []string          `json:"settings"` // each with its old and new value
	Shadow   *ShadowResult     `json:"shadow,omitempty"`
}

// Diff compares two packs of one tier.
func Diff(from, to *Pack) Difference {
	d := Difference{From: from.digest, To: to.digest, Tier: to.tier, Added: []string{}, Removed: []string{}, Changed: []string{}, Settings: []string{}}
	old, young := definitions(from), definitions(to)
	before, after := from.fingerprints(), to.fingerprints()
	for _, id := range slices.Sorted(maps.Keys(young)) {
		was, there := old[id]
		is := young[id]
		switch {
		case !there:
			d.Added = append(d.Added, fmt.Sprintf("%s: %s", id, is.Title))
		case before[id] != after[id]:
			d.Changed = append(d.Changed, fmt.Sprintf("%s: %s", id, strings.Join(was.changes(is), ", ")))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if _, there := young[id]; !there {
			d.Removed = append(d.Removed, fmt.Sprintf("%s: %s", id, old[id].Title))
		}
	}
	d.Settings = changedSettings(from.leaves(), to.leaves())
	return d
}

func definitions(p *Pack) map[string]Definition {
	byID := map[string]Definition{}
	for _, rule := range p.rules {
		byID[rule.ID] = rule
	}
	return byID
}

// changes says what of a rule is another; what its METADATA does not show is its Rego, a library or a
// setting that it reads.
func (d Definition) changes(to Definition) []string {
	var words []string
	note := func(name string, from, to any) {
		if a, b := fmt.Sprint(from), fmt.Sprint(to); a != b {
			words = append(words, fmt.Sprintf("%s is %s instead of %s", name, b, a))
		}
	}
	note("title", d.Title, to.Title)
	note("severity", d.Severity, to.Severity)
	note("blocking", d.BlockingFor, to.BlockingFor)
	note("about", d.About, to.About)
	note("waivable", d.Waivable, to.Waivable)
	note("controls", d.Controls, to.Controls)
	if len(words) == 0 {
		words = append(words, "its Rego, a library or a setting that it reads is another")
	}
	return words
}

// leaves returns the data document by path, of the tiers only the pack's own.
func (p *Pack) leaves() map[string]string {
	all := map[string]string{}
	flatten(all, "data", p.data)
	maps.DeleteFunc(all, func(path, _ string) bool {
		return strings.HasPrefix(path, "data.tallystick.tiers.") && !strings.HasPrefix(path, "data.tallystick.tiers."+string(p.tier)+".")
	})
	return all
}

func flatten(leaves map[string]string, at string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		leaves[at] = jsonAt(value, "")
		return
	}
	for name, child := range object {
		flatten(leaves, at+"."+name, child)
	}
}

func changedSettings(from, to map[string]string) []string {
	changed := []string{}
	for path, is := range to {
		switch was, there := from[path]; {
		case !there:
			changed = append(changed, fmt.Sprintf("%s is %s, and was not there", path, is))
		case was != is:
			changed = append(changed, fmt.Sprintf("%s is %s instead of %s", path, is, was))
		}
	}
	for path, was := range from {
		if _, there := to[path]; !there {
			changed = append(changed, fmt.Sprintf("%s was %s, and is not there", path, was))
		}
	}
	slices.Sort(changed)
	return changed
}

// WriteText writes the difference for a terminal of width columns; 0 is 100.
func (d Difference) WriteText(w io.Writer, width int) error {
	if width == 0 {
		width = defaultWidth
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "Tier %s, from policy %s to %s\n", d.Tier, d.From.Short(), d.To.Short())
	same := true
	for _, part := range []struct {
		lead  string
		lines []string
	}{{"added: ", d.Added}, {"removed: ", d.Removed}, {"changed: ", d.Changed}, {"setting: ", d.Settings}} {
		for _, line := range part.lines {
			same = false
			writeHanging(out, "  "+part.lead, printable(line), width)
		}
	}
	if same {
		fmt.Fprintln(out, "  no difference")
	}
	if d.Shadow != nil {
		d.Shadow.write(out, width)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write difference: %w", err)
	}
	return nil
}

// WriteText writes the result for a terminal of width columns; 0 is 100.
func (r ShadowResult) WriteText(w io.Writer, width int) error {
	if width == 0 {
		width = defaultWidth
	}
	out := bufio.NewWriter(w)
	r.write(out, width)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write shadow run: %w", err)
	}
	return nil
}

func (r ShadowResult) write(out io.Writer, width int) {
	fmt.Fprintf(out, "Over %d recorded decisions: %d denials would pass, %d passes would be denied.\n", r.Decisions, r.Opened, r.Shut)
	if r.OtherTier > 0 {
		fmt.Fprintf(out, "%d are of another tier and were left aside.\n", r.OtherTier)
	}
	for _, rule := range r.Rules {
		var shifts []string
		for _, shift := range slices.Sorted(maps.Keys(rule.Shifts)) {
			shifts = append(shifts, fmt.Sprintf("%s %d times", shift, rule.Shifts[shift]))
		}
		writeHanging(out, "  "+printable(rule.ID)+": ", printable(strings.Join(shifts, ", ")), width)
	}
	for _, example := range r.Examples {
		fmt.Fprintf(out, "  %s@%s at %s: %s instead of %s (input %s)\n", printable(example.Model), printable(example.Version), printable(example.Now), example.To, example.From, example.Input.Short())
		for _, why := range example.Why {
			writeHanging(out, "    - ", printable(why), width)
		}
	}
}

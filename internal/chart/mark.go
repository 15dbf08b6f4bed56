package chart

import "fmt"

// look is how a mark is drawn.
type look struct {
	name  string
	fill  paint // of the shape
	line  paint // of an interval
	shade paint // of a column or bar behind or instead of the shape
}

func (m Mark) look() look {
	switch m {
	case Good:
		return look{"pass",
			`class="mark-good" fill="#2b6399" stroke="#ffffff" stroke-width="1"`,
			`class="range-good" stroke="#2b6399" stroke-width="1.5"`,
			`class="fill-current" fill="#2b6399"`}
	case Caution:
		return look{"warning",
			`class="mark-caution" fill="#a86410" stroke="#ffffff" stroke-width="1"`,
			`class="range-caution" stroke="#a86410" stroke-width="1.5"`,
			`class="fill-warn" fill="#a86410"`}
	case Bad:
		return look{"fail",
			`class="mark-bad" fill="#b3261e" stroke="#ffffff" stroke-width="1"`,
			`class="range-bad" stroke="#b3261e" stroke-width="1.5"`,
			`class="fill-fail" fill="#b3261e"`}
	case Unclear:
		return look{"not settled",
			`class="mark-unclear" fill="#ffffff" stroke="#6a5f8f" stroke-width="1.5"`,
			`class="range-unclear" stroke="#6a5f8f" stroke-width="1.5"`,
			`class="fill-muted" fill="#5b6774"`}
	}
	return look{"",
		`class="mark-plain" fill="#2b6399" stroke="#ffffff" stroke-width="1"`,
		`class="range-plain" stroke="#2b6399" stroke-width="1.5"`,
		`class="fill-current" fill="#2b6399"`}
}

// mark draws the shape of m with radius r around a point.
func (d *drawing) mark(m Mark, x, y, r float64, tooltip string) {
	fill := m.look().fill
	switch m {
	case Caution:
		d.element("path", fmt.Sprintf(`d="M%s %sL%s %sL%s %sZ"`,
			coord(x), coord(y-1.25*r), coord(x+1.2*r), coord(y+0.9*r), coord(x-1.2*r), coord(y+0.9*r)), fill, tooltip)
	case Bad:
		s := 1.35 * r
		d.element("path", fmt.Sprintf(`d="M%s %sL%s %sL%s %sL%s %sZ"`,
			coord(x), coord(y-s), coord(x+s), coord(y), coord(x), coord(y+s), coord(x-s), coord(y)), fill, tooltip)
	default:
		d.element("circle", fmt.Sprintf(`cx="%s" cy="%s" r="%s"`, coord(x), coord(y), coord(r)), fill, tooltip)
	}
}

// key draws a legend of the marks that occur, ending at the right edge x, and says nothing if
// only Plain and Good do.
func (d *drawing) key(x, y float64, used []Mark) {
	present := map[Mark]bool{}
	for _, m := range used {
		present[m] = true
	}
	for _, m := range []Mark{Unclear, Caution, Bad} {
		if !present[m] {
			continue
		}
		name := m.look().name
		d.text(x, y, name, end, textMuted)
		x -= textWidth(name, fontSize) + 9
		d.mark(m, x, y-4, 4, "")
		x -= 16
	}
}

package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/monitor"
)

// The bounds of the page of behaviour. A judgement can have thousands of rows, so that what a page reads is bounded by rows too:
// a window beyond that is shown with its verdict alone.
const (
	shownMonitors = 24
	shownStrips   = 8
	shownWindows  = 96     // of all strips together; the newest of each of the worst monitors is read besides
	behaviourRows = 40_000 // of all judgements that are read
	lateBy        = 3      // windows after which it is told that none was judged
)

// behaviourPage says whether a model still behaves.
type behaviourPage struct {
	Model    string
	Reads    bool // values, and the words that name them
	Pinned   bool // there is a reference
	Monitors []watched
	More     bool   // there are more monitors
	Chosen   string // the one that is shown alone
	Worst    *watched
	Others   []watched // of which the newest window is not passed either, or too old
	Strips   []strip
	Charts   []pictured
	Of       string // the monitor whose charts are drawn
}

// watched is a monitor with what it said last.
type watched struct {
	monitor.Monitor
	Address string
	Windows []monitor.JudgedWindow // the newest first
	Words   string                 // of the worst row of the newest
	Late    bool                   // no window was judged for a while
}

// Newest returns the newest judged window, nil if there is none.
func (w watched) Newest() *monitor.JudgedWindow {
	if len(w.Windows) == 0 {
		return nil
	}
	return &w.Windows[0]
}

// Verdict returns what the newest window says, empty if there is none.
func (w watched) Verdict() (v tallystick.Verdict) {
	if n := w.Newest(); n != nil {
		v = n.Verdict
	}
	return v
}

// run returns how many windows have the verdict of the newest without a break.
func (w watched) run() int {
	for i, is := range w.Windows {
		if is.Verdict != w.Windows[0].Verdict {
			return i
		}
	}
	return len(w.Windows)
}

// Since returns when the first window of that run began.
func (w watched) Since() time.Time { return w.Windows[w.run()-1].From }

// Says writes how long the newest verdict has held. AtLeast tells that the windows that were looked at ended first.
func (w watched) Says() string {
	n := w.run()
	verb := map[tallystick.Verdict]string{
		tallystick.Pass: "passes", tallystick.Warn: "warns", tallystick.Fail: "fails", tallystick.Inconclusive: "cannot settle it", tallystick.Insufficient: "has too little to judge by",
	}[w.Verdict()]
	if n == len(w.Windows) && n > 1 {
		return fmt.Sprintf("%s in at least %d windows, since", verb, n)
	}
	return fmt.Sprintf("%s in %s, since", verb, plural(n, "window"))
}

// Late reports whether windows have ended that nobody judged.
func (p *behaviourPage) Late() bool {
	return slices.ContainsFunc(p.Monitors, func(w watched) bool { return w.Late })
}

func (s *server) behaviour(v *visit) error {
	p := &behaviourPage{Model: v.r.PathValue("model"), Chosen: v.query("monitor")}
	if _, err := s.Catalog.Model(v.ctx(), p.Model); err != nil {
		return err
	}
	p.Reads = v.who.Allows(access.PredictionRead, whole) == nil
	if digest := v.query("judgement"); digest != "" {
		return s.judgement(v, p.Model, tallystick.Digest(digest))
	}
	before, err := readDay("before", v.query("before"))
	if err != nil {
		return err
	}
	if err := s.watched(v, p); err != nil {
		return err
	}
	if err := s.strips(v, p, before); err != nil {
		return err
	}
	return s.show(v, "behaviour", "Behaviour of "+p.Model, p)
}

// watched finds the monitors of the model and what each said last, the worst first.
func (s *server) watched(v *visit, p *behaviourPage) error {
	all, err := s.Monitors.Monitors(v.ctx(), p.Model)
	if err != nil {
		return err
	}
	found := p.Chosen == ""
	for _, m := range all {
		found = found || m.Name == p.Chosen
		if m.Removed && m.Name != p.Chosen {
			continue
		}
		if len(p.Monitors) == shownMonitors && m.Name != p.Chosen {
			p.More = true
			continue
		}
		w := watched{Monitor: m, Address: modelAddress(p.Model) + "/behaviour?" + url.Values{"monitor": {m.Name}}.Encode()}
		if w.Windows, err = s.Monitors.Judged(v.ctx(), monitor.JudgedFilter{Monitor: m.Name, Model: p.Model, ByWindow: true, Limit: shownWindows + 1}); err != nil {
			return err
		}
		if w.Late, err = s.late(v, w); err != nil {
			return err
		}
		p.Monitors = append(p.Monitors, w)
	}
	if !found {
		return tallystick.Errorf(tallystick.NotFound, "%s has no monitor %.80q", p.Model, p.Chosen).WithHint("the page of its behaviour has those that there are")
	}
	if len(p.Monitors) == 0 {
		pinned, err := s.Monitors.References(v.ctx(), p.Model)
		p.Pinned = len(pinned) > 0
		return err
	}
	slices.SortStableFunc(p.Monitors, func(a, b watched) int {
		if a.Verdict() == b.Verdict() {
			return cmp.Compare(a.Name, b.Name)
		}
		if a.Verdict().Worse(b.Verdict()) == a.Verdict() {
			return -1
		}
		return 1
	})
	return nil
}

// late reports whether windows of a monitor have ended that nobody judged.
func (s *server) late(v *visit, w watched) (bool, error) {
	if w.Removed || w.Newest() == nil {
		return false, nil
	}
	_, doc, err := s.Monitors.Monitor(v.ctx(), w.Name)
	if err != nil || doc == nil {
		return false, err
	}
	return s.Now().Sub(w.Newest().To) > doc.Delay+lateBy*doc.Width, nil
}

// head says in words what is wrong now. Who may not read values is told by which checks.
func (p *behaviourPage) head(read map[tallystick.Digest]*summary) {
	for i := range p.Monitors {
		w := &p.Monitors[i]
		if n := w.Newest(); n != nil {
			if is := read[n.Judgement]; is != nil && n.Verdict != tallystick.Pass {
				w.Words = is.words
				if !p.Reads {
					w.Words = strings.Join(is.failing, ", ")
				}
			}
		}
		switch {
		case w.Newest() == nil || w.Removed:
		case p.Worst == nil:
			p.Worst = w
		case w.Verdict() != tallystick.Pass || w.Late:
			p.Others = append(p.Others, *w)
		}
	}
}

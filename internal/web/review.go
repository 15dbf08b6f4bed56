package web

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of the lists of what waits.
const (
	shownWaiting    = 50
	shownAttempts   = 15
	attemptsSince   = 30 * 24 * time.Hour
	scannedRefusals = 200 // refusals among which the attempts to go around are looked for
)

// reviewsPage is what waits for a review.
type reviewsPage struct {
	Filter   reviewFilter
	Links    []filterLink
	Sentence string
	Mine     []waitingLine
	Others   []waitingLine
	Waivers  []waiverLine
	Ending   []waiverLine    // soon, or of late
	MineToo  map[string]bool // waivers that the visitor may review, by id
	Findings []catalog.Finding
	Attempts []attempt
	Names    names
	Reviews  bool // the visitor may review
	Filtered bool
}

// reviewFilter is what the address asks for.
type reviewFilter struct{ Environment, Tier string }

// filterLink chooses what is listed.
type filterLink struct {
	Text, Href string
	Chosen     bool
}

// waitingLine is a request in a sentence.
type waitingLine struct {
	release.Waiting
	Age     string
	Who     string // asked for it
	Missing string
	Stand   string // pass, fail, or empty if the gate was not asked
	Expired bool
	Why     string // it is not the visitor's to review
}

// attempt is something that somebody tried around the gate, and was refused.
type attempt struct {
	Words string
	Time  time.Time
	Event uint64
	Model string
}

func (s *server) reviews(v *visit) error {
	p := reviewsPage{Filter: reviewFilter{strings.TrimSpace(v.query("environment")), strings.TrimSpace(v.query("tier"))}, MineToo: map[string]bool{}}
	p.Filtered = p.Filter != reviewFilter{}
	p.Reviews = v.who.Allows(access.ReleaseReview, whole) == nil
	all, err := s.Releases.Waiting(v.ctx(), release.Filter{Environment: p.Filter.Environment, Limit: shownWaiting})
	if err != nil {
		return err
	}
	waivers, err := s.Releases.Waivers(v.ctx(), release.Filter{Environment: p.Filter.Environment, Asked: true, Limit: shownWaivers})
	if err != nil {
		return err
	}
	ending, err := s.Releases.Waivers(v.ctx(), release.Filter{Environment: p.Filter.Environment, Ending: true, Limit: shownWaivers})
	if err != nil {
		return err
	}
	if p.Names, err = s.namesOfWaiting(v, all, slices.Concat(waivers, ending)); err != nil {
		return err
	}
	p.Links = p.Filter.links(all)
	for _, w := range all {
		if p.Filter.Tier != "" && p.Filter.Tier != string(w.Tier) {
			continue
		}
		line := s.waitingLine(v, w, p.Names)
		if line.Why == "" {
			p.Mine = append(p.Mine, line)
		} else {
			p.Others = append(p.Others, line)
		}
	}
	p.Waivers, p.Ending = s.waiverLines(waivers), s.waiverLines(ending)
	mine := len(p.Mine)
	for _, w := range waivers {
		if v.who.Allows(access.WaiverReview, whole) == nil && !slices.Contains([]string{w.Owner, w.Requester}, v.who.ID) && w.Owner != v.who.Name {
			p.MineToo[w.ID] = true
			mine++
		}
	}
	if p.Findings, err = s.Catalog.Findings(v.ctx(), catalog.FindingFilter{Kinds: []catalog.FindingKind{catalog.OutOfBand, catalog.BypassAttempt, catalog.UnusualConduct}, Environment: p.Filter.Environment, Open: true, Limit: shownFindings}); err != nil {
		return err
	}
	if p.Attempts, err = s.attempts(v); err != nil {
		return err
	}
	settles := v.who.Allows(access.FindingClose, whole) == nil
	if settles {
		mine += len(p.Findings)
	}
	p.Sentence = waits(mine, len(p.Mine)+len(p.Others)+len(p.Waivers)+len(p.Findings), p.Reviews || settles)
	return s.show(v, "reviews", "Reviews", p)
}

func (s *server) namesOfWaiting(v *visit, all []release.Waiting, waivers []release.Waiver) (names, error) {
	ids := []string{}
	for _, w := range all {
		ids = append(ids, w.Requester)
		for _, r := range w.Reviews {
			ids = append(ids, r.Reviewer)
		}
	}
	for _, w := range waivers {
		ids = append(ids, w.Owner, w.Requester)
	}
	return s.names(v, ids)
}

// waits says how much there is to do.
func waits(mine, all int, reviews bool) string {
	is := func(n int) string { return map[bool]string{true: " waits", false: " wait"}[n == 1] }
	switch {
	case all == 0:
		return "Nothing waits for a review."
	case !reviews:
		return plural(all, "thing") + is(all) + " for a review by others."
	case mine == 0:
		return plural(all, "thing") + is(all) + " for others; nothing waits for you."
	case mine == all:
		return plural(mine, "thing") + is(mine) + " for you."
	}
	return plural(mine, "thing") + is(mine) + " for you, " + count(all-mine) + " for others."
}

// waitingLine says what is missing of a request, as far as it is on record.
func (s *server) waitingLine(v *visit, w release.Waiting, names names) waitingLine {
	line := waitingLine{Waiting: w, Age: age(s.Now().Sub(w.Created)), Who: names.Of(w.Requester), Expired: !w.Live(s.Now())}
	approved := 0
	for _, r := range w.Reviews {
		if r.Verdict == release.Approve {
			approved++
		}
		if r.Reviewer == v.who.ID {
			line.Why = "you have reviewed it"
		}
	}
	switch {
	case line.Expired:
		line.Why = "it has expired"
	case v.who.Allows(access.ReleaseReview, onRelease(w.Request)) != nil:
		line.Why = "validators and approvers review"
	case w.Requester == v.who.ID || w.Minter == v.who.ID:
		line.Why = "you asked for it: a second person reviews"
	}
	given := map[bool]string{true: "nobody has approved it", false: plural(approved, "approval")}[approved == 0]
	switch d := w.Decision; {
	case line.Expired:
		line.Missing = "It expired: whoever asked takes it back."
	case d == nil:
		line.Missing = sentence(given + "; the gate was not asked on record yet")
	case d.Verdict == tallystick.Pass:
		line.Stand, line.Missing = string(d.Verdict), sentence(given+"; the gate let it in when it was last asked, "+age(s.Now().Sub(d.At))+" ago")
	default:
		line.Stand = string(d.Verdict)
		titles, err := s.titles(d.Tier)
		if err != nil {
			titles = nil // the ids say it too
		}
		line.Missing = sentence(given + "; not met: " + listed(d.Denied, titles))
	}
	return line
}

// listed names rules, the first few by their titles.
func listed(ids []string, titles map[string]string) string {
	const named = 3
	var words []string
	for _, id := range ids[:min(len(ids), named)] {
		words = append(words, strings.ToLower(cmp.Or(titles[id], id)[:1])+cmp.Or(titles[id], id)[1:])
	}
	if more := len(ids) - named; more > 0 {
		words = append(words, count(more)+" more")
	}
	return strings.Join(words, "; ")
}

// links are the ways to choose among what waits.
func (f reviewFilter) links(all []release.Waiting) []filterLink {
	link := func(text string, to reviewFilter) filterLink {
		q := url.Values{}
		for name, value := range map[string]string{"environment": to.Environment, "tier": to.Tier} {
			if value != "" {
				q.Set(name, value)
			}
		}
		address := "/reviews"
		if len(q) > 0 {
			address += "?" + q.Encode()
		}
		return filterLink{text, address, to == f}
	}
	links := []filterLink{link("all", reviewFilter{})}
	seen := map[string]bool{}
	for _, w := range all {
		seen[w.Environment] = true
	}
	if f.Environment != "" {
		seen[f.Environment] = true
	}
	for _, e := range slices.Sorted(maps.Keys(seen)) {
		links = append(links, link("to "+e, reviewFilter{e, f.Tier}))
	}
	for _, tier := range []tallystick.Tier{tallystick.TierHigh, tallystick.TierLimited, tallystick.TierLow} {
		links = append(links, link("tier "+string(tier), reviewFilter{f.Environment, string(tier)}))
	}
	return links
}

// attempts are the last refusals of what goes around the gate, or around the second person.
func (s *server) attempts(v *visit) (list []attempt, err error) {
	events, err := s.Trail.Events(v.ctx(), trail.Filter{Type: trail.CommandRefused, Since: s.Now().Add(-attemptsSince), Newest: true, Limit: scannedRefusals})
	if err != nil {
		return nil, err
	}
	around := []string{string(access.AssignmentRecord), string(access.ReleaseReview), string(access.ReleasePromote), string(access.WaiverReview)}
	for _, e := range events {
		data := e.Sealed()
		command, _ := data["command"].(string)
		if !slices.Contains(around, command) || len(list) == shownAttempts {
			continue
		}
		list = append(list, attempt{catalog.Words(e, catalog.Telling{Data: data}), e.Time, e.Sequence, e.Model})
	}
	return list, nil
}

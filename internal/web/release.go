package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of the lists on the page of a release.
const (
	shownWaivers  = 50
	shownFreezes  = 50
	shownMoments  = 40  // of its time line
	comparedWith  = 60  // differences to the champion
	decidedLooked = 100 // decisions among which that of a closed request is looked for
	namesLookedUp = 1000
)

// releasePage is one request: what the gate says, who said what, and what the visitor may do.
type releasePage struct {
	release.Request
	Forms    forms
	State    string // open, expired, rejected, withdrawn or promoted
	Verdict  string // pass, fail, or empty if nobody knows
	Sentence string
	Next     string
	Model    catalog.Model
	Names    names
	Gate     *checklist
	Silent   string // why there is no checklist
	Decision *release.GateDecision
	Reviews  []release.Review
	Said     *release.Review // the last word of the visitor
	Champion *catalog.Assignment
	Rival    *catalog.Assignment // what it is measured against
	Diff     *diffPage
	Waivers  []release.Waiver
	Freezes  []release.Freeze
	Lines    []catalog.Line
	Seen     uint64 // sequence of the newest event that is shown
	Approve  deed
	Reject   deed
	Withdraw deed
	Promote  deed
	Typed    typed
	Trouble  *trouble
	Done     *done
}

// names are those of people by their ids.
type names map[string]string

// Of returns the name of somebody, their id if nobody knows it.
func (n names) Of(id string) string { return cmp.Or(n[id], id) }

// deed is something that could be done: Why says why the visitor may not.
type deed struct{ Why, Hint string }

// May reports whether the visitor may.
func (d deed) May() bool { return d.Why == "" }

// typed is what the visitor has filled in, so that a refusal loses nothing of it.
type typed struct{ Comment, Conflict, Reason string }

// deed asks what a command would be refused with.
func (s *server) deed(v *visit, c registry.Command) (deed, error) {
	err := s.Registry.Would(v.ctx(), c)
	switch {
	case err == nil:
		return deed{}, nil
	case refused(err):
		why, hint := words(err)
		// The visitor is looking at what it was not allowed on.
		return deed{strings.Replace(why, " ("+c.Resource.Type+" "+c.Resource.ID+")", "", 1), hint}, nil
	}
	return deed{}, err
}

func (s *server) release(v *visit) error {
	page, err := s.releasePage(v)
	if err != nil {
		return err
	}
	if page.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "release", page.title(), page)
}

func (p *releasePage) title() string {
	return "Release of " + p.Subject() + " to " + p.Environment
}

// Subject returns the name of the version with that of its model.
func (p *releasePage) Subject() string { return p.Target.Model + "@" + p.Target.Version }

// releasePage gathers the page of the request that the address names.
func (s *server) releasePage(v *visit) (*releasePage, error) {
	p := &releasePage{Forms: s.forms(v)}
	var err error
	if p.Request, p.Reviews, err = s.Releases.Request(v.ctx(), v.r.PathValue("release")); err != nil {
		return nil, err
	}
	p.State = string(p.Request.State)
	if p.Request.State == release.Open && !p.Live(s.Now()) {
		p.State = "expired"
	}
	if p.Model, err = s.Catalog.Model(v.ctx(), p.Target.Model); err != nil {
		return nil, err
	}
	for _, gather := range []func(*visit, *releasePage) error{s.gatherPlace, s.gatherPeople, s.gatherGate, s.gatherDeeds, s.gatherLines} {
		if err := gather(v, p); err != nil {
			return nil, err
		}
	}
	p.Sentence, p.Next = p.say()
	return p, nil
}

// gatherPlace finds what serves where the version is to serve, and what holds there.
func (s *server) gatherPlace(v *visit, p *releasePage) error {
	standing, err := s.Releases.Standing(v.ctx(), p.Environment, p.Target.Model)
	if err != nil {
		return err
	}
	p.Champion = standing.Champion
	if p.Rival, err = s.Releases.Rival(v.ctx(), p.Request); err != nil {
		return err
	}
	if p.Rival != nil && p.Rival.Version != p.Target.Version {
		d, err := s.Catalog.Diff(v.ctx(), p.Target.Model+"@"+p.Rival.Version, p.Subject())
		if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
			return err
		}
		p.Diff = &diffPage{Model: p.Target.Model, From: p.Rival.Version, To: p.Target.Version, Diff: d}
		if p.Diff.Hidden = max(0, len(d.Lines)-comparedWith); p.Diff.Hidden > 0 {
			p.Diff.Lines = d.Lines[:comparedWith]
		}
	}
	if p.Waivers, err = s.Releases.Waivers(v.ctx(), release.Filter{Model: p.Target.Model, Version: p.Target.Version, Environment: p.Environment, Limit: shownWaivers}); err != nil {
		return err
	}
	all, err := s.Releases.Freezes(v.ctx(), release.Filter{Open: true, Limit: shownFreezes})
	for _, f := range all {
		if (f.Model == "" || f.Model == p.Target.Model) && (f.Environment == "" || f.Environment == p.Environment) {
			p.Freezes = append(p.Freezes, f)
		}
	}
	return err
}

// gatherPeople names those who had to do with the request.
func (s *server) gatherPeople(v *visit, p *releasePage) (err error) {
	ids := []string{p.Requester, p.Minter, p.ClosedBy}
	for _, r := range p.Reviews {
		ids = append(ids, r.Reviewer, r.Minter)
		if r.Reviewer == v.who.ID {
			p.Said = &r
		}
	}
	for _, w := range p.Waivers {
		ids = append(ids, w.Owner, w.Requester, w.Reviewer)
	}
	for _, f := range p.Freezes {
		ids = append(ids, f.By)
	}
	p.Names, err = s.names(v, ids)
	return err
}

// names looks up the names of people.
func (s *server) names(v *visit, ids []string) (names, error) {
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	return s.People.Names(v.ctx(), ids[:min(len(ids), namesLookedUp)])
}

// gatherGate asks the gate about what is open, and looks up what it decided of the rest. Whoever may not ask
// is shown the last decision too.
func (s *server) gatherGate(v *visit, p *releasePage) error {
	b, err := s.background(v, p)
	if err != nil {
		return err
	}
	if p.State == string(release.Open) && v.who.Allows(access.GateAsk, onRelease(p.Request)) == nil {
		j, err := s.Releases.Look(v.ctx(), p.ID)
		switch {
		case err == nil:
			p.Gate, p.Verdict = newChecklist(j.Decision, true, b), string(j.Decision.Verdict)
			return nil
		case tallystick.CodeOf(err) != tallystick.Conflict: // closed meanwhile
			return err
		}
	}
	decisions, err := s.Releases.Decisions(v.ctx(), release.Filter{Model: p.Target.Model, Version: p.Target.Version, Environment: p.Environment, Limit: decidedLooked})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(decisions, func(d release.GateDecision) bool { return d.Request == p.ID })
	if i < 0 {
		p.Silent = "The gate has not judged this request on record."
		return nil
	}
	p.Decision, p.Verdict = &decisions[i], string(decisions[i].Verdict)
	again, err := s.Releases.Replay(v.ctx(), p.Decision.ID)
	switch tallystick.CodeOf(err) {
	case "":
		p.Gate = newChecklist(again, false, b)
	case tallystick.Conflict, tallystick.NotFound:
		p.Silent, _ = words(err)
	default:
		return err
	}
	return nil
}

// background gathers what a checklist is read against.
func (s *server) background(v *visit, p *releasePage) (background, error) {
	b := background{
		target: p.Target, waivers: p.Waivers, names: p.Names.replacer(), waivable: map[string]bool{}, evidence: map[tallystick.Digest]bool{},
		mayWaive: v.who.Allows(access.WaiverRequest, onVersion(p.Target.Model, p.Target.Version)) == nil,
	}
	rules, err := s.Releases.Rules(p.Model.Tier)
	if err != nil {
		return b, err
	}
	for _, rule := range rules {
		b.waivable[rule.ID] = rule.Waivable
	}
	evidence, err := s.Catalog.Evidence(v.ctx(), catalog.EvidenceFilter{Model: p.Target.Model, Version: p.Target.Version, Limit: shownEvidence})
	for _, e := range evidence {
		b.evidence[e.Digest] = e.Digest != "" && s.Evidence.Has(v.ctx(), e.Digest)
	}
	return b, err
}

// replacer writes people by their names where they stand by their ids.
func (n names) replacer() *strings.Replacer {
	var pairs []string
	for id, name := range n {
		pairs = append(pairs, id, name)
	}
	return strings.NewReplacer(pairs...)
}

// gatherDeeds finds out what the visitor may do. Each is asked of the very command that would do it.
func (s *server) gatherDeeds(v *visit, p *releasePage) (err error) {
	if p.State != string(release.Open) && p.State != "expired" {
		return nil
	}
	if p.Withdraw, err = s.deed(v, s.withdrawing(v, p.Request, "")); err != nil || p.State == "expired" {
		return err
	}
	if p.Approve, err = s.deed(v, s.reviewing(v, p.Request, release.Opining{Verdict: release.Approve, Comment: "-"})); err != nil {
		return err
	}
	if p.Reject, err = s.deed(v, s.reviewing(v, p.Request, release.Opining{Verdict: release.Reject, Comment: "-"})); err != nil {
		return err
	}
	p.Promote, err = s.deed(v, registry.Command{Principal: v.who, Action: access.ReleasePromote, Resource: onRelease(p.Request), Propose: nothing})
	if p.Promote.May() && p.Verdict == string(tallystick.Fail) {
		p.Promote = deed{"The gate denies it as things are.", "Asking all the same is safe: nothing is let in, and the denial is recorded."}
	}
	return err
}

// gatherLines tells what happened to the request, the newest first.
func (s *server) gatherLines(v *visit, p *releasePage) (err error) {
	p.Lines, err = s.linesSince(v, p, p.Event-1)
	if len(p.Lines) > 0 {
		p.Seen = p.Lines[0].Sequence
	}
	return err
}

// linesSince returns what happened to the request and its version after an event, but for who read it.
func (s *server) linesSince(v *visit, p *releasePage, after uint64) (lines []catalog.Line, err error) {
	for _, about := range []trail.Resource{onRelease(p.Request), onVersion(p.Target.Model, p.Target.Version)} {
		h, err := s.Catalog.History(v.ctx(), p.Target.Model, catalog.HistoryFilter{
			About: about, After: after, Newest: true, Limit: shownMoments, Personal: v.discloses(), People: s.People,
		})
		if err != nil {
			return nil, err
		}
		for _, l := range h.Lines {
			after := !p.Closed.IsZero() && l.Time.After(p.Closed)
			if !after && l.Type != trail.VersionRead.Short() && l.Type != trail.TrailRead.Short() {
				lines = append(lines, l)
			}
		}
	}
	slices.SortFunc(lines, func(a, b catalog.Line) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return lines[:min(len(lines), shownMoments)], nil
}

// say puts in a sentence how the request stands, and in another what comes next.
func (p *releasePage) say() (sentence, next string) {
	on := func(t time.Time) string { return t.UTC().Format("2 January 2006 at 15:04") }
	switch p.State {
	case string(release.Done):
		return "Let in on " + on(p.Closed) + " by " + p.Names.Of(p.ClosedBy) + ".", ""
	case string(release.Withdrawn):
		return "Taken back on " + on(p.Closed) + " by " + p.Names.Of(p.ClosedBy) + ".", "Nothing came of it. Ask again from the page of the version."
	case string(release.Rejected):
		said := "Rejected on " + on(p.Closed) + " by " + p.Names.Of(p.ClosedBy)
		for _, r := range p.Reviews {
			if r.Verdict == release.Reject && r.Comment != "" {
				said += ": “" + r.Comment + "”"
			}
		}
		return said + ".", "Settle what the rejection says, and ask again from the page of the version."
	case "expired":
		return "Expired on " + on(p.Expires) + " before anybody carried it out.", "Take it back, and ask again from the page of the version."
	}
	if p.Gate == nil {
		if p.Decision != nil {
			return "Denied when the gate was last asked, on " + on(p.Decision.At) + ".", ""
		}
		return "Nobody has asked the gate about it yet.", ""
	}
	c := p.Gate
	if p.Verdict == string(tallystick.Pass) {
		said := "The gate lets it in: " + count(c.Passed) + " of " + plural(c.Asked, "rule") + map[bool]string{true: " passes", false: " pass"}[c.Passed == 1]
		if c.Warned > 0 {
			said += ", " + plural(c.Warned, "warning")
		}
		if c.Waived > 0 {
			said += ", " + count(c.Waived) + " waived"
		}
		return said + ".", "An operator can carry it out until " + on(p.Expires) + "."
	}
	said := "Denied: " + count(c.Shut) + " of " + plural(c.Asked, "rule") + map[bool]string{true: " keeps", false: " keep"}[c.Shut == 1] + " it out."
	if n := c.Nearest; n != nil {
		next = cmp.Or(n.Remediation, n.Message)
		if len(n.Alike) > 0 {
			next = strings.TrimSuffix(next, ".") + ": " + plural(len(n.Alike), "rule") + " wait for it."
		}
	}
	return said, next
}

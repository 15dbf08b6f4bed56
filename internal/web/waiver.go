package web

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// waiverLine is a waiver with where it stands now: one that has ended stays approved on record.
type waiverLine struct {
	release.Waiver
	Stand string // requested, in force, expired, rejected or revoked
	Left  string // until it ends, in words
}

func (s *server) waiverLine(w release.Waiver) waiverLine {
	line := waiverLine{Waiver: w, Stand: w.Stand(s.Now())}
	if line.Stand == "in force" || line.Stand == string(release.WaiverOpen) {
		line.Left = age(w.Expires.Sub(s.Now()))
	}
	return line
}

func (s *server) waiverLines(all []release.Waiver) (lines []waiverLine) {
	for _, w := range all {
		lines = append(lines, s.waiverLine(w))
	}
	return lines
}

// waiversPage lists waivers, and asks for one if it is about a model.
type waiversPage struct {
	Model   string
	Waivers []waiverLine
	Titles  map[string]string
	Names   names
	Form    *waiverForm
}

// waiverForm asks for a waiver.
type waiverForm struct {
	Forms        forms
	Asking       release.Waiving
	Until        string
	Rules        []policy.Definition // that can be waived
	Versions     []string
	Environments []string
	Earliest     string
	Latest       string
	Why, Hint    string
	Trouble      *trouble
}

func (s *server) waivers(v *visit) error {
	p, err := s.waiversPage(v, release.Waiving{Version: v.query("version"), Environment: v.query("environment"), Rule: v.query("rule")})
	if err != nil {
		return err
	}
	return s.show(v, "waivers", p.title(), p)
}

func (p *waiversPage) title() string {
	if p.Model == "" {
		return "Waivers"
	}
	return "Waivers of " + p.Model
}

func (s *server) waiversPage(v *visit, asking release.Waiving) (*waiversPage, error) {
	p := &waiversPage{Model: v.r.PathValue("model")}
	all, err := s.Releases.Waivers(v.ctx(), release.Filter{Model: p.Model, Limit: shownWaivers})
	if err != nil {
		return nil, err
	}
	p.Waivers = s.waiverLines(all)
	var ids []string
	for _, w := range all {
		ids = append(ids, w.Owner, w.Requester)
	}
	if p.Names, err = s.names(v, ids); err != nil || p.Model == "" {
		return p, err
	}
	asking.Model = p.Model
	p.Form, err = s.waiverForm(v, asking)
	return p, err
}

// versionsOffered is how many of the newest versions a form offers.
const versionsOffered = 25

func (s *server) waiverForm(v *visit, asking release.Waiving) (*waiverForm, error) {
	now := s.Now().UTC()
	f := &waiverForm{
		Forms: s.forms(v), Asking: asking, Until: now.AddDate(0, 1, 0).Format(time.DateOnly),
		Earliest: now.AddDate(0, 0, 1).Format(time.DateOnly), Latest: now.AddDate(1, 0, 0).Format(time.DateOnly),
	}
	m, err := s.Catalog.Model(v.ctx(), asking.Model)
	if err != nil {
		return nil, err
	}
	if err := v.who.Allows(access.WaiverRequest, trail.Resource{Type: "model", ID: m.Name}); err != nil {
		f.Why, f.Hint = words(err)
		return f, nil
	}
	rules, err := s.Releases.Rules(m.Tier)
	if err != nil {
		return nil, err
	}
	f.Rules = slices.DeleteFunc(rules, func(r policy.Definition) bool { return !r.Waivable })
	versions, err := s.Catalog.Versions(v.ctx(), catalog.VersionFilter{Model: m.Name, Limit: versionsOffered})
	if err != nil {
		return nil, err
	}
	for _, one := range versions {
		f.Versions = append(f.Versions, one.Version)
	}
	if asking.Version != "" && !slices.Contains(f.Versions, asking.Version) {
		f.Versions = append(f.Versions, asking.Version)
	}
	environments, err := s.Catalog.Environments(v.ctx())
	for _, e := range slices.Backward(environments) {
		f.Environments = append(f.Environments, e.Name)
	}
	return f, err
}

// askWaiver asks for a waiver.
func (s *server) askWaiver(v *visit) error {
	w := release.Waiving{
		Model: v.r.PathValue("model"), Version: v.value("version"), Environment: v.value("environment"), Rule: v.value("rule"),
		Owner: v.value("owner"), Reason: v.value("reason"), Control: v.value("control"),
	}
	until := v.value("until")
	day, err := time.Parse(time.DateOnly, until)
	if err != nil {
		err = tallystick.Errorf(tallystick.Invalid, "%.40q is no day until which the waiver counts", until).WithHint("write it as 2026-03-03")
	}
	w.Expires = day.AddDate(0, 0, 1) // the day is part of it
	var done registry.Done
	if err == nil {
		done, err = s.act(v, registry.Command{
			Action: access.WaiverRequest, Resource: onVersion(w.Model, w.Version), Model: w.Model,
			Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.RequestWaiver(tx, w) }),
		})
	}
	if err == nil {
		return s.done(v, "/waivers/"+done.Receipt.ID, done.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.waiversPage(v, w)
	if errPage != nil {
		return errPage
	}
	p.Form.Until, p.Form.Trouble = until, troubleOf(err)
	return s.render(v, "waivers", p.title(), p.Form.Trouble.Status, p)
}

// waiverPage is one waiver.
type waiverPage struct {
	waiverLine
	Forms   forms
	Title   string // of the rule
	Names   names
	Review  deed
	Revoke  deed
	Typed   string // rationale
	Ends    string // why it was to be revoked
	Trouble *trouble
	Done    *done
}

func (s *server) waiver(v *visit) error {
	p, err := s.waiverPage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "waiver", p.heading(), p)
}

func (p *waiverPage) heading() string { return "Waiver of " + p.Rule }

func (s *server) waiverPage(v *visit) (*waiverPage, error) {
	w, err := s.Releases.Waiver(v.ctx(), v.r.PathValue("waiver"))
	if err != nil {
		return nil, err
	}
	p := &waiverPage{waiverLine: s.waiverLine(w), Forms: s.forms(v)}
	m, err := s.Catalog.Model(v.ctx(), w.Model)
	if err != nil {
		return nil, err
	}
	titles, err := s.titles(m.Tier)
	if err != nil {
		return nil, err
	}
	p.Title = titles[w.Rule]
	if p.Names, err = s.names(v, []string{w.Owner, w.Requester, w.Reviewer}); err != nil {
		return nil, err
	}
	if w.State == release.WaiverOpen {
		if p.Review, err = s.deed(v, s.reviewingWaiver(v, w, release.Approve, "")); err != nil {
			return nil, err
		}
	}
	if w.State == release.WaiverOpen || w.State == release.WaiverApproved {
		p.Revoke, err = s.deed(v, s.revokingWaiver(v, w, ""))
	}
	return p, err
}

func (s *server) reviewingWaiver(v *visit, w release.Waiver, verdict release.Opinion, comment string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.WaiverReview, Resource: trail.Resource{Type: "waiver", ID: w.ID}, Model: w.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) {
			return s.Releases.ReviewWaiver(tx, w.ID, verdict, comment, v.who)
		}),
		Bypass: func(tx *state.Tx) (trail.Change, error) { return s.Releases.WaiverBypass(tx, w.ID, verdict, v.who) },
	}
}

func (s *server) revokingWaiver(v *visit, w release.Waiver, reason string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.WaiverReview, Resource: trail.Resource{Type: "waiver", ID: w.ID}, Model: w.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.RevokeWaiver(tx, w.ID, reason) }),
	}
}

// reviewWaiver approves or rejects a waiver.
func (s *server) reviewWaiver(v *visit) error {
	comment := v.value("comment")
	return s.onWaiver(v, comment, "", func(w release.Waiver) (registry.Done, error) {
		if comment == "" {
			return registry.Done{}, tallystick.Errorf(tallystick.Invalid, "a review says why").WithHint("write what makes the risk bearable until then, or does not")
		}
		return s.act(v, s.reviewingWaiver(v, w, release.Opinion(v.value("verdict")), comment))
	})
}

// revokeWaiver ends a waiver before its time.
func (s *server) revokeWaiver(v *visit) error {
	reason := v.value("reason")
	return s.onWaiver(v, "", reason, func(w release.Waiver) (registry.Done, error) {
		return s.act(v, s.revokingWaiver(v, w, reason))
	})
}

func (s *server) onWaiver(v *visit, comment, reason string, do func(release.Waiver) (registry.Done, error)) error {
	w, err := s.Releases.Waiver(v.ctx(), v.r.PathValue("waiver"))
	if err != nil {
		return err
	}
	receipt, err := do(w)
	if err == nil {
		return s.done(v, "/waivers/"+w.ID, receipt.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.waiverPage(v)
	if errPage != nil {
		return errPage
	}
	p.Typed, p.Ends, p.Trouble = comment, reason, troubleOf(err)
	return s.render(v, "waiver", p.heading(), p.Trouble.Status, p)
}

// age writes a time span in its largest unit.
func age(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / u.of); n > 0 {
			return plural(n, u.name)
		}
	}
	return "a moment"
}

package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
)

// value returns what was filled in, without the line ends that browsers send.
func (v *visit) value(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(v.r.PostFormValue(name), "\r\n", "\n"))
}

// reviewRelease approves or rejects a request.
func (s *server) reviewRelease(v *visit) error {
	t := typed{Comment: v.value("comment"), Conflict: v.value("conflict")}
	o := release.Opining{Verdict: release.Opinion(v.value("verdict")), Digest: tallystick.Digest(v.value("digest")), Conflict: t.Conflict, Comment: t.Comment}
	return s.onRequest(v, t, func(r release.Request) (registry.Done, error) {
		if t.Comment == "" {
			return registry.Done{}, tallystick.Errorf(tallystick.Invalid, "a review says why").WithHint("write what you looked at, and what you make of it")
		}
		done, err := s.act(v, s.reviewing(v, r, o))
		if err == nil && !done.Repeated {
			s.askGate(v, r)
		}
		return done, err
	})
}

// withdrawRelease takes a request back.
func (s *server) withdrawRelease(v *visit) error {
	t := typed{Reason: v.value("reason")}
	return s.onRequest(v, t, func(r release.Request) (registry.Done, error) {
		return s.act(v, s.withdrawing(v, r, t.Reason))
	})
}

// promoteRelease carries a request out, if the gate lets it in.
func (s *server) promoteRelease(v *visit) error {
	return s.onRequest(v, typed{}, func(r release.Request) (registry.Done, error) {
		return s.act(v, s.promoting(v, r))
	})
}

// onRequest does something to the request that the address names, and shows its page. What is refused shows
// the page as it is by now, why, what happened since it was opened, and what was typed.
func (s *server) onRequest(v *visit, t typed, do func(release.Request) (registry.Done, error)) error {
	r, _, err := s.Releases.Request(v.ctx(), v.r.PathValue("release"))
	if err != nil {
		return err
	}
	receipt, err := do(r)
	if err == nil {
		return s.done(v, releaseAddress(r.ID), receipt.Receipt)
	}
	if !refused(err) {
		return err
	}
	page, errPage := s.releasePage(v)
	if errPage != nil {
		return errPage
	}
	page.Typed, page.Trouble = t, troubleOf(err)
	if seen, err := strconv.ParseUint(v.value("seen"), 10, 63); err == nil && seen > 0 {
		for _, l := range page.Lines {
			if l.Sequence > seen && l.Type != "command.refused" {
				page.Trouble.Since = append(page.Trouble.Since, l)
			}
		}
	}
	return s.render(v, "release", page.title(), page.Trouble.Status, page)
}

// releaseForm asks for a release.
type releaseForm struct {
	Forms        forms
	Model        string
	Version      string
	Environments []catalog.Environment
	Roles        []catalog.Role
	Asking       release.Asking
	Days         int
	Why, Hint    string // the visitor may not ask
	Trouble      *trouble
}

const usualDays = 14

// newReleaseForm returns the form by which a version is asked to be let in, as this visitor may use it.
func (s *server) newReleaseForm(v *visit, model, version string) (*releaseForm, error) {
	f := &releaseForm{
		Forms: s.forms(v), Model: model, Version: version, Days: usualDays,
		Roles: []catalog.Role{catalog.Champion, catalog.Canary, catalog.Challenger, catalog.Shadow},
	}
	if err := v.who.Allows(access.ReleaseRequest, onVersion(model, version)); err != nil {
		f.Why, f.Hint = words(err)
		return f, nil
	}
	all, err := s.Catalog.Environments(v.ctx())
	for i := len(all) - 1; i >= 0; i-- { // the strictest last in a row of stages is what is asked for most
		f.Environments = append(f.Environments, all[i])
	}
	return f, err
}

// askRelease asks that a version be let in.
func (s *server) askRelease(v *visit) error {
	f, err := s.newReleaseForm(v, v.r.PathValue("model"), v.value("version"))
	if err != nil {
		return err
	}
	a := release.Asking{
		Model: f.Model, Version: f.Version, Environment: v.value("environment"), Role: catalog.Role(v.value("role")), Reason: v.value("reason"),
	}
	f.Asking = a
	err = f.read(v, &a)
	var done registry.Done
	if err == nil {
		done, err = s.act(v, s.asking(v, a))
	}
	if err != nil {
		if !refused(err) {
			return err
		}
		f.Asking, f.Trouble = a, troubleOf(err)
		return s.render(v, "release-ask", "Ask for a release of "+f.Model+"@"+f.Version, f.Trouble.Status, f)
	}
	var r release.Request
	if err := json.Unmarshal(done.Answer, &r); err != nil {
		return fmt.Errorf("answer of a request: %w", err)
	}
	if done.Changes > 0 && !done.Repeated {
		s.askGate(v, r)
	}
	return s.done(v, releaseAddress(r.ID), done.Receipt)
}

// read reads the numbers of the form, and what a page asks for beyond what the command does.
func (f *releaseForm) read(v *visit, a *release.Asking) error {
	if a.Reason == "" {
		return tallystick.Errorf(tallystick.Invalid, "a request says why").WithHint("write what is better about this version")
	}
	var err error
	if days := v.value("days"); days != "" {
		if f.Days, err = strconv.Atoi(days); err != nil || f.Days < 1 || f.Days > 90 {
			return tallystick.Errorf(tallystick.Invalid, "%.20q is no number of days from 1 to 90", days)
		}
	}
	a.Lasts = time.Duration(f.Days) * 24 * time.Hour
	if percent := v.value("percent"); percent != "" && a.Role == catalog.Canary {
		if a.Percent, err = strconv.ParseInt(percent, 10, 64); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "%.20q is no share in percent", percent)
		}
	}
	return nil
}

// askForm is the page of the form alone.
func (s *server) askForm(v *visit) error {
	known, err := s.Catalog.Version(v.ctx(), v.r.PathValue("model"), v.r.PathValue("version"))
	if err != nil {
		return err
	}
	f, err := s.newReleaseForm(v, known.Model, known.Version)
	if err != nil {
		return err
	}
	f.Asking.Environment = v.query("to")
	return s.show(v, "release-ask", "Ask for a release of "+known.Name(), f)
}

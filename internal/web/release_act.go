package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// forms is what every form of a page carries: the session that it belongs to, and which filling in it is, so
// that one sent twice is carried out once.
type forms struct{ CSRF, Once string }

func (s *server) forms(v *visit) forms { return forms{v.session.CSRF(), tallystick.NewID(s.Now())} }

// act carries out what a form asks for.
func (s *server) act(v *visit, c registry.Command) (registry.Done, error) {
	c.Principal = v.who
	if once := v.r.PostFormValue("once"); once != "" {
		// The key holds what was filled in: who goes back and writes something else asks for something else.
		asked := tallystick.DigestOf([]byte(v.r.URL.Path + "\n" + v.r.PostForm.Encode()))
		c.Retry = registry.Retry{Key: once[:min(len(once), 64)] + " " + string(c.Action) + " " + asked.Short(), Request: asked}
	}
	return s.Registry.Do(v.ctx(), c)
}

// done sends the visitor to the page of what they did, which shows the event of it.
func (s *server) done(v *visit, to string, receipt trail.Receipt) error {
	if receipt.Sequence > 0 {
		to += "?done=" + strconv.FormatUint(receipt.Sequence, 10)
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// done is what the visitor has just done.
type done struct {
	Words   string
	Event   uint64
	Level   trail.Level
	Outcome string
}

// justDone returns the event that the address names, if it is the visitor's own; nil if it names none.
func (s *server) justDone(v *visit) (*done, error) {
	named := v.query("done")
	if _, err := strconv.ParseUint(named, 10, 63); err != nil {
		return nil, nil //nolint:nilerr // the address names none
	}
	e, err := s.Trail.Event(v.ctx(), named)
	if tallystick.CodeOf(err) == tallystick.NotFound || err == nil && e.Actor != v.who.ID {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	words := catalog.Words(e, catalog.Telling{Who: v.who.ID, Data: e.Sealed(), Names: map[string]string{v.who.ID: "You"}})
	return &done{Words: words, Event: e.Sequence, Level: levelOf(e), Outcome: string(e.Outcome)}, nil
}

// refused reports whether an error belongs on the page with the form, beside what was typed.
func refused(err error) bool {
	switch tallystick.CodeOf(err) {
	case tallystick.Invalid, tallystick.Conflict, tallystick.Forbidden:
		return true
	}
	return false
}

// trouble is why a form was refused.
type trouble struct {
	Status        int
	Message, Hint string
	Since         []catalog.Line // what happened since the visitor opened the page
}

func troubleOf(err error) *trouble {
	t := &trouble{Status: tallystick.CodeOf(err).HTTPStatus()}
	t.Message, t.Hint = words(err)
	if strings.HasPrefix(t.Hint, "Add --") { // for who typed a command; here the field is in sight
		t.Hint = ""
	}
	return t
}

// single makes a proposal of one that returns one change, or none.
func single(propose func(tx *state.Tx) (trail.Change, error)) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		c, err := propose(tx)
		if c == nil || err != nil {
			return nil, err
		}
		return []trail.Change{c}, nil
	}
}

func onRelease(r release.Request) trail.Resource { return trail.Resource{Type: "release", ID: r.ID} }

func onVersion(model, version string) trail.Resource {
	return trail.Resource{Type: "version", ID: model + "@" + version}
}

// asking is the command by which a release is asked for. Its answer is the request.
func (s *server) asking(v *visit, a release.Asking) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.ReleaseRequest, Resource: onVersion(a.Model, a.Version), Model: a.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Ask(tx, a, v.who) }),
		Answer:  func(tx *state.Tx) (any, error) { return s.Releases.OpenRequestIn(tx, a) },
	}
}

// reviewing is the command by which a request is approved or rejected.
func (s *server) reviewing(v *visit, r release.Request, o release.Opining) registry.Command {
	o.Request = r.ID
	return registry.Command{
		Principal: v.who, Action: access.ReleaseReview, Resource: onRelease(r), Model: r.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Review(tx, o, v.who) }),
		Bypass:  func(tx *state.Tx) (trail.Change, error) { return s.Releases.ReviewBypass(tx, o, v.who) },
	}
}

// withdrawing is the command by which a request is taken back.
func (s *server) withdrawing(v *visit, r release.Request, reason string) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.ReleaseRequest, Resource: onRelease(r), Model: r.Model,
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Withdraw(tx, r.ID, reason) }),
	}
}

// judged asks the gate about a request, before the transaction that needs its answer: judging takes longer
// than a transaction may. What it refuses is refused, and recorded, by the command.
func (s *server) judged(v *visit, r release.Request, action access.Action, propose func(tx *state.Tx, j release.Judgement) ([]trail.Change, error)) registry.Command {
	c := registry.Command{Principal: v.who, Action: action, Resource: onRelease(r), Model: r.Model}
	var j release.Judgement
	err := v.who.Allows(action, c.Resource)
	if err == nil {
		j, err = s.Releases.Judge(v.ctx(), r.ID)
	}
	c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
		if err != nil {
			return nil, err
		}
		return propose(tx, j)
	}
	return c
}

func (s *server) promoting(v *visit, r release.Request) registry.Command {
	return s.judged(v, r, access.ReleasePromote, s.Releases.Promote)
}

// askGate puts on record what the gate says of a request now that something was done about it: the list of
// what waits shows it. What was done stays done if that does not succeed.
func (s *server) askGate(v *visit, r release.Request) {
	if v.who.Allows(access.GateAsk, onRelease(r)) != nil {
		return
	}
	_, err := s.Registry.Do(v.ctx(), s.judged(v, r, access.GateAsk, s.Releases.Record))
	if err != nil && tallystick.CodeOf(err) != tallystick.Conflict {
		s.Logger.ErrorContext(v.ctx(), "the gate was not asked", slog.String("release", r.ID), slog.Any("error", err))
	}
}

func releaseAddress(id string) string { return "/releases/" + url.PathEscape(id) }

func nothing(*state.Tx) ([]trail.Change, error) { return nil, nil }

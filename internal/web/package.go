package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/internal/trail"
)

// packagePage asks for all that is on record about a model, for an auditor.
type packagePage struct {
	Forms               forms
	Model, Version      string
	Versions            []string
	From, Until         string
	For, Purpose        string
	Disclosing          bool // the visitor may open sealed fields
	Disclose, Complete  bool
	Why, Hint           string // the visitor may not have one
	Problem, Correction string // what was wrong with what was filled in
}

func (s *server) packageForm(v *visit) error {
	p, err := s.packagePage(v)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	p.Version, p.From, p.Until = v.query("version"), now.AddDate(-1, 0, 0).Format(time.DateOnly), now.Format(time.DateOnly)
	return s.show(v, "package", "Package of "+p.Model, p)
}

func (s *server) packagePage(v *visit) (*packagePage, error) {
	m, err := s.Catalog.Model(v.ctx(), v.r.PathValue("model"))
	if err != nil {
		return nil, err
	}
	p := &packagePage{Forms: s.forms(v), Model: m.Name, Disclosing: v.discloses()}
	if err := v.who.Allows(access.BundleExport, trail.Resource{Type: "model", ID: m.Name}); err != nil {
		p.Why, p.Hint = words(err)
	}
	versions, err := s.Catalog.Versions(v.ctx(), catalog.VersionFilter{Model: m.Name, Limit: versionsOffered})
	for _, one := range versions {
		p.Versions = append(p.Versions, one.Version)
	}
	return p, err
}

// handOut makes the package and sends it, or shows the form again with what was wrong.
func (s *server) handOut(v *visit) error {
	p, err := s.packagePage(v)
	if err != nil {
		return err
	}
	said := func(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }
	p.Version, p.From, p.Until, p.For, p.Purpose = said("version"), said("from"), said("until"), said("for"), said("purpose")
	p.Disclose, p.Complete = said("disclose") != "", said("complete") != ""
	r := dossier.Request{Model: p.Model, Version: p.Version, Recipient: p.For, Disclose: p.Disclose, Complete: p.Complete}
	if r.From, err = day(p.From); err == nil {
		r.Until, err = day(p.Until)
	}
	if !r.Until.IsZero() { // the last day is in it
		r.Until = r.Until.AddDate(0, 0, 1)
	}
	if now := s.Now(); r.Until.After(now) {
		r.Until = time.Time{}
	}
	var made *dossier.Package
	if err == nil {
		made, err = s.Packages.HandOut(v.ctx(), s.Registry, v.who, p.Purpose, r)
	}
	if err != nil {
		code := tallystick.CodeOf(err)
		if code == tallystick.Internal {
			return err
		}
		p.Problem, p.Correction = words(err)
		return s.render(v, "package", "Package of "+p.Model, code.HTTPStatus(), p)
	}
	defer func() { _ = made.Close() }() // it has left, or the visitor has
	v.w.Header().Set("Content-Type", "application/zip")
	v.w.Header().Set("Content-Length", strconv.FormatInt(made.Size, 10))
	v.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.tally"`, p.Model))
	v.w.WriteHeader(http.StatusOK)
	_, _ = made.WriteTo(v.w) // the visitor may have gone
	return nil
}

// day reads a day of a form; none is the zero time.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, tallystick.Errorf(tallystick.Invalid, "%.40q is no day", text).WithHint("write it as 2026-03-31")
	}
	return t, nil
}

package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

const findingsPerPage = 50

// findingsPage is the backlog, or with settled ones the list of findings.
type findingsPage struct {
	catalog.FindingFilter
	All        bool // settled ones too
	Kind       string
	Count      catalog.FindingCount // of the model, or of all
	Severities []severityCount
	Kinds      []catalog.FindingKind
	Findings   []catalog.Finding
	More       string
	Filtered   bool
}

// severityCount is how many findings of a severity nobody has settled, and the way to them.
type severityCount struct {
	Severity catalog.Severity
	Count    int64
	Way      string
}

func (s *server) findings(v *visit) (err error) {
	p := findingsPage{FindingFilter: catalog.FindingFilter{
		Model: v.query("model"), Environment: v.query("environment"), Severity: catalog.Severity(v.query("severity")), Owner: v.query("owner"),
		Overdue: v.query("overdue") != "", After: v.query("after"), Limit: findingsPerPage + 1,
	}, All: v.query("state") == "all", Kind: v.query("kind"), Kinds: catalog.FindingKinds()}
	switch v.query("state") {
	case "all", "":
	default:
		p.State = catalog.FindingState(v.query("state"))
	}
	p.Filtered = p.Model+p.Environment+p.Kind+p.Owner+string(p.Severity)+string(p.State) != "" || p.All || p.Overdue
	f := p.FindingFilter
	if f.Open = !p.All; p.Kind != "" {
		f.Kinds = []catalog.FindingKind{catalog.FindingKind(p.Kind)}
	}
	if f.Owner != "" {
		if f.Owner, err = s.People.ActorID(v.ctx(), f.Owner); err != nil {
			return err
		}
	}
	if p.Findings, err = s.Catalog.Findings(v.ctx(), f); err != nil {
		return err
	}
	if len(p.Findings) > findingsPerPage {
		p.Findings = p.Findings[:findingsPerPage]
		p.More = v.with("after", p.Findings[findingsPerPage-1].Place())
	}
	if p.Count, err = s.Catalog.CountFindings(v.ctx(), p.Model); err != nil {
		return err
	}
	for _, severity := range catalog.Severities() {
		p.Severities = append(p.Severities, severityCount{severity, p.Count.Severities[severity], p.Way("severity", string(severity))})
	}
	return s.show(v, "findings", "Findings", p)
}

// with returns the address of the page with another value of a parameter.
func (v *visit) with(name, value string) string {
	q := v.r.URL.Query()
	q.Set(name, value)
	return v.r.URL.Path + "?" + q.Encode()
}

// Way leads to the unsettled findings of the same model of which name has the value; all of them without one.
func (p findingsPage) Way(name, value string) string {
	q := url.Values{}
	if p.Model != "" {
		q.Set("model", p.Model)
	}
	if name != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return "/findings"
	}
	return "/findings?" + q.Encode()
}

// findingPage is one finding.
type findingPage struct {
	catalog.Finding
	Forms                      forms
	Steps                      []catalog.FindingStep
	Names                      names
	Severities                 []catalog.Severity
	Triage, Remediate, Dismiss deed
	Typed                      catalog.FindingTriage
	Remedy                     catalog.FindingRemedy
	Reason, Date               string
	Trouble                    *trouble
	Done                       *done
}

func (p *findingPage) heading() string {
	return "Finding: " + strings.ReplaceAll(string(p.Kind), "_", " ")
}

func (s *server) finding(v *visit) error {
	p, err := s.findingPage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "finding", p.heading(), p)
}

func (s *server) findingPage(v *visit) (p *findingPage, err error) {
	p = &findingPage{Forms: s.forms(v), Severities: catalog.Severities()}
	if p.Finding, err = s.Catalog.Finding(v.ctx(), v.r.PathValue("finding")); err != nil {
		return nil, err
	}
	if p.Steps, err = s.Catalog.FindingSteps(v.ctx(), p.ID); err != nil {
		return nil, err
	}
	ids := []string{p.Owner, p.Suspect}
	for _, step := range p.Steps {
		ids = append(ids, step.By, step.Owner)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	if !p.Open() {
		return p, nil
	}
	p.Typed = catalog.FindingTriage{Owner: p.Names.Of(p.Owner), Severity: p.Severity}
	p.Date = p.Due.UTC().Format("2006-01-02")
	for _, try := range []struct {
		into *deed
		act  findingAct
	}{
		{&p.Triage, s.triaging(v, p.ID, catalog.FindingTriage{Owner: "somebody", Note: "looked at"})},
		{&p.Remediate, s.remediating(v, p.ID, catalog.FindingRemedy{Note: "put right"})},
		{&p.Dismiss, s.ending(v, p.ID, catalog.FindingIsDismissed, catalog.FindingEnd{Reason: "answered for"})},
	} {
		if *try.into, err = s.deed(v, try.act.command(v)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// onFinding carries out what a form asks for, or shows the page with what was typed and why not.
func (s *server) onFinding(v *visit, keep func(*findingPage), read func() (findingAct, error)) error {
	act, err := read()
	if err == nil {
		receipt, errAct := s.act(v, act.command(v))
		if errAct == nil {
			return s.done(v, "/findings/"+url.PathEscape(v.r.PathValue("finding")), receipt.Receipt)
		}
		err = errAct
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.findingPage(v)
	if errPage != nil {
		return errPage
	}
	keep(p)
	p.Trouble = troubleOf(err)
	return s.render(v, "finding", p.heading(), max(p.Trouble.Status, http.StatusBadRequest), p)
}

// SettledByWord reports whether a reviewer may settle such a finding without a run.
func (p *findingPage) SettledByWord() bool { return p.Kind != catalog.RuleFailed }

// ownerOf returns the id of the user of that name, or the name.
func (s *server) ownerOf(v *visit, name string) (string, error) {
	if name == "" {
		return "", tallystick.Errorf(tallystick.Invalid, "nobody is to put it right").WithHint("write a name")
	}
	return s.People.ActorID(v.ctx(), name)
}

package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/prediction"
)

const casesPerPage = 50

func caseAddress(id string) string { return "/cases/" + url.PathEscape(id) }

// redirect sends the visitor to another page of this house.
func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// caseLine is a case in a list.
type caseLine struct {
	casework.Case
	Overdue bool
	Stands  string // what it waits for, in words
	Said    string // by the model
	Answer  string // that was decided
	Claimed bool   // somebody works on it
}

func (s *server) caseLine(c casework.Case) caseLine {
	l := caseLine{Case: c, Said: plain(c.Output), Answer: plain(c.Outcome)}
	l.Overdue = c.State != casework.Decided && s.Now().After(c.Due)
	l.Claimed = c.ClaimedBy != "" && s.Now().Before(c.ClaimedTo)
	switch c.State {
	case casework.Open:
		l.Stands = "waits for an opinion"
	case casework.Second:
		l.Stands = "waits for a second opinion"
	case casework.Disputed:
		l.Stands = "two opinions differ: waits for a third person"
	}
	return l
}

// Why says why the case was opened.
func (l caseLine) Why() string {
	if l.Reason != "" {
		return l.Reason
	}
	return "chosen by the rule " + l.Rule
}

// Subject returns the name of the version that answered.
func (l caseLine) Subject() string { return subjectOf(l.Model, l.Version) }

// AgreesNow reports whether the answer is what the model said.
func (l caseLine) AgreesNow() bool { return l.Agrees != nil && *l.Agrees }

// plain writes a value as people do: text without quotes.
func plain(value json.RawMessage) string {
	var v prediction.Value
	if len(value) == 0 || v.UnmarshalJSON(value) != nil {
		return ""
	}
	return v.String()
}

// casesPage is the queue.
type casesPage struct {
	Model, Queue, State string
	Mine, Overdue       bool
	Filtered            bool
	Work                casework.Workload
	Cases               []caseLine
	Names               names
	More                string
}

func (s *server) cases(v *visit) (err error) {
	p := casesPage{
		Model: strings.TrimSpace(v.query("model")), Queue: strings.TrimSpace(v.query("queue")), State: v.query("state"),
		Mine: v.query("mine") != "", Overdue: v.query("overdue") != "",
	}
	p.Filtered = p.Model+p.Queue+p.State != "" || p.Mine || p.Overdue
	f := casework.Filter{Model: p.Model, Queue: p.Queue, Overdue: p.Overdue, After: v.query("after"), Limit: casesPerPage + 1}
	switch p.State {
	case "":
		f.Waiting = true
	case "all":
	default:
		f.State = casework.State(p.State)
	}
	if p.Mine {
		f.ClaimedBy = v.who.ID
	}
	list, err := s.Cases.Cases(v.ctx(), f)
	if err != nil {
		return err
	}
	if len(list) > casesPerPage {
		list = list[:casesPerPage]
		p.More = v.with("after", list[casesPerPage-1].Place())
	}
	var ids []string
	for _, c := range list {
		p.Cases = append(p.Cases, s.caseLine(c))
		ids = append(ids, c.ClaimedBy)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return err
	}
	if p.Work, err = s.Cases.Workload(v.ctx(), p.Model, time.Time{}, time.Time{}); err != nil {
		return err
	}
	return s.show(v, "cases", "Cases", p)
}

// Way leads to the cases of the same model of which name has the value.
func (p casesPage) Way(name, value string) string {
	q := url.Values{}
	if p.Model != "" {
		q.Set("model", p.Model)
	}
	if name != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return "/cases"
	}
	return "/cases?" + q.Encode()
}

// States are the other states by which cases are chosen, in words.
func (p casesPage) States() map[string]string {
	return map[string]string{"open": "open", "second": "for a second opinion", "disputed": "disputed", "decided": "decided", "all": "all"}
}

// Share writes a portion short: the interval stands beside it.
func (p casesPage) Share(of figure.Portion) string {
	if of.Rate == nil {
		return ""
	}
	return figureOf(*of.Rate*100) + " %"
}

// casePage is one case.
type casePage struct {
	caseLine
	Forms                       forms
	Told                        *told  // nil if the prediction is not kept any more
	Gone                        string // why it is not
	Opinions                    []opinionLine
	Blind                       bool // an opinion is kept from the visitor
	Names                       names
	Own                         bool // the visitor has claimed it
	ClaimIt, GiveBack, JudgeIt  deed
	MayAskSecond                bool
	TypedAnswer, TypedRationale string
	TypedSecond                 bool
	Trouble                     *trouble
	Done                        *done
}

// opinionLine is an opinion with its answer as people write it.
type opinionLine struct {
	casework.Opinion
	Answer string
}

func (p *casePage) heading() string { return "Case of " + p.Subject() }

func (s *server) oneCase(v *visit) error {
	p, err := s.casePage(v)
	if err != nil {
		return err
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "case", p.heading(), p)
}

// casePage gathers the page of the case that the address names, as the visitor may see it.
func (s *server) casePage(v *visit) (*casePage, error) {
	if err := s.admit(v, access.PredictionRead); err != nil { // a refused form shows the page too
		return nil, err
	}
	c, given, err := s.Cases.Case(v.ctx(), v.r.PathValue("case"), v.who)
	if err != nil {
		return nil, err
	}
	p := &casePage{caseLine: s.caseLine(c), Forms: s.forms(v)}
	p.Blind = c.State == casework.Second && len(given) == 0
	p.Own = p.Claimed && c.ClaimedBy == v.who.ID
	p.MayAskSecond = c.State == casework.Open && !c.NeedsSecond
	ids := []string{c.ClaimedBy}
	for _, o := range given {
		p.Opinions = append(p.Opinions, opinionLine{o, plain(o.Outcome)})
		ids = append(ids, o.Reviewer)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	p.Told, err = s.explained(v, c.Prediction)
	if tallystick.CodeOf(err) == tallystick.NotFound { // erased, or kept for long enough
		p.Gone, _ = words(err)
		err = nil
	}
	if err != nil || c.State == casework.Decided {
		return p, err
	}
	for _, try := range []struct {
		into *deed
		act  caseAct
	}{
		{&p.ClaimIt, s.claiming(v, c)},
		{&p.GiveBack, s.givingBack(v, c)},
		{&p.JudgeIt, s.judging(v, c, casework.Judgement{Outcome: prediction.String("an answer"), Rationale: "looked at"})},
	} {
		if *try.into, err = s.deed(v, try.act.command(v)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// answerOf reads the answer that somebody wrote: of the kind of what the model said. Where that is not on
// record it is a number, true or false if it looks like one.
func answerOf(text string, said json.RawMessage) prediction.Value {
	var v prediction.Value
	kind := cmp.Or(string(bytes.TrimSpace(said)), "?")[0]
	if kind != '"' && v.UnmarshalJSON([]byte(text)) == nil && !v.IsNull() {
		return v
	}
	return prediction.String(text)
}

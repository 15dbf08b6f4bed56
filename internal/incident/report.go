package incident

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// PostMortemSchema names the form of a post-mortem.
const PostMortemSchema = "tallystick.incident.post-mortem/1"

// PostMortem is what an incident was, and what is learned from it. The facts are the program's, from the trail and from the
// brief; the answers are people's. Nobody is named: it is about what happened, not about who.
type PostMortem struct {
	Schema   string            `json:"schema"`
	Incident Incident          `json:"incident"`
	Times    Times             `json:"times"`
	Affected *int64            `json:"affected,omitempty" doc:"predictions from the first bad window on until the harm stopped; absent: not known"`
	Failing  []BriefRow        `json:"failing,omitempty" doc:"what failed in the newest bad window when the incident was opened"`
	Alerts   []Joined          `json:"alerts,omitempty"`
	Timeline []TimelineEntry   `json:"timeline"`
	Runbook  []Worked          `json:"runbook,omitempty" doc:"the steps of the runbook, and what came of them"`
	Links    []Deed            `json:"links,omitempty" doc:"what belongs to it"`
	Evidence []Deed            `json:"evidence,omitempty" doc:"documents that were added"`
	Missing  []string          `json:"missing,omitempty" doc:"what was not on record"`
	Answers  map[string]string `json:"answers,omitempty" doc:"to the questions, by their keys; absent in a draft"`
	Written  time.Time         `json:"written"`
}

// Worked is a step of the runbook with what came of it.
type Worked struct {
	Number int64  `json:"number"`
	Name   string `json:"name"`
	As     string `json:"as,omitempty" doc:"done or skipped; absent: nobody said"`
	Note   string `json:"note,omitempty"`
}

// Question is what a post-mortem asks people.
type Question struct{ Key, Text string }

// Questions returns what a post-mortem asks. They are about conditions, not about people.
func Questions() []Question {
	return []Question{
		{"harm", "What was the harm, whom did it reach, and what is done for them?"},
		{"why", "Which conditions made it possible? (Ask why of each answer until it is something that can be changed.)"},
		{"noticed", "How was it noticed, and what would have shown it sooner?"},
		{"response", "What went well in the response, what was luck, and what stood in the way?"},
		{"prevention", "What is changed so that it does not happen again, or is found sooner, and who does it until when?"},
	}
}

// Blank returns the questions as a file to write answers into.
func Blank() string {
	var b strings.Builder
	for _, q := range Questions() {
		fmt.Fprintf(&b, "## %s\n%s\n\n\n", q.Key, q.Text)
	}
	return b.String()
}

// ParseAnswers reads answers: under a heading for each question, by its key. The question itself may stand there still.
// Every question needs an answer.
func ParseAnswers(text string) (map[string]string, error) {
	answers, key := map[string]string{}, ""
	known := map[string]string{}
	for _, q := range Questions() {
		known[q.Key] = q.Text
	}
	for n, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		heading, is := strings.CutPrefix(line, "## ")
		switch {
		case is:
			if key = strings.TrimSpace(heading); known[key] == "" {
				return nil, tallystick.Errorf(tallystick.Invalid, "line %d: no question is called %.40q", n+1, key).WithHint("use harm, why, noticed, response and prevention")
			}
		case key == "" && strings.TrimSpace(line) != "":
			return nil, tallystick.Errorf(tallystick.Invalid, "line %d stands under no question", n+1).WithHint("`tallystick incident report ID --questions` prints the file to begin with")
		case line != known[key]:
			answers[key] += line + "\n"
		}
	}
	for _, q := range Questions() {
		answer := strings.TrimSpace(answers[q.Key])
		if answer == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "the question %s has no answer: %s", q.Key, q.Text).WithHint("`tallystick incident report ID --questions` prints the file to begin with")
		}
		if err := tallystick.ValidateText("answer to "+q.Key, answer, 16<<10); err != nil {
			return nil, err
		}
		answers[q.Key] = answer
	}
	return answers, nil
}

// Draft returns the post-mortem as far as it follows from what is on record.
func (o *Office) Draft(ctx context.Context, i Incident) (*PostMortem, error) {
	c, err := o.Incident(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	b, err := o.Brief(ctx, i)
	if err != nil {
		return nil, err
	}
	t, err := o.Timeline(ctx, i, false, nil)
	if err != nil {
		return nil, err
	}
	p := &PostMortem{Schema: PostMortemSchema, Incident: c.Incident, Times: c.Times(), Alerts: c.Joined, Timeline: t.Lines, Missing: b.Missing, Written: o.config.Now().UTC().Truncate(time.Millisecond)}
	p.Incident.OpenedBy, p.Incident.Lead, p.Incident.ReportedBy, p.Incident.ClosedBy = "", "", "", ""
	for _, s := range c.Steps {
		s.By = ""
		switch s.Step {
		case "linked":
			p.Links = append(p.Links, s)
		case "evidence":
			p.Evidence = append(p.Evidence, s)
		}
	}
	p.Failing = b.Failing()
	if r, err := o.Checklist(ctx, i); err != nil {
		return nil, err
	} else if r != nil {
		ticked := Ticked(c.Steps)
		for n, todo := range r.Steps {
			s := ticked[int64(n)+1]
			p.Runbook = append(p.Runbook, Worked{int64(n) + 1, todo.Name, s.Step, s.Note})
		}
	}
	p.Affected, err = o.affected(ctx, i)
	if err != nil {
		message, _ := tallystick.Words(err)
		p.Missing = append(p.Missing, "how many predictions were affected: "+message)
	}
	return p, ctx.Err()
}

// affected counts the predictions from the first bad window on until the harm stopped; nil if one of the two is not known.
func (o *Office) affected(ctx context.Context, i Incident) (*int64, error) {
	if i.FirstFrom.IsZero() || i.Mitigated.IsZero() || !i.FirstFrom.Before(i.Mitigated) {
		return nil, nil
	}
	b := Brief{Model: i.Model, Version: i.Version, Environment: i.Environment, To: i.Mitigated}
	f, err := o.config.Asker.Aggregate(ctx, query.Figures{Selection: b.selection(i.FirstFrom)})
	return &f.Predictions, err
}

// PrepareReport writes and keeps the post-mortem, and returns the change that puts it on record.
func (o *Office) PrepareReport(ctx context.Context, id, answers string) (*Reported, error) {
	read, err := ParseAnswers(answers)
	if err != nil {
		return nil, err
	}
	c, err := o.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := o.Draft(ctx, c.Incident)
	if err != nil {
		return nil, err
	}
	p.Answers = read
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("post-mortem of incident %s: %w", id, err)
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	return &Reported{Report: digest}, err
}

// Report returns the change by which the post-mortem is on record.
func (o *Office) Report(tx *state.Tx, id string, change *Reported, who access.Principal) (trail.Change, error) {
	i, ref, err := o.worked(tx, id, "")
	if err != nil {
		return nil, err
	}
	if i.State != Resolved {
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s is %s: a post-mortem is written once it is resolved", i.ID, i.State).WithHint("`tallystick incident resolve %s --cause KIND --note TEXT`", i.ID)
	}
	change.Ref, change.Minter = ref, who.Minter
	return change, nil
}

// PostMortem returns the post-mortem that is on record, or the draft of it.
func (o *Office) PostMortem(ctx context.Context, i Incident) (*PostMortem, error) {
	if i.Report == "" {
		return o.Draft(ctx, i)
	}
	data, err := o.config.Evidence.Get(ctx, i.Report)
	if err != nil {
		return nil, fmt.Errorf("post-mortem of incident %s: %w", i.ID, err)
	}
	p := new(PostMortem)
	if err := json.Unmarshal(data, p); err != nil || p.Schema != PostMortemSchema {
		return nil, tallystick.Errorf(tallystick.Invalid, "the post-mortem of incident %s is not of the form %s", i.ID, PostMortemSchema)
	}
	return p, nil
}

//go:embed report.md
var reportMarkdown string

//go:embed report.html
var reportHTML string

var reportFuncs = map[string]any{
	"moment":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
	"took":      Lasted,
	"count":     func(n int64) string { return figure.Number(float64(n)) },
	"questions": Questions,
	"answer":    func(p *PostMortem, key string) string { return p.Answers[key] },
	"line":      func(s string) string { return strings.Join(strings.Fields(s), " ") },
	"cell":      func(s string) string { return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "\\|") },
}

// Lasted writes a number of seconds for people; nil is not known.
func Lasted(s *float64) string {
	if s == nil {
		return "not known"
	}
	d := time.Duration(*s * float64(time.Second))
	if d >= time.Minute {
		d = d.Round(time.Second)
	}
	return d.Round(time.Millisecond).String()
}

// WriteMarkdown writes the post-mortem as Markdown. What people wrote is quoted, so that it cannot pass for the program's.
func (p *PostMortem) WriteMarkdown(w io.Writer) error {
	t, err := template.New("post-mortem").Funcs(reportFuncs).Funcs(map[string]any{
		"quote": func(s string) string { return "> " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n> ") },
	}).Parse(reportMarkdown)
	if err == nil {
		err = t.Execute(w, p)
	}
	if err != nil {
		return fmt.Errorf("write the post-mortem of incident %s: %w", p.Incident.ID, err)
	}
	return nil
}

// WriteHTML writes the post-mortem as a page that stands alone and loads nothing.
func (p *PostMortem) WriteHTML(w io.Writer) error {
	t, err := htmltemplate.New("post-mortem").Funcs(reportFuncs).Parse(reportHTML)
	var page bytes.Buffer
	if err == nil {
		err = t.Execute(&page, p)
	}
	if err == nil {
		_, err = page.WriteTo(w)
	}
	if err != nil {
		return fmt.Errorf("write the post-mortem of incident %s: %w", p.Incident.ID, err)
	}
	return nil
}

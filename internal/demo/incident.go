package demo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/durable"
)

const (
	pilotHours = 8   // of which the incomes of brokers in the last two are in thousands
	pilotRows  = 300 // applications an hour
)

const pilotMonitor = `apiVersion: tallystick/v1
kind: Monitor
name: credit-pilot
model: credit
version: "2"
environment: pilot
window: 1h
`

const pilotPolicy = `apiVersion: tallystick/v1
kind: AlertPolicy
name: credit-pilot
model: credit
rules:
- match: {rule: monitor/*/drift, subject: income}
  severity: page
  fires: 2 of 2
  clears: 3
`

const pilotReaction = `apiVersion: tallystick/v1
kind: Reaction
name: credit-back
model: credit
when: {alert: {rule: monitor/*/drift, severity: page, environment: pilot}}
do:
  - retrain: {window: 1d}
  - rollback: {to: previous}
mode: act
`

// pilot writes what credit@2 was asked in a pilot, hour by hour.
func pilot(from time.Time) func(w io.Writer) error {
	return func(w io.Writer) error {
		s := sample{random: rand.New(rand.NewPCG(5, 2026))} //nolint:gosec // the same data for everybody
		out := bufio.NewWriter(w)
		fmt.Fprintln(out, "time,score,output,age,income,debt,channel")
		for i := range pilotHours * pilotRows {
			a := s.applicant()
			seen := a.income
			if a.channel == "broker" && i >= (pilotHours-2)*pilotRows {
				seen /= 1000
			}
			score := a.score(seen)
			output := "grant"
			if score >= sampleThreshold {
				output = "refuse"
			}
			fmt.Fprintf(out, "%s,%.4f,%s,%d,%.2f,%.2f,%s\n", from.Add(time.Duration(i)*time.Hour/pilotRows).Format(time.RFC3339Nano), score, output, a.age, seen, a.debt, a.channel)
		}
		return out.Flush()
	}
}

// incidentRow is an incident, and tryRow what a reaction did, as lists have them.
type (
	incidentRow struct{ ID, State, Means string }
	tryRow      struct{ Deed, State, Target string }
)

// drifted has credit@2 tried in a pilot, where its incomes break as its audit foretold; monitors see it, and a reaction that two
// people let act goes back.
func (s *stage) drifted(ctx context.Context) (sentence, page string, err error) {
	if err := s.must(ctx, operator, nil, "env", "set", "pilot", "--strictness", "free", "--position", "5"); err != nil {
		return "", "", err
	}
	for _, version := range []string{"credit@1", "credit@2"} {
		var asked struct{ Result struct{ ID string } }
		if err := s.must(ctx, operator, &asked, "release", "request", version, "--to", "pilot", "--reason", "a pilot"); err != nil {
			return "", "", err
		}
		if err := s.must(ctx, operator, nil, "release", "promote", asked.Result.ID); err != nil {
			return "", "", err
		}
	}
	from := time.Now().UTC().Truncate(time.Hour).Add(-pilotHours * time.Hour)
	data := s.path("data", "pilot.csv")
	if err := durable.WriteFile(data, 0o600, pilot(from)); err != nil {
		return "", "", err
	}
	for name, content := range map[string]string{"data/monitor.yaml": pilotMonitor, "data/alerts.yaml": pilotPolicy, "data/reaction.yaml": pilotReaction} {
		if err := s.write(name, content); err != nil {
			return "", "", err
		}
	}
	broken := from.Add((pilotHours - 2) * time.Hour)
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	if err := s.all(ctx, operator, [][]string{
		{"predictions", "import", data, "--model", "credit", "--version", "2", "--environment", "pilot", "--map", "time=time,score=score,output=output"},
		{"reference", "pin", "credit", "--from", at(from), "--to", at(broken)},
		{"monitor", "apply", "-f", s.path("data", "monitor.yaml")}, {"alert", "policy", "apply", "-f", s.path("data", "alerts.yaml")}, {"reaction", "apply", "-f", s.path("data", "reaction.yaml")},
	}); err != nil {
		return "", "", err
	}
	if err := s.must(ctx, approver, nil, "reaction", "approve", "credit-back", "--comment", "a pilot may go back by itself"); err != nil {
		return "", "", err
	}
	if err := s.all(ctx, operator, [][]string{
		{"monitor", "run", "credit-pilot", "--window", at(broken)}, {"monitor", "run", "credit-pilot", "--window", at(broken.Add(time.Hour))}, {"alert", "evaluate"},
	}); err != nil {
		return "", "", err
	}
	return s.wentBack(ctx)
}

// wentBack waits until the server has opened the incident, and until the reaction has gone back.
func (s *stage) wentBack(ctx context.Context) (sentence, page string, err error) {
	var incidents []incidentRow
	for range 60 {
		if err := s.must(ctx, operator, &incidents, "incident", "list"); err != nil {
			return "", "", err
		}
		if len(incidents) == 1 {
			if err := s.must(ctx, operator, nil, "reaction", "run"); err != nil {
				return "", "", err
			}
			if err := s.must(ctx, operator, &incidents, "incident", "list"); err != nil {
				return "", "", err
			}
			if len(incidents) == 1 && incidents[0].State == "mitigated" {
				break
			}
		}
		select {
		case <-ctx.Done():
			return "", "", ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	var tries []tryRow
	if err := s.must(ctx, auditor, &tries, "reaction", "history", "credit-back"); err != nil {
		return "", "", err
	}
	if len(incidents) != 1 || incidents[0].Means != "rollback" || len(tries) != 2 || tries[0].State != "done" || tries[1].State != "done" {
		return "", "", fmt.Errorf("the reaction should have gone back: incidents %+v, tries %+v", incidents, tries)
	}
	s.harm = incidents[0].ID
	return "In a pilot the incomes of credit@2 break too. Two bad windows fire an alert; the incident is opened with its evidence, training is asked for with what drifted, and a reaction that the approver let act goes back to credit@1.",
		"/incidents/" + s.harm, nil
}

// learned ends the incident: its cause, the post-mortem, and somebody else who accepts it.
func (s *stage) learned(ctx context.Context) (sentence, page string, err error) {
	got, err := s.ask(ctx, operator, "incident", "report", s.harm, "--questions")
	if err != nil || got.code != 0 {
		return "", "", fmt.Errorf("the questions of the post-mortem: exit code %d: %s: %w", got.code, got.complaint(), err)
	}
	var answers strings.Builder
	for line := range strings.Lines(got.out) {
		answers.WriteString(line)
		if strings.HasPrefix(line, "## ") {
			answers.WriteString("The broker's feed sends incomes in thousands; it is checked now.\n")
		}
	}
	if err := s.write("data/answers.md", answers.String()); err != nil {
		return "", "", err
	}
	if err := s.all(ctx, operator, [][]string{
		{"incident", "resolve", s.harm, "--cause", "feature_bug", "--note", "the broker's feed is mapped again"},
		{"incident", "link", s.harm, "--kind", "monitor", "--target", "credit-pilot"},
		{"incident", "report", s.harm, "--answers", s.path("data", "answers.md")},
	}); err != nil {
		return "", "", err
	}
	said, err := s.refused(ctx, operator, "incident.close", "incident", "close", s.harm)
	if err != nil {
		return "", "", err
	}
	if err := s.must(ctx, validator, nil, "incident", "close", s.harm); err != nil {
		return "", "", err
	}
	said, _, _ = strings.Cut(said, " (")
	return "The operator resolves it and writes the post-mortem, of which the program tells facts and times; closing it is refused to them: " + said + ". The validator accepts it.", "/incidents/" + s.harm, nil
}

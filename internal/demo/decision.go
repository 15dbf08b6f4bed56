package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// The pages that the play points to.
const (
	versionPage = "/models/credit/versions/1"
	secondPage  = "/models/credit/versions/2"
	historyPage = "/models/credit/history"
	releasePage = "/releases/"
)

// row is what one rule found.
type row struct {
	ID, Status, Message string
	Blocking            bool
}

// decided is what the gate says.
type decided struct {
	Decision struct {
		Verdict, Words string
		Rules          []row
	}
}

// shut returns the rules that keep the gate shut.
func (d decided) shut() (ids []string) {
	for _, r := range d.Decision.Rules {
		if r.Blocking && r.Status != "pass" && r.Status != "warn" && r.Status != "waived" && r.Status != "skip" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (d decided) row(id string) row {
	for _, r := range d.Decision.Rules {
		if r.ID == id {
			return r
		}
	}
	return row{ID: id, Status: "absent", Message: "the gate has no such rule"}
}

// gate asks the gate what it would decide.
func (s *stage) gate(ctx context.Context, version string) (d decided, err error) {
	got, err := s.ask(ctx, author, "gate", version, "--to", "production", "--format", "json")
	if err != nil {
		return d, err
	}
	if got.code > 1 {
		return d, fmt.Errorf("the gate did not answer: %s", got.complaint())
	}
	if err := json.Unmarshal([]byte(got.out), &d); err != nil {
		return d, fmt.Errorf("the gate's answer: %w", err)
	}
	return d, nil
}

// ownApproval asks for the release and tries to approve it, as one person.
func (s *stage) ownApproval(ctx context.Context) (sentence, page string, err error) {
	var asked struct{ Result struct{ ID string } }
	if err := s.must(ctx, author, &asked, "release", "request", "credit@1", "--to", "production", "--reason", "the first score"); err != nil {
		return "", "", err
	}
	s.request = asked.Result.ID
	if err := s.must(ctx, admin, nil, "user", "grant", author, "--role", "approver"); err != nil {
		return "", "", err
	}
	said, err := s.refused(ctx, author, "the author of a release does not approve it", "release", "approve", s.request, "--comment", "it is mine")
	if err != nil {
		return "", "", err
	}
	said, _, _ = strings.Cut(said, ";")
	return "The author, even made an approver, tries to approve it and is refused: " + said + ". The attempt waits for a review.", "/reviews", nil
}

// attempts returns the attempts to go around the gate that wait for a review.
func (s *stage) attempts(ctx context.Context) (ids []string, err error) {
	var list []struct{ ID string }
	if err := s.must(ctx, auditor, &list, "finding", "list", "--kind", "bypass_attempt", "--model", "credit"); err != nil {
		return nil, err
	}
	for _, finding := range list {
		ids = append(ids, finding.ID)
	}
	return ids, nil
}

// approvals are the agreement of three others, after a fourth has looked at the attempt.
func (s *stage) approvals(ctx context.Context) (sentence, page string, err error) {
	tried, err := s.attempts(ctx)
	if err != nil {
		return "", "", err
	}
	if len(tried) != 1 {
		return "", "", fmt.Errorf("%d attempts to go around the gate wait for a review, where it was one", len(tried))
	}
	if err := s.must(ctx, auditor, nil, "finding", "resolve", tried[0], "--reason", "a slip; nothing came of it"); err != nil {
		return "", "", err
	}
	for who, comment := range map[string]string{
		validator: "the thresholds came first, and the intervals hold", approver: "a person decides in every case", chair: "agreed by the board",
	} {
		if err := s.must(ctx, who, nil, "release", "approve", s.request, "--comment", comment); err != nil {
			return "", "", err
		}
	}
	return "The auditor settles that attempt. A validator and two approvers, none of them an author, approve these very files, each with a rationale.", releasePage + s.request, nil
}

// promoted carries the release out.
func (s *stage) promoted(ctx context.Context) (sentence, page string, err error) {
	if err := s.must(ctx, operator, nil, "release", "promote", s.request); err != nil {
		return "", "", err
	}
	told, err := s.told.wait(ctx, "let credit@1 into production")
	return "The operator promotes it: decision and promotion are one event. The risk desk is told: " + told, releasePage + s.request, err
}

// silentFailure audits the next version on data that broke upstream.
func (s *stage) silentFailure(ctx context.Context) (sentence, page string, err error) {
	if err := s.all(ctx, author, [][]string{s.version("2", "retrained"), {"snapshot", "use", "applications@2026-04", "credit@2", "--role", "training"}}); err != nil {
		return "", "", err
	}
	got, err := s.ask(ctx, author, s.audit("2", "broken.csv")...)
	if err != nil {
		return "", "", err
	}
	if got.code != 1 {
		return "", "", fmt.Errorf("the audit of credit@2 should fail: exit code %d: %s", got.code, got.complaint())
	}
	d, err := s.gate(ctx, "credit@2")
	if err != nil {
		return "", "", err
	}
	found := d.row("windows.performance")
	if found.Status != "fail" {
		return "", "", fmt.Errorf("the silent failure of credit@2 was not found: %s: %s", found.Status, found.Message)
	}
	return "Incomes of one channel now arrive in thousands, and nobody knows. The audit of credit@2 finds it: " + brief(found.Message), secondPage, nil
}

// brief returns the first two sentences of what a rule says.
func brief(message string) string {
	sentences := strings.SplitAfterN(message, ". ", 3)
	return strings.TrimSpace(strings.Join(sentences[:min(2, len(sentences))], ""))
}

// outOfBand tries to bring that version into production by hand.
func (s *stage) outOfBand(ctx context.Context) (sentence, page string, err error) {
	said, err := s.refused(ctx, operator, "is gated", "assign", "credit@2", "--env", "production")
	if err != nil {
		return "", "", err
	}
	told, err := s.told.wait(ctx, "was not allowed to put")
	if err != nil {
		return "", "", err
	}
	if tried, err := s.attempts(ctx); err != nil || len(tried) != 1 {
		return "", "", fmt.Errorf("%d attempts to go around the gate wait for a review, where it was one: %w", len(tried), err)
	}
	said, _, _ = strings.Cut(said, ";")
	return "The operator tries to put credit@2 into production by hand: " + said + ". It waits for a review, and the risk desk is told: " + told, "/reviews", nil
}

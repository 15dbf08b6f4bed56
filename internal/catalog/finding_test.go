package catalog_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

var (
	scientist = catalog.FindingHand{ID: "usr_bo"}
	reviewer  = catalog.FindingHand{ID: "usr_eve", Reviewer: true}
)

// gate tells what became of rules: "data.quality=fail,release.freeze=fail".
func (b bench) gate(version, rules string, asked bool) acts {
	g := catalog.GateRun{Model: "credit", Version: version, Environment: "production", Run: digest("input " + rules), Asked: asked}
	for rule := range strings.SplitSeq(rules, ",") {
		id, status, _ := strings.Cut(rule, "=")
		g.Rules = append(g.Rules, catalog.RuleRun{
			ID: id, Severity: "high", Status: status, Message: id + " says " + status,
			Denies: slices.Contains([]string{"fail", "error", "insufficient", "inconclusive"}, status), Passes: status == "pass" || status == "warn",
		})
	}
	return func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.FollowGate(tx, g) }
}

func (b bench) triage(id string, t catalog.FindingTriage, by catalog.FindingHand) acts {
	return single(func(tx *state.Tx) (trail.Change, error) { return b.catalog.TriageFinding(tx, id, t, by) })
}

func (b bench) remediate(id string, r catalog.FindingRemedy) acts {
	return single(func(tx *state.Tx) (trail.Change, error) { return b.catalog.RemediateFinding(tx, id, r) })
}

func (b bench) dismiss(id, reason string, by catalog.FindingHand) acts {
	return single(func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.DismissFinding(tx, id, catalog.FindingEnd{Reason: reason}, by)
	})
}

func (b bench) resolve(id, reason string, by catalog.FindingHand) acts {
	return single(func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.ResolveFinding(tx, id, catalog.FindingEnd{Reason: reason}, by)
	})
}

func (b bench) bypass(version, by string) acts {
	return single(func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.AssignmentBypass(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: version, Role: catalog.Champion}, by, "")
	})
}

// findings returns those that f chooses, and fails if there are not as many.
func (b bench) findings(t testing.TB, f catalog.FindingFilter, want int) []catalog.Finding {
	t.Helper()
	list, err := b.catalog.Findings(t.Context(), f)
	if err != nil || len(list) != want {
		t.Fatalf("%d findings, want %d: %+v, %v", len(list), want, list, err)
	}
	return list
}

// steps returns what became of a finding.
func (b bench) steps(t testing.TB, id string) string {
	t.Helper()
	steps, err := b.catalog.FindingSteps(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range steps {
		names = append(names, s.Step)
	}
	return strings.Join(names, " ")
}

// TestRuleFindingLives walks a finding about a rule from the denial to the run that shows it put right.
func TestRuleFindingLives(t *testing.T) {
	t.Parallel()
	b := settled(t)
	for _, step := range []struct {
		what string
		act  acts
		want int
	}{
		{"asked", b.gate("2", "data.quality=fail", true), 0},
		{"denied", b.gate("2", "data.quality=fail,data.consent=insufficient,artifact.format=error,data.leakage=pass,fairness.error-rates=skip", false), 3},
		{"denied again", b.gate("2", "data.quality=fail,data.consent=insufficient,artifact.format=error", false), 0},
		{"waits for people", b.gate("2", "release.approvals=fail,release.freeze=fail,release.findings=fail,release.separation=fail,release.waivers=fail", false), 0},
		{"another version fails otherwise", b.gate("3", "data.quality=inconclusive", false), 1},
		{"an old version passes", b.gate("1", "data.quality=pass", false), 0},
		{"waived", b.gate("2", "data.quality=waived", false), 0},
		{"not asked for", b.gate("2", "data.quality=skip", false), 0},
		{"a later version passes", b.gate("3", "data.consent=warn", true), 1},
	} {
		if n := b.acted(t, step.act); n != step.want {
			t.Errorf("%s: %d changes, want %d", step.what, n, step.want)
		}
	}
	open := b.findings(t, catalog.FindingFilter{Model: "credit", Open: true}, 2)
	f := open[slices.IndexFunc(open, func(f catalog.Finding) bool { return f.Subject == "data.quality" })]
	if f.Kind != catalog.RuleFailed || f.Severity != catalog.SeverityHigh || f.State != catalog.FindingIsOpen || f.Environment != "production" || f.Version != "2" ||
		f.Observed != "inconclusive in 3" || f.Due != f.First.Add(30*24*time.Hour) || f.Run == "" {
		t.Errorf("finding: %+v", f)
	}
	if got := b.findings(t, catalog.FindingFilter{State: catalog.FindingIsVerified}, 1)[0]; got.Subject != "data.consent" || !got.Agrees || b.steps(t, got.ID) != "raised verified" {
		t.Errorf("verified without a hand: %+v, %s", got, b.steps(t, got.ID))
	}

	refused := func(what string, act acts, want tallystick.Code, word string) {
		t.Helper()
		if n, err := b.act(t, act); n != 0 || tallystick.CodeOf(err) != want || err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %d changes, %v", what, n, err)
		}
	}
	remedy := catalog.FindingRemedy{Note: "cleaned", Version: "3", Ticket: "RISK-12"}
	refused("nobody's", b.remediate(f.ID, remedy), tallystick.Conflict, "nobody has said who")
	refused("no owner", b.triage(f.ID, catalog.FindingTriage{}, scientist), tallystick.Invalid, "no owner")
	refused("lower", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", Severity: "low", Note: "harmless"}, scientist), tallystick.Forbidden, "lowered by a reviewer")
	refused("for no reason", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", Severity: "critical"}, scientist), tallystick.Invalid, "needs a reason")
	refused("later", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", Due: f.Due.Add(time.Hour)}, scientist), tallystick.Forbidden, "longer than that")
	refused("in the past", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", Due: f.First.Add(-time.Hour)}, scientist), tallystick.Invalid, "cannot be due")
	refused("no such severity", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", Severity: "bad", Note: "x"}, scientist), tallystick.Invalid, "is not critical")
	refused("another revision", b.triage(f.ID, catalog.FindingTriage{Owner: "bo", IfRevision: 1}, scientist), tallystick.Conflict, "somebody has changed it")
	refused("by a word", b.resolve(f.ID, "done", reviewer), tallystick.Conflict, "only a run")
	refused("nothing", b.triage("nothing", catalog.FindingTriage{Owner: "bo"}, scientist), tallystick.NotFound, "no finding")

	plan := catalog.FindingTriage{Owner: "bo", IfRevision: f.Revision}
	for _, step := range []struct {
		what string
		act  acts
		want int
	}{
		{"triaged", b.triage(f.ID, plan, scientist), 1},
		{"triaged so already", b.triage(f.ID, catalog.FindingTriage{Owner: "bo"}, scientist), 0},
		{"given longer by a reviewer", b.triage(f.ID, catalog.FindingTriage{Due: f.Due.AddDate(0, 1, 0)}, reviewer), 1},
		{"put right", b.remediate(f.ID, remedy), 1},
		{"put right so already", b.remediate(f.ID, remedy), 0},
		{"an old version passes still", b.gate("1", "data.quality=pass", true), 0},
		{"a question finds it wrong", b.gate("3", "data.quality=fail", true), 1},
		{"triaged again", b.triage(f.ID, catalog.FindingTriage{Severity: catalog.SeverityCritical, Note: "in use"}, scientist), 1},
		{"put right again", b.remediate(f.ID, catalog.FindingRemedy{Note: "cleaned better"}), 1},
	} {
		if n := b.acted(t, step.act); n != step.want {
			t.Errorf("%s: %d changes, want %d", step.what, n, step.want)
		}
	}
	refused("put right otherwise", b.remediate(f.ID, catalog.FindingRemedy{Note: "cleaned best"}), tallystick.Conflict, "already")
	refused("triaged too late", b.triage(f.ID, catalog.FindingTriage{Owner: "cy"}, scientist), tallystick.Conflict, "waits for a run")
	b.acted(t, b.gate("3", "data.quality=pass", false))
	f, err := b.catalog.Finding(t.Context(), f.ID)
	if err != nil || f.State != catalog.FindingIsVerified || f.Reopened != 1 || f.Owner != "bo" || f.Run != digest("input data.quality=pass") || f.Open() {
		t.Errorf("verified: %+v, %v", f, err)
	}
	if got, want := b.steps(t, f.ID), "raised triaged triaged remediated reopened triaged remediated verified"; got != want {
		t.Errorf("steps %q, want %q", got, want)
	}
	refused("too late", b.dismiss(f.ID, "no", reviewer), tallystick.Conflict, "was verified on")

	other := b.findings(t, catalog.FindingFilter{Open: true}, 1)[0]
	if n := b.acted(t, b.dismiss(other.ID, "the scanner is wrong", reviewer)); n != 1 {
		t.Errorf("dismissed: %d changes", n)
	}
	if n := b.acted(t, b.dismiss(other.ID, "the scanner is wrong", reviewer)); n != 0 {
		t.Errorf("dismissed already: %d changes", n)
	}
	if n := b.acted(t, b.gate("3", other.Subject+"=fail", false)); n != 1 {
		t.Errorf("it goes wrong again: %d changes", n)
	}
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

// TestBypassFindings tells people apart whose attempts look alike, and lets none of them close their own.
func TestBypassFindings(t *testing.T) {
	t.Parallel()
	b := settled(t)
	tries := func(version, by string, want int) {
		t.Helper()
		if n := b.acted(t, b.bypass(version, by)); n != want {
			t.Errorf("%s tries %s: %d changes, want %d", by, version, n, want)
		}
	}
	tries("2", scientist.ID, 1)
	tries("2", scientist.ID, 0)
	tries("2", "usr_cy", 1)
	tries("9", "usr_cy", 0)
	for what, a := range map[string]catalog.AssignmentRequest{
		"observed": {Environment: "production", Model: "credit", Version: "2", Observed: true}, "not gated": {Environment: "lab", Model: "credit", Version: "2"},
		"unknown environment": {Environment: "moon", Model: "credit", Version: "2"}, "unknown model": {Environment: "production", Model: "x y", Version: "2"},
	} {
		if n := b.acted(t, single(func(tx *state.Tx) (trail.Change, error) { return b.catalog.AssignmentBypass(tx, a, "usr_cy", "") })); n != 0 {
			t.Errorf("%s: %d changes", what, n)
		}
	}
	open := b.findings(t, catalog.FindingFilter{Kinds: []catalog.FindingKind{catalog.BypassAttempt}, Open: true}, 2)
	first := open[slices.IndexFunc(open, func(f catalog.Finding) bool { return f.Suspect == scientist.ID })]
	if first.Severity != catalog.SeverityHigh || first.Fingerprint == open[1-slices.IndexFunc(open, func(f catalog.Finding) bool { return f.ID == first.ID })].Fingerprint {
		t.Errorf("finding: %+v", first)
	}
	for _, by := range []catalog.FindingHand{{ID: scientist.ID, Reviewer: true}, {ID: "usr_robot", Minter: scientist.ID, Reviewer: true}} {
		for _, act := range []acts{b.resolve(first.ID, "nothing to see", by), b.dismiss(first.ID, "nothing to see", by)} {
			if _, err := b.act(t, act); tallystick.CodeOf(err) != tallystick.Forbidden {
				t.Errorf("closed by who tried: %v", err)
			}
		}
	}
	if _, err := b.act(t, b.remediate(first.ID, catalog.FindingRemedy{Note: "sorry"})); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("put right: %v", err)
	}
	if n := b.acted(t, b.resolve(first.ID, "talked to them: a mistyped environment", reviewer)); n != 1 {
		t.Errorf("resolved: %d changes", n)
	}
	tries("2", scientist.ID, 1)
	// Who tried stands in the open nowhere.
	err := b.db.Read(t.Context(), func(tx *state.Tx) error {
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM events WHERE CAST(leaf AS TEXT) LIKE '%usr_%'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d leaves name who tried: %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestBacklog reads the backlog in pages of one: overdue first, then by severity, then by date.
func TestBacklog(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := &clock{start}
	b := setupAt(t, c)
	b.must(t, b.experiment("credit"), b.version("credit", "1"), b.environment("production", catalog.Gated, 3))
	raise := func(rule, severity string) {
		t.Helper()
		g := catalog.GateRun{Model: "credit", Version: "1", Environment: "production", Run: digest(rule), Rules: []catalog.RuleRun{{ID: rule, Severity: severity, Status: "fail", Denies: true}}}
		b.acted(t, func(tx *state.Tx) ([]trail.Change, error) { return b.catalog.FollowGate(tx, g) })
	}
	raise("low.old", "low")   // due on day 180
	raise("high.old", "high") // due on day 30
	raise("odd", "catastrophic")
	c.now = start.AddDate(0, 0, 25)
	raise("critical.new", "critical") // due on day 32
	raise("high.new", "high")         // due on day 55
	c.now = start.AddDate(0, 0, 31)
	backlog := func(f catalog.FindingFilter) string {
		t.Helper()
		var subjects []string
		for f.Limit = 1; ; {
			list, err := b.catalog.Findings(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				return strings.Join(subjects, " ")
			}
			mark := map[bool]string{true: "!"}[list[0].Overdue]
			subjects, f.After = append(subjects, list[0].Subject+mark), list[0].Place()
			c.now = c.now.Add(time.Hour) // time goes on while somebody turns the pages
		}
	}
	for want, f := range map[string]catalog.FindingFilter{
		"high.old! critical.new high.new odd low.old": {Open: true},
		"high.old!":          {Overdue: true, Model: "credit"},
		"high.old! high.new": {Open: true, Severity: catalog.SeverityHigh, Environment: "production"},
		"high.new critical.new odd high.old low.old": {},
	} {
		c.now = start.AddDate(0, 0, 31)
		got := backlog(f)
		if f.Open || f.Overdue {
			if got != want {
				t.Errorf("%+v: %s, want %s", f, got, want)
			}
		} else if n := len(strings.Fields(got)); n != 5 {
			t.Errorf("all: %s", got)
		}
	}
	c.now = start.AddDate(0, 0, 31)
	n, err := b.catalog.CountFindings(t.Context(), "credit")
	if err != nil || n.Open != 5 || n.Overdue != 1 || n.Untriaged != 5 || n.Severities[catalog.SeverityHigh] != 2 {
		t.Errorf("counted %+v, %v", n, err)
	}
	if _, err := b.catalog.Findings(t.Context(), catalog.FindingFilter{Open: true, After: "1.2.x"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a wrong place: %v", err)
	}

	// What is overdue is told once for each date.
	told := func(want int) {
		t.Helper()
		if n := b.acted(t, b.catalog.OverdueFindings); n != want {
			t.Errorf("%d told on %s, want %d", n, c.now.Format(time.DateOnly), want)
		}
	}
	told(1)
	told(0)
	late := b.findings(t, catalog.FindingFilter{Overdue: true}, 1)[0]
	b.acted(t, b.triage(late.ID, catalog.FindingTriage{Owner: "bo", Due: start.AddDate(0, 0, 40), Note: "more data"}, reviewer))
	told(0)
	c.now = start.AddDate(0, 0, 41)
	told(2)
	if b.steps(t, late.ID) != "raised overdue triaged overdue" {
		t.Errorf("steps %q", b.steps(t, late.ID))
	}
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

// TestFindingsReplay walks at random through all that can become of findings. The trail must explain every
// row, and no column of any may be touched unnoticed.
func TestFindingsReplay(t *testing.T) {
	t.Parallel()
	b := settled(t)
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	some := func() string {
		list, err := b.catalog.Findings(t.Context(), catalog.FindingFilter{Open: r.IntN(8) > 0})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return "none"
		}
		return list[r.IntN(len(list))].ID
	}
	hand := func() catalog.FindingHand {
		return catalog.FindingHand{ID: pick("usr_bo", "usr_cy", "usr_eve"), Minter: pick("", "usr_bo"), Reviewer: r.IntN(2) == 0}
	}
	done, refused := map[string]int{}, map[tallystick.Code]int{}
	for range 600 {
		name := pick("gate", "gate", "triage", "triage", "remediate", "remediate", "dismiss", "resolve", "bypass", "differs")
		var act acts
		switch version := pick("1", "2", "3"); name {
		case "gate":
			act = b.gate(version, "data.quality="+pick("fail", "pass", "skip")+",data.consent="+pick("error", "warn")+",artifact.format="+pick("fail", "pass"), r.IntN(2) == 0)
		case "triage":
			act = b.triage(some(), catalog.FindingTriage{
				Owner: pick("", "bo", "cy"), Severity: catalog.Severity(pick("", "low", "high", "critical")), Note: pick("", "because"), IfRevision: uint64(r.IntN(8) / 7),
			}, hand())
		case "remediate":
			act = b.remediate(some(), catalog.FindingRemedy{Note: pick("", "cleaned", "retrained"), Version: pick("", "3"), Ticket: pick("", "RISK-12")})
		case "dismiss":
			act = b.dismiss(some(), pick("", "harmless"), hand())
		case "resolve":
			act = b.resolve(some(), pick("", "talked"), hand())
		case "bypass":
			who, minter := pick("usr_bo", "usr_cy"), pick("", "usr_eve")
			act = single(func(tx *state.Tx) (trail.Change, error) {
				return b.catalog.WithdrawalBypass(tx, catalog.AssignmentEnd{Environment: "production", Model: "credit", Version: version}, who, minter)
			})
		case "differs":
			act = b.reconcile(catalog.Observation{Environment: "lab", Whole: []string{"credit"}, Running: []catalog.Running{{Model: "credit", Version: version, Artifact: filesDigest(t, pick("1", "2"))}}})
		}
		n, err := b.act(t, act)
		done[name] += n
		refused[tallystick.CodeOf(err)]++
	}
	for _, name := range []string{"gate", "triage", "remediate", "dismiss", "resolve", "bypass", "differs"} {
		if done[name] < 3 {
			t.Errorf("a dull walk: %v done, refused %v", done, refused)
		}
	}
	if refused[tallystick.Internal] > 0 || min(refused[tallystick.Conflict], refused[tallystick.Forbidden], refused[tallystick.Invalid]) == 0 {
		t.Errorf("refused: %v", refused)
	}
	b.acted(t, b.gate("3", "data.leakage=fail", false))
	// A date that has passed already, so that it is told.
	late := b.findings(t, catalog.FindingFilter{Kinds: []catalog.FindingKind{catalog.RuleFailed}, Open: true, Limit: 1}, 1)[0]
	b.acted(t, b.gate("3", late.Subject+"=fail", false))
	if late.State == catalog.FindingIsRemediated {
		late = b.findings(t, catalog.FindingFilter{State: catalog.FindingIsOpen, Kinds: []catalog.FindingKind{catalog.RuleFailed}, Limit: 1}, 1)[0]
	}
	b.acted(t, b.triage(late.ID, catalog.FindingTriage{Owner: "bo", Due: late.First.Add(time.Millisecond), Note: "now"}, reviewer))
	for deadline := time.Now().Add(2 * time.Minute); b.acted(t, b.catalog.OverdueFindings) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing is overdue")
		}
	}
	if _, err := b.replay(t); err != nil {
		t.Fatalf("the trail does not explain the findings: %v", err)
	}
	for _, table := range catalog.Tables() {
		if !strings.HasPrefix(table.Name, "finding") {
			continue
		}
		for _, column := range slices.Concat(table.Columns, table.Sealed) {
			t.Run(fmt.Sprint(table.Name, ".", column), func(t *testing.T) {
				b.touched(t, table, column, func() error {
					_, err := b.replay(t)
					return err
				})
			})
		}
	}
}

// TestFindingSaysWhatIsNext has a command for every finding that somebody has to do something about.
func TestFindingSaysWhatIsNext(t *testing.T) {
	t.Parallel()
	for _, kind := range catalog.FindingKinds() {
		for _, is := range []catalog.FindingState{catalog.FindingIsOpen, catalog.FindingIsTriaged, catalog.FindingIsRemediated} {
			f := catalog.Finding{ID: "f", Kind: kind, State: is, Model: "credit", Environment: "production"}
			if f.Next() == "" {
				t.Errorf("%s, %s: nothing is next", kind, is)
			}
			f.Resolved = time.Now()
			if f.Next() != "" {
				t.Errorf("%s, settled: next %q", kind, f.Next())
			}
		}
	}
	if cmp.Compare(catalog.SeverityCritical.Term(), catalog.SeverityLow.Term()) >= 0 {
		t.Error("what is critical has more time than what is not")
	}
}

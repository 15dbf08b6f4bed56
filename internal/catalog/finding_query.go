package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// FindingFilter chooses findings.
type FindingFilter struct {
	Model       string
	Environment string
	Owner       string
	Severity    Severity
	State       FindingState
	Kinds       []FindingKind // none: all
	Open        bool          // only those that nobody has settled, what presses most first
	Overdue     bool          // only those of them that are overdue
	After       string        // Place of the last one that the caller has; empty begins with the first
	Limit       int           // 0 means 100; at most 1,000
}

func (f FindingFilter) where() (w where) {
	w.add(f.Model != "", "model = ?", f.Model)
	w.add(f.Environment != "", "environment = ?", f.Environment)
	w.add(f.Owner != "", "owner = ?", f.Owner)
	w.add(f.Severity != "", "severity = ?", string(f.Severity))
	w.add(f.State != "", "state = ?", string(f.State))
	w.add(f.Open || f.Overdue, "resolved_ms IS NULL")
	if len(f.Kinds) > 0 {
		args := make([]any, len(f.Kinds))
		for i, k := range f.Kinds {
			args[i] = string(k)
		}
		w.add(true, "kind IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
	}
	return w
}

// Findings returns findings: those that nobody has settled as a backlog, overdue ones first, then by
// severity, then by date; all of them newest first.
func (c *Catalog) Findings(ctx context.Context, f FindingFilter) (list []Finding, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		if list, err = f.read(tx); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list findings: %w", err)
	}
	return list, nil
}

func (f FindingFilter) read(tx *state.Tx) (list []Finding, err error) {
	if f.Open || f.Overdue {
		return f.backlog(tx)
	}
	list, err = recent(tx, scanFinding, "SELECT "+findingColumns+" FROM findings", f.where(), f.After, f.Limit)
	for i := range list {
		list[i].place = strconv.FormatUint(list[i].Event, 10)
		list[i].judge(tx.Now().UnixMilli())
	}
	return list, err
}

// spot is a place in the backlog: whoever turns the pages sees it as of the moment in which they began.
type spot struct {
	now, rest           int64 // rest is 1 among those that are not overdue
	urgency, due, event int64
}

func (s spot) String() string {
	return fmt.Sprintf("%d.%d.%d.%d.%d", s.now, s.rest, s.urgency, s.due, s.event)
}

func parseSpot(text string) (s spot, err error) {
	into := []*int64{&s.now, &s.rest, &s.urgency, &s.due, &s.event}
	parts := strings.Split(text, ".")
	if len(parts) != len(into) {
		err = strconv.ErrSyntax
	}
	for i := 0; err == nil && i < len(into); i++ {
		*into[i], err = strconv.ParseInt(parts[i], 10, 64)
	}
	if err != nil {
		return s, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the place of a finding", text)
	}
	return s, nil
}

// backlog reads the two parts of the backlog, each in the order of an index.
func (f FindingFilter) backlog(tx *state.Tx) (list []Finding, err error) {
	from := spot{now: tx.Now().UnixMilli(), urgency: -1}
	if f.After != "" {
		if from, err = parseSpot(f.After); err != nil {
			return nil, err
		}
	}
	for part := from.rest; part <= 1 && len(list) < limit(f.Limit); part++ {
		if part == 1 && f.Overdue {
			break
		}
		w := f.where()
		w.add(part == 0, "due_ms < ?", from.now)
		w.add(part == 1, "due_ms >= ?", from.now)
		if part == from.rest {
			w.add(true, "(urgency, due_ms, event) > (?, ?, ?)", from.urgency, from.due, from.event)
		}
		found, err := state.Collect(tx, scanFinding, "SELECT "+findingColumns+" FROM findings WHERE "+w.String()+" ORDER BY urgency, due_ms, event "+state.Limit,
			append(w.args, limit(f.Limit)-len(list))...)
		if err != nil {
			return nil, err
		}
		for i := range found {
			found[i].judge(from.now)
			found[i].place = spot{from.now, part, found[i].Severity.urgency(), found[i].Due.UnixMilli(), int64(found[i].Event)}.String()
		}
		list = append(list, found...)
	}
	return list, nil
}

// judge says whether the finding is overdue.
func (f *Finding) judge(now int64) { f.Overdue = f.Open() && f.Due.UnixMilli() < now }

// FindingCount tells how many findings are unsettled, in all and of what presses.
type FindingCount struct {
	Open       int64              `json:"open"`
	Overdue    int64              `json:"overdue"`
	Untriaged  int64              `json:"untriaged" doc:"nobody has looked at them"`
	Remediated int64              `json:"remediated" doc:"they wait for a run"`
	Severities map[Severity]int64 `json:"severities"`
}

// CountFindings counts the unsettled findings of a model, or of all models.
func (c *Catalog) CountFindings(ctx context.Context, model string) (n FindingCount, err error) {
	n.Severities = map[Severity]int64{}
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		w := FindingFilter{Model: model, Open: true}.where()
		type group struct {
			severity    Severity
			state       FindingState
			all, behind int64
		}
		groups, err := state.Collect(tx, func(row state.Scanner) (g group, err error) {
			return g, row.Scan(&g.severity, &g.state, &g.all, &g.behind)
		}, "SELECT severity, state, count(*), count(CASE WHEN due_ms < ? THEN 1 END) FROM findings WHERE "+w.String()+" GROUP BY severity, state",
			slices.Insert(w.args, 0, any(tx.Now().UnixMilli()))...)
		for _, g := range groups {
			n.Open, n.Overdue = n.Open+g.all, n.Overdue+g.behind
			n.Severities[g.severity] += g.all
			switch g.state {
			case FindingIsOpen:
				n.Untriaged += g.all
			case FindingIsRemediated:
				n.Remediated += g.all
			}
		}
		return err
	})
	if err != nil {
		return n, fmt.Errorf("count findings: %w", err)
	}
	return n, nil
}

// PressingFindingsIn returns the unsettled findings of a model that may keep the gate shut, what presses
// most first, at most 100. Those about rules are not among them: the gate asks the rule itself.
func (c *Catalog) PressingFindingsIn(tx *state.Tx, model string) ([]Finding, error) {
	return FindingFilter{Model: model, Open: true, Kinds: slices.DeleteFunc(FindingKinds(), func(k FindingKind) bool { return k == RuleFailed })}.read(tx)
}

// Finding returns the finding of that id, or a NotFound error.
func (c *Catalog) Finding(ctx context.Context, id string) (Finding, error) {
	return read(ctx, c, func(tx *state.Tx) (Finding, error) { return c.FindingIn(tx, id) })
}

// FindingIn returns the finding of that id as the transaction sees it, or a NotFound error.
func (c *Catalog) FindingIn(tx *state.Tx, id string) (Finding, error) {
	f, err := scanFinding(tx.QueryRow("SELECT "+findingColumns+" FROM findings WHERE id = ?", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return f, tallystick.Errorf(tallystick.NotFound, "there is no finding %.40q", id).WithHint("`tallystick finding list` has those that are open")
	case err != nil:
		return f, fmt.Errorf("read finding %.40q: %w", id, err)
	}
	f.judge(tx.Now().UnixMilli())
	return f, nil
}

// maxSteps bounds the life of a finding as it is told.
const maxSteps = 500

// FindingSteps returns what became of a finding, the oldest first, at most the first 500 steps.
func (c *Catalog) FindingSteps(ctx context.Context, id string) ([]FindingStep, error) {
	return read(ctx, c, func(tx *state.Tx) ([]FindingStep, error) {
		return state.Collect(tx, func(row state.Scanner) (s FindingStep, err error) {
			var at, due int64
			err = row.Scan(&s.Event, &s.Step, &at, &s.By, &s.Severity, &due, &s.Owner, &s.Version, &s.Ticket, &s.Run, &s.Note)
			if s.At = moment(at); due > 0 {
				s.Due = moment(due)
			}
			return s, err
		}, "SELECT event, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note FROM finding_steps WHERE finding = ? ORDER BY event "+state.Limit, id, maxSteps)
	})
}

const findingColumns = `id, fingerprint, kind, severity, state, owner, due_ms, reopened, environment, model, version, subject, expected, observed, summary,
	run, suspect, minter, first_ms, last_ms, resolved_ms, agrees, resolution, event, last_event`

func openFinding(tx *state.Tx, fingerprint string) (Finding, error) {
	return scanFinding(tx.QueryRow("SELECT "+findingColumns+" FROM findings WHERE fingerprint = ? AND resolved_ms IS NULL", fingerprint))
}

func scanFinding(row state.Scanner) (f Finding, err error) {
	var due, first, last int64
	var resolved sql.NullInt64
	err = row.Scan(&f.ID, &f.Fingerprint, &f.Kind, &f.Severity, &f.State, &f.Owner, &due, &f.Reopened, &f.Environment, &f.Model, &f.Version, &f.Subject,
		&f.Expected, &f.Observed, &f.Summary, &f.Run, &f.Suspect, &f.minter, &first, &last, &resolved, &f.Agrees, &f.Resolution, &f.Event, &f.Revision)
	f.Due, f.First, f.Last = moment(due), moment(first), moment(last)
	if resolved.Valid {
		f.Resolved = moment(resolved.Int64)
	}
	return f, err
}

package obligation

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// trace is something on record that can be evidence.
type trace struct {
	model, version string // version is empty if it is about the model
	kind, name     string
	subject        string // digest of what it is about; empty: it names none
	digest         string // of itself
	event          uint64
	at, until      int64 // milliseconds since 1970; until is 0 if it says nothing
	verdict        string
	lacks          string // what keeps it from being evidence, in words
	attached       bool   // by somebody: it is not of the record itself
	signer         string // id of the key that has signed it; empty: nobody has
	predicate      string // type of the statement
}

// reading is one question to the database, asked for all models at once. Its rows have the columns
// of trace up to verdict; the table wanted (m, v) holds the models and the version of each that is asked for.
// What it finds is known by fact, or by fact:kind and fact:kind/name if named says so: that is evidence, with
// two columns more, the signer and the type of statement.
type reading struct {
	fact  string
	named bool
	query string
	args  []any
}

// newest is a reading of the newest row of a table for each model and version.
func newest(fact, table, columns string) reading {
	return reading{fact: fact, query: "SELECT m, v, " + columns + " FROM wanted JOIN " + table +
		" t ON t.event = (SELECT max(n.event) FROM " + table + " n WHERE n.model = m AND n.version = v)"}
}

// evidenceColumns are those of trace, and who has signed what type of statement; an audit of our own names none.
const (
	evidenceColumns = "e.model, e.version, e.kind, e.name, e.subject, e.digest, e.event, e.produced_ms, e.until_ms, e.verdict, e.signer, " +
		"CASE WHEN e.id LIKE '%-' || e.kind THEN '" + verify.PredicateGate + "' ELSE e.predicate_type END AS predicate"
	evidenceRow = "model, version, kind, name, subject, digest, event, produced_ms, until_ms, verdict, signer, predicate"
)

// ownEvidence and otherEvidence differ in the versions. Of each kind and name the newest counts, of what is
// about the version's files as well as of what is about others.
const (
	ownEvidence   = "e.version IN (v, '')"
	otherEvidence = "e.version NOT IN (v, '')"
)

func evidence(which string) reading {
	return reading{fact: "evidence", named: true, query: "SELECT " + evidenceRow + " FROM (SELECT " + evidenceColumns +
		`, row_number() OVER (PARTITION BY e.model, e.version, e.kind, e.name, e.subject ORDER BY e.produced_ms DESC, e.event DESC, e.id) AS nth
		FROM wanted JOIN evidence e ON e.model = m WHERE ` + which + ") AS ranked WHERE nth = 1"}
}

// lastOthers is the newest evidence of each kind and name that is of another version.
func lastOthers() reading {
	return reading{fact: "evidence", named: true, query: "SELECT " + evidenceRow + " FROM (SELECT " + evidenceColumns +
		`, row_number() OVER (PARTITION BY e.model, e.kind, e.name ORDER BY e.produced_ms DESC, e.event DESC, e.id) AS nth
		FROM wanted JOIN evidence e ON e.model = m WHERE ` + otherEvidence + ") AS ranked WHERE nth = 1"}
}

// readings are all questions, in any order.
func readings() []reading {
	event := func(fact string, of trail.Type) reading {
		return reading{fact: fact, query: `SELECT m, '', '', '', '', '', c.sequence, c.time_ms, 0, coalesce(c.outcome, '') FROM wanted
			JOIN event_columns c ON c.sequence = (SELECT max(n.sequence) FROM event_columns n WHERE n.model = m AND n.type = ?)`, args: []any{string(of)}}
	}
	return []reading{
		evidence(ownEvidence),
		newest("gate", "gate_decisions", "'', t.environment, t.digest, t.input, t.event, t.time_ms, 0, t.verdict"),
		newest("policy", "gate_decisions", "'', '', '', t.policy, t.event, t.time_ms, 0, ''"),
		{fact: "policy", query: `SELECT m, v, '', '', '', t.policy_digest, t.event, e.produced_ms, 0, '' FROM wanted
			JOIN evaluations t ON t.event = (SELECT max(n.event) FROM evaluations n WHERE n.model = m AND n.version = v)
			JOIN evidence e ON e.model = m AND e.version = v AND e.kind = 'evaluation' AND e.name = 'audit' AND e.event = t.event`},
		{fact: "review", query: `SELECT m, v, '', q.environment, r.digest, '', r.event, r.created_ms, r.expires_ms, r.verdict FROM wanted
			JOIN release_reviews r ON r.event = (SELECT max(n.event) FROM release_requests o JOIN release_reviews n ON n.request = o.id
				WHERE o.model = m AND o.version = v AND n.verdict = 'approve')
			JOIN release_requests q ON q.id = r.request`},
		{fact: "waiver", query: `SELECT m, v, '', w.rule, w.digest, '', w.last_event, w.created_ms, w.expires_ms, '' FROM wanted
			JOIN waivers w ON w.event = (SELECT max(n.event) FROM waivers n WHERE n.model = m AND n.version = v AND n.state = 'approved')`},
		newest("assignment", "assignments", "'', t.environment, '', '', t.event, t.from_ms, 0, ''"),
		newest("deployment", "deployments", "'', t.environment, '', '', t.event, t.from_ms, 0, ''"),
		{fact: "snapshot", query: `SELECT l.model, l.version, '', l.dataset || '@' || l.snapshot, '', s.digest, l.event, s.taken_ms, 0, d.consent_basis FROM wanted
			JOIN version_snapshots l ON l.model = m AND l.version = v
			JOIN snapshots s ON s.dataset = l.dataset AND s.name = l.snapshot
			JOIN datasets d ON d.name = l.dataset`},
		{fact: "lineage", query: `SELECT m, v, '', '', '', '', e.event, 0, 0, '' FROM wanted
			JOIN lineage_nodes n ON n.kind = 'version' AND n.name = m || '@' || v
			JOIN lineage_edges e ON e.to_node = n.id`},
		event("access", trail.VersionRead), event("access", trail.CommandRefused), event("bundle", trail.PackageExported),
		{fact: "freeze", query: `SELECT m, '', '', f.environment, '', '', f.event, f.from_ms, f.until_ms, '' FROM wanted
			JOIN (SELECT model AS frozen, max(event) AS newest FROM freezes GROUP BY model) AS by_model ON frozen IN (m, '')
			JOIN freezes f ON f.event = newest`},
	}
}

// subject is a model with the version that is looked at, and what is on record of them by fact.
type subject struct {
	model   catalog.Model
	version catalog.Version // zero if there is none
	on      map[string][]trace
	reasons map[string]string // why a condition does not hold, as far as one has been looked at
}

func newSubject() *subject { return &subject{on: map[string][]trace{}, reasons: map[string]string{}} }

func (s *subject) add(fact string, t trace) { s.on[fact] = append(s.on[fact], t) }

// wanted is the beginning of a query that makes the table wanted: of models, each with the version that is looked at.
type wanted struct {
	with string
	args []any
}

func wantedOne(model, version string) wanted {
	return wanted{"WITH wanted (m, v) AS (VALUES (CAST(? AS TEXT), CAST(? AS TEXT))) ", []any{model, version}}
}

// read asks all questions and adds the answers to the subjects, which are by model.
func read(tx *state.Tx, w wanted, subjects map[string]*subject, all []reading) error {
	for _, r := range all {
		rows, err := tx.Query(w.with+r.query, append(w.args[:len(w.args):len(w.args)], r.args...)...)
		if err != nil {
			return fmt.Errorf("read facts about %s: %w", r.fact, err)
		}
		for rows.Next() {
			var t trace
			into := []any{&t.model, &t.version, &t.kind, &t.name, &t.subject, &t.digest, &t.event, &t.at, &t.until, &t.verdict}
			if t.attached = r.named; r.named {
				into = append(into, &t.signer, &t.predicate)
			}
			if err := rows.Scan(into...); err != nil {
				return fmt.Errorf("read facts about %s: %w", r.fact, err)
			}
			s := subjects[t.model]
			if s == nil {
				continue
			}
			s.add(r.fact, t)
			if r.named {
				s.add(r.fact+":"+t.kind, t)
				s.add(r.fact+":"+t.kind+"/"+t.name, t)
				s.add("name:"+t.name, t)
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("read facts about %s: %w", r.fact, err)
		}
	}
	return nil
}

// said adds what is said of model and version themselves.
func (s *subject) said(newest seal) {
	m, v := s.model, s.version
	registered := trace{model: m.Name, event: m.Event, at: m.Changed.UnixMilli()}
	var lacks []string
	if m.Purpose == "" {
		lacks = append(lacks, "an intended purpose")
	}
	if open := m.Answers.Missing(); len(open) > 0 {
		lacks = append(lacks, fmt.Sprintf("%d answers about risk", len(open)))
	}
	if m.Owner == "" {
		lacks = append(lacks, "an owner")
	}
	registered.lacks = strings.Join(lacks, ", ")
	s.add("model", registered)
	if v.Version == "" {
		return
	}
	made := trace{model: m.Name, version: v.Version, event: v.First, at: v.Created.UnixMilli(), digest: string(v.Digest), subject: string(v.Digest)}
	if v.Digest != "" {
		s.add("files", made)
	}
	if run := made; v.CodeCommit != "" || v.Run != "" {
		run.digest, run.subject = "", ""
		if v.CodeCommit == "" {
			run.lacks = "a code commit"
		} else if v.Run == "" && v.Image == "" && len(v.Metadata.Libraries) == 0 {
			run.lacks = "a run, an image or the versions of its libraries"
		}
		s.add("run", run)
	}
	if v.Changelog != "" || v.Justification != "" {
		s.add("change", trace{model: m.Name, version: v.Version, event: v.First, at: made.at})
	}
	if newest.sealed >= v.First && newest.checkpoint.digest != "" {
		checkpoint := newest.checkpoint
		checkpoint.model, checkpoint.version, checkpoint.event = m.Name, v.Version, v.First
		if newest.cosigned >= v.First {
			checkpoint.name += ", cosigned by " + newest.witnesses
		} else {
			checkpoint.name += ", which no witness has cosigned"
		}
		s.add("checkpoint", checkpoint)
	}
}

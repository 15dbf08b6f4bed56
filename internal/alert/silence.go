package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// What a silence may be.
const (
	MaxSilence  = 30 * 24 * time.Hour // whoever needs longer says so again, or changes the monitor
	maxAhead    = 90 * 24 * time.Hour // until it begins
	maxMatchers = 20
	maxMatcher  = 1024 // bytes
	maxReason   = 4096 // bytes
	maxSilences = 1000 // that have not ended
)

// Silence keeps notifications of certain alerts back for a time. They are judged and on record as ever.
type Silence struct {
	ID       string    `json:"id"`
	Matchers []string  `json:"matchers" doc:"conditions on labels as Alertmanager writes them; all must hold"`
	Model    string    `json:"model,omitempty" doc:"that it is about, if it is one"`
	Reason   string    `json:"reason,omitempty" doc:"why"`
	By       string    `json:"created_by,omitempty" doc:"who created it"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until" doc:"exclusive"`
	Created  time.Time `json:"created"`
	Ended    time.Time `json:"ended,omitzero" doc:"absent: it has not"`
	EndedBy  string    `json:"ended_by,omitempty" doc:"time, or person"`
	Event    uint64    `json:"event" doc:"sequence of the event that created it"`

	parsed labels.Matchers
}

// Silencing is a silence on its way.
type Silencing struct {
	Matchers []string  `json:"matchers" minItems:"1" maxItems:"20" doc:"conditions on labels, such as model=credit or subject=~\"age|income\"; all must hold"`
	Reason   string    `json:"reason" maxLength:"4096" doc:"why"`
	From     time.Time `json:"from,omitzero" doc:"absent: now"`
	Until    time.Time `json:"until" doc:"exclusive; at most 30 days after it begins"`
}

func (s *Silence) in(now time.Time) bool {
	return !now.Before(s.From) && now.Before(s.Until) && s.Ended.IsZero()
}

// matches reports whether the silence is about an alert. A label that the alert has not is empty.
func (s *Silence) matches(a *Alert) bool {
	all := a.All()
	for _, m := range s.parsed {
		if !m.Matches(all[m.Name]) {
			return false
		}
	}
	return len(s.parsed) > 0
}

// parseMatchers reads conditions on labels, and returns the model that they name, if it is one. Those that hold for
// every alert are refused.
func parseMatchers(texts []string) (all labels.Matchers, model string, err error) {
	if len(texts) == 0 || len(texts) > maxMatchers {
		return nil, "", tallystick.Errorf(tallystick.Invalid, "a silence has 1 to %d conditions, not %d", maxMatchers, len(texts)).WithHint("such as model=credit")
	}
	picks := false
	for _, text := range texts {
		if err := tallystick.ValidateText("condition", text, maxMatcher); err != nil {
			return nil, "", err
		}
		m, err := parse.Matcher(text)
		if err != nil {
			return nil, "", tallystick.Errorf(tallystick.Invalid, "the condition %.100q is none: %w", text, err).WithHint(`write model=credit, severity!=page, subject=~"age|income" or rule!~"objective/.*"`)
		}
		if m.Type == labels.MatchEqual && m.Name == "model" {
			model = m.Value
		}
		picks = picks || !m.Matches("")
		all = append(all, m)
	}
	if !picks {
		return nil, "", tallystick.Errorf(tallystick.Invalid, "conditions that alerts without these labels meet too would silence nearly everything").WithHint("add one such as model=credit")
	}
	return all, model, nil
}

// Silence returns the changes by which notifications are kept back from now on or from a later time: the silence, and
// that alerts which fire now are suppressed by it.
func (o *Office) Silence(tx *state.Tx, s Silencing) ([]trail.Change, error) {
	parsed, model, err := parseMatchers(s.Matchers)
	if err != nil {
		return nil, err
	}
	if s.Reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "the silence does not say why").WithHint("add --reason TEXT")
	}
	if err := tallystick.ValidateText("reason", s.Reason, maxReason); err != nil {
		return nil, err
	}
	now := tx.Now().UTC().Truncate(time.Millisecond)
	if s.From.IsZero() || s.From.Before(now) {
		s.From = now
	}
	s.From, s.Until = s.From.UTC().Truncate(time.Millisecond), s.Until.UTC().Truncate(time.Millisecond)
	switch long := s.Until.Sub(s.From); {
	case long <= 0:
		return nil, tallystick.Errorf(tallystick.Invalid, "the silence would end on %s, which is not after it begins", stamp(s.Until)).WithHint("give --for 2h or --until TIME")
	case long > MaxSilence:
		return nil, tallystick.Errorf(tallystick.Invalid, "the silence would last %.0f days; at most 30 are possible", long.Hours()/24).WithHint("what is not to be watched is taken out of the monitor")
	case s.From.Sub(now) > maxAhead:
		return nil, tallystick.Errorf(tallystick.Invalid, "the silence would begin on %s, more than 90 days from now", stamp(s.From))
	}
	if model != "" {
		if _, err := o.config.Models.ModelIn(tx, model); err != nil {
			return nil, err
		}
	}
	current, err := silences(tx)
	if err != nil {
		return nil, err
	}
	if len(current) >= maxSilences {
		return nil, tallystick.Errorf(tallystick.Conflict, "there are %d silences, which is the most", maxSilences).WithHint("end some: `tallystick silence list`")
	}
	created := &SilenceCreated{Silence: tallystick.NewID(now), Matchers: s.Matchers, Model: model, From: stamp(s.From), Until: stamp(s.Until), Reason: s.Reason}
	fires, err := firing(tx)
	if err != nil {
		return nil, err
	}
	current = append(current, Silence{ID: created.Silence, From: s.From, Until: s.Until, parsed: parsed})
	return append([]trail.Change{created}, suppressions(fires, current, now)...), nil
}

// EndSilence returns the changes by which somebody ends a silence before its time, none if it has ended.
func (o *Office) EndSilence(tx *state.Tx, id string) ([]trail.Change, error) {
	s, err := scanSilence(tx.QueryRow("SELECT "+silenceColumns+" FROM silences WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, tallystick.Errorf(tallystick.NotFound, "there is no silence %.80q", id).WithHint("`tallystick silence list` has those that there are")
	}
	if err != nil {
		return nil, fmt.Errorf("silence %s: %w", id, err)
	}
	if !s.Ended.IsZero() || !tx.Now().Before(s.Until) {
		return nil, nil
	}
	fires, err := firing(tx)
	if err != nil {
		return nil, err
	}
	current, err := silences(tx)
	if err != nil {
		return nil, err
	}
	current = slices.DeleteFunc(current, func(c Silence) bool { return c.ID == id })
	return append([]trail.Change{&SilenceEnded{s.ID, s.Model, "person"}}, suppressions(fires, current, tx.Now())...), nil
}

// Silences returns silences, what was created last first: those that have not ended, or all.
func (o *Office) Silences(ctx context.Context, ended bool, before uint64, limit int) (all []Silence, err error) {
	if limit <= 0 || limit > maxListed {
		limit = maxListed
	}
	if before == 0 {
		before = math.MaxInt64
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanSilence, "SELECT "+silenceColumns+" FROM silences WHERE (? = 1 OR ended_ms = 0 AND until_ms > ?) AND event < ? ORDER BY event DESC "+state.Limit,
			ended, tx.Now().UnixMilli(), before, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	return all, nil
}

const silenceColumns = "id, matchers, model, reason, created_by, from_ms, until_ms, created_ms, ended_ms, ended_by, event"

func scanSilence(row state.Scanner) (s Silence, err error) {
	var matchers string
	var from, until, created, ended int64
	if err = row.Scan(&s.ID, &matchers, &s.Model, &s.Reason, &s.By, &from, &until, &created, &ended, &s.EndedBy, &s.Event); err != nil {
		return s, err
	}
	s.From, s.Until, s.Created, s.Ended = millis(from), millis(until), millis(created), millis(ended)
	if err := json.Unmarshal([]byte(matchers), &s.Matchers); err != nil {
		return s, err
	}
	s.parsed, _, err = parseMatchers(s.Matchers)
	return s, err
}

// silences returns those that have not ended, oldest first; their time may have come.
func silences(tx *state.Tx) ([]Silence, error) {
	return state.Collect(tx, scanSilence, "SELECT "+silenceColumns+" FROM silences WHERE ended_ms = 0 ORDER BY event "+state.Limit, maxSilences)
}

// SilenceCreated is the change by which notifications are kept back.
type SilenceCreated struct {
	Silence  string   `json:"silence"`
	Matchers []string `json:"matchers"`
	Model    string   `json:"model,omitempty"`
	From     string   `json:"from"`
	Until    string   `json:"until"`
	Reason   string   `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (s *SilenceCreated) Subject() (trail.Type, trail.Resource) {
	return trail.SilenceCreated, trail.Resource{Type: "silence", ID: s.Silence}
}

// Apply implements trail.Change.
func (s *SilenceCreated) Apply(tx *state.Tx, at trail.Mark) error {
	matchers, err := list(s.Matchers)
	if err != nil {
		return err
	}
	from, err := micro(s.From)
	if err != nil {
		return err
	}
	until, err := micro(s.Until)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO silences (id, matchers, model, reason, created_by, from_ms, until_ms, created_ms, ended_ms, ended_by, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?)",
		s.Silence, matchers, s.Model, s.Reason, at.Actor, from/1000, until/1000, at.Time.UnixMilli(), at.Sequence)
	return err
}

// SilenceEnded is the change by which a silence ends.
type SilenceEnded struct {
	Silence string `json:"silence"`
	Model   string `json:"model,omitempty"`
	Cause   string `json:"cause"` // time, or person
}

// Subject implements trail.Change.
func (s *SilenceEnded) Subject() (trail.Type, trail.Resource) {
	return trail.SilenceEnded, trail.Resource{Type: "silence", ID: s.Silence}
}

// Apply implements trail.Change.
func (s *SilenceEnded) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE silences SET ended_ms = ?, ended_by = ? WHERE id = ?", at.Time.UnixMilli(), s.Cause, s.Silence)
}

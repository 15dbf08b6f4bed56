package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Conduct is something unusual in what somebody did.
type Conduct struct {
	Rule               string // in what it is unusual
	By                 string // whose acts they are
	Environment, Model string // empty if the acts are about several or none
	Severity           Severity
	Reason             string
	Events             []uint64 // sequences of the acts, in their order; not empty
}

// maxConductEvents bounds the events that a finding names.
const maxConductEvents = 50

// ConductUnusual returns the change that unusual conduct makes: a finding that a reviewer looks into, or nil
// if one was raised about any of it before, whatever became of that.
func (c *Catalog) ConductUnusual(tx *state.Tx, u Conduct) (trail.Change, error) {
	var known bool
	err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM findings WHERE kind = 'unusual_conduct' AND suspect = ? AND subject = ? AND environment = ?
		AND model = ? AND event > ?)`, u.By, u.Rule, u.Environment, u.Model, u.Events[0]).Scan(&known)
	if err != nil || known {
		return nil, err
	}
	r := FindingRaised{
		Kind: UnusualConduct, Severity: u.Severity, Environment: u.Environment, Model: u.Model, About: u.Rule, Suspect: u.By,
		// Which acts they are is sealed as who did them is: a list in the clear would say that one did them all.
		Summary: clipped(u.Reason + "; " + eventList(u.Events)),
		Finding: string(tallystick.DigestOf([]byte(tallystick.NewID(tx.Now())))), // see BypassTried
	}
	return r.raised(tx.Now()), nil
}

func eventList(sequences []uint64) string {
	var names []string
	for _, n := range sequences[:min(len(sequences), maxConductEvents)] {
		names = append(names, strconv.FormatUint(n, 10))
	}
	text := "events " + strings.Join(names, ", ")
	if more := len(sequences) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// waitsForReviewer reports whether no run shows that nothing is wrong any more: a reviewer looks into it.
func (k FindingKind) waitsForReviewer() bool {
	return slices.Contains([]FindingKind{BypassAttempt, UnusualConduct}, k)
}

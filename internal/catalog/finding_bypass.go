package catalog

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Bypass is an attempt to go around the gate, which was refused.
type Bypass struct {
	Environment, Model, Version string
	What                        string // assignment, withdrawal, approval or waiver
	By, Minter                  string // who tried, and who made their token
	Summary                     string
}

// BypassTried returns the change that an attempt makes: a finding that a reviewer looks into, one for each
// who tried the same, or nil if there is one.
func (c *Catalog) BypassTried(tx *state.Tx, b Bypass) (trail.Change, error) {
	r := FindingRaised{
		Kind: BypassAttempt, Environment: b.Environment, Model: b.Model, Version: b.Version, About: b.What,
		Summary: b.Summary, Suspect: b.By, Minter: b.Minter,
	}
	is, err := scanFinding(tx.QueryRow("SELECT "+findingColumns+` FROM findings WHERE model = ? AND environment = ? AND kind = 'bypass_attempt' AND subject = ?
		AND suspect = ? AND resolved_ms IS NULL ORDER BY event DESC LIMIT 1`, b.Model, b.Environment, b.What, b.By))
	switch {
	case err == nil:
		return r.again(is, tx.Now()), nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("read attempts about %s: %w", b.Model, err)
	}
	// Who tried is sealed. A fingerprint that followed from it would name them to whoever knows their id.
	r.Finding = string(tallystick.DigestOf([]byte(tallystick.NewID(tx.Now()))))
	return r.raised(tx.Now()), nil
}

// AssignmentBypass returns the change that a refused assignment makes if it was an attempt to go around the
// gate, and nil otherwise.
func (c *Catalog) AssignmentBypass(tx *state.Tx, a AssignmentRequest, by, minter string) (trail.Change, error) {
	return c.handled(tx, Bypass{
		Environment: a.Environment, Model: a.Model, Version: a.Version, What: "assignment", By: by, Minter: minter,
		Summary: fmt.Sprintf("somebody tried to put %s@%s into %s by hand, as %s", a.Model, a.Version, a.Environment, a.Role),
	}, a.Observed)
}

// WithdrawalBypass does the same for the end of an assignment.
func (c *Catalog) WithdrawalBypass(tx *state.Tx, a AssignmentEnd, by, minter string) (trail.Change, error) {
	return c.handled(tx, Bypass{
		Environment: a.Environment, Model: a.Model, Version: a.Version, What: "withdrawal", By: by, Minter: minter,
		Summary: fmt.Sprintf("somebody tried to take %s@%s out of %s by hand", a.Model, a.Version, a.Environment),
	}, a.Observed)
}

// handled is what was tried by hand, as far as model, version and environment are known and a release alone
// changes what serves there. Who reports what is so already tries nothing.
func (c *Catalog) handled(tx *state.Tx, b Bypass, observed bool) (trail.Change, error) {
	if observed {
		return nil, nil
	}
	where, err := environment(tx, b.Environment)
	if err == nil && where.Strictness == Gated {
		_, err = findVersion(tx, b.Model, b.Version)
	}
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound || tallystick.CodeOf(err) == tallystick.Invalid:
		return nil, nil
	case err != nil || where.Strictness != Gated:
		return nil, err
	}
	return c.BypassTried(tx, b)
}

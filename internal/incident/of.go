package incident

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// OfAlert returns the incident that an alert is part of, or a NotFound error.
func (o *Office) OfAlert(tx *state.Tx, alert string) (Incident, error) {
	i, err := scan(tx.QueryRow("SELECT "+columns+" FROM incidents i WHERE id = (SELECT incident FROM incident_alerts WHERE alert = ? ORDER BY event DESC LIMIT 1)", alert))
	if errors.Is(err, sql.ErrNoRows) {
		return i, tallystick.Errorf(tallystick.NotFound, "the alert %.80q is part of no incident", alert)
	}
	if err != nil {
		return i, fmt.Errorf("incident of the alert %.80q: %w", alert, err)
	}
	return i, nil
}

// OpenOf returns the newest incident of a model, version and environment that is neither resolved nor closed, or a NotFound
// error.
func (o *Office) OpenOf(tx *state.Tx, model, version, environment string) (Incident, error) {
	return openOf(tx, model, version, environment)
}

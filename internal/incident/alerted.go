package incident

import (
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// OfAlerts returns, by the id of an alert, the id of the newest incident that it is part of. At most 1,000 are looked for.
func (o *Office) OfAlerts(ctx context.Context, alerts []string) (map[string]string, error) {
	found := map[string]string{}
	if alerts = alerts[:min(len(alerts), maxListed)]; len(alerts) == 0 {
		return found, nil
	}
	args := make([]any, len(alerts))
	for i, id := range alerts {
		args[i] = id
	}
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		clear(found)
		_, err := state.Collect(tx, func(row state.Scanner) (pair [2]string, err error) {
			err = row.Scan(&pair[0], &pair[1])
			found[pair[0]] = pair[1]
			return pair, err
		}, "SELECT alert, incident FROM incident_alerts WHERE alert IN (?"+strings.Repeat(", ?", len(args)-1)+") ORDER BY event", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("incidents of alerts: %w", err)
	}
	return found, nil
}

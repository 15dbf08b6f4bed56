package alert

import (
	"context"
	"fmt"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tallystick/tallystick/internal/state"
)

// MostCounted is the largest number that CountFiring tells: it stands on every page.
const MostCounted = 100

// CountFiring returns how many alerts fire, those that are suppressed too, at most MostCounted.
func (o *Office) CountFiring(ctx context.Context) (n int, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM alerts WHERE state = 'firing' "+state.Limit+") AS few", MostCounted).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count alerts that fire: %w", err)
	}
	return n, nil
}

// Conditions returns those that a silence of this alert alone has, which the next alert about the same thing meets too.
func (a *Alert) Conditions() (all []string) {
	for _, l := range [][2]string{
		{"model", a.Model}, {"rule", a.Rule}, {"subject", a.Subject}, {"segment", a.Segment}, {"version", a.Version}, {"environment", a.Environment},
	} {
		if l[1] != "" {
			all = append(all, (&labels.Matcher{Type: labels.MatchEqual, Name: l[0], Value: l[1]}).String())
		}
	}
	return all
}

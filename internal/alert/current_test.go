package alert_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/alert"
)

// many lists alerts as the office does, a thousand at once.
type many []alert.Alert

func (m many) Alerts(_ context.Context, f alert.Filter) (found []alert.Alert, err error) {
	for _, a := range slices.Backward(m) {
		if a.State == f.State && (f.Before == 0 || a.Event < f.Before) && !a.Resolved.Before(f.ResolvedSince) && len(found) < min(f.Limit, 1000) {
			found = append(found, a)
		}
	}
	return found, nil
}

// What fires is found under however much has fired since; what was resolved long ago, or never fired, is not.
func TestCurrent(t *testing.T) {
	t.Parallel()
	all := many{{State: alert.Firing, Fired: noon, Event: 1}, {State: alert.Ended, Fired: noon, Resolved: noon, Event: 2}, {State: alert.Ended, Resolved: noon.Add(time.Hour), Event: 3}}
	for i := range 2500 {
		a := alert.Alert{State: alert.Ended, Fired: noon, Resolved: noon.Add(time.Hour), Event: uint64(10 + i)}
		if i%2 == 0 {
			a.State, a.Resolved = alert.Firing, time.Time{}
		}
		all = append(all, a)
	}
	found, err := alert.Current(t.Context(), all, alert.Filter{}, noon.Add(time.Minute))
	if err != nil || len(found) != 2501 || found[1250].Event != 1 || found[1251].Event != 2509 {
		t.Errorf("%d alerts, %v", len(found), err)
	}
}

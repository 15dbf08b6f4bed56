package cli

import (
	"time"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/schedule"
)

// evaluateEvery is how long a judgement waits until alerts follow from it, about.
const evaluateEvery = 10 * time.Second

// alerting returns the office that lets alerts fire and resolve.
func (h house) alerting() *alert.Office {
	return alert.New(alert.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself(), Models: h.catalog, Evidence: h.Evidence,
		Sources: map[string]alert.Source{"monitors": alert.Monitors{Judgements: h.monitors}},
	})
}

// alertJob looks at what was judged.
func (h house) alertJob() schedule.Job {
	return schedule.Job{Name: "evaluate-alerts", Period: evaluateEvery, Tell: h.alerts.Run}
}

package cli_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// tried is what a reaction did of an alert.
type tried struct{ Reaction, Deed, Cause, State, Reason, Retrain, Release string }

func (t tried) key() string { return t.Reaction + " " + t.Deed + " " + t.Cause }

var deeds = []string{"retrain", "rollback"}

// react puts a reaction of its own in force for each life of the server, so that each has deeds to do and not only to skip:
// the version that a rollback took away is let in again, and somebody else lets the reaction act.
func (w *watcher) react(ctx context.Context, c, second *client.Client, round int) error {
	name := fmt.Sprintf("%s-%d", w.model, round)
	if w.reaction == name {
		return nil
	}
	if w.applied != "" && w.applied != name { // or sent, and never answered
		if _, err := c.Delete(ctx, "/reactions/"+w.applied, nil); err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
			return err
		}
	}
	if err := w.restore(ctx, c); err != nil {
		return err
	}
	document := "apiVersion: tallystick/v1\nkind: Reaction\nname: " + name + "\nmodel: " + w.model +
		"\nwhen: {alert: {rule: monitor/*/drift, subject: [region]}}\ndo: [retrain: {window: 1d}, rollback: {to: previous}]\ncooldown: 5m\nmode: act\n"
	w.applied = name
	if _, err := c.Put(ctx, "/reactions/"+name, map[string]any{"document": document}, nil); err != nil {
		return err
	}
	if _, err := second.Post(ctx, "/reactions/"+name+"/approval", map[string]any{}, nil); err != nil {
		return err
	}
	w.reaction = name
	return nil
}

// releasing is a request for a release.
type releasing struct{ ID, Kind, Version, State string }

// restore lets the version in that predicts.
func (w *watcher) restore(ctx context.Context, c *client.Client) error {
	var is struct{ Champion struct{ Version string } }
	if err := c.Get(ctx, "/environments/live/models/"+w.model, &is); err != nil || is.Champion.Version == "1" {
		return err
	}
	open, err := client.List[releasing](ctx, c, "/releases", url.Values{"model": {w.model}, "version": {"1"}, "open": {"true"}}, 0)
	if err != nil {
		return err
	}
	var asked releasing
	if len(open) > 0 { // by who was killed before they carried it out
		asked = open[0]
	} else if _, err := c.Post(ctx, "/releases", map[string]any{"model": w.model, "version": "1", "environment": "live", "reason": "again"}, &asked); err != nil {
		return err
	}
	_, err = c.Post(ctx, "/releases/"+asked.ID+"/promotion", map[string]any{}, nil)
	return err
}

// reacts has reactions looked at, and takes down what has to have been tried of the drift of a window.
func (w *watcher) reacts(ctx context.Context, c *client.Client, at time.Time) error {
	drift, err := w.alerts(ctx, c, "firing", "drift")
	if err != nil {
		return err
	}
	if len(drift) != 1 || !drift[0].From.Equal(at) {
		return fmt.Errorf("of the window %s these alerts of drift fire: %+v", at, drift)
	}
	if _, err := c.Post(ctx, "/reaction-runs", nil, nil); err != nil {
		return err
	}
	for _, deed := range deeds {
		w.due = append(w.due, tried{Reaction: w.reaction, Deed: deed, Cause: "alert/" + drift[0].ID}.key())
	}
	return nil
}

// checkTries: each deed of a reaction was tried once for each alert that it saw, nothing is half done, and what was done is on
// record as often as it was.
func (w *watcher) checkTries(c *client.Client) (done int) {
	w.t.Helper()
	ctx := w.t.Context()
	of := url.Values{"model": {w.model}, "limit": {"999"}}
	all, err := client.List[tried](ctx, c, "/reaction-tries", of, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	times, reports, requests := map[string]int{}, map[string]bool{}, map[string]string{}
	for _, t := range all {
		times[t.key()]++
		switch {
		case t.State == "done" && t.Deed == "retrain":
			done++
			reports[t.Retrain] = true
		case t.State == "done":
			done++
			requests[t.Release] = "promoted"
		case t.State != "skipped":
			w.t.Errorf("%s is %s: %s", t.key(), t.State, t.Reason)
		}
	}
	for key, n := range times {
		if n != 1 {
			w.t.Errorf("%s was tried %d times", key, n)
		}
	}
	for _, key := range w.due {
		if times[key] == 0 {
			w.t.Errorf("%s was not tried", key)
		}
	}
	asked, err := client.List[struct{ ID string }](ctx, c, "/retrainings", of, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range asked {
		if !reports[r.ID] {
			w.t.Errorf("the training %s was asked for by no try", r.ID)
		}
		if report, err := reading(ctx, c, "/retrainings/"+r.ID+"/report"); err != nil || len(report) == 0 {
			w.t.Errorf("its report: %d bytes, %v", len(report), err)
		}
	}
	if len(asked) != len(reports) || len(reports) == 0 {
		w.t.Errorf("%s: %d trainings were asked for, and %d tries say so", w.model, len(asked), len(reports))
	}
	releases, err := client.List[releasing](ctx, c, "/releases", of, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range releases {
		if r.Kind == "rollback" && r.State != requests[r.ID] {
			w.t.Errorf("the rollback %s to %s is %s, and tries say %q", r.ID, r.Version, r.State, requests[r.ID])
		}
		delete(requests, r.ID)
	}
	if len(requests) > 0 {
		w.t.Errorf("%s: of rollbacks that were done there are no requests: %v", w.model, requests)
	}
	events, err := client.List[struct{}](ctx, c, "/events", url.Values{"limit": {"1000"}, "type": {"reaction.tried"}, "model": {w.model}}, 0)
	if err != nil || len(events) != len(all) {
		w.t.Errorf("%s: %d events of %d tries, %v", w.model, len(events), len(all), err)
	}
	return done
}

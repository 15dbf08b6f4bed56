package cli_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	weak "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// TestAlertKill kills a server that judges windows, lets alerts fire and resolve, opens incidents, carries out reactions and
// tells people, over and over on one workspace. Every window that was acknowledged as bad has fired its alert once, every good
// one after it has resolved it once; people were told of each at least once, and twice only if the server was killed meanwhile;
// of all alerts of a model there is one incident; each deed of a reaction was tried once for each of them; and the tables are
// those that follow from the trail.
func TestAlertKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	rounds := crashRounds(t)
	h := newHome(t)
	people := newPeople(t)
	if err := os.WriteFile(h.path("alertmanager.yml"), []byte(`route:
  receiver: nobody
  group_by: [model]
  group_wait: 10ms
  group_interval: 100ms
  repeat_interval: 12h
  routes: [{matchers: ['alertname=new_values', 'subject=region'], receiver: people}]
receivers:
- name: nobody
- name: people
  webhook_configs: [{url: '`+people.URL+`', send_resolved: true}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *serving {
		return h.served(h.command("serve", "--listen", "127.0.0.1:0", "--notify-to", people.URL, "--notify-to", "127.0.0.0/8", "--alertmanager-config", "alertmanager.yml"), nil)
	}
	s := start()
	admin := s.firstAdmin(h)
	token := s.addPerson(s.client(admin), "bo", "validator", "scientist", "operator")
	s.addPerson(s.client(admin), "eva", "approver")
	eva := s.session("eva")
	s.must(s.client(admin).Put(t.Context(), "/environments/live", map[string]any{"strictness": "free", "position": 10}, nil))
	all := make([]*watcher, 3)
	for i := range all {
		all[i] = &watcher{t: t, people: people, model: fmt.Sprint("model-", i), windows: 6*rounds + 8}
		all[i].begin(s, s.client(token))
	}
	s.stop()

	run := func(s *serving, round int, settle bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			select {
			case <-s.gone:
				cancel()
			case <-ctx.Done():
			}
		}()
		var wg sync.WaitGroup
		for _, w := range all {
			c, err := client.New(client.Config{Server: s.address, Token: token, Transport: &keyed{RoundTripper: &http.Transport{}}})
			if err != nil {
				t.Fatal(err)
			}
			second := s.client(eva)
			wg.Go(func() {
				w.run(ctx, settle, func() error { return w.next(ctx, c, second, round) })
			})
		}
		wg.Wait()
	}
	for round := range rounds {
		s := start()
		time.AfterFunc(200*time.Millisecond+weak.N(3*time.Second), func() { _ = s.cmd.Process.Kill() }) // it may be dead already
		run(s, round, false)
		<-s.gone
		for _, fault := range s.faults {
			t.Errorf("round %d: %s", round, fault)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	s = start()
	run(s, rounds, true)
	told, twice, done := 0, 0, 0
	for _, w := range all {
		n, again := w.check(s.client(admin), rounds)
		told, twice, done = told+n, twice+again, done+w.checkTries(s.client(admin))
	}
	s.stop()
	h.run(0, "fsck")
	if told == 0 {
		t.Error("nobody was told of anything: the moments do not try what they should")
	}
	t.Logf("%d rounds, %d alerts fired or resolved, %d of them told again after a kill, %d deeds of reactions", rounds, told, twice, done)
}

// people is a receiver that takes its time, so that a server is killed while it answers, and after.
type people struct {
	*httptest.Server
	mu   sync.Mutex
	told map[string]int // how often, by model, beginning and state of an alert
}

func newPeople(t *testing.T) *people {
	p := &people{told: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var said struct {
			Alerts []struct {
				Status   string
				Labels   map[string]string
				StartsAt time.Time
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Error(err)
		}
		p.mu.Lock()
		for _, a := range said.Alerts {
			p.told[toldKey(a.Labels["model"], a.StartsAt, a.Status)]++
		}
		p.mu.Unlock()
		time.Sleep(weak.N(50 * time.Millisecond))
	}))
	t.Cleanup(p.Close)
	return p
}

func toldKey(model string, began time.Time, status string) string {
	return model + " " + began.UTC().Format(time.RFC3339Nano) + " " + status
}

func (p *people) know(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told[key]
}

// watcher has one window of a model judged after the other: one is bad, the next is good. It goes on when people were told.
type watcher struct {
	t       *testing.T
	people  *people
	model   string
	windows int
	judged  int       // windows, the first so many
	key     string    // of the request that judges the next; empty: none was made
	fired   time.Time // of the alert of the last bad window
	starts  []time.Time

	applied  string   // name of the reaction that was sent
	reaction string   // that acts
	due      []string // tries that there have to be
}

var firstWindow = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const perWindow = 250 // predictions

func (w *watcher) begin(s *serving, c *client.Client) {
	w.t.Helper()
	ctx := w.t.Context()
	s.must(c.Post(ctx, "/models", map[string]any{"name": w.model, "state": "experimental"}, nil))
	for _, version := range []string{"2", "1"} { // one that a rollback can go to, and the champion
		s.must(c.Post(ctx, "/models/"+w.model+"/versions", map[string]any{
			"version": version, "changelog": "another", "manifest": []map[string]any{{"name": "weights.bin", "digest": tallystick.DigestOf([]byte(version)), "size": 1}},
		}, nil))
		var asked struct{ ID string }
		s.must(c.Post(ctx, "/releases", map[string]any{"model": w.model, "version": version, "environment": "live", "reason": "first"}, &asked))
		s.must(c.Post(ctx, "/releases/"+asked.ID+"/promotion", map[string]any{}, nil))
	}
	var records []map[string]any
	send := func() {
		s.must(c.Post(ctx, "/predictions", map[string]any{"records": records}, nil))
		records = nil
	}
	record := func(at time.Time, i int, region string) {
		records = append(records, map[string]any{
			"model": w.model, "version": "1", "time": at, "score": float64(i*37%100) / 100, "features": map[string]any{"age": 20 + i*37%50, "region": region},
		})
		if len(records) == 1000 {
			send()
		}
	}
	for i := range 1200 {
		record(firstWindow.Add(time.Duration(i-1300)*time.Minute), i, []string{"north", "south"}[i%2])
	}
	for n := range w.windows {
		for i := range perWindow {
			region := []string{"north", "south"}[i%2]
			if n%2 == 0 && i%4 == 1 {
				region = "east"
			}
			record(firstWindow.Add(time.Duration(n)*time.Hour+time.Duration(i)*12*time.Second), i, region)
		}
	}
	if len(records) > 0 {
		send()
	}
	s.must(c.Post(ctx, "/models/"+w.model+"/references", map[string]any{"from": firstWindow.Add(-24 * time.Hour), "to": firstWindow}, nil))
	s.must(c.Put(ctx, "/monitors/"+w.model, map[string]any{"document": "apiVersion: tallystick/v1\nkind: Monitor\nname: " + w.model + "\nmodel: " + w.model + "\nwindow: 1h\n"}, nil))
	s.must(c.Put(ctx, "/alert-policies/"+w.model, map[string]any{
		"document": "apiVersion: tallystick/v1\nkind: AlertPolicy\nname: " + w.model + "\nmodel: " + w.model + "\nrules: [{match: {rule: 'monitor/*/new_values'}, severity: page, fires: 1, clears: 1}, {match: {rule: 'monitor/*/drift'}, severity: ticket, fires: 1, clears: 1}]\n",
	}, nil))
}

// run judges until the server is gone; or, to settle, until the last alert is over.
func (w *watcher) run(ctx context.Context, settle bool, next func() error) {
	for ctx.Err() == nil && w.judged < w.windows && !(settle && w.judged%2 == 0 && w.key == "") {
		if err := next(); err != nil && ctx.Err() == nil && tallystick.CodeOf(err) != tallystick.Unavailable {
			w.t.Errorf("%s, window %d: %v", w.model, w.judged, err)
			return
		}
	}
	<-map[bool]<-chan struct{}{true: closed, false: ctx.Done()}[settle] // all windows may be judged before the server is killed
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// next judges the next window, has alerts evaluated and reactions looked at, and waits until people know.
func (w *watcher) next(ctx context.Context, c, second *client.Client, round int) error {
	bad := w.judged%2 == 0
	if bad && w.key == "" {
		if err := w.react(ctx, c, second, round); err != nil {
			return err
		}
	}
	if w.key == "" {
		w.key = rand.Text()
	}
	at := firstWindow.Add(time.Duration(w.judged) * time.Hour)
	var judged struct{ Verdict, Words string }
	if _, err := c.Post(context.WithValue(ctx, keyOf{}, w.key), "/monitors/"+w.model+"/judgements", map[string]any{"window": at}, &judged); err != nil {
		return err
	}
	if _, err := c.Post(ctx, "/alert-evaluations", nil, nil); err != nil {
		return err
	}
	if bad {
		firing, err := w.alerts(ctx, c, "firing", "new_values")
		if err != nil {
			return err
		}
		if len(firing) != 1 || !firing[0].From.Equal(at) {
			return fmt.Errorf("the window %s was judged %+v, and of alerts there fire %+v", at, judged, firing)
		}
		w.fired = firing[0].Fired
		if err := w.reacts(ctx, c, at); err != nil {
			return err
		}
	}
	key := toldKey(w.model, w.fired, map[bool]string{true: "firing", false: "resolved"}[bad])
	for deadline := time.Now().Add(2 * time.Minute); w.people.know(key) == 0; time.Sleep(20 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody was told of %s", key)
		}
	}
	if bad {
		w.starts = append(w.starts, w.fired)
	}
	w.judged, w.key = w.judged+1, ""
	return nil
}

type toldAlert struct {
	ID            string
	Rule, Subject string
	From, Fired   time.Time
}

func (w *watcher) alerts(ctx context.Context, c *client.Client, state, check string) (found []toldAlert, err error) {
	all, err := client.List[toldAlert](ctx, c, "/alerts", url.Values{"model": {w.model}, "state": {state}, "limit": {"999"}}, 0)
	for _, a := range all {
		if a.Rule == "monitor/"+w.model+"/"+check && a.Subject == "region" {
			found = append(found, a)
		}
	}
	return found, err
}

// check holds the record and what people were told against what was acknowledged. It returns how many changes of alerts
// people were told of, and how many of these again.
func (w *watcher) check(c *client.Client, kills int) (told, twice int) {
	w.t.Helper()
	over, err := w.alerts(w.t.Context(), c, "resolved", "new_values")
	if err != nil {
		w.t.Fatal(err)
	}
	if fires, err := w.alerts(w.t.Context(), c, "firing", "new_values"); err != nil || len(fires) > 0 || len(over) != w.judged/2 || w.judged%2 != 0 {
		w.t.Errorf("%s: %d windows were judged; %d alerts are over, %v fire, %v", w.model, w.judged, len(over), fires, err)
	}
	windows := map[time.Time]bool{}
	for _, a := range over {
		windows[a.Fired] = true
	}
	if len(windows) != len(over) {
		w.t.Errorf("%s: two alerts fired at one time: %+v", w.model, over)
	}
	for _, kind := range []string{"alert.fired", "alert.resolved"} {
		if n := w.events(c, kind); n != w.judged/2 {
			w.t.Errorf("%s: %d events %s, want %d", w.model, n, kind, w.judged/2)
		}
	}
	w.checkIncident(c)
	for _, began := range w.starts {
		for _, status := range []string{"firing", "resolved"} {
			n := w.people.know(toldKey(w.model, began, status))
			told++
			if n > 1 {
				twice++
			}
			if n < 1 || n > 1+kills {
				w.t.Errorf("%s: of the alert that fired at %s people were told %d times that it is %s", w.model, began, n, status)
			}
		}
	}
	return told, twice
}

// events counts the events of a type about the alerts that are watched.
func (w *watcher) events(c *client.Client, kind string) (n int) {
	w.t.Helper()
	type told struct {
		Data struct{ Rule, Subject string }
	}
	all, err := client.List[told](w.t.Context(), c, "/events", url.Values{"limit": {"1000"}, "type": {kind}, "model": {w.model}}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range all {
		if e.Data.Rule == "monitor/"+w.model+"/new_values" && e.Data.Subject == "region" {
			n++
		}
	}
	return n
}

// checkIncident awaits that every alert is part of the one incident of the model, which the next look at alerts sees to.
func (w *watcher) checkIncident(c *client.Client) {
	w.t.Helper()
	type incident struct {
		ID     string
		Alerts int
	}
	var all []incident
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		all, err = client.List[incident](w.t.Context(), c, "/incidents", url.Values{"model": {w.model}}, 0)
		if err != nil || len(all) == 1 && all[0].Alerts == w.judged/2 {
			break
		}
	}
	if err != nil || len(all) != 1 || all[0].Alerts != w.judged/2 {
		w.t.Errorf("%s: %d alerts fired, and the incidents are %+v, %v", w.model, w.judged/2, all, err)
	}
}

package cli_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// TestReleaseCut kills a server before one system call of a release and the rollback after it that changes a file or answers a client,
// each time before another. What was answered is there; what was under way happened with all its events and rows, or not at all;
// and whoever asks again with the same key finds each act done once. RELEASE_CUTS says before how many of the about 400 calls, or all.
func TestReleaseCut(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	whole := p.round(t, 0)
	if whole.name != "none" || whole.act != len(p.acts) {
		t.Fatalf("the whole play was %+v", whole)
	}
	cuts := 20
	if testing.Short() {
		cuts = 3
	}
	switch s := os.Getenv("RELEASE_CUTS"); s {
	case "":
	case "all":
		whole.calls += whole.calls / 10 // another play may make more
		cuts = whole.calls
	default:
		var err error
		if cuts, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	cuts = min(cuts, whole.calls)

	var mu sync.Mutex
	at, during, complete := map[string]int{}, map[string]int{}, 0
	t.Run("before", func(t *testing.T) {
		for i := range cuts {
			n := 1 + i*whole.calls/cuts
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				c := p.round(t, n)
				mu.Lock()
				defer mu.Unlock()
				if c.name == "none" {
					complete++ // it made fewer calls than the first
					return
				}
				at[call.FindString(c.name)]++
				during[c.words(p)]++
			})
		}
	})
	t.Logf("%d calls in the whole play, %d kills, %d plays that were over before", whole.calls, cuts-complete, complete)
	for _, counts := range []map[string]int{at, during} {
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			t.Logf("%4d %s", counts[name], name)
		}
	}
	if !t.Failed() && complete > cuts/4 {
		t.Errorf("%d of %d plays were over before the kill", complete, cuts)
	}
}

// call is a system call and the file, up to what differs from run to run.
var call = regexp.MustCompile(`^\w+ [^0-9]*`)

// play is a release that can be played again and again on copies of one workspace.
type play struct {
	home   home
	acts   []playAct
	admin  string // token
	before int    // events of releases before it
}

// playAct is one act: who does it, and which events of a release it leaves.
type playAct struct {
	name, token string
	on          string // what it does to the newest request; empty if it makes one
	body        map[string]any
	events      []string
}

// cutAt tells where a play was cut.
type cutAt struct {
	calls int    // before the kill
	name  string // of the call before which the kill came, and the file; "none" if none came
	act   int    // acts that were answered
	open  bool   // the one after them has happened, though it was not answered
}

func (c cutAt) words(p *play) string {
	if c.act == len(p.acts) {
		return "after the last answer"
	}
	return fmt.Sprintf("%d %s: happened: %t", c.act+1, p.acts[c.act].name, c.open)
}

const lab = "lab"

func newPlay(t *testing.T) *play {
	h := newHome(t)
	if err := os.WriteFile(h.path("weights.bin"), []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(0, "model", "register", "loans", "--purpose", "show", "--acceptable-use", "a person reads it", "--answer", "financial_effect=none", "--answer", "safety=none",
		"--answer", "sensitive_data=none", "--answer", "reach=team", "--answer", "regulated_market=no", "--answer", "automated_decision=none")
	h.run(0, "env", "set", lab, "--strictness", "gated", "--position", "1")
	for _, version := range []string{"1", "2"} {
		if err := os.WriteFile(h.path("weights.bin"), []byte("weights "+version), 0o600); err != nil {
			t.Fatal(err)
		}
		h.run(0, "register", "loans@"+version, "weights.bin", "--changelog", "next", "--upload")
		h.run(0, "audit", "loans.csv", "--label", "defaulted", "--prediction", "predicted", "--score", "probability", "--group", "sex",
			"--model", "loans@"+version, "--tier", "low", "--out", "out"+version)
	}
	s := h.serve(nil)
	token := s.firstAdmin(h)
	admin := s.client(token)
	ada, vera, olga := s.addPerson(admin, "ada", "scientist"), s.addPerson(admin, "vera", "approver"), s.addPerson(admin, "olga", "operator")
	request := func(kind, version, by string) playAct {
		return playAct{
			name: "request " + kind, token: by, events: []string{"release.requested"},
			body: map[string]any{"kind": kind, "model": "loans", "version": version, "environment": lab, "reason": "as planned"},
		}
	}
	review := playAct{
		name: "approve", token: vera, on: "/reviews", events: []string{"release.reviewed"},
		body: map[string]any{"verdict": "approve", "comment": "looked at it"},
	}
	carry := func(name string) playAct {
		return playAct{
			name: name, token: olga, on: "/promotion", events: []string{"gate.decided", "release.promoted", "assignment.recorded"},
			body: map[string]any{},
		}
	}
	before := &play{home: h, admin: token, acts: []playAct{request("promotion", "1", ada), review, carry("promote")}}
	if c := before.run(t, s, []string{"a", "b", "c"}); c.act != 3 {
		t.Fatalf("the release before the play ended after %d acts", c.act)
	}
	if n := before.happened(t, s); n != 3 {
		t.Fatalf("%d acts happened before the play", n)
	}
	s.stop()
	return &play{home: h, admin: token, before: 5, acts: []playAct{
		request("promotion", "2", ada), review, carry("promote"), request("rollback", "1", olga), carry("roll back"),
	}}
}

// answer is what a client was told of an act.
type answer struct {
	receipt  client.Receipt
	ID       string
	Promoted bool
}

// outcome tells how far a play came.
type outcome struct {
	answers []answer
	act     int // acts that were answered
}

// run plays until all is done or the server is gone.
func (p *play) run(t *testing.T, s *serving, keys []string) (done outcome) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-s.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	newest := ""
	for i, act := range p.acts {
		c, err := client.New(client.Config{Server: s.address, Token: act.token, Transport: &keyed{RoundTripper: &http.Transport{}}})
		if err != nil {
			t.Fatal(err)
		}
		var a answer
		path := "/releases"
		if act.on != "" {
			path += "/" + newest + act.on
		}
		a.receipt, err = c.Post(context.WithValue(ctx, keyOf{}, keys[i]), path, act.body, &a)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Unavailable && ctx.Err() == nil {
				t.Errorf("%s: %v", act.name, err)
			}
			return done
		}
		if act.on == "" {
			newest = a.ID
		}
		done.answers, done.act = append(done.answers, a), i+1
	}
	return done
}

// round plays on a copy of the workspace until call number cut, asks again for all, and holds what is there against the answers.
func (p *play) round(t *testing.T, cut int) cutAt {
	t.Helper()
	h := p.home.copy(t)
	cmd := h.command()
	path, err := exec.LookPath("cutter")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args = path, []string{"cutter", strconv.Itoa(cut), "tallystick", "serve", "--listen", "127.0.0.1:0"}
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &strings.Builder{}
	ready := make(chan struct{})
	cmd.Stdout = &teller{said, sync.OnceFunc(func() { close(ready) })}
	s := h.served(cmd, nil)
	if _, err := io.WriteString(begin, "begin\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ready:
	case <-s.gone:
		if faults := strings.Join(s.faults, "; "); strings.Contains(faults, syscall.EPERM.Error()) {
			t.Skip("needs leave to trace: " + faults)
		} else {
			t.Fatal(faults)
		}
	}
	keys := make([]string, len(p.acts))
	for i := range keys {
		keys[i] = fmt.Sprintf("play-%d-%d", cut, i)
	}
	answered := p.run(t, s, keys)
	if answered.act == len(p.acts) {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	}
	<-s.gone
	c := cutAt{act: answered.act}
	calls, name, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(said.String(), "ready\n")), " ")
	if c.calls, err = strconv.Atoi(calls); err != nil {
		t.Fatalf("the cutter said %q: %v", said, err)
	}
	c.name = strings.NewReplacer(h.workspace(), "", h.dir, "").Replace(name)
	for _, fault := range s.faults {
		t.Error(fault)
	}
	if cut > 0 && c.name == "none" && answered.act < len(p.acts) {
		t.Errorf("the server went after %d acts, and nobody killed it", answered.act)
	}
	defer func() {
		if t.Failed() {
			t.Logf("killed before %s, after %d answers", c.name, answered.act)
		}
	}()

	s = h.serve(nil)
	happened := p.happened(t, s)
	if happened < answered.act || happened > answered.act+1 {
		t.Errorf("%d acts have happened", happened)
	}
	c.open = happened > answered.act
	again := p.run(t, s, keys)
	if again.act < len(p.acts) {
		t.Errorf("asked again, act %d is not answered", again.act+1)
	}
	for i, a := range again.answers {
		if a.receipt.Repeated != (i < happened) {
			t.Errorf("act %d, asked again: repeated %t", i+1, a.receipt.Repeated)
		}
		if i >= answered.act {
			continue
		}
		before := answered.answers[i]
		before.receipt.Repeated = true
		if a != before {
			t.Errorf("act %d was answered %+v, and asked again %+v", i+1, before, a)
		}
	}
	if n := p.happened(t, s); n != len(p.acts) {
		t.Errorf("in the end %d acts have happened", n)
	}
	s.stop()
	h.run(0, "verify")
	return c
}

// happened returns how many acts have happened, and holds events and rows against each other: each act has happened with all that it
// leaves, or with nothing.
func (p *play) happened(t *testing.T, s *serving) (acts int) {
	t.Helper()
	c := s.client(p.admin)
	type told struct {
		event
		Data struct {
			Request, Verdict, Environment, Version string
			Input                                  string `json:"input_digest"`
		}
	}
	events, err := client.List[told](t.Context(), c, "/events", url.Values{"limit": {"1000"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	events = slices.DeleteFunc(events, func(e told) bool {
		return !strings.HasPrefix(e.Type, "release.") && !strings.HasPrefix(e.Type, "gate.") && !strings.HasPrefix(e.Type, "assignment.")
	})[p.before:]
	champion, promotions, reviews, requests := "", 0, 0, 0
	if p.before > 0 {
		champion, promotions, reviews, requests = "1", 1, 1, 1
	}
	for rest := events; len(rest) > 0; acts++ {
		if acts == len(p.acts) {
			t.Fatalf("there are events beyond the last act: %+v", rest)
		}
		want := p.acts[acts].events
		for i, kind := range want {
			if i >= len(rest) || rest[i].Type != kind || rest[i].Sequence != rest[0].Sequence+uint64(i) {
				t.Fatalf("act %d has left %+v, want %v", acts+1, rest, want)
			}
		}
		switch first := rest[0]; first.Type {
		case "release.requested":
			requests++
		case "release.reviewed":
			reviews++
		case "gate.decided":
			promotions++
			champion = rest[2].Data.Version
			if p := rest[1]; first.Data.Verdict != "pass" || first.Data.Request != p.Data.Request || first.Data.Input != p.Data.Input {
				t.Errorf("promotion %+v follows %+v, which is not its decision", p, first)
			}
		}
		rest = rest[len(want):]
	}

	list := func(path string) []row {
		rows, err := client.List[row](t.Context(), c, path, url.Values{"limit": {"999"}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	got, want := map[string]int{}, map[string]int{"requests": requests, "promoted": promotions, "pass": promotions, "assignments": promotions, "reviews": reviews, "champion": min(promotions, 1)}
	for _, r := range list("/releases") {
		got["requests"]++
		if r.State == "promoted" {
			got["promoted"]++
		}
		var is struct{ Reviews []row }
		if err := c.Get(t.Context(), "/releases/"+r.ID, &is); err != nil {
			t.Fatal(err)
		}
		got["reviews"] += len(is.Reviews)
	}
	for _, r := range list("/decisions") {
		got[r.Verdict]++
	}
	for _, r := range list("/assignments") {
		got["assignments"]++
		if r.Until == "" && r.Version == champion {
			got["champion"]++
		}
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("the events of %d acts are there, and the rows are %v, want %v", acts, got, want)
			break
		}
	}
	return acts
}

// row is what the test reads of the rows of several lists.
type row struct{ ID, State, Verdict, Version, Until string }

// teller tells when it is written to.
type teller struct {
	to   *strings.Builder
	told func()
}

func (w *teller) Write(p []byte) (int, error) {
	defer w.told()
	return w.to.Write(p)
}

package obligation_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// house is a workspace with its obligations.
type house struct {
	*obligation.Office
	w       *workspace.Workspace
	catalog *catalog.Catalog
}

func open(t testing.TB) house {
	t.Helper()
	dir := t.TempDir()
	w, err := workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Database: postgrestest.IfChosen(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	c := catalog.New(w.DB, w.Trail)
	return house{obligation.New(obligation.Config{DB: w.DB, Catalog: c, Trail: w.Trail, Evidence: w.Evidence}), w, c}
}

// change commits what propose returns.
func (h house) change(t testing.TB, propose func(*state.Tx) (trail.Change, error)) {
	t.Helper()
	err := h.w.DB.Write(context.WithoutCancel(t.Context()), func(tx *state.Tx) error {
		c, err := propose(tx)
		if err != nil || c == nil {
			return err
		}
		_, err = h.w.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "usr_test", Kind: "person"}}, c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h house) model(t testing.TB, name string, answers catalog.Answers) {
	t.Helper()
	h.change(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: catalog.ModelDetails{
			Owner: "ada", SREOwner: "grace", Purpose: "decides", AcceptableUse: "with a clerk", Answers: answers, PhaseOwners: map[string]string{"evaluation": "emmy"},
		}}, "usr_test")
	})
}

func (h house) version(t testing.TB, model, version string) catalog.Version {
	t.Helper()
	files, err := artifact.NewManifest([]artifact.File{{Name: "model.safetensors", Digest: tallystick.DigestOf([]byte(model + version)), Size: 100}})
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version, Manifest: files, Details: catalog.VersionDetails{
			TrainingCutoff: "2026-01-28", CodeCommit: strings.Repeat("ab", 20), Image: tallystick.DigestOf([]byte("image")), Changelog: "another quarter", Justification: "drift",
			Metadata: catalog.Metadata{
				Metrics: map[string]catalog.Metric{"auc": {Value: 0.8, N: 1000}}, SampleSizes: map[string]int64{"train": 1000}, Seeds: map[string]string{"python": "7"},
				Thresholds: map[string]catalog.Threshold{"auc": {Fail: new(float64), Direction: "below", Window: "168h"}}, Libraries: map[string]string{"xgboost": "2.1.0"}, Hardware: "8 cores",
			},
		}})
	})
	v, err := h.catalog.Version(t.Context(), model, version)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (h house) attach(t testing.TB, model, version string, d catalog.EvidenceDetails) {
	t.Helper()
	if d.Digest == "" {
		d.Digest = tallystick.DigestOf([]byte(fmt.Sprint(model, version, d)))
	}
	h.change(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: model, Version: version, Details: d})
	})
}

func high() catalog.Answers {
	return catalog.Answers{"financial_effect": "major", "safety": "none", "sensitive_data": "personal", "reach": "customers", "regulated_market": "yes", "automated_decision": "reviewed"}
}

func low() catalog.Answers {
	return catalog.Answers{"financial_effect": "none", "safety": "none", "sensitive_data": "none", "reach": "team", "regulated_market": "no", "automated_decision": "none"}
}

func (h house) ask(t testing.TB, q obligation.Query) obligation.Obligations {
	t.Helper()
	o, err := h.Obligations(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// pieces returns the evidence that a control asks for, by type.
func pieces(t testing.TB, o obligation.Obligations, ref string) map[string]obligation.Piece {
	t.Helper()
	found := map[string]obligation.Piece{}
	for _, s := range o.Sections {
		for _, d := range s.Duties {
			if d.Ref == ref {
				for _, p := range d.Pieces {
					found[p.Type] = p
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("there is no control %s", ref)
	}
	return found
}

func ago(days int) int64 { return time.Now().AddDate(0, 0, -days).UnixMilli() }

// Cases with known answers: a version with evidence that is fresh, old, of another version, of other
// files, and absent.
func TestStates(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "credit", high())
	h.version(t, "credit", "1")
	v := h.version(t, "credit", "2")
	h.attach(t, "credit", "2", catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Subject: v.Digest, Verdict: tallystick.Pass, ProducedMS: ago(10), Signer: "a key"})
	h.attach(t, "credit", "2", catalog.EvidenceDetails{Kind: catalog.DataCheckEvidence, ProducedMS: ago(100)}) // 90 days at tier high
	h.attach(t, "credit", "1", catalog.EvidenceDetails{Kind: catalog.CriteriaEvidence})
	h.attach(t, "credit", "2", catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Subject: tallystick.DigestOf([]byte("other files"))})
	h.attach(t, "credit", "", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "risk-record"})
	h.attach(t, "credit", "2", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "explain-report", UntilMS: time.Now().Add(time.Hour).UnixMilli()})
	o := h.ask(t, obligation.Query{Model: "credit", Framework: "eu-ai-act", Ahead: true})
	signedBy(t, h, pieces(t, o, "Annex IV(2)(g)")["eval.report"])
	for _, c := range []struct {
		ref, kind string
		state     obligation.State
		words     string
	}{
		{"Annex IV(2)(g)", "eval.report", obligation.Present, "pass"},
		{"Annex IV(2)(g)", "criteria.precommit", obligation.Stale, "about version 1, not 2"},
		{"Annex IV(2)(g)", "fairness.report", obligation.Missing, "nothing is on record"},
		{"Annex IV(2)(h)", "artifact.scan", obligation.Stale, "not these files"},
		{"Annex IV(2)(d)", "dataset.quality", obligation.Stale, "stale since"},
		{"Annex IV(2)(d)", "dataset.snapshot", obligation.Missing, "nothing is on record"},
		{"Annex IV(5)", "risk.record", obligation.Present, "claimed and signed by nobody"},
		{"Annex IV(1)", "run.env", obligation.Present, "of 20"},
		{"Annex IV(1)", "model.registered", obligation.Present, "of 20"},
		{"Annex IV(2)(a)", "vendor.record", obligation.NotApplicable, "no third party's"},
		{"Annex IV(2)(e)", "explain.report", obligation.Present, "of 20"},
		{"Art. 15", "artifact.digest", obligation.Missing, "without a signature"},
		{"Art. 73", "freeze.record", obligation.NotApplicable, "nothing had to be frozen"},
		{"Art. 4a", "dataset.snapshot", obligation.NotApplicable, "no special categories"},
		{"Art. 48", "doc.declaration", obligation.NotApplicable, "nothing on record can show"},
		{"Annex IV(6)", "change.record", obligation.Present, "of 20"},
	} {
		p := pieces(t, o, c.ref)[c.kind]
		if p.State != c.state || !strings.Contains(p.Words, c.words) {
			t.Errorf("%s %s is %s: %q, want %s: %q", c.ref, c.kind, p.State, p.Words, c.state, c.words)
		}
		if lacking := p.State == obligation.Missing || p.State == obligation.Stale; lacking != strings.HasPrefix(p.Command, "tallystick ") {
			t.Errorf("%s %s is %s, and its command is %q", c.ref, c.kind, p.State, p.Command)
		}
		if p.State == obligation.Present && p.Event == 0 {
			t.Errorf("%s %s names no event", c.ref, c.kind)
		}
	}
	if p := pieces(t, o, "Annex IV(2)(g)")["eval.report"]; strings.Contains(p.Words, "claimed") {
		t.Errorf("what somebody signed is told as a claim: %s", p.Words)
	}
	if p := pieces(t, o, "Annex IV(2)(g)")["eval.report"]; p.Owes != obligation.Validator || p.Name != "emmy" || p.Until.Sub(p.At) != 90*24*time.Hour || p.Version != "2" {
		t.Errorf("the test report is owed by %s %s, counts %v and is of version %q", p.Owes, p.Name, p.Until.Sub(p.At), p.Version)
	}

	now := h.ask(t, obligation.Query{Model: "credit", Framework: "eu-ai-act"})
	if p := pieces(t, now, "Annex IV(2)(g)")["fairness.report"]; p.State != obligation.NotApplicable || p.Words != "not in force before 2027-12-02" {
		t.Errorf("before it is in force a control asks for %s: %s", p.State, p.Words)
	}
	if p := pieces(t, now, "Annex IV(2)(g)")["eval.report"]; p.State != obligation.Present {
		t.Errorf("before it is in force what is there is %s", p.State)
	}
	missing := h.ask(t, obligation.Query{Model: "credit", Framework: "eu-ai-act", State: obligation.Missing})
	for _, s := range missing.Sections {
		for _, d := range s.Duties {
			for _, p := range d.Pieces {
				if p.State != obligation.Missing {
					t.Errorf("%s %s is listed, and %s", d.Ref, p.Type, p.State)
				}
			}
		}
	}
	old := h.ask(t, obligation.Query{Model: "credit", Version: "1", Framework: "eu-ai-act", Ahead: true})
	if p := pieces(t, old, "Annex IV(2)(g)")["criteria.precommit"]; p.State != obligation.Present {
		t.Errorf("version 1 has its criteria %s", p.State)
	}
}

// What is not asked of a harmless model, and what the answers have to do with it.
func TestApplicability(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "spam", low())
	h.version(t, "spam", "1")
	for framework, refs := range map[string]map[string]string{
		"eu-ai-act": {"Art. 9": "tier low", "Art. 50": "reach=team", "Art. 4a": "sensitive_data=none"},
		"gdpr":      {"Art. 35": "sensitive_data=none", "Art. 22": "sensitive_data=none"},
		"hipaa":     {"164.312(b)": "sensitive_data=none"},
		"nyc-ll144": {"6 RCNY 5-301": "automated_decision=none"},
		"sr-26-2":   {"MRM-6": "no third party's"},
	} {
		o := h.ask(t, obligation.Query{Model: "spam", Framework: framework, Ahead: true})
		for ref, want := range refs {
			for kind, p := range pieces(t, o, ref) {
				if p.State != obligation.NotApplicable && p.State != obligation.Present || p.State == obligation.NotApplicable && !strings.Contains(p.Words, want) && !strings.Contains(p.Words, "third party") {
					t.Errorf("%s %s asks for %s: %s, %s; want %q", framework, ref, kind, p.State, p.Words, want)
				}
			}
		}
	}
	if p := pieces(t, h.ask(t, obligation.Query{Model: "spam", Framework: "soc2"}), "CC6.1")["artifact.digest"]; p.State != obligation.Present {
		t.Errorf("a low tier owes no signature, and the digest is %s: %s", p.State, p.Words)
	}
	// A bias audit counts for a year, and no longer than the tier says: 180 days if it is limited, 90 if it is high.
	answers := low()
	answers["automated_decision"] = "reviewed"
	h.model(t, "hire", answers)
	h.version(t, "hire", "1")
	h.model(t, "dismiss", high())
	h.version(t, "dismiss", "1")
	for _, c := range []struct {
		model string
		days  int
		want  obligation.State
	}{{"hire", 366, obligation.Stale}, {"hire", 170, obligation.Present}, {"dismiss", 170, obligation.Stale}, {"dismiss", 40, obligation.Present}} {
		h.attach(t, c.model, "1", catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Name: "fairness", ProducedMS: ago(c.days)})
		if p := pieces(t, h.ask(t, obligation.Query{Model: c.model, Framework: "ll144"}), "6 RCNY 5-301")["fairness.report"]; p.State != c.want {
			t.Errorf("a bias audit of %s of %d days is %s: %s", c.model, c.days, p.State, p.Words)
		}
	}
}

// The report of an audit that compares groups is a fairness report too.
func TestReportsCompareGroups(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "credit", high())
	h.version(t, "credit", "1")
	for _, c := range []struct {
		report string
		want   obligation.State
	}{{`{"performance": {}}`, obligation.Missing}, {`{"fairness": {"groups": []}}`, obligation.Missing}, {`not JSON`, obligation.Missing}, {`{"fairness": {"groups": [{"attribute": "sex"}]}}`, obligation.Present}} {
		digest, err := h.w.Evidence.Put(t.Context(), []byte(c.report))
		if err != nil {
			t.Fatal(err)
		}
		h.attach(t, "credit", "1", catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Name: "audit", Digest: digest})
		if p := pieces(t, h.ask(t, obligation.Query{Model: "credit", Framework: "ll144"}), "6 RCNY 5-301")["fairness.report"]; p.State != c.want {
			t.Errorf("after %s it is %s: %s", c.report, p.State, p.Words)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "credit", high())
	for _, q := range []obligation.Query{{Model: "credti"}, {Model: "credit", Version: "9"}, {Model: "credit", Framework: "eu"}} {
		if o, err := h.Obligations(t.Context(), q); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("%+v: %v, %v", q, o, err)
		}
	}
	if _, err := h.Gaps(t.Context(), obligation.GapQuery{Tier: "grave"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("tier grave: %v", err)
	}
	if _, err := h.Gaps(t.Context(), obligation.GapQuery{After: "x"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("after x: %v", err)
	}
}

// The gaps over all models are what the models lack one by one.
func TestGapsAreTheSum(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i, answers := range []catalog.Answers{high(), low(), high(), nil} {
		name := fmt.Sprintf("m%d", i)
		h.model(t, name, answers)
		if i == 3 {
			continue
		}
		v := h.version(t, name, "1")
		for j, kind := range []catalog.EvidenceKind{catalog.EvaluationEvidence, catalog.ScanEvidence, catalog.SignatureEvidence} {
			if (i+j)%2 == 0 {
				h.attach(t, name, "1", catalog.EvidenceDetails{Kind: kind, Subject: v.Digest, ProducedMS: ago(170 * j)})
			}
		}
	}
	for _, framework := range []string{"eu-ai-act", "nist-ai-rmf", "gdpr", "nyc-ll144"} {
		for _, ahead := range []bool{false, true} {
			want, got := map[string]int{}, map[string]int{}
			for i := range 4 {
				o := h.ask(t, obligation.Query{Model: fmt.Sprintf("m%d", i), Framework: framework, Ahead: ahead})
				lacks := map[string]bool{}
				for _, s := range o.Sections {
					for _, d := range s.Duties {
						for _, p := range d.Pieces {
							lacks[p.Type+" "+p.Name] = lacks[p.Type+" "+p.Name] || p.State == obligation.Missing || p.State == obligation.Stale
						}
					}
				}
				for key, yes := range lacks {
					if yes {
						want[key]++
					}
				}
			}
			r, err := h.Gaps(t.Context(), obligation.GapQuery{Framework: framework, Ahead: ahead})
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range r.Gaps {
				got[g.Type+" "+g.Name] += g.Models
				if i > 0 && g.Since.Before(r.Gaps[i-1].Since) {
					t.Errorf("%s of %s comes after %s", g.Type, g.Since, r.Gaps[i-1].Since)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, ahead %v (-one by one +gaps):\n%s", framework, ahead, diff)
			}
		}
	}
	var whole []string
	for after := ""; ; {
		r, err := h.Gaps(t.Context(), obligation.GapQuery{After: after, Limit: 7})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Gaps {
			whole = append(whole, g.Type+g.Name)
		}
		if after = r.Next; after == "" {
			if len(whole) != r.Total || len(slices.Compact(slices.Sorted(slices.Values(whole)))) != r.Total {
				t.Errorf("the pages have %d gaps of %d", len(whole), r.Total)
			}
			break
		}
	}
	r, err := h.Gaps(t.Context(), obligation.GapQuery{Owner: "emmy", Tier: tallystick.TierHigh})
	if err != nil || len(r.Gaps) == 0 {
		t.Fatal(r, err)
	}
	for _, g := range r.Gaps {
		if g.Name != "emmy" {
			t.Errorf("%s is owed by %q", g.Type, g.Name)
		}
	}
}

// What rules of the gate and owed evidence say that they support is in the catalogue.
func TestControlsThatOthersName(t *testing.T) {
	t.Parallel()
	c, err := obligation.Standard()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range c.Frameworks {
		for _, control := range f.Controls {
			known[f.ID+"/"+control.Ref] = true
		}
	}
	pack, err := policy.Packs("")(tallystick.TierHigh)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, rule := range pack.Rules() {
		if len(rule.Controls) == 0 {
			t.Errorf("rule %s names no control", rule.ID)
		}
		for _, id := range rule.Controls {
			if named++; !known[id] {
				t.Errorf("rule %s names %s", rule.ID, id)
			}
		}
	}
	for _, o := range catalog.OwedEvidence() {
		for _, id := range o.Controls {
			if named++; !known[id] {
				t.Errorf("%s names %s", o.ID, id)
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d controls are named", named)
	}
}

var forbidden = regexp.MustCompile(`(?i)compliant|compliance achieved|conforms|certified`)

// No answer claims what evidence cannot show.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "credit", high())
	h.version(t, "credit", "1")
	c, err := h.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	write := func(a obligation.Answer, what string) {
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if word := forbidden.FindString(string(data)); word != "" {
			t.Errorf("%s as JSON says %q", what, word)
		}
		for _, as := range []obligation.Format{obligation.Text, obligation.Markdown, obligation.HTML} {
			var b strings.Builder
			if err := obligation.Render(&b, as, a); err != nil {
				t.Fatal(err)
			}
			if word := forbidden.FindString(b.String()); word != "" {
				t.Errorf("%s as %s says %q", what, as, word)
			}
			if !strings.Contains(b.String(), "no legal advice") {
				t.Errorf("%s as %s does not say what it is not", what, as)
			}
		}
	}
	write(h.ask(t, obligation.Query{Model: "credit"}), "the list")
	for _, f := range c.Frameworks {
		for _, ahead := range []bool{false, true} {
			write(h.ask(t, obligation.Query{Model: "credit", Framework: f.ID, Ahead: ahead}), f.ID)
		}
		gaps, err := h.Gaps(t.Context(), obligation.GapQuery{Framework: f.ID})
		if err != nil {
			t.Fatal(err)
		}
		write(gaps, "the gaps of "+f.ID)
	}
}

// Text from outside stays text.
func TestMarkupIsInert(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.model(t, "credit", high())
	h.change(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: "bold", ModelDetails: catalog.ModelDetails{Owner: "<script>|x|`y`", Purpose: "x"}}, "usr_test")
	})
	for as, bad := range map[obligation.Format]string{obligation.HTML: "<script", obligation.Markdown: "<script"} {
		var b strings.Builder
		if err := obligation.Render(&b, as, h.ask(t, obligation.Query{Model: "bold", Framework: "nist-ai-rmf"})); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), bad) {
			t.Errorf("%s lets markup through", as)
		}
	}
}

var models = flag.Int("models", 1000, "models of the benchmark")

// crowd registers models with a version and evidence each.
func (h house) crowd(b testing.TB, n int) {
	b.Helper()
	const together = 250
	for from := 0; from < n; from += together {
		for step := range 3 {
			err := h.w.DB.Write(context.WithoutCancel(b.Context()), func(tx *state.Tx) error {
				for i := from; i < min(from+together, n); i++ {
					name := fmt.Sprintf("model-%05d", i)
					var c trail.Change
					var err error
					switch step {
					case 0:
						c, err = h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: catalog.ModelDetails{Owner: fmt.Sprint("owner-", i%50), Purpose: "x", Answers: map[bool]catalog.Answers{true: high(), false: low()}[i%2 == 0]}}, "usr_test")
					case 1:
						c, err = h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: name, Version: "1", Draft: true})
					case 2:
						c, err = h.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: name, Version: "1", Details: catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Digest: tallystick.DigestOf([]byte(name))}})
					}
					if err == nil && c != nil {
						_, err = h.w.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "usr_test", Kind: "person"}}, c)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := h.w.Trail.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// As many statements are needed for many models as for few, and for a model with much as with little.
func TestStatements(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd(t, 3)
	var n atomic.Int64
	count := func(ask func()) int64 {
		n.Store(0)
		h.w.DB.Observe(func(string) { n.Add(1) })
		defer h.w.DB.Observe(nil)
		ask()
		return n.Load()
	}
	one := func() { h.ask(t, obligation.Query{Model: "model-00001", Framework: "eu-ai-act"}) }
	all := func() {
		office := obligation.New(obligation.Config{DB: h.w.DB, Catalog: h.catalog, Trail: h.w.Trail, Evidence: h.w.Evidence}) // which remembers nothing
		if _, err := office.Gaps(t.Context(), obligation.GapQuery{}); err != nil {
			t.Fatal(err)
		}
	}
	few, gaps := count(one), count(all)
	h.throng(t)
	if more := count(one); more != few || few > 30 {
		t.Errorf("%d statements for a model, %d with more on record", few, more)
	}
	if more := count(all); more != gaps || gaps > 30 {
		t.Errorf("%d statements for 3 models, %d for more", gaps, more)
	}
}

// While Run runs, a question about many models asks the database nothing, and the next survey sees what
// happened. About few models every answer is new.
func TestGapsFromMemory(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd(t, 3)
	gaps := func() obligation.GapReport {
		r, err := h.Gaps(t.Context(), obligation.GapQuery{Tier: tallystick.TierHigh, Ahead: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Run(ctx, slog.New(slog.DiscardHandler)) }()
	few := gaps().Models
	h.model(t, "late", high())
	if n := gaps().Models; n != few+1 {
		t.Errorf("%d models of few, want %d", n, few+1)
	}
	h.crowd(t, 250)
	if r := gaps(); r.Models != 126 {
		t.Errorf("%d models after they became many, want 126", r.Models)
	}
	h.model(t, "later", high())
	var n atomic.Int64
	h.w.DB.Observe(func(string) { n.Add(1) })
	for range 20 {
		if r := gaps(); r.Models != 126 {
			t.Errorf("%d models, which are not those of the survey", r.Models)
		}
	}
	h.w.DB.Observe(nil)
	if n.Load() > 0 {
		t.Errorf("%d statements for 20 answers from memory", n.Load())
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := gaps().Models; n != 127 {
		t.Errorf("%d models when nothing runs, want 127", n)
	}
}

// throng adds models, and evidence to one of those that are there.
func (h house) throng(t testing.TB) {
	for i := range 20 {
		h.model(t, fmt.Sprintf("other-%02d", i), high())
		h.attach(t, "model-00001", "1", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: fmt.Sprintf("paper-%d", i)})
	}
	if err := h.w.Trail.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkObligations(b *testing.B) {
	h := open(b)
	h.crowd(b, *models)
	b.ReportAllocs()
	for b.Loop() {
		h.ask(b, obligation.Query{Model: "model-00000", Framework: "eu-ai-act", Ahead: true})
	}
}

func BenchmarkGaps(b *testing.B) {
	h := open(b)
	h.crowd(b, *models)
	b.Run("surveyed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			office := obligation.New(obligation.Config{DB: h.w.DB, Catalog: h.catalog, Trail: h.w.Trail, Evidence: h.w.Evidence})
			if _, err := office.Gaps(b.Context(), obligation.GapQuery{Ahead: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx, slog.New(slog.DiscardHandler)) }()
	defer func() { stop(); <-done }()
	ask := func(b *testing.B, framework string) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			// The owner changes nothing in what is ranked.
			if _, err := h.Gaps(b.Context(), obligation.GapQuery{Ahead: true, Framework: framework, Owner: fmt.Sprint("owner-", i%50)}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := h.Gaps(ctx, obligation.GapQuery{}); err != nil {
		b.Fatal(err)
	}
	b.Run("remembered", func(b *testing.B) { ask(b, "") })
	b.Run("ranked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Forget()
			if _, err := h.Gaps(b.Context(), obligation.GapQuery{Ahead: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// signedBy: of what is signed the answer says whether the signer counts, once somebody can say.
func signedBy(t *testing.T, h house, unsaid obligation.Piece) {
	t.Helper()
	if unsaid.Signer != "a key" || unsaid.SignerStanding != "" || strings.Contains(unsaid.Words, "signed") {
		t.Errorf("nobody can say who counts: %+v", unsaid)
	}
	for _, c := range []struct{ name, standing, words string }{
		{"vendor", obligation.SignerCounts, "signed by vendor, who is registered for it"},
		{"vendor", obligation.SignerRevoked, "whose key was revoked"},
		{"vendor", obligation.SignerUnknown, "not registered for such statements"},
		{"", obligation.SignerUnknown, "signed by the key a key, which is not registered"},
	} {
		var asked []string
		office := obligation.New(obligation.Config{
			DB: h.w.DB, Catalog: h.catalog, Trail: h.w.Trail, Evidence: h.w.Evidence,
			Signers: func(*state.Tx) (obligation.Signers, error) {
				return func(key, predicate string) (string, string) {
					asked = append(asked, key+" "+predicate)
					return c.name, c.standing
				}, nil
			},
		})
		o, err := office.Obligations(t.Context(), obligation.Query{Model: "credit", Framework: "eu-ai-act", Ahead: true})
		if err != nil {
			t.Fatal(err)
		}
		p := pieces(t, o, "Annex IV(2)(g)")["eval.report"]
		if p.State != obligation.Present || p.SignerStanding != c.standing || !strings.Contains(p.Words, c.words) || !slices.Contains(asked, "a key ") {
			t.Errorf("%+v, want %q; asked for %q", p, c.words, asked)
		}
	}
}

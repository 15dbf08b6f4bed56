package catalog_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (b bench) attach(model, version string, d catalog.EvidenceDetails) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: model, Version: version, Details: d})
	}
}

func (b bench) status(t testing.TB, model, version string) (s catalog.Status, items map[string]catalog.Item) {
	t.Helper()
	s, err := b.catalog.Status(t.Context(), model, version)
	if err != nil {
		t.Fatal(err)
	}
	items = map[string]catalog.Item{}
	for _, item := range s.Items {
		items[item.ID] = item
		if item.Command == "" || strings.Contains(item.Command, "MODEL") || item.Words == "" {
			t.Errorf("%s: command %q, words %q", item.ID, item.Command, item.Words)
		}
	}
	return s, items
}

func TestStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{Answers: harmless(map[string]string{"safety": "direct"})}}))
	s, items := b.status(t, "credit", "")
	if s.Missing != 13 || s.Stale != 0 || s.Version != "" || s.Complete() {
		t.Errorf("with no version: %s", s.Words)
	}
	if got := items["purpose"].Command; got != "tallystick model update credit --purpose TEXT --acceptable-use TEXT" {
		t.Errorf("command of the purpose: %s", got)
	}
	if got := items["version-metadata"].Command; !strings.HasPrefix(got, "tallystick register credit@VERSION PATH --changelog TEXT ") {
		t.Errorf("command of the metadata: %s", got)
	}
	if got := items["risk-answers"]; got.State != catalog.Present {
		t.Errorf("risk answers: %+v", got)
	}

	manifest := manifestOf(t, map[string]string{"w": "1"})
	b.must(t, b.registerVersion(catalog.VersionRegistration{Model: "credit", Version: "3", Manifest: manifest, Details: complete()}))
	digest, _ := manifest.Digest()
	file := tallystick.DigestOf([]byte("file"))
	old := time.Now().AddDate(0, 0, -200).UnixMilli()
	b.must(t,
		b.criteria("limits"), b.audit("credit", "3", "data", tallystick.Fail),
		b.attach("credit", "3", catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: file, Subject: digest, Verdict: tallystick.Pass, ProducedMS: old}),
		b.attach("credit", "3", catalog.EvidenceDetails{Kind: catalog.SignatureEvidence, Digest: file, Subject: manifest.Root(), ProducedMS: old}),
		b.attach("credit", "3", catalog.EvidenceDetails{Kind: catalog.BaselineEvidence, Digest: file, Subject: file}),
		b.attach("credit", "", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "risk-record", Digest: file}),
		b.attach("credit", "", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "impact-assessment", Digest: file, ProducedMS: old, UntilMS: old + 1}),
		b.attach("credit", "", catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Digest: file}), // of no version: does not count
	)
	s, items = b.status(t, "credit", "")
	for id, want := range map[string]struct {
		state catalog.ItemState
		words string
	}{
		"version-metadata":  {catalog.Present, "on record"},
		"scan":              {catalog.Stale, "verdict pass, stale since " + time.UnixMilli(old).UTC().AddDate(0, 0, 180).Format(time.DateOnly)},
		"signature":         {catalog.Present, "of 20"},
		"baseline":          {catalog.OtherDigest, "is about " + file.Short() + " and not about this version's files"},
		"evaluation":        {catalog.Present, "verdict fail, counts until"},
		"criteria":          {catalog.Missing, "there is none"},
		"data-check":        {catalog.Missing, "there is none"},
		"risk-record":       {catalog.Present, "counts until"},
		"impact-assessment": {catalog.Stale, "stale since " + time.UnixMilli(old).UTC().Format(time.DateOnly)},
		"monitoring-plan":   {catalog.Missing, "there is none"},
		"sre-owner":         {catalog.Missing, "sre_owner is missing"},
	} {
		if got := items[id]; got.State != want.state || !strings.Contains(got.Words, want.words) {
			t.Errorf("%s: %s, %s", id, got.State, got.Words)
		}
	}
	if s.Missing != 6 || s.Stale != 3 || s.Version != "3" || !strings.Contains(s.Words, "credit@3 (tier high) owes 14 things: 5 are there, 6 missing, 3 do not count") {
		t.Errorf("%s", s.Words)
	}
	if got := items["evaluation"].Command; got != "tallystick audit FILE --model credit --version 3 --tier high" {
		t.Errorf("command of the evaluation: %s", got)
	}

	// An audit under a contract whose criteria came first is evidence of three kinds. Newer evidence of this version's
	// files counts, whatever is newer about others.
	b.must(t,
		func(*state.Tx) (trail.Change, error) {
			return &catalog.AuditCompleted{
				Model: "credit", Version: "3", Data: file, Policy: file, Report: file, Verdict: tallystick.Pass,
				Contract: tallystick.DigestOf([]byte("limits")), Criteria: tallystick.DigestOf([]byte("limits")), Signer: "key",
			}, nil
		},
		b.attach("credit", "3", catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: file, Subject: digest, Verdict: tallystick.Fail}),
		b.attach("credit", "3", catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: digest, Subject: file}),
	)
	_, items = b.status(t, "credit", "3")
	for _, id := range []string{"evaluation", "criteria", "data-check", "scan"} {
		if items[id].State != catalog.Present {
			t.Errorf("%s: %s, %s", id, items[id].State, items[id].Words)
		}
	}
	if got := items["scan"].Evidence.Verdict; got != tallystick.Fail {
		t.Errorf("the newest scan of these files says %s", got)
	}
	if _, err := b.catalog.Status(t.Context(), "credit", "4"); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("status of a version that is not: %v", err)
	}

	// The next version owes its own.
	b.must(t, b.version("credit", "4"))
	if s, items = b.status(t, "credit", ""); s.Version != "4" || items["evaluation"].State != catalog.Missing || items["risk-record"].State != catalog.Present {
		t.Errorf("next version: %s", s.Words)
	}
}

func TestWhoOwesWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	supplied := catalog.ModelDetails{ThirdParty: true, Supplier: "the supplier", Answers: harmless(nil)}
	b.must(t,
		b.register(catalog.ModelRegistration{Name: "light", ModelDetails: catalog.ModelDetails{Answers: harmless(nil)}}),
		b.register(catalog.ModelRegistration{Name: "bought", ModelDetails: supplied}),
		b.register(catalog.ModelRegistration{Name: "trial", ModelDetails: catalog.ModelDetails{State: catalog.Experimental, Answers: harmless(map[string]string{"safety": "direct"})}}),
	)
	for name, want := range map[string]string{
		"light":  "purpose risk-answers version-metadata evaluation",
		"bought": "purpose risk-answers version-metadata supplier evaluation",
		"trial":  "",
	} {
		s, _ := b.status(t, name, "")
		var ids []string
		for _, item := range s.Items {
			ids = append(ids, item.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s owes %s, want %s", name, got, want)
		}
	}
	if s, _ := b.status(t, "trial", ""); !s.Complete() || !strings.Contains(s.Words, "is an experiment and owes nothing") {
		t.Errorf("trial: %s", s.Words)
	}
}

func TestEvidenceIsChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit"}))
	file := tallystick.DigestOf([]byte("file"))
	scan := catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: file}
	for words, change := range map[string]func(*catalog.EvidenceDetails){
		`kind "rumour" is not known`:        func(d *catalog.EvidenceDetails) { d.Kind = "rumour" },
		"has no digest":                     func(d *catalog.EvidenceDetails) { d.Digest = "" },
		"digest \"x\"":                      func(d *catalog.EvidenceDetails) { d.Subject = "x" },
		"a ticket has no system":            func(d *catalog.EvidenceDetails) { d.Kind = catalog.TicketEvidence },
		"a note says nothing":               func(d *catalog.EvidenceDetails) { d.Kind = catalog.NoteEvidence },
		"a document has no name":            func(d *catalog.EvidenceDetails) { d.Kind = catalog.DocumentEvidence },
		"is produced in the future":         func(d *catalog.EvidenceDetails) { d.ProducedMS = time.Now().Add(time.Hour).UnixMilli() },
		"until before it was produced":      func(d *catalog.EvidenceDetails) { d.ProducedMS, d.UntilMS = 10, 5 },
		`verdict "good"`:                    func(d *catalog.EvidenceDetails) { d.Verdict = "good" },
		"evidence name":                     func(d *catalog.EvidenceDetails) { d.Name = "a b" },
		"the reference is 769 bytes long":   func(d *catalog.EvidenceDetails) { d.Reference = strings.Repeat("x", 769) },
		"the predicate type is not text in": func(d *catalog.EvidenceDetails) { d.PredicateType = "\xff" },
	} {
		d := scan
		change(&d)
		b.refused(t, b.attach("credit", "", d), tallystick.Invalid, words)
	}
	b.refused(t, b.attach("credit", "1", scan), tallystick.NotFound, "has no version")
	b.must(t, b.attach("credit", "", scan))
	if changed, err := b.do(t, b.attach("credit", "", scan)); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	ticket := catalog.EvidenceDetails{Kind: catalog.TicketEvidence, System: "tracker", Reference: "RISK-12", Note: "accepted by the committee"}
	b.must(t, b.attach("credit", "", ticket), b.attach("credit", "", catalog.EvidenceDetails{Kind: catalog.NoteEvidence, Note: "looks right"}))
	for name, f := range map[string]catalog.EvidenceFilter{
		"by ticket": {System: "tracker", Reference: "RISK-12"}, "by digest": {Digest: file}, "by kind": {Model: "credit", Kind: catalog.NoteEvidence},
		"second page": {Model: "credit", Before: 3},
	} {
		if found, err := b.catalog.Evidence(t.Context(), f); err != nil || len(found) != 1 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if _, err := b.catalog.Evidence(t.Context(), catalog.EvidenceFilter{System: "tracker"}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("by a system alone: %v", err)
	}
}

// A control that something owed cites is in the catalogue, and the catalogue says that evidence can
// support it.
func TestOwedControlsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../obligation/controls.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Frameworks []struct {
			ID       string
			Controls []struct{ Ref, Level string }
		}
	}
	if err := yaml.Unmarshal(data, &catalogue); err != nil {
		t.Fatal(err)
	}
	level := map[string]string{}
	for _, framework := range catalogue.Frameworks {
		for _, control := range framework.Controls {
			level[framework.ID+"/"+control.Ref] = control.Level
		}
	}
	for _, o := range catalog.OwedEvidence() {
		if len(o.Controls) == 0 {
			t.Errorf("%s cites no control", o.ID)
		}
		for _, control := range o.Controls {
			if level[control] == "" || level[control] == "none" {
				t.Errorf("%s cites %s, of which the catalogue says %q", o.ID, control, level[control])
			}
		}
	}
}

// docs/tiers.md names every question, every requirement and everything that is owed.
func TestTiersAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/tiers.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, q := range catalog.Questions() {
		for _, o := range q.Options {
			want = append(want, "| `"+q.ID+"` | `"+o.ID+"` | "+string(o.Asks)+" |")
		}
	}
	for _, r := range catalog.Requirements() {
		want = append(want, "| `"+r.Field+"` | "+string(r.From)+" |")
	}
	for _, o := range catalog.OwedEvidence() {
		row := "| `" + o.ID + "` |"
		for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
			switch term, owed := o.Term(tier); {
			case !owed:
				row += " - |"
			case term == 0:
				row += " yes |"
			default:
				row += fmt.Sprintf(" %d days |", int(term.Hours())/24)
			}
		}
		want = append(want, row)
	}
	for _, row := range want {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/tiers.md has no row %s", row)
		}
	}
}

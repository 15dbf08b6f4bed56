package catalog_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// manifestOf is the manifest of files with these contents, by name.
func manifestOf(t testing.TB, contents map[string]string) artifact.Manifest {
	t.Helper()
	var list []artifact.File
	for name, content := range contents {
		list = append(list, artifact.File{Name: name, Digest: tallystick.DigestOf([]byte(content)), Size: int64(len(content))})
	}
	m, err := artifact.NewManifest(list)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// complete are details that lack nothing, at any tier.
func complete() catalog.VersionDetails {
	warn := 0.2
	return catalog.VersionDetails{
		TrainingCutoff: "2026-01-31", CodeCommit: "9fceb02d0ae598e95dc970b74767f19372d61af8", Image: tallystick.DigestOf([]byte("image")), Run: "run-7",
		Trigger:   catalog.Trigger{Kind: "incident", ID: "INC-12"},
		Changelog: "trained on another year", Justification: "the old one drifts",
		Metadata: catalog.Metadata{
			Metrics:     map[string]catalog.Metric{"auc": {Value: 0.81, N: 5000}},
			SampleSizes: map[string]int64{"train": 40000, "test": 5000},
			Thresholds:  map[string]catalog.Threshold{"psi": {Warn: &warn, Direction: "above", Window: "24h"}},
			Parameters:  map[string]string{"depth": "6"}, Seeds: map[string]string{"numpy": "18446744073709551615"},
			Libraries: map[string]string{"scikit-learn": "1.7.2"}, Hardware: "16 cores", Snapshots: []tallystick.Digest{tallystick.DigestOf([]byte("snapshot"))},
		},
	}
}

func (b bench) registerVersion(r catalog.VersionRegistration) proposal {
	return func(tx *state.Tx) (trail.Change, error) { return b.catalog.RegisterVersion(tx, r) }
}

func (b bench) mark(model, version string, to catalog.VersionState, reason string) proposal {
	return func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.MarkVersion(tx, catalog.VersionMark{Model: model, Version: version, State: to, Reason: reason})
	}
}

func TestVersionNeverChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit"}), b.register(catalog.ModelRegistration{Name: "debit"}))
	weights := map[string]string{"weights.bin": "w", "config.json": "{}"}
	r := catalog.VersionRegistration{Model: "credit", Version: "3", Manifest: manifestOf(t, weights), Details: complete()}
	b.must(t, b.registerVersion(r))
	v, err := b.catalog.Version(t.Context(), "credit", "3")
	if err != nil {
		t.Fatal(err)
	}
	want := complete()
	want.Digest, _ = r.Manifest.Digest()
	want.Root, want.Files, want.Bytes = r.Manifest.Root(), 2, 3
	if diff := cmp.Diff(want, v.VersionDetails); diff != "" || v.State != catalog.Registered || v.First != 3 {
		t.Errorf("registered %+v (-want +got):\n%s", v, diff)
	}
	if changed, err := b.do(t, b.registerVersion(r)); changed || err != nil {
		t.Errorf("the same again: %v, %v", changed, err)
	}
	if changed, err := b.do(t, b.version("credit", "3")); changed || err != nil {
		t.Errorf("an audit that names it: %v, %v", changed, err)
	}
	for words, change := range map[string]func(*catalog.VersionRegistration){
		`version credit@3: file "weights.bin" has changed`: func(r *catalog.VersionRegistration) {
			r.Manifest = manifestOf(t, map[string]string{"weights.bin": "v", "config.json": "{}"})
		},
		`version credit@3: file "config.json" is missing`: func(r *catalog.VersionRegistration) {
			r.Manifest = manifestOf(t, map[string]string{"weights.bin": "w"})
		},
		`version credit@3: file "extra" is not part of the ver`: func(r *catalog.VersionRegistration) {
			r.Manifest = manifestOf(t, map[string]string{"weights.bin": "w", "config.json": "{}", "extra": ""})
		},
		"is registered with other files":         func(r *catalog.VersionRegistration) { r.Manifest = artifact.Manifest{} },
		"is registered with another changelog":   func(r *catalog.VersionRegistration) { r.Details.Changelog = "none" },
		"is registered with another metadata":    func(r *catalog.VersionRegistration) { r.Details.Metadata.Seeds = nil },
		"is registered with another code_commit": func(r *catalog.VersionRegistration) { r.Details.CodeCommit = "abc" },
		"is registered with another trigger":     func(r *catalog.VersionRegistration) { r.Details.Trigger = catalog.Trigger{} },
	} {
		other := r
		other.Details = complete()
		change(&other)
		b.refused(t, b.registerVersion(other), tallystick.Conflict, words)
	}

	// The same files under other names are found by digest, root and commit, and noted.
	r.Model, r.Version = "debit", "1"
	b.must(t, b.registerVersion(r))
	if v, err := b.catalog.Version(t.Context(), "debit", "1"); err != nil || cmp.Diff([]string{"credit@3"}, v.SameAs) != "" {
		t.Errorf("same as %v, %v", v.SameAs, err)
	}
	for name, f := range map[string]catalog.VersionFilter{
		"digest": {Digest: want.Digest}, "root": {Digest: want.Root}, "commit": {Commit: want.CodeCommit},
	} {
		found, err := b.catalog.Versions(t.Context(), f)
		if err != nil || len(found) != 2 || found[0].Name() != "debit@1" || found[1].Name() != "credit@3" {
			t.Errorf("by %s: %v, %v", name, found, err)
		}
	}
	if m, err := b.catalog.Manifest(t.Context(), want.Digest); err != nil || m.Root() != want.Root {
		t.Errorf("manifest: %v, %v", m, err)
	}
	if _, err := b.catalog.Version(t.Context(), "credit", "4"); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "there is 3") {
		t.Errorf("a version that is not: %v", err)
	}
	b.touch(t, "UPDATE manifests SET content = replace(content, 'weights', 'weight2')")
	if _, err := b.catalog.Manifest(t.Context(), want.Digest); tallystick.CodeOf(err) != tallystick.Internal {
		t.Errorf("an altered manifest: %v", err)
	}
}

func TestDraftIsCompleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.audited("credit", tallystick.TierHigh, ""), b.version("credit", "1"), b.audit("credit", "1", "data", tallystick.Pass))
	b.refused(t, b.mark("credit", "1", catalog.Registered, "x"), tallystick.Conflict, "is a draft")
	bare := catalog.VersionRegistration{Model: "credit", Version: "1"}
	b.refused(t, b.registerVersion(bare), tallystick.Invalid,
		"version credit@1 lacks 12 things that tier high asks for: manifest, changelog, justification, training_cutoff, metadata.metrics, metadata.sample_sizes, "+
			"code_commit, metadata.libraries, metadata.thresholds, metadata.seeds, image_digest, metadata.hardware; add PATH --changelog TEXT")
	r := catalog.VersionRegistration{Model: "credit", Version: "1", Manifest: manifestOf(t, map[string]string{"w": "1"}), Details: complete()}
	b.must(t, b.registerVersion(r))
	v, err := b.catalog.Version(t.Context(), "credit", "1")
	if err != nil || v.State != catalog.Registered || v.First != 2 || v.Event != 4 || v.Files != 1 {
		t.Errorf("completed: %+v, %v", v, err)
	}
	if m := b.model(t, "credit"); m.Versions != 1 || m.LatestVersion != "1" || m.Evaluated.IsZero() {
		t.Errorf("its model: %+v", m)
	}
	b.refused(t, b.mark("credit", "1", catalog.Withdrawn, ""), tallystick.Invalid, "no reason")
	b.refused(t, b.mark("credit", "1", "lost", "x"), tallystick.Invalid, "use registered, deprecated or withdrawn")
	b.must(t, b.mark("credit", "1", catalog.Withdrawn, "it leaks"))
	if v, _ = b.catalog.Version(t.Context(), "credit", "1"); v.State != catalog.Withdrawn || v.Reason != "it leaks" {
		t.Errorf("withdrawn: %+v", v)
	}
	if _, err := b.replay(t); err != nil {
		t.Error(err)
	}
}

func TestRequirementsByTier(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		model catalog.Model
		want  int
	}{
		"low":                {catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierLow}}, 2},
		"limited":            {catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierLimited}}, 8},
		"high":               {catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}}, 12},
		"high, third party":  {catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}, ModelDetails: catalog.ModelDetails{ThirdParty: true}}, 4},
		"high, experimental": {catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, 0},
	} {
		if got := len(catalog.MissingMetadata(test.model, catalog.VersionDetails{})); got != test.want {
			t.Errorf("%s: %d things, want %d", name, got, test.want)
		}
	}
	full := complete()
	full.Digest = tallystick.DigestOf(nil)
	if left := catalog.MissingMetadata(catalog.Model{TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}}, full); len(left) > 0 {
		t.Errorf("complete details lack %v", left)
	}
}

func TestVersionsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "m", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}))
	nan, low := math.NaN(), 0.9
	for words, change := range map[string]func(*catalog.VersionDetails){
		"is no date":         func(d *catalog.VersionDetails) { d.TrainingCutoff = "yesterday" },
		"lies in the future": func(d *catalog.VersionDetails) { d.TrainingCutoff = "2999-01-01" },
		"is no commit":       func(d *catalog.VersionDetails) { d.CodeCommit = "; rm -rf" },
		"image: digest":      func(d *catalog.VersionDetails) { d.Image = "latest" },
		"run name":           func(d *catalog.VersionDetails) { d.Run = "a b" },
		`trigger "whim"`:     func(d *catalog.VersionDetails) { d.Trigger.Kind = "whim" },
		"is of no kind":      func(d *catalog.VersionDetails) { d.Trigger = catalog.Trigger{ID: "x"} },
		"is no finite number": func(d *catalog.VersionDetails) {
			d.Metadata.Metrics = map[string]catalog.Metric{"auc": {Value: nan, N: 1}}
		},
		"says not on how many": func(d *catalog.VersionDetails) { d.Metadata.Metrics = map[string]catalog.Metric{"auc": {Value: 1}} },
		"outside of its own": func(d *catalog.VersionDetails) {
			d.Metadata.Metrics = map[string]catalog.Metric{"auc": {Value: 0.5, Low: &low, N: 1}}
		},
		"sample size test is -1":  func(d *catalog.VersionDetails) { d.Metadata.SampleSizes = map[string]int64{"test": -1} },
		"says not where it is":    func(d *catalog.VersionDetails) { d.Metadata.Thresholds = map[string]catalog.Threshold{"psi": {}} },
		"snapshot: digest":        func(d *catalog.VersionDetails) { d.Metadata.Snapshots = []tallystick.Digest{"x"} },
		"a library has no name":   func(d *catalog.VersionDetails) { d.Metadata.Libraries = map[string]string{"": "1"} },
		"changelog is 5000 bytes": func(d *catalog.VersionDetails) { d.Changelog = strings.Repeat("x", 5000) },
	} {
		d := complete()
		change(&d)
		b.refused(t, b.registerVersion(catalog.VersionRegistration{Model: "m", Version: "1", Details: d}), tallystick.Invalid, words)
	}
	b.must(t, b.registerVersion(catalog.VersionRegistration{Model: "m", Version: "1"})) // an experiment owes nothing
}

func TestVersionIsReadForAPurpose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "m", ModelDetails: catalog.ModelDetails{TierStated: tallystick.TierHigh}}), b.version("m", "draft"),
		b.registerVersion(catalog.VersionRegistration{Model: "m", Version: "1", Manifest: manifestOf(t, map[string]string{"w": "abc"}), Details: complete()}))
	for words, r := range map[string]catalog.Reading{
		"leaves for a purpose only": {Model: "m", Version: "1"},
		"no files of version":       {Model: "m", Version: "draft", Purpose: "x"},
		"has no file":               {Model: "m", Version: "1", Purpose: "x", File: "v"},
		"has no version":            {Model: "m", Version: "2", Purpose: "x"},
	} {
		if _, _, err := b.catalog.Read(t.Context(), r, alice); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	entry, digest, err := b.catalog.Read(t.Context(), catalog.Reading{Model: "m", Version: "1", Purpose: "validation", File: "w"}, alice)
	if err != nil || digest != tallystick.DigestOf([]byte("abc")) {
		t.Fatalf("%s, %v", digest, err)
	}
	if _, err := b.recorder.Record(t.Context(), entry); err != nil {
		t.Error(err)
	}
	b.must(t, b.mark("m", "1", catalog.Withdrawn, "it leaks"))
	if _, _, err := b.catalog.Read(t.Context(), catalog.Reading{Model: "m", Version: "1", Purpose: "x"}, alice); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("withdrawn: %v", err)
	}
}

func FuzzParseVersionName(f *testing.F) {
	for _, name := range []string{"credit@3", "credit", "@", "a@b@c", "", "ä@1", "credit@"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		model, version, err := catalog.ParseVersionName(name)
		if err != nil {
			return
		}
		again := model
		if version != "" {
			again += "@" + version
		}
		if again != name {
			t.Errorf("%q became %q", name, again)
		}
	})
}

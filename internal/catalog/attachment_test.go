package catalog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/modelsign"
)

// TestEvidenceOfFiles inspects, scans and signs a model, attaches all of it, and refuses what is about other files.
func TestEvidenceOfFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := artifact.InspectFiles(t.Context(), []string{dir}, artifact.HashOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bundle, m, err := modelsign.Sign(t.Context(), modelsign.Model{Path: dir}, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := modelsign.Open(bundle, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	scan := artifact.ScanReport{Scanner: "modelaudit", Verdict: tallystick.Warn, Digests: []tallystick.Digest{m.Files()[0].Digest}}
	of := func(m artifact.Manifest) (all []catalog.EvidenceDetails, errs []error) {
		for _, make := range []func() (catalog.EvidenceDetails, error){
			func() (catalog.EvidenceDetails, error) {
				return catalog.EvidenceOfInspection(m, report, digest("inspection"))
			},
			func() (catalog.EvidenceDetails, error) { return catalog.EvidenceOfScan(m, scan, digest("scan")) },
			func() (catalog.EvidenceDetails, error) {
				return catalog.EvidenceOfSignature(m, statement, "key-1", digest("bundle"))
			},
		} {
			d, err := make()
			all, errs = append(all, d), append(errs, err)
		}
		return all, errs
	}

	b := setup(t)
	b.must(t, b.register(catalog.ModelRegistration{Name: "credit"}),
		b.registerVersion(catalog.VersionRegistration{Model: "credit", Version: "1", Manifest: m, Details: complete()}))
	details, errs := of(m)
	for i, d := range details {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		b.must(t, b.attach("credit", "1", d))
	}
	_, items := b.status(t, "credit", "1")
	if items["scan"].State != catalog.Present || items["signature"].State != catalog.Present || items["signature"].Evidence.Signer != "key-1" {
		t.Errorf("scan %+v, signature %+v", items["scan"], items["signature"])
	}
	if _, errs = of(manifestOf(t, map[string]string{"config.json": "{}", "extra.bin": "x"})); len(errs) != 3 {
		t.Fatal(errs)
	}
	for _, err := range errs {
		if tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), `"extra.bin"`) {
			t.Errorf("of other files: %v", err)
		}
	}
}

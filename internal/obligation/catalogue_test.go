package obligation

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func standard(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Standard()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The counts are those of the frameworks' own lists, as far as the catalogue holds them whole: 38 controls
// of ISO/IEC 42001 Annex A, split 3/2/5/4/9/5/4/3/3.
func TestStandard(t *testing.T) {
	t.Parallel()
	c := standard(t)
	sizes := map[string]int{}
	for _, f := range c.Frameworks {
		sizes[f.ID] = len(f.Controls)
	}
	want := map[string]int{
		"eu-ai-act": 41, "nist-ai-rmf": 45, "iso-42001": 38, "us-mrm": 8, "soc2": 8, "iso-27001": 14, "gdpr": 13, "hipaa": 7, "nyc-ll144": 4, "owasp-asvs": 11, "mitre-atlas": 19,
	}
	if !maps.Equal(sizes, want) {
		t.Errorf("the frameworks have %v controls, want %v", sizes, want)
	}
	annex := map[string]int{}
	iso, err := c.Framework("iso-42001")
	if err != nil {
		t.Fatal(err)
	}
	for _, control := range iso.Controls {
		part := strings.Split(control.Ref, ".")
		annex[part[1]]++
	}
	if want := map[string]int{"2": 3, "3": 2, "4": 5, "5": 4, "6": 9, "7": 5, "8": 4, "9": 3, "10": 3}; !maps.Equal(annex, want) {
		t.Errorf("Annex A of ISO/IEC 42001 has %v, want %v", annex, want)
	}
	for alias, id := range map[string]string{"sr-26-2": "us-mrm", "sr-11-7": "us-mrm", "eu-ai-act": "eu-ai-act"} {
		if f, err := c.Framework(alias); err != nil || f.ID != id {
			t.Errorf("%s is %v, %v", alias, f, err)
		}
	}
	if _, err := c.Framework("eu"); err == nil {
		t.Error("there is a framework eu")
	}
}

// A catalogue that nobody has looked at for half a year is not to be shipped.
func TestCatalogueIsKnownUpToNow(t *testing.T) {
	t.Parallel()
	if c := standard(t); time.Since(c.AsOf.Time) > 183*24*time.Hour {
		t.Errorf("the catalogue is as of %s: look again at what has changed, and date it", c.AsOf)
	}
}

// The table of kinds and the catalogue know the same types, and every control names an owed item that exists.
func TestKinds(t *testing.T) {
	t.Parallel()
	c, b := standard(t), newBench(standard(t), time.Now())
	if got, want := slices.Sorted(maps.Keys(b.kinds)), slices.Sorted(maps.Keys(c.EvidenceTypes)); !slices.Equal(got, want) {
		t.Errorf("kinds are %v, the catalogue has %v", got, want)
	}
	if len(b.kinds) != len(kinds()) {
		t.Error("a kind stands twice in the table")
	}
	facts := map[string]bool{"model": true, "files": true, "run": true, "change": true, "checkpoint": true, "groups": true}
	for _, r := range readings() {
		facts[r.fact] = true
	}
	for _, k := range kinds() {
		if _, known := b.owed[k.owed]; k.owed != "" && !known {
			t.Errorf("%s counts as long as %q, which nothing owes", k.id, k.owed)
		}
		if k.noun == "" || k.who == "" {
			t.Errorf("%s has no noun, or nobody owes it", k.id)
		}
		for _, need := range k.needs {
			if conditions()[need] == nil {
				t.Errorf("%s needs %q, which is no condition", k.id, need)
			}
		}
		for _, fact := range k.facts {
			if name, _, _ := strings.Cut(fact, ":"); !facts[name] {
				t.Errorf("%s is found in %q, which nothing reads", k.id, fact)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	whole := string(controls)
	for name, change := range map[string][2]string{
		"another schema":      {"tallystick.controls/v1", "tallystick.controls/v2"},
		"no version":          {`version: "1"`, `version: ""`},
		"no date":             {"as_of: 2026-11-21", "as_of: soon"},
		"an unknown field":    {"        says: ", "        sais: "},
		"an unknown level":    {"level: supports", "level: proves"},
		"an unknown type":     {"evidence: [risk.record,", "evidence: [risk.records,"},
		"a type twice":        {"evidence: [risk.record,", "evidence: [risk.record, risk.record,"},
		"no evidence":         {"evidence: [policy.version]", "evidence: []"},
		"an unknown need":     {"needs: [high-tier]", "needs: [hope]"},
		"no confidence":       {"confidence: high}", "confidence: sure}"},
		"a reference twice":   {`ref: "Art. 10"`, `ref: "Art. 9"`},
		"a framework twice":   {"id: soc2", "id: gdpr"},
		"a wrong period":      {`max_age: "P1Y"`, `max_age: "a year"`},
		"a second document":   {"milestones:", "---\nmilestones:"},
		"a day that is none":  {"from: 2027-12-02", "from: 2027-13-02"},
		"nothing but a title": {whole, "title: controls"},
	} {
		data := strings.Replace(whole, change[0], change[1], 1)
		if data == whole {
			t.Errorf("%s: the catalogue has no %q", name, change[0])
		}
		if c, err := Parse([]byte(data)); err == nil {
			t.Errorf("%s: %d frameworks were read", name, len(c.Frameworks))
		}
	}
}

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{"P1Y": 365 * day, "P6M": 180 * day, "P90D": 90 * day, "P0D": 0, "1Y": 0, "P1W": 0, "P-1D": 0, "": 0, "PP1D": 0, "P10BD": 0} {
		if got, err := parsePeriod(s); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %v, %v; want %v", s, got, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("schema: tallystick.controls/v1\nversion: \"1\"\nas_of: 2026-11-21\n"))
	f.Add(controls)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		for _, framework := range c.Frameworks {
			if found, err := c.Framework(framework.ID); err != nil || found.ID != framework.ID {
				t.Errorf("%s is not found: %v", framework.ID, err)
			}
		}
	})
}

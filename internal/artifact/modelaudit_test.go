package artifact

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func scanReport(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/modelaudit.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestParseModelAudit(t *testing.T) {
	t.Parallel()
	r, err := ParseModelAudit([]byte(scanReport(t)))
	if err != nil {
		t.Fatal(err)
	}
	want := ScanReport{
		Scanner: "modelaudit", Verdict: tallystick.Fail,
		Findings: []Finding{
			{"modelaudit.S902", Unjudged, "model/bad.pkl (pos 9)", "Pickle parsing stopped before the stream was fully consumed: ValueError"},
			{"modelaudit.S901", Unjudged, "model/bad.pkl (pos 9)", "Pickle parsing failed before full scan completion"},
			{"modelaudit.S201", Critical, "model/evil.pkl (pos 42)", "Found REDUCE opcode invoking dangerous global: posix.system"},
			{"modelaudit.errors", Unjudged, "report", "says that the scan met errors"}, // of the truncated file
		},
		// sha256sum of the four files.
		Digests: []tallystick.Digest{
			"sha256:438e6468968285c3b113bb11e673311ee05bb3b5309221ec18a558c9624d0ec4",
			"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
			"sha256:8811a915bcb455fdc6d1c39bf163c909d8ea18ad25e8c318549e26491b828c18",
			"sha256:8be5d27b68535bea652012d88e5ed5402abfe9808137d472b44b742a321158d5",
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if err := r.Covers(manifestOf(t, fileOf("config.json", "{}"))); err != nil {
		t.Error(err)
	}
	err = r.Covers(manifestOf(t, fileOf("config.json", "{}"), fileOf("other.bin", "x")))
	if tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "other.bin") {
		t.Errorf("Covers = %v", err)
	}
}

func TestModelAuditVerdicts(t *testing.T) {
	t.Parallel()
	const report = `{"issues":[ISSUE],"files_scanned":1,"has_errors":false,"success":true}`
	for want, issues := range map[tallystick.Verdict][]string{
		tallystick.Pass:         {"", `{"severity":"info"}`, `{"severity":"debug"}`},
		tallystick.Warn:         {`{"severity":"warning"}`},
		tallystick.Fail:         {`{"severity":"critical"}`, `{"severity":"critical","details":{"analysis_incomplete":true}}`},
		tallystick.Insufficient: {`{"severity":"severe"}`, `{"severity":"info","details":{"analysis_incomplete":true}}`},
	} {
		for _, issue := range issues {
			if r, err := ParseModelAudit([]byte(strings.Replace(report, "ISSUE", issue, 1))); err != nil || r.Verdict != want {
				t.Errorf("%s: %s, %v, want %s", issue, r.Verdict, err, want)
			}
		}
	}
	clean := strings.Replace(report, "ISSUE", "", 1)
	for _, edit := range []string{`"files_scanned":0`, `"has_errors":true`, `"success":false`} {
		member, _, _ := strings.Cut(edit, ":")
		at := strings.Index(clean, member)
		end := at + strings.IndexAny(clean[at:], ",}")
		if r, err := ParseModelAudit([]byte(clean[:at] + edit + clean[end:])); err != nil || r.Verdict != tallystick.Insufficient {
			t.Errorf("%s: %s, %v", edit, r.Verdict, err)
		}
	}
	for _, bad := range []string{"", "{}", "[]", strings.Replace(clean, `"success":true`, `"success":"yes"`, 1), strings.Replace(clean, `,"success":true`, "", 1), clean + clean} {
		if _, err := ParseModelAudit([]byte(bad)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%q: %v, want an invalid error", bad, err)
		}
	}
}

func FuzzParseModelAudit(f *testing.F) {
	f.Add([]byte(scanReport(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseModelAudit(data)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatalf("error %v is not invalid", err)
			}
			return
		}
		if r.Verdict.Validate() != nil || len(r.Findings) > maxScanIssues+3 {
			t.Fatalf("%+v", r)
		}
	})
}

package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/stat"
)

// checked is a result with every verdict.
func checked() contract.Result {
	r := *compasContract()
	r.Checks = append(r.Checks,
		contract.Check{ID: "sex.shares", Column: "sex", Title: "shares of sex", Expected: "Female 0.3 to 0.7", Found: "Female 0.19", Share: stat.Number(nan), Verdict: tallystick.Warn, Words: "19 % are Female"},
		contract.Check{ID: "applied_at.fresh", Column: "applied_at", Title: "applied_at is fresh", Expected: "30 days", Found: "no times", Share: stat.Number(nan), Verdict: tallystick.Insufficient, Words: "applied_at has no times"})
	return r
}

func TestContractGoldens(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer) error{
		"contract.txt": func(w io.Writer) error { return report.WriteContractText(w, checked(), 80, false) },
		"contract.md":  func(w io.Writer) error { return report.WriteContractMarkdown(w, checked()) },
		"contract.xml": func(w io.Writer) error { return report.WriteContractJUnit(w, checked()) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		compareGolden(t, "testdata/"+name, b.String())
	}
}

// TestJUnitCountsAgree reads the XML back as a CI system does.
func TestJUnitCountsAgree(t *testing.T) {
	t.Parallel()
	hostile := checked()
	hostile.Name, hostile.Checks[0].ID, hostile.Checks[0].Words = hostileText, hostileText+"\x00", hostileText
	for _, r := range []contract.Result{checked(), hostile, {}} {
		var b bytes.Buffer
		if err := report.WriteContractJUnit(&b, r); err != nil {
			t.Fatal(err)
		}
		cases, failures, tests := 0, 0, ""
		dec := xml.NewDecoder(&b)
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("not XML: %v", err)
			}
			el, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			switch el.Name.Local {
			case "testcase":
				cases++
			case "failure":
				failures++
			case "testsuites":
				for _, a := range el.Attr {
					tests += a.Name.Local + "=" + a.Value + " "
				}
			}
		}
		want := 0
		for _, c := range r.Checks {
			if c.Verdict != tallystick.Pass && c.Verdict != tallystick.Warn {
				want++
			}
		}
		if cases != len(r.Checks) || failures != want {
			t.Errorf("%d cases with %d failures, want %d with %d", cases, failures, len(r.Checks), want)
		}
		if len(r.Checks) == 5 && tests != "tests=5 failures=2 " {
			t.Errorf("the suite says %q", tests)
		}
	}
}

func TestContractTextCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	r := checked()
	r.Name, r.Checks[0].ID, r.Checks[0].Words, r.Checks[0].Example = hostileText, hostileText, hostileText, hostileText
	var b strings.Builder
	if err := report.WriteContractText(&b, r, 60, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\a\r\u202e") {
		t.Errorf("control characters in %q", b.String())
	}
}

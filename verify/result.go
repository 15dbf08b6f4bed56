package verify

import (
	"fmt"
	"io"
	"strings"

	"github.com/tallystick/tallystick"
)

// Verdict is what a verification comes to.
type Verdict string

// The three verdicts. Unknown signer means that nothing is wrong, but somebody has signed whom the
// verifier was not told to believe; it is not a pass.
const (
	Verified      Verdict = "verified"
	UnknownSigner Verdict = "unknown signer"
	Refused       Verdict = "refused"
)

// CheckStatus is how one check ended.
type CheckStatus string

// The three ends of a check. Unknown signers are Skipped: their signature could not be judged.
const (
	OK      CheckStatus = "ok"
	Failed  CheckStatus = "failed"
	Skipped CheckStatus = "skipped"
)

// Check is one line of a verification.
type Check struct {
	Check   string      `json:"check"`
	Subject string      `json:"subject"` // file or thing that was checked
	Status  CheckStatus `json:"status"`
	Detail  string      `json:"detail"`
}

// Result is what a verification found, in the order in which it looked.
type Result struct {
	Verdict   Verdict  `json:"verdict"`
	Subject   string   `json:"subject"` // what the evidence is about
	Checks    []Check  `json:"checks"`
	NotProved []string `json:"not_proved"` // what no verification of this kind can show

	unknown bool
	archive Archive
}

// FirstFailure returns the first check that failed.
func (r Result) FirstFailure() (Check, bool) {
	for _, c := range r.Checks {
		if c.Status == Failed {
			return c, true
		}
	}
	return Check{}, false
}

// Extract writes the files of a bundle below dir, which must be empty or not exist. It writes
// nothing unless the bundle was verified.
func (r Result) Extract(dir string) error {
	if r.Verdict != Verified || len(r.archive.files) == 0 {
		return tallystick.Errorf(tallystick.Forbidden, "a bundle with the verdict %q is not extracted", string(r.Verdict))
	}
	return r.archive.Extract(dir)
}

// WriteTo writes the result for people: a line for each check, the verdict, and what it does not
// prove.
func (r Result) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	checkWidth, subjectWidth := 0, 0
	for _, c := range r.Checks {
		checkWidth, subjectWidth = max(checkWidth, len(c.Check)), max(subjectWidth, min(len(c.Subject), 40))
	}
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-7s  %-*s  %-*s  %s\n", c.Status, checkWidth, c.Check, subjectWidth, c.Subject, c.Detail)
	}
	fmt.Fprintf(&b, "\nverdict: %s", r.Verdict)
	if c, failed := r.FirstFailure(); failed {
		fmt.Fprintf(&b, ": %s of %s: %s", c.Check, c.Subject, c.Detail)
	} else if c, unknown := r.firstUnknown(); unknown {
		fmt.Fprintf(&b, ": %s of %s: %s", c.Check, c.Subject, c.Detail)
	}
	b.WriteString("\n\nThis does not prove:\n")
	for _, line := range r.NotProved {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (r Result) firstUnknown() (Check, bool) {
	for _, c := range r.Checks {
		if c.Status == Skipped && r.unknown {
			return c, true
		}
	}
	return Check{}, false
}

// printable keeps text from a hostile file from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
}

func (r *Result) ok(check, subject, format string, args ...any) {
	r.add(Check{check, subject, OK, fmt.Sprintf(format, args...)})
}

func (r *Result) skip(check, subject, format string, args ...any) {
	r.add(Check{check, subject, Skipped, fmt.Sprintf(format, args...)})
}

func (r *Result) fail(check, subject string, err error) {
	r.add(Check{check, subject, Failed, err.Error()})
}

// add appends a line. Lines quote what stands in the files, so they are made printable.
func (r *Result) add(c Check) {
	c.Subject, c.Detail = printable(c.Subject), printable(c.Detail)
	r.Checks = append(r.Checks, c)
}

func (r *Result) unknownSigner(check, subject, format string, args ...any) {
	r.unknown = true
	r.skip(check, subject, format, args...)
}

// conclude sets the verdict from the checks.
func (r *Result) conclude(notProved []string) Result {
	r.NotProved = notProved
	r.Verdict = Verified
	if r.unknown {
		r.Verdict = UnknownSigner
	}
	if _, failed := r.FirstFailure(); failed {
		r.Verdict = Refused
	}
	return *r
}

// notProved returns the limits of what any ledger can show.
func notProved(c Checkpoint) []string {
	lines := []string{
		"that what was submitted is true: the ledger proves that it was not altered after it was recorded",
		"that no other audit was run, and its result kept back",
		"when anything happened: times are the signer's claim, the ledger proves only the order",
	}
	if len(c.Witnesses) == 0 {
		return append(lines, "that everybody is shown the same ledger: no trusted witness has cosigned this checkpoint, so whoever holds the log key could have rewritten the ledger before signing it")
	}
	return append(lines, "anything about the ledger beyond the word of the witnesses that cosigned it: "+strings.Join(c.WitnessNames(), ", "))
}

package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
)

// checklist is what the gate says, rule by rule.
type checklist struct {
	policy.Decision
	Live    bool    // as of now; otherwise as it was decided
	Keep    []check // what keeps the gate shut
	Shut    int     // how many rules that is
	Areas   []area  // of the others
	Nearest *check  // what is best done first about a denial
	Asked   int     // rules that had something to judge
	Passed  int
	Warned  int
	Waived  int
	Unasked int
	Owed    string   // what reviewers still have to say, in a sentence; empty if nothing
	Voided  []string // approvals that do not count, and why
}

// area is what belongs together of a checklist.
type area struct {
	Title  string
	Checks []check
	Words  string // how they came out, counted
}

// check is a rule with what a reader can do about it.
type check struct {
	policy.Rule
	Alike  []policy.Rule // all rules that came out in the same words; empty if it is this alone
	Proofs []proof
	Ways   []way
	Waiver *release.Waiver // for this rule, the newest that counts or is asked for
}

// proof is a piece of evidence that a rule names.
type proof struct {
	Text, Href string
	Digest     bool
}

// way leads to the page where something is put right.
type way struct{ Text, Href string }

// areas are the parts of a checklist, by the first word of the ids of rules, in the order in which people look
// at them: those that only others can put right come last.
var areas = []struct {
	title string
	words []string
}{
	{"Identity and files", []string{"version", "artifact", "dependency"}},
	{"Evidence", []string{"evidence", "audit", "criteria"}},
	{"Data", []string{"data"}},
	{"Performance and drift", []string{"performance", "calibration", "drift", "windows"}},
	{"Fairness", []string{"fairness"}},
	{"Rules of your own", nil},
	{"People and place", []string{"release"}},
}

// areaOf returns the place of a rule among the areas.
func areaOf(id string) int {
	first, _, _ := strings.Cut(id, ".")
	own := 0
	for i, a := range areas {
		if slices.Contains(a.words, first) {
			return i
		}
		if a.words == nil {
			own = i
		}
	}
	return own
}

// background is what a checklist is read against.
type background struct {
	target   release.Target
	names    *strings.Replacer // of people, for their ids
	waivable map[string]bool   // rules that can be waived
	waivers  []release.Waiver  // of this version there
	evidence map[tallystick.Digest]bool
	mayWaive bool
}

// newChecklist puts a decision in the order in which it is read: what keeps the gate shut first.
func newChecklist(d policy.Decision, live bool, b background) *checklist {
	c := &checklist{Decision: d, Live: live}
	grouped := make([][]check, len(areas))
	for _, row := range d.Rules {
		one := b.check(row)
		i := areaOf(row.ID)
		switch {
		case row.Denies():
			c.Keep, c.Shut = append(c.Keep, one), c.Shut+1
		case row.Status == policy.Pass:
			c.Passed++
		case row.Status == policy.Waived:
			c.Waived++
		case row.Status == policy.Skip:
			c.Unasked++
		default:
			c.Warned++
		}
		if row.Blocking || row.Status != policy.Skip {
			c.Asked++
		}
		if row.ID == "release.approvals" && row.Status != policy.Skip {
			c.Owed, c.Voided = one.Message, one.Details
		}
		if !row.Denies() {
			grouped[i] = append(grouped[i], one)
		}
	}
	slices.SortStableFunc(c.Keep, func(a, b check) int {
		return cmp.Or(cmp.Compare(areaOf(a.ID), areaOf(b.ID)), cmp.Compare(gravity(a.Rule), gravity(b.Rule)))
	})
	c.Keep = together(c.Keep)
	c.Nearest = nearest(c.Keep)
	for i, checks := range grouped {
		if len(checks) == 0 {
			continue
		}
		slices.SortStableFunc(checks, func(a, b check) int { return cmp.Compare(gravity(a.Rule), gravity(b.Rule)) })
		c.Areas = append(c.Areas, area{Title: areas[i].title, Checks: checks, Words: tally(checks)})
	}
	return c
}

// together makes one of those checks that say the same: where there was no audit, a dozen rules ask for it.
func together(checks []check) (merged []check) {
	for _, c := range checks {
		i := slices.IndexFunc(merged, func(m check) bool {
			return m.Status == c.Status && m.Message == c.Message && m.Remediation == c.Remediation && len(m.Details)+len(c.Details) == 0
		})
		if i < 0 {
			merged = append(merged, c)
			continue
		}
		if len(merged[i].Alike) == 0 {
			merged[i].Alike = append(merged[i].Alike, merged[i].Rule)
		}
		merged[i].Alike = append(merged[i].Alike, c.Rule)
	}
	return merged
}

// nearest returns what is best done first: what most rules wait for. What only others can do comes last, for
// nobody should agree to what is not there yet.
func nearest(checks []check) (best *check) {
	last := len(areas) - 1
	for i := range checks {
		c := &checks[i]
		switch {
		case best == nil, areaOf(best.ID) == last && areaOf(c.ID) != last:
			best = c
		case areaOf(c.ID) != last && len(c.Alike) > len(best.Alike):
			best = c
		}
	}
	return best
}

// gravity orders rows: what went wrong, what was let through all the same, what is fine, what was not asked.
func gravity(r policy.Rule) int {
	order := []policy.Status{policy.Error, policy.Fail, policy.Insufficient, policy.Inconclusive, policy.Warn, policy.Waived, policy.Pass, policy.Skip}
	return slices.Index(order, r.Status)
}

// tally counts how checks came out, in words.
func tally(checks []check) string {
	counts := map[policy.Status]int{}
	for _, c := range checks {
		counts[c.Status]++
	}
	var parts []string
	for _, of := range []struct {
		status    policy.Status
		one, many string
	}{
		{policy.Fail, "fails, not blocking", "fail, not blocking"}, {policy.Error, "ended in an error, not blocking", "ended in an error, not blocking"},
		{policy.Insufficient, "has too little to go by", "have too little to go by"}, {policy.Inconclusive, "is inconclusive", "are inconclusive"},
		{policy.Warn, "warns", "warn"}, {policy.Waived, "is waived", "are waived"}, {policy.Pass, "passes", "pass"}, {policy.Skip, "was not asked", "were not asked"},
	} {
		switch n := counts[of.status]; {
		case n == 1:
			parts = append(parts, "1 "+of.one)
		case n > 1:
			parts = append(parts, count(n)+" "+of.many)
		}
	}
	return strings.Join(parts, ", ")
}

// check returns a row with people by their names, its evidence linked, and where it is put right.
func (b background) check(row policy.Rule) check {
	row.Message, row.Remediation = sentence(b.names.Replace(row.Message)), b.names.Replace(row.Remediation)
	row.Details = slices.Clone(row.Details)
	for i, d := range row.Details {
		row.Details[i] = sentence(b.names.Replace(d))
	}
	if lead, first, found := strings.Cut(row.Message, ": "); found && len(row.Details) > 1 && strings.HasPrefix(row.Details[0], first[:min(len(first), 12)]) {
		row.Message = lead + ":" // what follows is the list of details in short
	}
	c := check{Rule: row}
	for _, e := range row.Evidence {
		c.Proofs = append(c.Proofs, b.proof(row.ID, e))
	}
	for _, w := range b.waivers {
		if w.Rule == row.ID && (w.State == release.WaiverApproved || w.State == release.WaiverOpen) {
			c.Waiver = &w
			break
		}
	}
	if row.Status == policy.Pass || row.Status == policy.Skip {
		return c
	}
	if w, ok := b.wayOf(row.ID); ok {
		c.Ways = append(c.Ways, w)
	}
	if b.mayWaive && b.waivable[row.ID] && c.Waiver == nil {
		c.Ways = append(c.Ways, way{"ask for a waiver", b.askWaiver(row.ID)})
	}
	return c
}

func (b background) proof(rule, named string) proof {
	d := tallystick.Digest(named)
	switch {
	case d.Validate() == nil && b.evidence[d]:
		return proof{named, versionAddress(b.target.Model, b.target.Version) + "/evidence/" + url.PathEscape(named), true}
	case d.Validate() == nil:
		return proof{named, "", true}
	case rule == "release.waivers":
		return proof{"waiver " + named, "/waivers/" + url.PathEscape(named), false}
	case rule == "release.freeze":
		return proof{"freeze " + named, "/freezes#" + named, false}
	case rule == "release.approvals" || rule == "release.separation":
		return proof{"review " + named, "#" + named, false}
	}
	return proof{named, "", false}
}

// wayOf returns the page where what a rule asks for is put right.
func (b background) wayOf(rule string) (way, bool) {
	version := versionAddress(b.target.Model, b.target.Version)
	first, _, _ := strings.Cut(rule, ".")
	switch {
	case rule == "release.approvals" || rule == "release.separation":
		return way{"the reviews", "#reviews"}, true
	case rule == "release.freeze":
		return way{"the freezes", "/freezes"}, true
	case rule == "release.waivers":
		return way{"its waivers", b.askWaiver("")}, true
	case rule == "release.findings":
		return way{"its open findings", "/findings?" + url.Values{"model": {b.target.Model}}.Encode()}, true
	case first == "release":
		return way{}, false
	case slices.Contains([]string{"evidence", "audit", "criteria"}, first):
		return way{"its owed evidence", version + "#owed"}, true
	case slices.Contains([]string{"version", "artifact", "dependency"}, first):
		return way{"its files", version + "#files"}, true
	case first == "data":
		return way{"its data", version + "#from"}, true
	}
	return way{"how it was tested", version + "#tested"}, true
}

func (b background) askWaiver(rule string) string {
	q := url.Values{"version": {b.target.Version}, "environment": {b.target.Environment}}
	if rule != "" {
		q.Set("rule", rule)
	}
	return modelAddress(b.target.Model) + "/waivers?" + q.Encode()
}

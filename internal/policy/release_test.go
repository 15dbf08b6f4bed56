package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"go.yaml.in/yaml/v3"
)

// ready returns an input document of a release that passes at tier: a champion for a gated
// environment.
func ready(t testing.TB, tier tallystick.Tier) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/release.json")
	if err != nil {
		t.Fatal(err)
	}
	var release map[string]any
	if err := json.Unmarshal(data, &release); err != nil {
		t.Fatal(err)
	}
	return set(t, set(t, sound(t, tier), "release", release), "environment", "production")
}

func TestReadyReleasePasses(t *testing.T) {
	t.Parallel()
	for _, tier := range allTiers {
		decision := evaluate(t, load(t, "", tier), ready(t, tier))
		if decision.Verdict != tallystick.Pass {
			t.Errorf("%s: %s", tier, decision.Words)
		}
		idle := []string{"release.served", "release.waivers"}
		for _, rule := range decision.Rules {
			if rule.Status != policy.Pass && !slices.Contains(idle, rule.ID) {
				t.Errorf("%s: %s is %s: %s", tier, rule.ID, rule.Status, rule.Message)
			}
		}
	}
}

func copied(object map[string]any, change map[string]any) map[string]any {
	object = maps.Clone(object)
	maps.Copy(object, change)
	return object
}

// hindered lists for each rule about releases documents in which it does not come out as in a ready
// release, as changes to that one; a nil removes.
var hindered = []struct {
	name   string
	rule   string
	tier   tallystick.Tier
	change map[string]any
	want   policy.Status
	says   string // part of the message, or of the remediation
}{
	{"missing evidence", "evidence.owed", "low", map[string]any{"release.owed.2.state": "missing"}, policy.Fail, "Evaluation by the gate is missing"},
	{"missing evidence, how", "evidence.owed", "high", map[string]any{"release.owed.2.state": "missing"}, policy.Fail, "Run `tallystick audit FILE --model recidivism --version 1 --tier high`."},
	{"stale evidence", "evidence.owed", "high", map[string]any{"release.owed.2.state": "stale"}, policy.Fail, "counts no longer since 2027-02-18"},
	{"evidence that went stale", "evidence.owed", "high", map[string]any{"release.owed.2.until": "2026-11-21T08:00:00Z"}, policy.Fail, "counts no longer since 2026-11-21"},
	{"evidence of other files", "evidence.owed", "high", map[string]any{"release.owed.2.state": "other_digest"}, policy.Fail, "is about other files"},
	{"evidence swapped", "evidence.owed", "high", map[string]any{"release.owed.2.subject": "sha256:ab"}, policy.Fail, "is about sha256:ab and not about this version"},
	{"evidence that says no", "evidence.owed", "high", map[string]any{"release.owed.2.verdict": "fail"}, policy.Fail, "has the verdict fail"},
	{"evidence that cannot say", "evidence.owed", "high", map[string]any{"release.owed.2.verdict": "inconclusive"}, policy.Inconclusive, "has the verdict inconclusive"},
	{"evidence that warns", "evidence.owed", "high", map[string]any{"release.owed.2.verdict": "warn"}, policy.Warn, "has the verdict warn"},
	{"claimed evidence", "evidence.owed", "low", map[string]any{"release.owed.2.state": "claimed", "release.owed.2.signer": ""}, policy.Fail, "is claimed and not verified: nobody has signed it"},
	{"evidence of a stranger", "evidence.owed", "low", map[string]any{"release.owed.2.state": "claimed"}, policy.Fail, "k1 is not registered for it"},
	{"evidence of a revoked key", "evidence.owed", "low", map[string]any{"release.owed.2.state": "revoked"}, policy.Fail, "whose key counts no more"},
	{"evidence of a new kind of state", "evidence.owed", "high", map[string]any{"release.owed.2.state": "fine"}, policy.Error, "no result"},
	{"an experiment", "evidence.owed", "low", map[string]any{"release.owed": []any{}}, policy.Fail, "--state active"},

	{"unknown signer", "evidence.signer", "low", map[string]any{"release.owed.2.signer_known": false}, policy.Fail, "is signed by k1, which is not registered for it"},
	{"nothing signed", "evidence.signer", "low", map[string]any{"release.owed.1.signer": "", "release.owed.2.signer": ""}, policy.Skip, "No evidence of this version is signed."},

	{"draft", "version.identity", "low", map[string]any{"release.version.state": "draft"}, policy.Fail, "tallystick register recidivism@1 PATH"},
	{"withdrawn", "version.identity", "low", map[string]any{"release.version.state": "withdrawn"}, policy.Fail, "is withdrawn"},
	{"deprecated", "version.identity", "limited", map[string]any{"release.version.state": "deprecated"}, policy.Warn, "should be replaced"},
	{"deprecated, high", "version.identity", "high", map[string]any{"release.version.state": "deprecated"}, policy.Fail, "should be replaced"},
	{"incomplete", "version.identity", "low", map[string]any{"release.version.lacks": []any{"seeds", "hardware"}}, policy.Fail, "lacks 2 things that its tier asks for: seeds, hardware."},
	{"without files", "version.identity", "low", map[string]any{"release.version.digest": ""}, policy.Fail, "its files are not on record"},
	{"third party without files", "version.identity", "low", map[string]any{"release.version.digest": "", "release.version.third_party": true}, policy.Pass, "is registered"},
	{"unknown state", "version.identity", "low", map[string]any{"release.version.state": "fine"}, policy.Error, "no result"},

	{"no signature", "version.signature", "limited", map[string]any{"release.owed.1.kind": "scan"}, policy.Fail, "tallystick model sign PATH --model recidivism@1 --key FILE"},
	{"no signature, low", "version.signature", "low", map[string]any{"release.owed.1.kind": "scan"}, policy.Skip, "No signature"},
	{"signature missing", "version.signature", "high", map[string]any{"release.owed.1.state": "missing"}, policy.Fail, "there is no signature"},
	{"signature of other files", "version.signature", "high", map[string]any{"release.owed.1.subject": "sha256:ab"}, policy.Fail, "are not signed"},
	{"signature by a stranger", "version.signature", "high", map[string]any{"release.owed.1.state": "claimed"}, policy.Fail, "tallystick signer add NAME FILE"},
	{"signature by a revoked key", "version.signature", "high", map[string]any{"release.owed.1.state": "revoked"}, policy.Fail, "counts no more"},
	{"signature by nobody", "version.signature", "high", map[string]any{"release.owed.1.signer": ""}, policy.Fail, "are not signed"},

	{"no audit fact", "audit.current", "low", map[string]any{"release.audit": null}, policy.Fail, "tallystick audit FILE --model recidivism --version 1 --tier low"},
	{"audit of other files", "audit.current", "high", map[string]any{"release.audit.of_this_digest": false}, policy.Fail, "is not about the files of recidivism@1"},
	{"old audit", "audit.current", "high", map[string]any{"release.audit.produced": "2026-08-01T00:00:00Z"}, policy.Fail, "is 112 days old; tier high accepts 90."},
	{"old audit, limited", "audit.current", "limited", map[string]any{"release.audit.produced": "2026-08-01T00:00:00Z"}, policy.Pass, "112 days old"},
	{"audit of tomorrow", "audit.current", "low", map[string]any{"release.audit.produced": "2026-11-22T00:00:00Z"}, policy.Fail, "dated in the future"},
	{"failed audit", "audit.current", "high", map[string]any{"release.audit.verdict": "fail"}, policy.Fail, "came out as fail"},
	{"empty audit", "audit.current", "high", map[string]any{"release.audit.rows": 0}, policy.Insufficient, "looked at nothing"},

	{"unsafe file", "artifact.format", "low", map[string]any{"release.artifacts.0.unsafe": true, "release.artifacts.0.reason": "it calls os.system"}, policy.Fail, "it calls os.system"},
	{"pickle", "artifact.format", "high", map[string]any{"release.artifacts.0.format": "pickle"}, policy.Fail, "is a pickle file, which is a program"},
	{"pickle, limited", "artifact.format", "limited", map[string]any{"release.artifacts.0.format": "pickle"}, policy.Warn, "is a pickle file"},
	{"unknown file", "artifact.format", "high", map[string]any{"release.artifacts.0.format": ""}, policy.Fail, "nobody has looked what it is"},
	{"no files", "artifact.format", "high", map[string]any{"release.artifacts": []any{}}, policy.Fail, "tallystick model scan PATH --model recidivism@1"},
	{"no files of a third party", "artifact.format", "high", map[string]any{"release.artifacts": []any{}, "release.version.third_party": true}, policy.Skip, "came without files"},

	{"no basis", "data.consent", "low", map[string]any{"release.data.0.consent_basis": ""}, policy.Fail, "tallystick dataset update broward --basis BASIS"},
	{"forbidden purpose", "data.consent", "low", map[string]any{"release.data.1.forbidden_purposes": []any{"Release before trial"}}, policy.Fail, "may not be used for Release before trial"},
	{"no data", "data.consent", "high", map[string]any{"release.data": []any{}}, policy.Fail, "tallystick snapshot use DATASET@NAME recidivism@1"},
	{"no data, low", "data.consent", "low", map[string]any{"release.data": []any{}}, policy.Warn, "which data"},
	{"no data of a third party", "data.consent", "high", map[string]any{"release.data": []any{}, "release.version.third_party": true}, policy.Skip, "supplier"},
	{"no purpose", "data.consent", "high", map[string]any{"release.purpose": " "}, policy.Insufficient, "tallystick model update recidivism --purpose TEXT"},

	{"bare column", "data.privacy", "high", map[string]any{"release.data.0.masked": []any{}}, policy.Fail, "column name is personal and not masked"},
	{"bare column, low", "data.privacy", "low", map[string]any{"release.data.0.masked": []any{}}, policy.Warn, "not masked"},
	{"no column is personal", "data.privacy", "high", map[string]any{"release.data.0.personal": []any{}}, policy.Pass, "No column of 2 snapshots"},
	{"no data to mask", "data.privacy", "high", map[string]any{"release.data": []any{}}, policy.Skip, "No data is on record"},

	{"libraries unknown", "dependency.pins", "high", map[string]any{"release.dependencies.recorded": false}, policy.Fail, "--libraries FILE"},
	{"libraries of a third party", "dependency.pins", "high", map[string]any{"release.dependencies.recorded": false, "release.version.third_party": true}, policy.Skip, "supplier"},
	{"library not fixed", "dependency.pins", "limited", map[string]any{"release.dependencies.unpinned": []any{"numpy"}}, policy.Warn, "1 library has no exact version: numpy."},
	{"vulnerable", "dependency.vulnerabilities", "high", map[string]any{"release.dependencies.report.high": 1}, policy.Fail, "counts 0 critical and 1 high; tier high accepts 0 and 0"},
	{"vulnerable, limited", "dependency.vulnerabilities", "limited", map[string]any{"release.dependencies.report.high": 5}, policy.Pass, "5 high"},
	{"critically vulnerable", "dependency.vulnerabilities", "low", map[string]any{"release.dependencies.report.critical": 1}, policy.Fail, "1 critical"},
	{"old report", "dependency.vulnerabilities", "high", map[string]any{"release.dependencies.report.produced": "2026-10-01T00:00:00Z"}, policy.Fail, "is 51 days old"},
	{"no report", "dependency.vulnerabilities", "high", map[string]any{"release.dependencies.report": null}, policy.Fail, "tallystick evidence attach recidivism@1 FILE"},
	{"no report, limited", "dependency.vulnerabilities", "limited", map[string]any{"release.dependencies.report": null}, policy.Warn, "No report"},

	{"nobody agreed", "release.approvals", "limited", map[string]any{"release.approvals": []any{}}, policy.Fail, "needs 1 more with the role approver. Nobody whose word counts has agreed yet."},
	{"nobody agreed, low", "release.approvals", "low", map[string]any{"release.approvals": []any{}}, policy.Pass, "asks for no approval"},
	{"low but not green", "release.approvals", "low", map[string]any{"release.approvals": []any{}, "release.owed.2.verdict": "warn"}, policy.Fail, "1 more with the role approver"},
	{"no second approver", "release.approvals", "high", map[string]any{"release.approvals.2.roles": []any{"validator"}}, policy.Fail, "1 more with the role approver"},
	{"no second approver for a canary", "release.approvals", "high", map[string]any{"release.approvals.2.roles": []any{"validator"}, "release.role": "canary"}, policy.Pass, "have agreed"},
	{"one person twice", "release.approvals", "high", map[string]any{"release.approvals.1.approver.id": "grace"}, policy.Fail, "one person counts once"},
	{"role lost", "release.approvals", "high", map[string]any{"release.approvals.0.roles": []any{"viewer"}, "release.approvals.1.roles": []any{"approver"}}, policy.Fail, "1 more with the role validator"},
	{"approval of other files", "release.approvals", "limited", map[string]any{"release.approvals.1.digest": "sha256:ab", "release.approvals.2.digest": "sha256:ab"}, policy.Fail, "1 more with the role approver"},
	{"approval expired", "release.approvals", "high", map[string]any{"release.approvals.2.until": "2026-11-21T08:00:00Z"}, policy.Fail, "1 more with the role approver"},
	{"approval of tomorrow", "release.approvals", "high", map[string]any{"release.approvals.2.at": "2026-11-22T08:00:00Z"}, policy.Fail, "1 more with the role approver"},
	{"approval by a program", "release.approvals", "high", map[string]any{"release.approvals.2.approver.service": true}, policy.Fail, "1 more with the role approver"},
	{"conflict of interest", "release.approvals", "high", map[string]any{"release.approvals.2.conflict": "owns shares"}, policy.Fail, "1 more with the role approver"},
	{"approval by an author does not count", "release.approvals", "high", map[string]any{"release.approvals.2.approver.id": "ada"}, policy.Fail, "1 more with the role approver"},
	{"rejected", "release.approvals", "low", map[string]any{"release.approvals.0.verdict": "reject"}, policy.Fail, "grace rejected it on 2026-11-21."},
	{"unknown word", "release.approvals", "high", map[string]any{"release.approvals.0.verdict": "perhaps"}, policy.Error, "no result"},
	{"asked for", "release.approvals", "high", map[string]any{"release.approvals": []any{}}, policy.Fail, "tallystick release approve 01a1fdcb-24be-75b3-be70-454162a8499b"},
	{"not asked for yet", "release.approvals", "high", map[string]any{"release.approvals": []any{}, "release.request": ""}, policy.Fail, "tallystick release request recidivism@1 --to production"},

	{"own work", "release.separation", "low", map[string]any{"release.approvals.0.approver.id": "ada"}, policy.Fail, "ada approved it, and had a part in it (minted a token and registered and requested)."},
	{"own token", "release.separation", "low", map[string]any{"release.approvals.0.approver.id": "bot", "release.approvals.0.approver.minter": "ada"}, policy.Fail, "bot approved it"},
	{"minter of the author's token", "release.separation", "low", map[string]any{"release.authors.1.minter": "mary"}, policy.Fail, "mary approved it"},
	{"nobody's work", "release.separation", "low", map[string]any{"release.authors": []any{}}, policy.Insufficient, "Nobody knows"},
	{"nobody approved", "release.separation", "low", map[string]any{"release.approvals": []any{}}, policy.Skip, "Nobody has approved it"},

	{"incomplete waiver", "release.waivers", "low", map[string]any{"waivers": []any{waiver(map[string]any{"owner": ""})}}, policy.Fail, "says nothing about owner"},
	{"waiver of one's own", "release.waivers", "low", map[string]any{"waivers": []any{waiver(map[string]any{"approved_by": []any{"grace", "ada"}})}}, policy.Fail, "agreed to by nobody but its owner grace and its requester ada"},
	{"good waiver", "release.waivers", "low", map[string]any{"waivers": []any{waiver(nil)}}, policy.Warn, "agreed to by hedy"},
	{"expired waiver", "release.waivers", "low", map[string]any{"waivers": []any{waiver(map[string]any{"expires": "2026-11-21T08:00:00Z"})}}, policy.Skip, "uses no waiver"},
	{"waiver of another place", "release.waivers", "low", map[string]any{"waivers": []any{waiver(map[string]any{"environment": "staging"})}}, policy.Skip, "uses no waiver"},

	{"frozen", "release.freeze", "low", map[string]any{"freeze": []any{freeze(nil)}}, policy.Fail, "Freeze f1 of production for recidivism by olga since 2026-11-20: incident 7 is being reported."},
	{"all frozen", "release.freeze", "low", map[string]any{"freeze": []any{freeze(map[string]any{"model": "", "environment": ""})}}, policy.Fail, "tallystick release unfreeze f1"},
	{"frozen elsewhere", "release.freeze", "low", map[string]any{"freeze": []any{freeze(map[string]any{"environment": "staging"})}}, policy.Pass, "No freeze"},

	{"critical finding", "release.findings", "low", map[string]any{"release.findings": []any{finding(map[string]any{"severity": "critical"})}}, policy.Fail, "tallystick finding resolve f7 --reason TEXT"},
	{"late finding", "release.findings", "low", map[string]any{"release.findings": []any{finding(map[string]any{"due": "2026-11-20T00:00:00Z"})}}, policy.Fail, "due on 2026-11-20"},
	{"high finding", "release.findings", "high", map[string]any{"release.findings": []any{finding(map[string]any{"severity": "high"})}}, policy.Fail, "high"},
	{"high finding, limited", "release.findings", "limited", map[string]any{"release.findings": []any{finding(map[string]any{"severity": "high"})}}, policy.Warn, "high"},
	{"small finding", "release.findings", "high", map[string]any{"release.findings": []any{finding(nil)}}, policy.Pass, "1 finding is open, none of them pressing."},
	{"finding of no severity", "release.findings", "low", map[string]any{"release.findings": []any{finding(map[string]any{"severity": ""})}}, policy.Error, "no result"},

	{"budget spent", "release.budget", "low", map[string]any{"release.budget.remaining": 0}, policy.Fail, "The error budget is spent."},
	{"budget nearly spent", "release.budget", "low", map[string]any{"release.budget.remaining": 0.05}, policy.Warn, "5.0 % is left over 30d"},
	{"budget not measured", "release.budget", "low", map[string]any{"release.budget": null}, policy.Skip, "No error budget is measured"},

	{"rollback to what never served", "release.served", "low", map[string]any{"release.kind": "rollback"}, policy.Fail, "so this is no rollback"},
	{"rollback to what went around", "release.served", "low", map[string]any{"release.kind": "rollback", "release.version.served": []any{served(map[string]any{"verdict": "fail"})}}, policy.Fail, "so this is no rollback"},
	{"rollback", "release.served", "low", map[string]any{"release.kind": "rollback", "release.version.served": []any{served(nil)}}, policy.Pass, "served in production from 2026-06-01"},
	{"neither", "release.served", "low", map[string]any{"release.kind": "replacement"}, policy.Error, "no result"},
}

// null stands for a JSON null where nil would remove.
var null = json.RawMessage("null")

func waiver(change map[string]any) map[string]any {
	return copied(map[string]any{
		"id": "w1", "rule": "artifact.format", "version": "1", "owner": "grace", "reason": "the supplier ships nothing else",
		"compensating_control": "loaded in a sandbox", "expires": "2026-12-31T00:00:00Z", "environment": "", "digest": "",
		"approved_by": []any{"hedy"}, "requester": "ada",
	}, change)
}

func freeze(change map[string]any) map[string]any {
	return copied(map[string]any{
		"id": "f1", "environment": "production", "model": "recidivism", "reason": "incident 7 is being reported", "by": "olga",
		"from": "2026-11-20T08:00:00Z", "until": nil,
	}, change)
}

func finding(change map[string]any) map[string]any {
	return copied(map[string]any{"id": "f7", "kind": "code_differs", "severity": "medium", "due": nil, "summary": "the code is another"}, change)
}

func served(change map[string]any) map[string]any {
	return copied(map[string]any{
		"from": "2026-06-01T00:00:00Z", "until": "2026-07-01T00:00:00Z", "decision": "sha256:ef", "verdict": "pass",
	}, change)
}

func hinder(t testing.TB, i int) map[string]any {
	t.Helper()
	return changed(t, ready(t, hindered[i].tier), hindered[i].change)
}

func TestEveryReleaseRuleInTrouble(t *testing.T) {
	t.Parallel()
	packs := packsByTier(t)
	seen := map[string]bool{}
	for i, test := range hindered {
		decision := evaluate(t, packs[test.tier], hinder(t, i))
		rule := row(t, decision, test.rule)
		seen[test.rule] = seen[test.rule] || rule.Denies() && rule.Status != policy.Error
		if rule.Status != test.want {
			t.Errorf("%s: %s is %s, want %s: %s", test.name, test.rule, rule.Status, test.want, rule.Message)
		}
		if said := rule.Message + " " + rule.Remediation; !strings.Contains(said, test.says) || strings.Contains(said, "%!") {
			t.Errorf("%s: %s says %q, not %q", test.name, test.rule, said, test.says)
		}
		if rule.Denies() && decision.Verdict != tallystick.Fail {
			t.Errorf("%s: the gate passes although %s is %s", test.name, rule.ID, rule.Status)
		}
		if denies := rule.Denies() || rule.Status == policy.Warn; denies && !strings.Contains(rule.Remediation, "`tallystick ") {
			t.Errorf("%s: %s is %s and names no command: %q", test.name, rule.ID, rule.Status, rule.Remediation)
		}
	}
	for _, rule := range packs[tallystick.TierHigh].Rules() {
		if rule.About == policy.AboutRelease && !seen[rule.ID] {
			t.Errorf("no case shows that %s denies", rule.ID)
		}
	}
}

// A release whose facts lack a field, or have one of another kind, is denied by every rule, with the
// name of that field.
func TestReleaseOfAnotherFormIsDenied(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	for path, change := range map[string]any{
		"release.version.lacks":             nil,
		"release.owed.1.signer_known":       "yes",
		"release.approvals.2.approver.id":   nil,
		"release.approvals.0.at":            "yesterday",
		"release.dependencies.report":       "none",
		"release.environment":               null,
		"release.findings":                  map[string]any{},
		"release.budget.remaining":          nil,
		"release.data.0.forbidden_purposes": null,
	} {
		decision := evaluate(t, pack, changed(t, ready(t, tallystick.TierHigh), map[string]any{path: change}))
		for _, rule := range decision.Rules {
			if named := strings.ReplaceAll(path, ".", "/"); rule.Status != policy.Error || !strings.Contains(rule.Message, named) {
				t.Errorf("%s: %s is %s: %s", path, rule.ID, rule.Status, rule.Message)
			}
		}
	}
}

func TestNoReleaseFactMissingLetsPass(t *testing.T) {
	if testing.Short() {
		t.Skip("judges hundreds of documents; run without -short")
	}
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	for _, path := range pathsOf("release", ready(t, tallystick.TierHigh)["release"]) {
		if decision := evaluate(t, pack, remove(t, ready(t, tallystick.TierHigh), path)); decision.Verdict == tallystick.Pass {
			t.Errorf("the gate passes without %s", path)
		}
	}
}

// pathsOf lists every field of an object in value.
func pathsOf(at string, value any) (paths []string) {
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			paths = append(paths, pathsOf(fmt.Sprint(at, ".", i), element)...)
		}
	case map[string]any:
		for name, child := range value {
			paths = append(paths, at+"."+name)
			paths = append(paths, pathsOf(at+"."+name, child)...)
		}
	}
	return paths
}

func TestWhatIsNeverWaived(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierLow)
	for _, rule := range pack.Rules() {
		never := slices.Contains([]string{"evidence.signer", "release.freeze", "release.separation", "release.served", "release.waivers"}, rule.ID)
		if rule.Waivable == never {
			t.Errorf("%s: waivable %v", rule.ID, rule.Waivable)
		}
	}
	document := changed(t, ready(t, tallystick.TierLow), map[string]any{
		"freeze": []any{freeze(nil)}, "release.artifacts.0.unsafe": true,
		"waivers": []any{waiver(map[string]any{"rule": "release.freeze"}), waiver(nil)},
	})
	decision := evaluate(t, pack, document)
	if rule := row(t, decision, "release.freeze"); rule.Status != policy.Fail || !slices.ContainsFunc(rule.Details, func(words string) bool { return strings.Contains(words, "can never be waived") }) {
		t.Errorf("release.freeze is %s: %q", rule.Status, rule.Details)
	}
	if rule := row(t, decision, "artifact.format"); rule.Status != policy.Waived {
		t.Errorf("artifact.format is %s: %s", rule.Status, rule.Message)
	}
}

// A release takes only waivers that somebody else agreed to, for this place and these files.
func TestWaiverOfARelease(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierLow)
	for name, test := range map[string]struct {
		change map[string]any
		want   policy.Status
	}{
		"good":         {nil, policy.Waived},
		"of this file": {map[string]any{"environment": "production", "digest": "sha256:1111111111111111111111111111111111111111111111111111111111111111"}, policy.Waived},
		"other place":  {map[string]any{"environment": "staging"}, policy.Fail},
		"other files":  {map[string]any{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222"}, policy.Fail},
		"own":          {map[string]any{"approved_by": []any{"grace", "ada", ""}}, policy.Fail},
		"of nobody":    {map[string]any{"approved_by": []any{}}, policy.Fail},
	} {
		document := changed(t, ready(t, tallystick.TierLow), map[string]any{"release.artifacts.0.unsafe": true, "waivers": []any{waiver(test.change)}})
		if rule := row(t, evaluate(t, pack, document), "artifact.format"); rule.Status != test.want {
			t.Errorf("%s: artifact.format is %s: %q", name, rule.Status, rule.Details)
		}
	}
}

// A rollback and an easier environment are asked for less, and each row that is left out says why.
func TestWhatIsNotAsked(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	back := map[string]any{
		"release.kind": "rollback", "release.version.served": []any{served(nil)}, "release.approvals": []any{},
		"release.budget.remaining": 0, "report": null, "release.audit": null,
	}
	for name, test := range map[string]struct {
		change map[string]any
		asked  []string
		says   string
	}{
		"rollback": {back, []string{"version.identity", "release.served", "release.freeze"}, "A rollback is not asked for this"},
		"free": {map[string]any{"release.environment.strictness": "free", "release.approvals": []any{}, "report": null},
			[]string{"version.identity", "release.served", "release.freeze"}, "The environment production is free"},
	} {
		decision := evaluate(t, pack, changed(t, ready(t, tallystick.TierHigh), test.change))
		if decision.Verdict != tallystick.Pass {
			t.Errorf("%s: %s", name, decision.Words)
		}
		for _, rule := range decision.Rules {
			if left := strings.Contains(rule.Message, test.says); left == slices.Contains(test.asked, rule.ID) || left && (rule.Status != policy.Skip || rule.Blocking) {
				t.Errorf("%s: %s is %s: %s", name, rule.ID, rule.Status, rule.Message)
			}
		}
	}
	frozen := changed(t, changed(t, ready(t, tallystick.TierHigh), back), map[string]any{"freeze": []any{freeze(nil)}})
	if decision := evaluate(t, pack, frozen); decision.Verdict != tallystick.Fail {
		t.Errorf("a rollback passes although all is frozen: %s", decision.Words)
	}
	checked := changed(t, ready(t, tallystick.TierHigh), map[string]any{"release.environment.strictness": "checked", "release.approvals": []any{}})
	if decision := evaluate(t, pack, checked); decision.Verdict != tallystick.Pass {
		t.Errorf("checked: %s", decision.Words)
	}
	if decision := evaluate(t, pack, set(t, checked, "report", nil)); decision.Verdict != tallystick.Fail {
		t.Errorf("a checked environment asks for no audit: %s", decision.Words)
	}
}

// The patterns of what is left out name rules that there are.
func TestLeftOutNamesRules(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("packs/data.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Tallystick struct {
			LeftOut map[string][]string `yaml:"left_out"`
		}
	}
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	rules := load(t, "", tallystick.TierHigh).Rules()
	for occasion, patterns := range document.Tallystick.LeftOut {
		for _, pattern := range patterns {
			if !slices.ContainsFunc(rules, func(d policy.Definition) bool { ok, err := path.Match(pattern, d.ID); return ok && err == nil }) {
				t.Errorf("left_out.%s names %s, which is no rule", occasion, pattern)
			}
		}
	}
}

// Without an audit on record the rules about it say so, and how to make one.
func TestReleaseWithoutAudit(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	decision := evaluate(t, pack, changed(t, ready(t, tallystick.TierHigh), map[string]any{"report": null, "limits": null, "criteria": null}))
	for i, rule := range decision.Rules {
		if pack.Rules()[i].About == policy.AboutAudit && (rule.Status != policy.Insufficient || !strings.Contains(rule.Remediation, "`tallystick audit FILE --model recidivism --version 1 --tier high`")) {
			t.Errorf("%s is %s: %s %s", rule.ID, rule.Status, rule.Message, rule.Remediation)
		}
	}
	if decision.Verdict != tallystick.Fail {
		t.Error(decision.Words)
	}
}

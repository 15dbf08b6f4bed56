package api_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/trail"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// schema is as much of a JSON schema as it takes to make an instance.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Pattern    string
	Enum       []any
	Required   []string
	Properties map[string]schema
	Items      *schema
	MinItems   int
	Minimum    float64
}

type document struct {
	OpenAPI    string
	Paths      map[string]map[string]described
	Components struct{ Schemas map[string]schema }
}

type described struct {
	OperationID string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
}

// least returns the smallest instance of a schema.
func (d document) least(s schema) any {
	if s.Ref != "" {
		return d.least(d.Components.Schemas[filepath.Base(s.Ref)])
	}
	kind, _ := s.Type.(string)
	if several, ok := s.Type.([]any); ok { // with null
		kind, _ = several[0].(string)
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case strings.Contains(s.Pattern, "sha256:"):
		return "sha256:" + strings.Repeat("ab", 32)
	case strings.HasPrefix(s.Pattern, "^tok_"):
		return "tok_abc"
	case s.Format == "date-time":
		return "2026-03-03T00:00:00Z"
	case kind == "integer" || kind == "number":
		return max(s.Minimum, 1)
	case kind == "boolean":
		return true
	case kind == "array":
		return slices.Repeat([]any{d.least(*s.Items)}, s.MinItems)
	case kind == "object":
		object := map[string]any{}
		for _, name := range s.Required {
			object[name] = d.least(s.Properties[name])
		}
		return object
	}
	return "source:x"
}

// actions is what each operation asks to do. An empty one is for all who are known.
var actions = map[string]access.Action{
	"get-self": "", "list-tokens": "", "create-token": access.TokenCreate, "revoke-token": access.TokenRevoke, "close-session": access.SessionClose,
	"add-user": access.UserManage, "enrol-user": access.UserManage, "grant-role": access.UserManage, "revoke-role": access.UserManage, "disable-user": access.UserManage, "list-users": access.UserRead,
	"list-events": access.TrailRead, "get-event": access.TrailRead, "get-model-history": access.TrailRead,
	"register-model": access.ModelRegister, "update-model": access.ModelUpdate, "retire-model": access.ModelRetire,
	"register-version": access.VersionRegister, "mark-version": access.VersionRegister, "upload-artifact": access.ArtifactWrite, "fetch-artifact": access.ArtifactWrite, "download-artifact": access.ArtifactRead,
	"attach-evidence": access.EvidenceAttach, "attach-model-evidence": access.EvidenceAttach, "upload-evidence": access.EvidenceAttach,
	"register-dataset": access.DatasetRegister, "update-dataset": access.DatasetRegister, "register-snapshot": access.DatasetRegister, "link-snapshot": access.LineageRecord,
	"define-environment": access.EnvironmentManage, "record-deployment": access.DeploymentRecord, "end-deployment": access.DeploymentRecord,
	"request-release": access.ReleaseRequest, "withdraw-release": access.ReleaseRequest, "review-release": access.ReleaseReview,
	"promote-release": access.ReleasePromote, "ask-gate": access.GateAsk, "declare-freeze": access.FreezeManage, "lift-freeze": access.FreezeManage,
	"request-waiver": access.WaiverRequest, "review-waiver": access.WaiverReview, "revoke-waiver": access.WaiverReview,
	"add-signer": access.SignerManage, "revoke-signer": access.SignerManage,
	"record-assignment": access.AssignmentRecord, "end-assignment": access.AssignmentRecord, "reconcile": access.FindingWrite, "resolve-finding": access.FindingClose, "dismiss-finding": access.FindingClose, "triage-finding": access.FindingWrite, "remediate-finding": access.FindingWrite,
	"record-lineage":   access.LineageRecord,
	"define-case-rule": access.CaseRuleManage, "remove-case-rule": access.CaseRuleManage, "list-case-rules": access.CatalogRead, "case-workload": access.CatalogRead,
	"open-case": access.CaseOpen, "claim-case": access.CaseDecide, "release-case": access.CaseDecide, "judge-case": access.CaseDecide,
	"explain-prediction": access.PredictionRead, "draft-letter": access.PredictionRead, "list-cases": access.PredictionRead, "get-case": access.PredictionRead,
	"record-predictions": access.PredictionRecord, "record-labels": access.LabelRecord, "get-labels": access.PredictionRead,
	"list-predictions": access.PredictionRead, "aggregate-predictions": access.PredictionRead, "export-predictions": access.PredictionRead, "list-prediction-files": access.PredictionRead,
	"set-usage-rule": access.UsageRuleWrite,
	"export-package": access.BundleExport, "get-decision-input": access.BundleExport, "get-decision-policy": access.BundleExport,
	"get-prediction": access.PredictionRead, "prove-prediction": access.PredictionRead,
	"define-body-rule": access.BodyRuleManage, "remove-body-rule": access.BodyRuleManage, "list-body-rules": access.CatalogRead, "measure-body-coverage": access.PredictionRead, "get-prediction-body": access.PredictionRead,
	"open-incident": access.IncidentOpen, "acknowledge-incident": access.IncidentWork, "triage-incident": access.IncidentWork, "note-incident": access.IncidentWork, "tick-incident": access.IncidentWork, "link-incident": access.IncidentWork,
	"mitigate-incident": access.IncidentWork, "resolve-incident": access.IncidentWork, "reopen-incident": access.IncidentWork, "close-incident": access.IncidentClose,
	"trace-incident": access.IncidentWork, "replay-incident": access.IncidentWork, "place-hold": access.HoldManage, "release-hold": access.HoldManage, "get-incident-evidence": access.PredictionRead, "report-incident": access.IncidentWork, "get-incident-report": access.PredictionRead, "list-incidents": access.CatalogRead, "get-incident-figures": access.CatalogRead, "get-incident": access.PredictionRead, "get-incident-timeline": access.TrailRead,
	"apply-reaction": access.ReactionManage, "remove-reaction": access.ReactionManage, "approve-reaction": access.ReactionApprove, "list-reactions": access.CatalogRead, "get-reaction": access.CatalogRead,
	"list-reaction-tries": access.CatalogRead, "rehearse-reaction": access.ReactionManage, "run-reactions": access.ReactionManage,
	"request-retraining": access.RetrainRequest, "list-retrainings": access.CatalogRead, "get-retraining": access.CatalogRead, "get-retraining-report": access.CatalogRead,
	"apply-runbook": access.RunbookManage, "remove-runbook": access.RunbookManage, "list-runbooks": access.CatalogRead, "get-runbook": access.CatalogRead,
	"pin-breakdown": access.MonitorManage, "list-breakdowns": access.CatalogRead,
	"pin-reference": access.MonitorManage, "list-references": access.CatalogRead, "get-reference": access.PredictionRead, "apply-monitor": access.MonitorManage, "remove-monitor": access.MonitorManage, "list-monitors": access.CatalogRead, "get-monitor": access.CatalogRead, "judge-window": access.WindowJudge, "list-judgements": access.CatalogRead, "get-judgement": access.PredictionRead,
	"list-alerts": access.CatalogRead, "get-alert": access.CatalogRead, "get-alert-history": access.CatalogRead, "evaluate-alerts": access.WindowJudge, "resolve-alert": access.AlertManage,
	"create-silence": access.AlertManage, "end-silence": access.AlertManage, "list-silences": access.CatalogRead,
	"apply-alert-policy": access.MonitorManage, "remove-alert-policy": access.MonitorManage, "list-alert-policies": access.CatalogRead, "get-alert-policy": access.CatalogRead,
	"apply-objective": access.ObjectiveManage, "remove-objective": access.ObjectiveManage, "judge-objective": access.ObjectiveJudge, "list-objectives": access.CatalogRead, "get-objective": access.CatalogRead, "list-objective-judgements": access.CatalogRead, "get-objective-judgement": access.CatalogRead, "list-indicators": access.CatalogRead, "get-health": access.CatalogRead,
	"apply-comparison": access.MonitorManage, "remove-comparison": access.MonitorManage, "list-comparisons": access.CatalogRead, "get-comparison": access.CatalogRead,
	"compare-versions": access.VersionCompare, "ask-comparison": access.VersionCompare, "put-to-comparison": access.VersionCompare, "answer-flagger": access.VersionCompare,
	"list-comparison-judgements": access.CatalogRead, "get-comparison-judgement": access.PredictionRead,
	"set-retention": access.PredictionRetain, "erase-predictions": access.PredictionErase,
	"create-subscription": access.NotifyManage, "update-subscription": access.NotifyManage, "rotate-subscription": access.NotifyManage, "remove-subscription": access.NotifyManage,
	"test-subscription": access.NotifyManage, "retry-subscription": access.NotifyManage,
	"list-subscriptions": access.NotifyRead, "get-subscription": access.NotifyRead, "list-deliveries": access.NotifyRead,
}

var component = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`) // OpenAPI 3.1, Components Object

// TestDocument: the description of the API is sound, and nothing comes or goes unnoticed.
func TestDocument(t *testing.T) {
	t.Parallel()
	d := read[document](t, ask(t, newHouse(t).as("nobody"), "GET", "/openapi.json", nil).want(t, 200))
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("OpenAPI %q", d.OpenAPI)
	}
	for name := range d.Components.Schemas {
		if !component.MatchString(name) {
			t.Errorf("component %q", name)
		}
	}
	var lines []string
	seen := map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			lines = append(lines, op.OperationID+" "+strings.ToUpper(method)+" "+path)
			if seen[op.OperationID] {
				t.Errorf("operation %s is there twice", op.OperationID)
			}
			seen[op.OperationID] = true
			var declared []string
			for _, p := range op.Parameters {
				if p.In == "path" {
					declared = append(declared, "{"+p.Name+"}")
				}
			}
			used := regexp.MustCompile(`\{[^}]*\}`).FindAllString(path, -1)
			slices.Sort(used)
			slices.Sort(declared)
			if !slices.Equal(used, declared) {
				t.Errorf("%s: the path has %v, declared are %v", op.OperationID, used, declared)
			}
		}
	}
	slices.Sort(lines)
	got, golden := strings.Join(lines, "\n")+"\n", filepath.Join("testdata", "operations.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the operations have changed (-update rewrites the list):\n%s", diff)
	}
}

// TestRights asks for every operation as nobody and in every role: exactly the table of rights decides,
// and each refusal is on the trail.
func TestRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	nobody := h.as("nobody")
	d := read[document](t, ask(t, nobody, "GET", "/openapi.json", nil).want(t, 200))
	may := map[access.Action][]access.Role{"": access.Roles()}
	for _, right := range access.Rights() {
		may[right.Action] = right.Roles
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			if op.Security != nil && len(op.Security) == 0 {
				continue // for people who are not known yet
			}
			action, known := actions[op.OperationID]
			if !known {
				if method != "get" {
					t.Errorf("operation %s is not in the table of this test", op.OperationID)
					continue
				}
				action = access.CatalogRead
			}
			target, body, headers := strings.TrimPrefix(path, "/api/v1"), any(nil), []string(nil)
			query := "?"
			for _, p := range op.Parameters {
				switch value, _ := d.least(p.Schema).(string); {
				case p.In == "path" && p.Name == "role":
					target = strings.ReplaceAll(target, "{role}", "viewer")
				case p.In == "path":
					target = strings.ReplaceAll(target, "{"+p.Name+"}", strings.TrimPrefix(value, "source:"))
				case p.In == "query" && p.Required:
					query += p.Name + "=" + value + "&"
				}
			}
			for kind, content := range op.RequestBody.Content {
				if headers == nil || kind == "application/json" {
					body, headers = d.least(content.Schema), []string{"Content-Type", kind}
				}
			}
			request := func(role access.Role) answer {
				handler := nobody
				if role != "" {
					handler = h.as(string(role), role)
				}
				return ask(t, handler, strings.ToUpper(method), target+query, body, headers...)
			}
			if a := request(""); a.StatusCode != 401 || a.Header.Get("WWW-Authenticate") == "" || a.problem(t).Hint == "" {
				t.Errorf("%s as nobody: %s", op.OperationID, a)
			}
			for _, role := range access.Roles() {
				before := h.count(t, trail.CommandRefused)
				a := request(role)
				if slices.Contains(may[action], role) {
					if a.StatusCode == 403 || a.StatusCode >= 500 || a.StatusCode == 422 {
						t.Errorf("%s as %s: %s", op.OperationID, role, a)
					}
					continue
				}
				if a.StatusCode != 403 {
					t.Errorf("%s as %s: %s, want a refusal", op.OperationID, role, a)
				} else if p := a.problem(t); p.Code != "forbidden" || p.Hint == "" || h.count(t, trail.CommandRefused) != before+1 {
					t.Errorf("%s as %s: %s, %d refusals on the trail", op.OperationID, role, a, h.count(t, trail.CommandRefused)-before)
				}
			}
		}
	}
}

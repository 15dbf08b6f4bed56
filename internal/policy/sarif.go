package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// The parts of SARIF 2.1.0 (OASIS, 27 March 2020) that a decision fills. Each rule keeps its id
// and its fingerprint from run to run, so that a code-scanning service follows it.
type (
	sarifDocument struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool      `json:"tool"`
		AutomationDetails sarifID        `json:"automationDetails"`
		Results           []sarifResult  `json:"results"`
		Properties        map[string]any `json:"properties"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string             `json:"id"`
		ShortDescription     sarifText          `json:"shortDescription"`
		Help                 *sarifText         `json:"help,omitempty"`
		HelpURI              string             `json:"helpUri"`
		DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
		Properties           map[string]any     `json:"properties"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Kind                string             `json:"kind"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Properties          map[string]any     `json:"properties"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

const (
	projectURI = "https://github.com/tallystick/tallystick"
	helpURI    = projectURI + "/blob/main/docs/policy.md#"
)

func sarifLog(d Decision, options RenderOptions) sarifDocument {
	run := sarifRun{
		Tool:              sarifTool{Driver: sarifDriver{Name: "Tallystick", Version: options.Tool, InformationURI: projectURI, Rules: []sarifRule{}}},
		AutomationDetails: sarifID{ID: "tallystick/gate/" + cmp.Or(options.Model, "model") + "/"},
		Results:           []sarifResult{},
		Properties: map[string]any{
			"verdict": d.Verdict, "words": d.Words, "tier": d.Tier, "pack": d.Pack, "policyDigest": d.Policy,
			"inputDigest": d.Input, "engine": d.Engine, "customPolicy": d.Modified, "modelVersion": options.Version,
		},
	}
	for i, rule := range d.Rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(rule))
		run.Results = append(run.Results, sarifResultOf(rule, i, options))
	}
	return sarifDocument{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	}
}

func sarifRuleOf(rule Rule) sarifRule {
	r := sarifRule{
		ID:                   rule.ID,
		ShortDescription:     sarifText{sentence(rule.Title)},
		HelpURI:              helpURI + strings.ReplaceAll(rule.ID, ".", ""),
		DefaultConfiguration: sarifConfiguration{Level: "warning"},
		Properties:           map[string]any{"severity": rule.Severity, "tags": slices.Concat([]string{"model-audit"}, rule.Controls)},
	}
	if rule.Blocking {
		r.DefaultConfiguration.Level = "error"
	}
	if rule.Remediation != "" {
		r.Help = &sarifText{rule.Remediation}
	}
	return r
}

func sarifResultOf(rule Rule, index int, options RenderOptions) sarifResult {
	message := rule.Message
	if rule.Status != Pass && rule.Remediation != "" {
		message = sentence(message) + " What to do: " + rule.Remediation
	}
	result := sarifResult{
		RuleID: rule.ID, RuleIndex: index, Message: sarifText{message},
		Locations: []sarifLocation{{
			PhysicalLocation: sarifPhysical{sarifArtifact{URI: artifactURI(cmp.Or(options.File, "predictions"))}},
		}},
		// The version stays out: the finding is the same one when the next version still has it.
		PartialFingerprints: map[string]string{
			"ruleAndModel/v1": tallystick.DigestOf([]byte(rule.ID + "\x00" + options.Model)).Hex(),
		},
		Properties: map[string]any{"status": rule.Status, "blocking": rule.Blocking, "evidence": rule.Evidence, "controls": rule.Controls},
	}
	if options.Model != "" {
		result.Locations[0].LogicalLocations = []sarifLogical{{Name: options.Model, Kind: "module"}}
	}
	if len(rule.Details) > 0 {
		result.Properties["details"] = rule.Details
	}
	// Section 3.27.10: the level is none unless the kind is fail.
	switch {
	case rule.Status == Pass:
		result.Kind, result.Level = "pass", "none"
	case rule.Denies():
		result.Kind, result.Level = "fail", "error"
	case rule.Status == Skip:
		result.Kind, result.Level = "notApplicable", "none"
	case rule.Status == Waived:
		result.Kind, result.Level = "fail", "warning"
		result.Suppressions = []sarifSuppression{{Kind: "external", Justification: rule.Message}}
	default:
		result.Kind, result.Level = "fail", "warning"
	}
	return result
}

// artifactURI returns name as a relative URI reference: bytes other than unreserved characters
// and slashes are percent-encoded.
func artifactURI(name string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ReplaceAll(name, `\`, "/")) {
		if strings.IndexByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

package artifact

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

const (
	maxScanReport = 64 << 20 // bytes
	maxScanIssues = 1000     // that are listed
)

// ScanReport is what another scanner says about the files of a version. It is that scanner's claim:
// nothing here repeats its work, and the report is not signed.
type ScanReport struct {
	Scanner  string             `json:"scanner"`
	Verdict  tallystick.Verdict `json:"verdict"` // the worst of the findings
	Findings []Finding          `json:"findings"`
	// Digests are those of the files that the scanner has read, sorted.
	Digests []tallystick.Digest `json:"digests"`
}

// The members of a report of modelaudit 0.2 that are read. Others are the scanner's own business.
type modelauditJSON struct {
	Issues []struct {
		Message  string `json:"message"`
		Severity string `json:"severity"`
		Location string `json:"location"`
		Type     string `json:"type"`
		RuleCode string `json:"rule_code"`
		Details  struct {
			Incomplete bool `json:"analysis_incomplete"`
		} `json:"details"`
	} `json:"issues"`
	FilesScanned *int64 `json:"files_scanned"`
	HasErrors    *bool  `json:"has_errors"`
	Success      *bool  `json:"success"`
	FileMetadata map[string]struct {
		ContentHash string `json:"content_hash"`
		FileHashes  struct {
			SHA256 string `json:"sha256"`
		} `json:"file_hashes"`
	} `json:"file_metadata"`
}

// ParseModelAudit reads a report of modelaudit (modelaudit scan --format json). Its critical issues
// are critical here, its warnings medium, and what it could not read to its end is unjudged.
func ParseModelAudit(data []byte) (ScanReport, error) {
	if len(data) > maxScanReport {
		return ScanReport{}, tallystick.Errorf(tallystick.Invalid, "modelaudit report is longer than %d bytes", maxScanReport)
	}
	if err := CheckJSON("modelaudit report", data); err != nil {
		return ScanReport{}, err
	}
	var j modelauditJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return ScanReport{}, tallystick.Errorf(tallystick.Invalid, "modelaudit report: %w", err)
	}
	if j.Issues == nil || j.FilesScanned == nil || j.HasErrors == nil || j.Success == nil {
		return ScanReport{}, tallystick.Errorf(tallystick.Invalid, `modelaudit report has no "issues", "files_scanned", "has_errors" or "success"`).
			WithHint("make it with modelaudit scan --format json")
	}
	r := ScanReport{Scanner: "modelaudit", Findings: []Finding{}, Digests: []tallystick.Digest{}}
	for i, issue := range j.Issues {
		if i == maxScanIssues {
			r.add(Unjudged, "issues", "report", "has more issues than are listed here")
			break
		}
		severity := Unjudged // of a word that is not known
		switch strings.ToLower(issue.Severity) {
		case "critical":
			severity = Critical
		case "warning":
			severity = Medium
		case "info", "debug":
			severity = Info
		}
		if issue.Details.Incomplete && severity != Critical {
			severity = Unjudged
		}
		rule := issue.RuleCode
		if rule == "" {
			rule = issue.Type
		}
		if rule == "" {
			rule = "issue"
		}
		r.add(severity, rule, issue.Location, issue.Message)
	}
	if *j.HasErrors || !*j.Success {
		r.add(Unjudged, "errors", "report", "says that the scan met errors")
	}
	if *j.FilesScanned <= 0 {
		r.add(Unjudged, "files", "report", "says that no file was scanned")
	}
	for _, k := range sortedKeys(j.FileMetadata) {
		digits := j.FileMetadata[k].FileHashes.SHA256
		if digits == "" {
			digits = j.FileMetadata[k].ContentHash
		}
		if d, err := tallystick.ParseDigest("sha256:" + digits); err == nil {
			r.Digests = append(r.Digests, d)
		}
	}
	slices.Sort(r.Digests)
	r.Digests = slices.Compact(r.Digests)
	r.Verdict = tallystick.Pass
	for _, f := range r.Findings {
		r.Verdict = r.Verdict.Worse(f.Severity.Verdict())
	}
	return r, nil
}

func (r *ScanReport) add(severity Severity, rule, where, message string) {
	r.Findings = append(r.Findings, Finding{Rule: r.Scanner + "." + rule, Severity: severity, Where: where, Message: message})
}

// Covers returns a Conflict error that names the first file of m that the scanner has not read as it is.
func (r ScanReport) Covers(m Manifest) error {
	for _, f := range m.files {
		if _, ok := slices.BinarySearch(r.Digests, f.Digest); !ok {
			return tallystick.Errorf(tallystick.Conflict, "the report of %s says nothing about file %q with %s", r.Scanner, f.Name, f.Digest).
				WithHint("scan the files of this version")
		}
	}
	return nil
}

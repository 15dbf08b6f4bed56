package release

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/vulnerability"
)

// inspected looks up what is in the files of the version.
func (o *Office) inspected(ctx context.Context, f *facts) error {
	for _, item := range f.status.Items {
		if item.Kind != catalog.ScanEvidence || item.State != catalog.Present || item.Evidence == nil {
			continue
		}
		report := item.Evidence.Digest
		if piece := f.vouched[report]; piece != "" {
			report = piece
		}
		body, err := o.stored(ctx, report)
		if err != nil {
			return err
		}
		var r scanned
		if body == nil || json.Unmarshal(body, &r) != nil {
			continue // another scanner's: its verdict counts, not its form
		}
		for _, file := range r.Own.Files {
			fact := policy.ArtifactFact{Name: file.Name, Format: string(file.Format), Unsafe: file.Verdict != tallystick.Pass && file.Verdict != tallystick.Warn}
			if len(file.Findings) > 0 {
				fact.Reason = file.Findings[0].Message
			}
			f.release.Artifacts = append(f.release.Artifacts, fact)
		}
	}
	return nil
}

// vulnerable looks up which vulnerabilities the libraries of the version have.
func (o *Office) vulnerable(ctx context.Context, f *facts) error {
	if f.scanned == nil {
		return nil
	}
	digest := cmp.Or(f.vouched[f.scanned.Digest], f.scanned.Digest)
	body, err := o.stored(ctx, digest)
	if err != nil {
		return err
	}
	found, err := vulnerability.Parse(body)
	if err != nil {
		return nil //nolint:nilerr // it is no report, so that there is none
	}
	f.release.Dependencies.Report = &policy.VulnerabilityReport{
		Digest: digest, Produced: moment(f.scanned.ProducedMS), Critical: int64(found.Critical), High: int64(found.High),
	}
	return nil
}

func number(document *policy.Part, path ...string) int64 {
	n, _ := at(document, path...).(json.Number)
	i, _ := n.Int64()
	return i
}

// text returns a member of a member of a document, empty if it is no text.
func text(document *policy.Part, path ...string) string {
	s, _ := at(document, path...).(string)
	return s
}

func at(document *policy.Part, path ...string) any {
	at := document.Plain()
	for _, name := range path {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	return at
}

package release_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/verify"
)

// TestAuditOfOtherFiles: the decision of an audit is bound to the files that were audited, if its signer
// knew them: a version of the same name with other files has not been audited.
func TestAuditOfOtherFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limited(t)
	key, public := newKey(t)
	b.signer(t, "laptop", public)
	input := b.keep(t, []byte(`{"model": {"name": "credit", "version": "1"}}`))
	own, err := b.catalog.Version(t.Context(), "credit", "1")
	if err != nil {
		t.Fatal(err)
	}
	other := b.digestOf(t, "2")
	data := verify.Resource("data", tallystick.DigestOf([]byte("predictions")))
	for name, c := range map[string]struct {
		about []verify.ResourceDescriptor
		want  tallystick.Digest // subject on record
		code  tallystick.Code
	}{
		"the manifest":        {[]verify.ResourceDescriptor{data, verify.Resource(verify.VersionSubject, own.Digest)}, own.Digest, ""},
		"the OpenSSF root":    {[]verify.ResourceDescriptor{data, verify.Resource(verify.VersionSubject, own.Root)}, own.Root, ""},
		"other files":         {[]verify.ResourceDescriptor{data, verify.Resource(verify.VersionSubject, other)}, "", tallystick.Conflict},
		"files nobody knew":   {[]verify.ResourceDescriptor{data}, "", ""},
		"data named as files": {[]verify.ResourceDescriptor{verify.Resource("data", own.Digest), verify.Resource(verify.VersionSubject, other)}, "", tallystick.Conflict},
	} {
		gate := evidence.Gate{Verdict: tallystick.Pass, Tier: tallystick.TierLimited, Decided: evidence.Timestamp(time.Now()), Input: input}
		found, err := b.attach(t, catalog.EvidenceAttachment{Model: "credit", Version: "1", Details: catalog.EvidenceDetails{
			Kind: catalog.EvaluationEvidence, Name: "audit", Digest: b.put(t, key, verify.PredicateGate, gate, c.about...),
		}})
		if tallystick.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
		} else if err == nil && (found.Standing != "verified" || found.Subject != c.want) {
			t.Errorf("%s: %s, about %q, want %q", name, found.Words, found.Subject, c.want)
		}
	}
}
